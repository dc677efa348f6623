// This file is the client of the API. It sends the cookie, turns problem+json into a
// Problem, and handles the answers that concern the session, so that pages need not.
//
//   401                the session has ended: opens the login page, which leads back here
//   401 reauth_needed  asks the person to sign in again, then repeats the request
//   403, 409, 503, …   the caller shows the problem. An outage does not sign out.

const origin = import.meta.env.VITE_API || location.origin;

// apiURL resolves a path on the server, such as that of the stand-in's script.
export const apiURL = (path) => new URL(path, origin).href;

export class Problem extends Error {
  constructor(status, { code = "", detail = "" } = {}) {
    super(detail || (status ? "The server answered with status " + status + "." : "The server cannot be reached."));
    this.status = status; // 0 if there was no answer
    this.code = code;
  }

  // isOutage reports whether trying again may help.
  get isOutage() {
    return this.status === 0 || this.status >= 500;
  }

  // isSignedOut reports whether the session has ended. The interceptors have handled that.
  get isSignedOut() {
    return (this.status === 401 && this.code !== "reauth_needed") || this.code === "user_disabled";
  }
}

// interceptors are the functions with which the application handles its session.
// session.svelte.js and StepUp.svelte set them.
export const interceptors = {
  sessionEpoch: () => 0, // changes with every sign-in and sign-out
  signedOut: (code) => {},
  stepUp: async () => false,
};

export const get = (path) => call("GET", path);
export const post = (path, body) => call("POST", path, body);
export const patch = (path, body) => call("PATCH", path, body);
export const del = (path) => call("DELETE", path);

async function call(method, path, body) {
  const epoch = interceptors.sessionEpoch();
  try {
    return await send(method, path, body);
  } catch (problem) {
    if (problem.code === "reauth_needed" && (await interceptors.stepUp())) {
      return call(method, path, body);
    }
    if (problem.isSignedOut) {
      if (epoch !== interceptors.sessionEpoch()) {
        return call(method, path, body); // the answer is late and about an earlier session
      }
      interceptors.signedOut(problem.code);
    }
    throw problem;
  }
}

// send sends a request without the interceptors. It is for signing in, where the caller
// handles every refusal.
export async function send(method, path, body) {
  const response = await fetch(apiURL("/api" + path), {
    method,
    credentials: "include",
    cache: "no-store",
    ...(body === undefined ? {} : { headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) }),
  }).catch(() => {
    throw new Problem(0);
  });
  if (response.ok) {
    return response.status === 204 ? null : response.json();
  }
  throw new Problem(response.status, await response.json().catch(() => ({})));
}

// The API, as an HTTP client with interceptors would be: it sends the cookie, turns
// problem+json into a Problem, and deals with what concerns the session, so that
// pages need not.
//
//   401                the session is over: the login page, with the way back
//   401 reauth_needed  asks to sign in again, then repeats the request
//   403, 409, 503, …   the caller shows them. An outage throws nobody out.

const origin = import.meta.env.VITE_API || location.origin;

// apiURL resolves what the server names by its path, such as the stand-in's script.
export const apiURL = (path) => new URL(path, origin).href;

export class Problem extends Error {
  constructor(status, { code = "", detail = "" } = {}) {
    super(detail || (status ? "The server answered with status " + status + "." : "The server cannot be reached."));
    this.status = status; // 0: no answer
    this.code = code;
  }

  // Trying again may help.
  get isOutage() {
    return this.status === 0 || this.status >= 500;
  }

  // The session is over, which has been dealt with.
  get isSignedOut() {
    return (this.status === 401 && this.code !== "reauth_needed") || this.code === "user_disabled";
  }
}

// What the application does about its session. session.svelte.js and
// StepUp.svelte fill this in.
export const interceptors = {
  era: () => 0, // changes with every sign-in
  signedOut: (code) => {},
  stepUp: async () => false,
};

export const get = (path) => call("GET", path);
export const post = (path, body) => call("POST", path, body);
export const patch = (path, body) => call("PATCH", path, body);
export const del = (path) => call("DELETE", path);

async function call(method, path, body) {
  const era = interceptors.era();
  try {
    return await send(method, path, body);
  } catch (problem) {
    if (problem.code === "reauth_needed" && (await interceptors.stepUp())) {
      return call(method, path, body);
    }
    if (problem.isSignedOut) {
      if (era !== interceptors.era()) {
        return call(method, path, body); // a late answer about the session before this one
      }
      interceptors.signedOut(problem.code);
    }
    throw problem;
  }
}

// send is for requests whose refusals are nobody else's business: signing in.
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

// This file is the client of the API. It sends the cookie, turns problem+json into a
// Problem, and handles the answers that concern the session, so that pages need not.
//
//   401                the session has ended: opens the login page, which leads back here
//   401 reauth_needed  asks the person to sign in again, then repeats the request
//   403, 409, 503, …   the caller shows the problem. An outage does not sign out.

import { has, t } from "./i18n.svelte.js";

const origin = import.meta.env.VITE_API || location.origin;

// apiURL resolves a path on the server, such as that of the stand-in's script.
export const apiURL = (path) => new URL(path, origin).href;

export class Problem extends Error {
  constructor(status, { code = "", detail = "", field = "" } = {}) {
    super(words(status, code, detail));
    this.status = status; // 0 if there was no answer
    this.code = code;
    this.field = field; // of a form, if the server refuses what it says
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

// words returns the reason in the person's language, if the code has a text, or as the
// server has said it.
function words(status, code, detail) {
  if (!status) {
    return t("app.unreachable");
  }
  return (code && has("refusals." + code) && code !== "bad_request" && t("refusals." + code)) || detail || t("app.status", { status });
}

// interceptors are the functions with which the application handles its session.
// session.svelte.js and StepUp.svelte set them.
export const interceptors = {
  sessionEpoch: () => 0, // changes with every sign-in and sign-out
  signedOut: (_code) => {},
  stepUp: async () => false,
  notAdmin: () => {}, // the user is not an administrator, or not any more
};

export const get = (path) => call("GET", path);
export const post = (path, body, options) => call("POST", path, body, options);
export const patch = (path, body) => call("PATCH", path, body);
export const del = (path, options) => call("DELETE", path, undefined, options);

async function call(method, path, body, options) {
  const epoch = interceptors.sessionEpoch();
  try {
    return await send(method, path, body, options);
  } catch (problem) {
    if (problem.code === "reauth_needed" && (await interceptors.stepUp())) {
      return call(method, path, body, options);
    }
    if (problem.code === "not_admin") {
      interceptors.notAdmin();
    }
    if (problem.isSignedOut) {
      if (epoch !== interceptors.sessionEpoch()) {
        return call(method, path, body, options); // the answer is late and about an earlier session
      }
      interceptors.signedOut(problem.code);
    }
    throw problem;
  }
}

// send sends a request without the interceptors. It is for signing in, where the caller
// handles every refusal. With keepalive the request outlives the page. By the key the server
// recognises a request that is sent again.
export async function send(method, path, body, { keepalive = false, key = "" } = {}) {
  const response = await fetch(apiURL("/api" + path), {
    method,
    keepalive,
    credentials: "include",
    cache: "no-store",
    headers: { ...(body !== undefined && { "Content-Type": "application/json" }), ...(key && { "Idempotency-Key": key }) },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  }).catch(() => {
    throw new Problem(0);
  });
  if (response.ok) {
    return response.status === 204 ? null : response.json();
  }
  throw new Problem(response.status, await response.json().catch(() => ({})));
}

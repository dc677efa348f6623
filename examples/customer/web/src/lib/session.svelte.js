// This file keeps which user is signed in. Only the server knows for certain. The page asks
// it at the start, when the browser restores the page, when the person returns to the
// page, when another tab reports a change, and when the server reports that the session
// has ended.

import { Problem, apiURL, interceptors, post, send } from "./api.js";
import { disableAutoSelect } from "./google.js";
import { go } from "./paths.js";

export const session = $state({
  phase: "starting", // then "ready", or "failed" with a problem
  user: null, // null if no user is signed in
  code: "", // the reason why user is null, if it is known
  demo: false,
  problem: null,
});

const tabs = new BroadcastChannel("session");
let sessionEpoch = 0; // changes with the session, so that late answers can be recognised
let lastChecked = 0; // time of the last check
let signingOut = false;
let stream = null; // the event stream that reports the end of the session

interceptors.sessionEpoch = () => sessionEpoch;
interceptors.signedOut = (code) => {
  if (!signingOut) {
    ended(reasonFor(code));
  }
};
tabs.onmessage = () => {
  sessionEpoch++;
  session.phase === "failed" ? start() : refresh();
};

// start shows nothing until the server has answered which user is signed in.
export async function start() {
  session.phase = "starting";
  session.problem = null;
  clearUser("");
  try {
    await check();
    session.phase = "ready";
  } catch (problem) {
    session.problem = problem;
    session.phase = "failed";
  }
}

// refresh checks the session of a page that is shown already. An outage changes nothing.
const refresh = () => check().catch(() => {});

// check asks GET login first, which reports whether the browser sent a session cookie, so
// that a visitor's page causes no refused request.
async function check() {
  lastChecked = Date.now();
  const epoch = sessionEpoch;
  const { demo = false, session: hasCookie = true } = await send("GET", "/login");
  session.demo = demo;
  let user = null;
  let code = session.user ? "signed_out" : "";
  if (hasCookie) {
    try {
      user = await send("GET", "/user");
    } catch (problem) {
      if (!(problem instanceof Problem && problem.isSignedOut)) {
        throw problem;
      }
      code = reasonFor(problem.code);
    }
  }
  if (epoch !== sessionEpoch) {
    return check(); // the answer was about an earlier session
  }
  user ? setUser(user) : clearUser(code);
}

// reasonFor returns session_ended for no_session if the page had a session. Not every store
// remembers a session that has ended.
const reasonFor = (code) => (session.user && code === "no_session" ? "session_ended" : code);

function setUser(user) {
  if (session.user?.id !== user.id) {
    sessionEpoch++;
  }
  session.user = user;
  session.code = "";
  if (stream?.readyState !== EventSource.OPEN) {
    watchSession();
  }
}

function clearUser(code) {
  session.user = null;
  session.code = code;
  watchSession();
}

// ended is called if the session has ended in another way than by signOut.
export function ended(code) {
  clearUser(code);
  tabs.postMessage("changed");
}

// signedIn is called with the user that POST login has answered.
export function signedIn(user) {
  sessionEpoch++;
  stream?.close();
  setUser(user);
  session.phase = "ready";
  tabs.postMessage("changed");
}

// signOut rejects if the server does not answer. Then the user is still signed in.
export async function signOut() {
  signingOut = true; // refusals of other requests do not open the login page now
  stream?.close();
  try {
    await post("/logout");
    await go("/");
    sessionEpoch++;
    clearUser("");
  } finally {
    signingOut = false;
    watchSession();
  }
  tabs.postMessage("changed");
  disableAutoSelect();
}

// watchSession opens a stream on which the server reports the end of the session. It closes
// the stream while the page is hidden, because a browser has few connections for all its
// tabs.
function watchSession() {
  stream?.close();
  stream = null;
  if (!session.user || document.visibilityState !== "visible") {
    return;
  }
  const source = (stream = new EventSource(apiURL("/api/live"), { withCredentials: true }));
  source.addEventListener("ended", () => {
    source.close();
    setTimeout(refresh, 300); // if a sign-in in another tab ended the session, the new cookie has arrived by then
  });
}

// A page from the browser's back/forward cache may show a session that has ended.
addEventListener("pageshow", (event) => event.persisted && start());

document.addEventListener("visibilitychange", () => {
  watchSession();
  if (document.visibilityState === "visible" && session.phase === "ready" && Date.now() - lastChecked > 5000) {
    refresh();
  }
});

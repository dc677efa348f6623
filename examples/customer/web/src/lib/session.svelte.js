// Who is signed in, as far as this page knows. The server knows; the page asks at
// the start, when the browser restores it, when somebody comes back to it, when
// another tab says that something has changed, and when the server says that the
// session has ended.

import { Problem, apiURL, interceptors, post, send } from "./api.js";
import { disableAutoSelect } from "./google.js";
import { go } from "./paths.js";

export const session = $state({
  phase: "starting", // then ready, or failed: see problem
  user: null, // null: nobody
  code: "", // why nobody, if that is known
  demo: false,
  problem: null,
});

const tabs = new BroadcastChannel("session");
let era = 0; // of one session
let asked = 0; // when the server was, last
let leaving = false;
let stream = null;

interceptors.era = () => era;
interceptors.signedOut = (code) => {
  if (!leaving) {
    ended(explain(code));
  }
};
tabs.onmessage = () => {
  era++;
  session.phase === "failed" ? start() : look();
};

// start shows nothing until the server has said who is here.
export async function start() {
  session.phase = "starting";
  session.problem = null;
  forget("");
  try {
    await check();
    session.phase = "ready";
  } catch (problem) {
    session.problem = problem;
    session.phase = "failed";
  }
}

// look is for pages that show something already: an outage changes nothing.
const look = () => check().catch(() => {});

// check asks GET login first, which says whether there is a session at all, so that
// a visitor costs no refusal.
async function check() {
  asked = Date.now();
  const now = era;
  const { demo = false, session: maybe = true } = await send("GET", "/login");
  session.demo = demo;
  let user = null;
  let code = session.user ? "signed_out" : "";
  if (maybe) {
    try {
      user = await send("GET", "/user");
    } catch (problem) {
      if (!(problem instanceof Problem && problem.isSignedOut)) {
        throw problem;
      }
      code = explain(problem.code);
    }
  }
  if (now !== era) {
    return check(); // this was about the session before
  }
  user ? arrive(user) : forget(code);
}

// explain: to the server a session that it forgot is none; here there was one.
const explain = (code) => (session.user && code === "no_session" ? "session_ended" : code);

function arrive(user) {
  if (session.user?.id !== user.id) {
    era++;
  }
  session.user = user;
  session.code = "";
  if (stream?.readyState !== EventSource.OPEN) {
    follow();
  }
}

function forget(code) {
  session.user = null;
  session.code = code;
  follow();
}

// ended is for a session that something else than signOut has ended.
export function ended(code) {
  forget(code);
  tabs.postMessage("changed");
}

// signedIn takes what POST login has answered.
export function signedIn(user) {
  era++;
  stream?.close();
  arrive(user);
  session.phase = "ready";
  tabs.postMessage("changed");
}

// signOut rejects if the server cannot be asked: then one is still signed in.
export async function signOut() {
  leaving = true; // whatever says now that the session is over
  stream?.close();
  try {
    await post("/logout");
    await go("/");
    era++;
    forget("");
  } finally {
    leaving = false;
    follow();
  }
  tabs.postMessage("changed");
  disableAutoSelect();
}

// follow has the server say when the session ends, for as long as the page is seen:
// a browser has few connections for all its tabs.
function follow() {
  stream?.close();
  stream = null;
  if (!session.user || document.visibilityState !== "visible") {
    return;
  }
  const mine = (stream = new EventSource(apiURL("/api/live"), { withCredentials: true }));
  mine.addEventListener("ended", () => {
    mine.close();
    setTimeout(look, 300); // a sign-in in another tab ended it, perhaps: the new cookie is on its way
  });
}

// What the browser's back/forward cache brings back was true once.
addEventListener("pageshow", (event) => event.persisted && start());

document.addEventListener("visibilitychange", () => {
  follow();
  if (document.visibilityState === "visible" && session.phase === "ready" && Date.now() - asked > 5000) {
    look();
  }
});

// This file keeps which user is signed in. Only the server knows for certain. The page asks
// it at the start, when the browser restores the page, when the person returns to the
// page, when another tab reports a change, and when the server reports that the session
// has ended.

import { Problem, apiURL, interceptors, post, send } from "./api.js";
import { forgetDrafts } from "./drafts.svelte.js";
import { disableAutoSelect } from "./google.js";
import { forgetHistory } from "./history.js";
import { stopIdle, watchIdle } from "./idle.svelte.js";
import { go } from "./paths.js";
import { Stream } from "./stream.js";
import { commitAll } from "./toasts.svelte.js";

export const session = $state({
  phase: "starting", // then "ready", or "failed" with a problem
  user: null, // null if no user is signed in
  code: "", // the reason why user is null, if it is known
  demo: false,
  hasTokens: false, // users can make tokens for programs
  problem: null,
});

// live reports "changed" when the server says that the sessions of the user have changed.
export const live = new EventTarget();

const tabs = new BroadcastChannel("session");
let sessionEpoch = 0; // changes with the session, so that late answers can be recognised
let lastChecked = 0; // time of the last check
let signingOut = false;
let hasStreamed = false; // there was a stream before this one

// stream reports the end of the session, and is open while a user is signed in.
const stream = new Stream(
  apiURL("/api/live"),
  {
    hello: () => {
      if (hasStreamed) {
        live.dispatchEvent(new Event("changed")); // while there was no stream, changes were not reported
      }
      hasStreamed = true;
    },
    changed: () => live.dispatchEvent(new Event("changed")),
    rights: () => refresh(),
    ended: (data) => {
      stream.close();
      // If a sign-in in another tab ended the session, the new cookie has arrived by then.
      setTimeout(refresh, 300, JSON.parse(data).code);
    },
  },
  {
    mayReconnect: async () => {
      await refresh();
      return session.user !== null;
    },
  },
);

interceptors.sessionEpoch = () => sessionEpoch;
interceptors.signedOut = (code) => {
  if (!signingOut && session.user) { // the first of several refusals has the reason
    ended(reasonFor(code));
  }
};
interceptors.notAdmin = () => session.user?.admin && refresh();
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

// recover asks again after start has failed, and shows the failure until the server answers.
export async function recover() {
  try {
    await check();
    session.problem = null;
    session.phase = "ready";
  } catch (problem) {
    session.problem = problem;
  }
}

// refresh checks the session of a page that is shown already. An outage changes nothing. hint
// is the reason that the stream has given for the end of the session.
const refresh = (hint) => check(hint).catch(() => {});

// check asks GET login first, which reports whether the browser sent a session cookie, so
// that a visitor's page causes no refused request.
async function check(hint = "") {
  lastChecked = Date.now();
  const epoch = sessionEpoch;
  const { demo = false, tokens = false, session: hasCookie = true } = await send("GET", "/login");
  session.demo = demo;
  session.hasTokens = tokens;
  let user = null;
  let code = session.user ? "signed_out" : session.code; // the reason is known if a request was refused before
  if (hasCookie) {
    try {
      user = await send("GET", "/user");
    } catch (problem) {
      if (!(problem instanceof Problem && problem.isSignedOut)) {
        throw problem;
      }
      code = reasonFor(problem.code === "no_session" && hint ? hint : problem.code);
    }
  }
  if (epoch !== sessionEpoch) {
    return check(hint); // the answer was about an earlier session
  }
  if (user) {
    setUser(user);
  } else if (session.user || !session.code) { // the first of several checks at once has the reason
    clearUser(code);
  }
}

// reasonFor returns session_ended for no_session if the page had a session. Not every store
// remembers a session that has ended.
const reasonFor = (code) => (session.user && code === "no_session" ? "session_ended" : code);

function setUser(user) {
  if (session.user?.id !== user.id) {
    sessionEpoch++;
    forgetHistory();
  }
  session.user = user;
  session.code = "";
  if (!stream.isOpen) {
    stream.open();
  }
  watchIdle();
}

function clearUser(code) {
  session.user = null;
  session.code = code;
  forgetHistory();
  stopIdle();
  stream.close();
}

// ended is called if the session has ended in another way than by signOut.
export function ended(code) {
  clearUser(code);
  tabs.postMessage("changed");
}

// signedIn is called with the user that POST login has answered.
export function signedIn(user) {
  sessionEpoch++;
  stream.close();
  setUser(user);
  session.phase = "ready";
  tabs.postMessage("changed");
}

// signOut rejects if the server does not answer. Then the user is still signed in.
export async function signOut() {
  signingOut = true; // refusals of other requests do not open the login page now
  stream.close();
  try {
    await commitAll();
    await post("/logout");
    await go("/");
    sessionEpoch++;
    clearUser("");
    forgetDrafts();
  } finally {
    signingOut = false;
    if (session.user) {
      stream.open(); // the server has not answered
    }
  }
  tabs.postMessage("changed");
  disableAutoSelect();
}

// A page from the browser's back/forward cache may show a session that has ended.
addEventListener("pageshow", (event) => event.persisted && start());

document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible" && session.phase === "ready" && Date.now() - lastChecked > 5000) {
    refresh();
  }
});

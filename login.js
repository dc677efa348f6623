// Sign in with Google for pages without a framework:
//   <div id="google-signin"></div><script src="/api/login.js"></script>
// Attributes of the script tag: data-one-tap shows One Tap too; data-script is
// another script in place of Google's.
(() => {
  "use strict";
  const tag = document.currentScript;
  const api = tag.src.replace(/\.js(\?.*)?$/, "");
  const box = document.getElementById("google-signin");
  let retried = false;

  const say = (text) => {
    let p = document.getElementById("google-signin-message");
    if (!p) {
      p = document.createElement("p");
      p.id = "google-signin-message";
      p.setAttribute("role", "alert");
      box.after(p);
    }
    p.textContent = text;
  };

  // Only a page of this site: resolve it as the browser will, then compare. An address
  // that cannot be resolved must not keep who has just signed in here.
  const next = () => {
    try {
      const to = new URL(new URLSearchParams(location.search).get("next") || "/", location.origin);
      if (to.origin === location.origin && to.protocol === location.protocol) return to.href;
    } catch {
      // malformed, such as "http:.."
    }
    return "/";
  };

  const signIn = async ({ credential }) => {
    const answer = await fetch(api, {
      method: "POST",
      credentials: "include",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ credential }),
    }).catch(() => null);
    if (answer?.ok) return location.assign(next());
    const problem = (await answer?.json().catch(() => null)) || {};
    // A new nonce, a new button, and one more click; once.
    if (problem.code === "nonce_mismatch" && !retried) {
      retried = true;
      await begin();
      return say("Please click the button once more.");
    }
    say(problem.detail || "The server cannot be reached. Please try again.");
  };

  const load = (src) =>
    window.google?.accounts?.id ||
    new Promise((done, fail) => {
      const s = document.createElement("script");
      s.src = src;
      s.onload = done;
      s.onerror = () => fail(new Error(src));
      document.head.append(s);
    });

  const begin = async () => {
    try {
      const answer = await fetch(api, { credentials: "include", cache: "no-store" });
      if (!answer.ok) throw new Error("login: " + answer.status);
      const { client_id, nonce } = await answer.json();
      await load(tag.dataset.script || "https://accounts.google.com/gsi/client");
      google.accounts.id.initialize({ client_id, nonce, callback: signIn });
      google.accounts.id.renderButton(box, { type: "standard" });
      if ("oneTap" in tag.dataset) google.accounts.id.prompt();
    } catch {
      say("Sign-in is not available right now. Please reload the page.");
    }
  };

  // A page out of the back/forward cache may hold a nonce of long ago.
  addEventListener("pageshow", (e) => e.persisted && begin());
  begin();
})();

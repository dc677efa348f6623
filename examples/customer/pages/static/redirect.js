// Google's button in redirect mode: Google's page posts the token to /api/login,
// which sends the browser on to state.
(async () => {
  "use strict";
  const box = document.getElementById("google-signin");
  try {
    const answer = await fetch("/api/login", { cache: "no-store" });
    if (!answer.ok) throw new Error("login: " + answer.status);
    const { client_id, nonce, script } = await answer.json();
    await new Promise((done, fail) => {
      const tag = document.createElement("script");
      tag.src = script;
      tag.onload = done;
      tag.onerror = () => fail(new Error(script));
      document.head.append(tag);
    });
    google.accounts.id.initialize({
      client_id,
      nonce,
      ux_mode: "redirect",
      login_uri: location.origin + "/api/login",
    });
    // The server takes a path of this site only.
    const state = new URLSearchParams(location.search).get("next") || "/";
    google.accounts.id.renderButton(box, { type: "standard", state });
  } catch {
    box.textContent = "Sign-in is not available right now. Please reload the page.";
  }
})();

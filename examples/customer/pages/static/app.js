// Sign Out, on every page.
(() => {
  "use strict";
  const button = document.getElementById("sign-out");
  button?.addEventListener("click", async () => {
    button.disabled = true;
    const answer = await fetch("/api/logout", { method: "POST" }).catch(() => null);
    if (!answer?.ok) {
      button.disabled = false;
      button.textContent = "Sign Out failed: try again";
      return;
    }
    // Or Google's script might sign the same person in again at once.
    window.google?.accounts?.id?.disableAutoSelect();
    location.assign("/");
  });

  // A page out of the back/forward cache may show who is not signed in any more.
  addEventListener("pageshow", (e) => e.persisted && location.reload());
})();

// Sets the class that switches Swagger UI to its dark colours. The person's choice in the
// application (theme.svelte.js) wins over that of the system.
(() => {
  "use strict";
  const system = matchMedia("(prefers-color-scheme: dark)");
  const chosen = () => {
    try {
      return localStorage.getItem("customer:theme");
    } catch {
      return null; // the browser keeps nothing for this site
    }
  };
  const set = () => {
    const choice = chosen();
    document.documentElement.classList.toggle("dark-mode", choice === "dark" || (choice !== "light" && system.matches));
  };
  system.addEventListener("change", set);
  addEventListener("storage", set);
  set();
})();

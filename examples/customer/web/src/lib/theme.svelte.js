// This file keeps whether the pages are light, dark, or as the system is. Pico reads the
// choice from data-theme.

import { load, save } from "./storage.js";

export const themes = ["auto", "light", "dark"];

const system = matchMedia("(prefers-color-scheme: dark)");
const state = $state({ choice: themes.includes(load("theme")) ? load("theme") : "auto", system: system.matches });

system.addEventListener("change", () => (state.system = system.matches));

export const theme = () => state.choice;

// isDark reports what the person sees. Google's button follows it.
export const isDark = () => state.choice === "dark" || (state.choice === "auto" && state.system);

export function chooseTheme(choice) {
  state.choice = choice;
  save("theme", choice);
  apply();
}

function apply() {
  if (state.choice === "auto") {
    delete document.documentElement.dataset.theme;
  } else {
    document.documentElement.dataset.theme = state.choice;
  }
}
apply();

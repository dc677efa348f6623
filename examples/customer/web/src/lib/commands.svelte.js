// This file has the commands of the palette and the keyboard shortcuts. A page adds commands of
// its own while it is shown.

import { onMount } from "svelte";

import { t } from "./i18n.svelte.js";
import { go } from "./paths.js";
import { session, signOut } from "./session.svelte.js";
import { chooseTheme, isDark } from "./theme.svelte.js";
import { Action } from "./work.svelte.js";

const isApple = /Mac|iPhone|iPad/.test(navigator.platform);

export const palette = $state({ open: false, keys: isApple ? "⌘K" : "Ctrl K" });

const action = new Action();
let own = $state.raw([]); // commands of the page

// useCommands adds commands while a component is shown. A command is {text, run, keys}, where
// keys is a letter, or "g" and a letter.
export function useCommands(list) {
  onMount(() => {
    own = [...own, ...list];
    return () => (own = own.filter((command) => !list.includes(command)));
  });
}

const page = (keys, path, name, visible = true) => ({ keys, text: t("palette.go", { page: t("pages." + name) }), run: () => go(path), visible });

// commands returns what the palette lists.
export function commands() {
  const signedIn = Boolean(session.user);
  const admin = Boolean(session.user?.admin);
  return [
    ...own,
    page("g t", "/", "top"),
    page("g c", "/customer", "customers"),
    page("g l", "/login", "login", !signedIn),
    page("g d", "/devices", "devices", signedIn),
    page("g u", "/admin", "users", admin),
    page("g s", "/admin/sessions", "sessions", admin),
    page("g o", "/admin/overview", "overview", admin),
    page("g i", "/admin/invitations", "invitations", admin),
    page("g a", "/admin/audit", "audit", admin),
    { text: t(isDark() ? "palette.light" : "palette.dark"), run: () => chooseTheme(isDark() ? "light" : "dark") },
    { text: t("app.signOut"), run: () => action.run(signOut), visible: signedIn },
  ].filter((command) => command.visible !== false);
}

let pressed = ""; // the first key of a shortcut of two keys
let timer;

// onShortcut handles a key of the document. Single letters do nothing while the person types
// (WCAG 2.2, success criterion 2.1.4), or while a dialog is open.
export function onShortcut(event) {
  const key = event.key.toLowerCase();
  if (key === "k" && (isApple ? event.metaKey : event.ctrlKey) && !event.altKey && !event.shiftKey) {
    event.preventDefault();
    palette.open = !palette.open;
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || isTyping(event.target) || document.querySelector("dialog[open]")) {
    return;
  }
  if (key === "?") {
    event.preventDefault();
    palette.open = true;
    return;
  }
  const keys = pressed ? pressed + " " + key : key;
  const found = commands().find((command) => command.keys === keys);
  clearTimeout(timer);
  pressed = found || keys.length > 1 ? "" : key;
  timer = setTimeout(() => (pressed = ""), 1500);
  if (found) {
    event.preventDefault();
    found.run();
  }
}

const isTyping = (element) => element instanceof HTMLElement && (element.isContentEditable || element.matches("input, textarea, select"));

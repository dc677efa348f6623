// This file remembers, for each entry of the browser's history, the data of its page and how
// far it was scrolled. Back and Forward then show the page as it was.

import { load, save } from "./storage.js";

let entries = new Map(); // of the history, by index and address
let wanted; // how far the page is to be scrolled, or undefined
let isReturning = false; // the page was opened by Back or Forward

const key = () => (history.state?._routerIndex ?? 0) + " " + location.pathname + location.search;

function entry() {
  if (!entries.has(key())) {
    entries.set(key(), { scroll: 0, data: new Map() });
  }
  return entries.get(key());
}

// startHistory takes the place of the browser's own scrolling, which happens before the data
// of the page has come.
export function startHistory() {
  history.scrollRestoration = "manual";
  const [at, scroll] = load("scroll", "sessionStorage").split("|");
  if (at === key()) {
    wanted = Number(scroll); // the page has been loaded again
  }
  let before = key();
  addEventListener("scroll", () => {
    if (before === key()) {
      entry().scroll = scrollY;
    }
    before = key();
  });
  addEventListener("pagehide", () => save("scroll", key() + "|" + scrollY, "sessionStorage"));
  addEventListener("popstate", () => {
    isReturning = entries.has(key());
    wanted = isReturning ? entry().scroll : undefined;
    before = "";
  }, { capture: true });
  // Every new entry is made by pushState, whether a link, the router or a list makes it.
  const push = history.pushState.bind(history);
  history.pushState = (...args) => {
    isReturning = false;
    wanted = undefined;
    push(...args);
    before = key(); // the first scrolling of a new entry counts
  };
  const replace = history.replaceState.bind(history);
  history.replaceState = (...args) => {
    const isSettled = before === key();
    replace(...args);
    before = isSettled ? key() : before;
  };
  for (const event of ["wheel", "touchmove", "keydown", "pointerdown"]) {
    addEventListener(event, () => (wanted = undefined), { passive: true });
  }
}

// restoreScroll is called when a page has been drawn, and again when its data has come.
export function restoreScroll() {
  if (wanted !== undefined && document.documentElement.scrollHeight >= wanted + innerHeight) {
    scrollTo({ top: wanted, behavior: "instant" });
    wanted = undefined;
  }
}

// remember keeps data of the present entry. remembered returns it if the person has come
// back to the entry.
export const remember = (name, data) => entry().data.set(name, data);

export const remembered = (name) => (isReturning ? entry().data.get(name) : undefined);

// forgetHistory drops the data, which may be that of another person.
export function forgetHistory() {
  entries = new Map();
}

// This file keeps the focus on the page when the element that has it goes.

import { tick } from "svelte";

// neighbours remembers the elements around one of a kind, such as the buttons of rows. It
// returns a function that moves the focus to the nearest one that is left, or to the title of
// the page, if the focus has been lost.
export function neighbours(element, selector) {
  const all = [...document.querySelectorAll(selector)];
  const i = all.indexOf(element);
  const nearest = [...all.slice(i + 1), ...all.slice(0, Math.max(i, 0)).reverse()];
  return async () => {
    await tick();
    if (document.activeElement === document.body) {
      (nearest.find((other) => other.isConnected) ?? document.querySelector("h1"))?.focus();
    }
  };
}

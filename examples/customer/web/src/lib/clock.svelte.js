// This file has the time for texts that depend on it. The time moves every 15 seconds while
// the page is visible, and when data arrives, so that no event of the past is in the future.

export const clock = $state({ now: Date.now() });

export function tick() {
  if (document.visibilityState === "visible") {
    clock.now = Date.now();
  }
}

setInterval(tick, 15_000);
document.addEventListener("visibilitychange", tick);

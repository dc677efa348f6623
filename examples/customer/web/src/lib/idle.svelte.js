// This file warns before the session ends because it has not been used, and extends it if the
// person says so (WCAG 2.2, success criterion 2.2.1).

import { get } from "./api.js";

const warning = 120; // seconds before the end

// idle.left is how many seconds the session has left while the warning is shown, or null.
export const idle = $state({ left: null, canExtend: true });

let timer = 0;
let ends = 0; // when the session ends, by this machine's clock
let runs = 0; // so that a late answer does not begin the watch again after stopIdle

// watchIdle begins when a user has signed in, and asks again when the end comes near, because
// another tab may have used the session. It asks by a route that does not count as a use.
export async function watchIdle() {
  clearTimeout(timer);
  const run = ++runs;
  const answer = await get("/session").catch(() => null);
  if (run !== runs) {
    return;
  }
  if (!answer) {
    schedule(30); // an outage; the end of the session has called stopIdle
    return;
  }
  ends = Date.now() + answer.seconds_left * 1000;
  if (answer.seconds_left <= warning) {
    count();
  } else {
    idle.left = null;
    schedule(answer.seconds_left - warning);
  }
}

// stopIdle ends the watch.
export function stopIdle() {
  clearTimeout(timer);
  runs++;
  ends = 0;
  Object.assign(idle, { left: null, canExtend: true });
}

// staySignedIn uses the session, which extends it, unless the end is that of its longest
// lifetime.
export async function staySignedIn() {
  await get("/user");
  await watchIdle();
  idle.canExtend = idle.left === null;
}

function count() {
  idle.left = Math.max(0, Math.ceil((ends - Date.now()) / 1000));
  clearTimeout(timer);
  timer = setTimeout(idle.left > 0 ? count : watchIdle, 1000);
}

// A timer of more than 24 days would fire at once, and one of a sleeping machine is late.
function schedule(seconds) {
  clearTimeout(timer);
  timer = setTimeout(watchIdle, Math.min(seconds, 3600) * 1000);
}

document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible" && ends) {
    watchIdle();
  }
});

// Google's script: loaded when it is needed, and initialised again whenever the
// nonce is another one.

import { apiURL, send } from "./api.js";

let script; // a promise
let initialized = ""; // with what
let onCredential = () => {};

// prepare gets ready for a click. The callback gets what Google hands over, unless
// the browser leaves for Google's page (redirect mode).
export async function prepare(callback, { popup = false } = {}) {
  const login = await send("GET", "/login");
  await load(login.script);
  onCredential = callback;
  const redirect = Boolean(login.redirect) && !popup;
  const options = {
    client_id: login.client_id,
    nonce: login.nonce,
    ux_mode: redirect ? "redirect" : "popup",
    ...(redirect ? { login_uri: apiURL("/api/login") } : {}),
  };
  // Once only for the same: Google's script warns of another time.
  if (JSON.stringify(options) !== initialized) {
    google.accounts.id.initialize({ ...options, callback: (answer) => onCredential(answer) });
    initialized = JSON.stringify(options);
  }
  return { redirect };
}

function load(src) {
  script ??= new Promise((resolve, reject) => {
    const tag = document.createElement("script");
    tag.src = apiURL(src);
    tag.onload = resolve;
    tag.onerror = () => {
      script = undefined; // the next one may arrive
      tag.remove();
      reject(new Error("Google's sign-in cannot be loaded. Is it blocked, or is the network down?"));
    };
    document.head.append(tag);
  });
  return script;
}

export const renderButton = (box, options) => google.accounts.id.renderButton(box, options);
export const prompt = () => google.accounts.id.prompt();
export const cancel = () => globalThis.google?.accounts?.id?.cancel();

// disableAutoSelect keeps Google from signing the same person in again at once. It
// works through a cookie, so it has to happen wherever one signs out.
export async function disableAutoSelect() {
  try {
    const login = await send("GET", "/login");
    await load(login.script);
    google.accounts.id.disableAutoSelect();
  } catch {
    // Without Google's script nothing is selected either.
  }
}

// This file loads Google's script when it is needed, and initialises it again if the nonce
// has changed.

import { apiURL, send } from "./api.js";

let script; // a promise that the script is loaded
let initialized = ""; // the options of the last call of initialize, in JSON
let onCredential = () => {};

// prepare loads and initialises Google's script. The callback receives Google's answer. In
// redirect mode it is not called, because the browser leaves for Google's page. onlogin
// receives the server's answer before the script is loaded, because the script may be blocked.
export async function prepare(callback, { popup = false, onlogin = () => {} } = {}) {
  const login = await send("GET", "/login");
  onlogin(login);
  await load(login.script);
  onCredential = callback;
  const redirect = Boolean(login.redirect_mode) && !popup;
  const options = {
    client_id: login.client_id,
    nonce: login.nonce,
    ux_mode: redirect ? "redirect" : "popup",
    ...(redirect ? { login_uri: apiURL("/api/login") } : {}),
  };
  // Google's script warns if it is initialised twice with the same options.
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
      script = undefined; // so that the next call loads it again
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

// disableAutoSelect keeps Google from signing the same person in again at once. It works
// through a cookie, so every sign-out calls it.
export async function disableAutoSelect() {
  try {
    const login = await send("GET", "/login");
    await load(login.script);
    google.accounts.id.disableAutoSelect();
  } catch {
    // Without Google's script no account is selected automatically, either.
  }
}

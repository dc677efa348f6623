// This file loads Google's script when it is needed, and initialises it again if the nonce or
// the colours have changed.

import { apiURL, send } from "./api.js";

let script; // a promise that the script is loaded
let initialized = ""; // the options of the last call of initialize, in JSON
let onCredential = (_answer) => {};

// begin returns what the server answers about the sign-in, such as the nonce.
export const begin = () => send("GET", "/login");

// isRedirectRequired reports whether the browser runs on iOS, where Google's window cannot
// report to the page: https://developers.google.com/identity/gsi/web/guides/supported-browsers
export const isRedirectRequired = () =>
  /iP(hone|ad|od)/.test(navigator.userAgent) ||
  (navigator.userAgent.includes("Macintosh") && navigator.maxTouchPoints > 1); // iPadOS

// prepare loads and initialises Google's script, for what begin has returned. The callback
// receives Google's answer. In redirect mode it is not called, because the browser leaves for
// Google's page.
export async function prepare(login, callback, { redirect = false, isDark = false } = {}) {
  await load(login.script);
  onCredential = callback;
  const options = {
    client_id: login.client_id,
    nonce: login.nonce,
    // Google asks for the redirect on iOS, as isRedirectRequired says.
    ux_mode: redirect ? "redirect" : "popup",
    ...(redirect ? { login_uri: apiURL("/api/login") } : {}),
    // One Tap in browsers with Intelligent Tracking Prevention, such as Safari and Firefox:
    // https://developers.google.com/identity/gsi/web/guides/itp
    itp_support: true,
    // The browser's own dialog in the place of Google's window, where the browser has one:
    // https://developers.google.com/identity/gsi/web/guides/fedcm-migration
    use_fedcm_for_button: true,
    // A click beside One Tap closes it. This is Google's default, written down because the
    // page around it stays usable:
    // https://developers.google.com/identity/gsi/web/guides/toggle-outside-tap
    cancel_on_tap_outside: true,
    // The colours of One Tap:
    // https://developers.google.com/identity/gsi/web/reference/js-reference#color_scheme
    color_scheme: isDark ? "dark" : "light",
  };
  // A second call is legal, and the methods that are called afterwards use its options:
  // https://developers.google.com/identity/gsi/web/reference/js-reference#google.accounts.id.initialize
  // Google's script warns of it, so the page calls only if an option has changed.
  if (JSON.stringify(options) !== initialized) {
    google.accounts.id.initialize({ ...options, callback: (answer) => onCredential(answer) });
    initialized = JSON.stringify(options);
  }
}

function load(src) {
  script ??= new Promise((resolve, reject) => {
    const tag = document.createElement("script");
    tag.src = apiURL(src);
    tag.onload = resolve;
    tag.onerror = () => {
      script = undefined; // so that the next call loads it again
      tag.remove();
      reject(new ScriptBlocked());
    };
    document.head.append(tag);
  });
  return script;
}

// ScriptBlocked is the error of a script that does not load.
export class ScriptBlocked extends Error {}

// The widths that Google's button can have, in pixels. 400 is Google's maximum, and a button
// of type icon is 40 wide:
// https://developers.google.com/identity/gsi/web/reference/js-reference#width
const minWidth = 200;
const maxWidth = 400;

// buttonOptions returns the options of the button for a box of this width. Google's script
// draws the logo and one of the texts that its branding guidelines allow:
// https://developers.google.com/identity/branding-guidelines
export const buttonOptions = ({ width, isDark, locale, state, onclick }) => ({
  ...(width < minWidth ? { type: "icon", shape: "square" } : { type: "standard", shape: "rectangular", width: Math.min(Math.floor(width), maxWidth) }),
  theme: isDark ? "filled_black" : "outline",
  size: "large",
  text: "signin_with",
  logo_alignment: "left",
  locale: locale.replaceAll("-", "_"), // such as zh_CN
  click_listener: onclick,
  ...(state ? { state } : {}),
});

export const renderButton = (box, options) => google.accounts.id.renderButton(box, options);

// prompt shows One Tap. The page does not ask whether it is shown, because with FedCM Google's
// script does not say so, as the guide fedcm-migration explains.
export const prompt = () => google.accounts.id.prompt();
export const cancel = () => globalThis.google?.accounts?.id?.cancel();

// disableAutoSelect keeps Google from signing the same person in again at once. It works
// through a cookie, so every sign-out calls it.
export async function disableAutoSelect() {
  try {
    const login = await begin();
    await load(login.script);
    google.accounts.id.disableAutoSelect();
  } catch {
    // Without Google's script no account is selected automatically, either.
  }
}

// The parts of login.js that deal with the page and the server: texts, messages, events,
// addresses and requests.

// A module has no currentScript. An element with the name currentScript, which users may be
// allowed to write, hides it.
const { currentScript } = document;
const tag = currentScript?.localName === "script" ? currentScript : document.querySelector('script[src*="login.js"]');
const attr = (name) => tag.getAttribute("data-" + name) ?? tag.getAttribute("data-" + name.replaceAll("_", "-"));

const api = tag?.src.replace(/\.js([?#].*)?$/, ""); // such as https://app.example.com/api/login
const route = (name) => new URL(name, api).href;
const containerID = (tag && attr("container")) || "google-signin";
const shared = (document[Symbol.for("googlesession")] ??= { turn: Promise.resolve() }); // what all tags on the page share
let box = null; // the container
let busy = false; // true while a sign-in is posted

// ---- texts

const primary = (language) => language.toLowerCase().split(/[-_]/)[0];
const forced = tag && attr("lang");
const known = (forced ? [forced] : navigator.languages).find((language) => Object.hasOwn(texts, primary(language)));
const lang = known ? primary(known) : "en";
const locale = forced || known; // the language of Google's button, which otherwise chooses it by itself

const isCode = (key) => Object.hasOwn(texts.en.codes, key) || attr("msg-" + key) !== null;

// sentence returns the text of a key and the language of the text. If the code has no text,
// it returns detail, the sentence of the server, which is English.
const sentence = (key, detail) => {
  const own = attr("msg-" + key);
  if (own !== null) return { words: own, lang: forced };
  const words = texts[lang].page[key] ?? (isCode(key) ? texts[lang].codes[key] : null);
  if (words || !detail) return { words: words ?? texts[lang].page.not_available, lang };
  return { words: detail, lang: "en" };
};

// say shows a text after an element. Both regions exist before they have a text, because
// screen readers read out the changes of a region.
const say = (role, { words, lang }, element = box) => {
  const id = (element === box ? containerID : "google-signout") + "-message";
  let message = document.getElementById(id);
  if (!message) {
    message = Object.assign(document.createElement("div"), { id });
    element.after(message);
  }
  if (!message.querySelector("[role]")) {
    for (const role of ["status", "alert"]) {
      const region = document.createElement("div");
      region.setAttribute("role", role);
      message.append(region);
    }
  }
  for (const region of message.querySelectorAll("[role]")) {
    region.textContent = region.getAttribute("role") === role ? words : "";
    if (lang) region.lang = lang;
    else region.removeAttribute("lang");
  }
};

// ---- events and states

const tell = (name, detail, element = box) =>
  element.dispatchEvent(new CustomEvent("googlesession:" + name, { bubbles: true, cancelable: true, detail }));

const fail = (key, detail, code = key) => {
  say("alert", sentence(key, detail));
  tell("error", { code });
};

// setBusy makes the button unusable while the server is asked. The browser takes the focus
// away from an inert element, so setBusy gives the focus back.
let focused = null;
const setBusy = (on) => {
  if (busy === on) return;
  busy = on;
  if (on) focused = box.contains(document.activeElement) ? innermost(document.activeElement) : null;
  box.inert = on;
  box.setAttribute("aria-busy", on);
  if (on) say("status", sentence("busy"));
  else focused?.focus();
  tell("busy", { busy: on });
};

const innermost = (element) => (element.shadowRoot?.activeElement ? innermost(element.shadowRoot.activeElement) : element);

// ---- addresses

// onThisSite returns the URL of a page of this origin, and null for every other address. It
// resolves the address as the browser will, and then compares the origins.
const onThisSite = (address) => {
  try {
    const to = new URL(address, location.origin);
    return to.origin === location.origin && to.protocol === location.protocol ? to : null;
  } catch {
    return null; // malformed, such as "http:.."
  }
};

const parameter = (name) => new URLSearchParams(location.search).get(name);

const next = () => onThisSite(parameter("next") || attr("next") || "/") ?? onThisSite(attr("next") || "/") ?? onThisSite("/");

const go = (to) => {
  location.assign(to.href);
  // If only the fragment differs, the browser scrolls and does not load the page.
  if (to.hash && to.href.split("#")[0] === location.href.split("#")[0]) location.reload();
};

// ---- requests

// request resolves to the answer, or to null if there is none.
const request = (method, url, body) =>
  fetch(url, {
    method,
    credentials: "include",
    cache: "no-store",
    signal: AbortSignal.timeout?.(30_000),
    ...(body && { headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) }),
  }).catch(() => null);

// members resolves to the object in an answer.
const members = async (answer) => (await answer?.json().catch(() => null)) ?? {};

// ---- style

// styleLink gives the link to Google's page the look of a button. Every rule of the page
// overrides it, because :where has no specificity. A constructed style sheet needs no
// exception in a Content-Security-Policy.
const styleLink = () => {
  if (shared.styled) return;
  shared.styled = true;
  try {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(`:where(.google-signin-redirect) {
      display: inline-block; padding: 9px 16px; color: #1f1f1f; background: #fff; border: 1px solid #747775;
      border-radius: 4px; font: 500 14px/20px Roboto, Arial, sans-serif; text-decoration: none;
    }`);
    document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
  } catch {
    // An old browser shows a plain link.
  }
};

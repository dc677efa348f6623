// A stand-in for https://accounts.google.com/gsi/client, for development and for
// browser tests. It has the part of google.accounts.id that pages use. Every visitor
// who can load it can sign in as any user. It has no inline script or style, so it
// works under a strict Content-Security-Policy. Its elements are in shadow trees, so
// the page's style does not reach them, as it does not reach Google's frames.
//
// The account chooser is a <dialog id="gsi-stand-in"> with one button for each
// account that is offered. A click of the sign-in button opens it over the page,
// with a form that has the fields email and name as well. One Tap opens it beside
// the page. In redirect mode the browser leaves for a page of this script's own
// origin, which posts Google's form to login_uri.
//
// One Tap behaves as with FedCM, which is what browsers of today use. With the query
// "moments=old" in the script's address, the listener of prompt also gets the moments
// that FedCM has withdrawn, for a page that still has to work without FedCM.
//
// The HTML API (g_id_onload), auto_select and the cooldown of One Tap are left out.

const here = document.currentScript;
const hasOldMoments = new URL(here.src).searchParams.get("moments") === "old";

let config = null; // the options of initialize
let dialog = null; // the open chooser, if there is one
let moment = () => {}; // tells the listener of prompt what happened

// A page may call initialize again, such as for a new nonce. All later calls of other methods
// use the new options:
// https://developers.google.com/identity/gsi/web/reference/js-reference#google.accounts.id.initialize
// Google's script warns of every second call. This one warns if the call changes nothing.
function initialize(options) {
  if (!options?.client_id) {
    throw new Error("google.accounts.id.initialize: client_id is missing");
  }
  if (options.client_id !== settings.clientID) {
    throw new Error("google.accounts.id.initialize: this stand-in is for client_id " + settings.clientID);
  }
  if (config && config.callback === options.callback && JSON.stringify(config) === JSON.stringify(options)) {
    console.warn("google.accounts.id.initialize: called again with the same options");
  }
  config = { ...options };
}

// renderButton uses the options of the last call of initialize, also for later clicks. So a
// page that has a new nonce must render the button again. A page that does so works with
// Google's script, whether or not that script looks for newer options at a click.
function renderButton(parent, options) {
  if (!config) {
    console.error("google.accounts.id.renderButton: call initialize first");
    return;
  }
  const now = config;
  const button = makeButton(options);
  button.addEventListener("click", () => {
    options?.click_listener?.();
    if (redirects(now)) {
      leave(now, options?.state);
    } else {
      choose(now, true).then((credential) => deliver(now, credential, "btn", options?.state), () => {});
    }
  });
  parent.replaceChildren(inShadow(button));
}

function prompt(listener) {
  if (!config) {
    console.error("google.accounts.id.prompt: call initialize first");
    return;
  }
  const now = config;
  moment = (type, reason) => listener?.(notification(type, reason));
  choose(now, false).then((credential) => deliver(now, credential, hasOldMoments ? "user" : "fedcm"), () => {});
  if (hasOldMoments) {
    moment("display");
  }
}

function cancel() {
  if (dialog && !dialog.dataset.modal) {
    end("dismissed", "cancel_called");
  }
}

// choose opens the chooser. It returns a promise of a credential, which is rejected if
// the chooser is closed without one.
function choose({ nonce, cancel_on_tap_outside, color_scheme }, modal) {
  end("skipped", "user_cancel");
  let settle;
  const chosen = new Promise((resolve, reject) => (settle = { resolve, reject }));

  const problem = element("p", { role: "alert", className: "problem" });
  const email = element("input", { name: "email", type: "email", required: true, autocomplete: "off" });
  const name = element("input", { name: "name", type: "text", autocomplete: "off" });
  const close = element("button", { type: "button", textContent: "Cancel" });
  const form = element("form", {},
    ...(modal ? [element("label", {}, "E-mail", email), element("label", {}, "Name, if you like", name)] : []),
    element("div", { className: "buttons" }, close,
      ...(modal ? [element("button", { type: "submit", className: "first", textContent: "Continue" })] : [])));
  const accounts = settings.accounts.map((account) => {
    const button = element("button", { type: "button", className: "account", textContent: account });
    button.addEventListener("click", () => signInAs(account, ""));
    return button;
  });
  const title = element("h2", { id: "gsi-stand-in-title", textContent: "Choose an account" });
  const opened = element("dialog", { id: "gsi-stand-in", className: modal ? "modal" : "one-tap " + (color_scheme ?? "") },
    title, element("p", { textContent: "This is a stand-in for Google. You can enter any address." }),
    ...accounts, form, problem);
  opened.setAttribute("aria-labelledby", title.id);
  opened.settle = settle;

  async function signInAs(email, name) {
    problem.textContent = "";
    try {
      const credential = await mint(email, name, nonce);
      if (dialog === opened) { // it was not closed meanwhile
        settle.resolve(credential);
        end("dismissed", "credential_returned");
      }
    } catch (error) {
      problem.textContent = error.message;
    }
  }
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    signInAs(email.value.trim(), name.value.trim());
  });
  close.addEventListener("click", () => end("skipped", "user_cancel"));
  opened.addEventListener("close", () => { // by the Escape key
    if (dialog === opened) {
      end("skipped", "user_cancel");
    }
  });

  dialog = opened;
  document.body.append(inShadow(opened));
  if (modal) {
    opened.dataset.modal = "true";
    opened.showModal();
  } else {
    opened.open = true; // show() would move the focus
    if (cancel_on_tap_outside !== false) {
      closeOutside(opened);
    }
  }
  return chosen;
}

// A click beside One Tap closes it, unless the option cancel_on_tap_outside is false:
// https://developers.google.com/identity/gsi/web/guides/toggle-outside-tap
function closeOutside(opened) {
  const close = (event) => {
    if (dialog !== opened) {
      removeEventListener("click", close, true);
    } else if (!event.composedPath().includes(opened)) {
      removeEventListener("click", close, true);
      end("skipped", "tap_outside");
    }
  };
  addEventListener("click", close, true);
}

// end closes the chooser if it is open, and tells the listener why.
function end(type, reason) {
  const open = dialog;
  dialog = null;
  if (!open) {
    return;
  }
  open.getRootNode().host.remove();
  open.settle.reject(new Error(reason)); // without effect if there is a credential
  if (!open.dataset.modal) {
    moment(type, reason);
  }
}

async function mint(email, name, nonce) {
  const response = await fetch(new URL(settings.tokenPath, here.src), {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ email, name: name || undefined, nonce }),
  });
  if (!response.ok) {
    throw new Error(await response.text());
  }
  return (await response.json()).credential;
}

function deliver(config, credential, selectBy, state) {
  const fields = { credential, select_by: selectBy, ...(state === undefined ? {} : { state }) };
  if (redirects(config)) {
    post(config.login_uri || location.href, { ...fields, g_csrf_token: plantCSRFToken() });
  } else {
    config.callback({ ...fields, clientId: config.client_id });
  }
}

// With FedCM, Google's script does not report a display moment or the reason of a skipped moment:
// https://developers.google.com/identity/gsi/web/guides/fedcm-migration
// A page that calls one of these methods gets an error here, because it would not learn what
// it asks for.
const withdrawn = ["isDisplayMoment", "isDisplayed", "isNotDisplayed", "getNotDisplayedReason", "getSkippedReason"];

function notification(type, reason) {
  const of = (wanted) => (type === wanted ? reason : undefined);
  const methods = {
    getMomentType: () => type,
    isSkippedMoment: () => type === "skipped",
    isDismissedMoment: () => type === "dismissed",
    getDismissedReason: () => of("dismissed"),
    isDisplayMoment: () => type === "display",
    isDisplayed: () => type === "display",
    isNotDisplayed: () => false,
    getNotDisplayedReason: () => undefined,
    getSkippedReason: () => of("skipped"),
  };
  for (const name of hasOldMoments ? [] : withdrawn) {
    methods[name] = () => {
      throw new Error("google.accounts.id.prompt: " + name + " was withdrawn with FedCM");
    };
  }
  return methods;
}

function element(tag, properties, ...children) {
  const e = document.createElement(tag);
  Object.assign(e, properties);
  e.append(...children);
  return e;
}

// A policy without 'unsafe-inline' allows a style sheet that a script constructs.
const sheet = new CSSStyleSheet();

function inShadow(child) {
  const host = document.createElement("div");
  const root = host.attachShadow({ mode: "open" });
  root.adoptedStyleSheets = [sheet];
  root.append(child);
  return host;
}

// run is called last, when all parts of the script are there.
function run() {
  sheet.replaceSync(settings.style);
  if ("page" in here.dataset) {
    page();
    return;
  }
  window.google ??= {};
  window.google.accounts ??= {};
  window.google.accounts.id = {
    initialize,
    renderButton,
    prompt,
    cancel,
    disableAutoSelect: () => {}, // no account is ever selected automatically
    storeCredential: (credential, callback) => callback?.(),
    revoke: (hint, callback) => callback?.({ successful: true, error: "" }),
  };
  window.onGoogleLibraryLoad?.();
}

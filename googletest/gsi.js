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
// The HTML API (g_id_onload), auto_select and the cooldown of One Tap are left out.
(() => {
  "use strict";

  const settings = { clientID: "", tokenPath: "", accounts: [] }; // the server fills it in

  const here = document.currentScript;
  const texts = {
    signin_with: "Sign in with Google",
    signup_with: "Sign up with Google",
    continue_with: "Continue with Google",
    signin: "Sign in",
  };

  let config = null; // the options of initialize
  let dialog = null; // the open chooser, if there is one
  let moment = () => {}; // tells the listener of prompt what happened

  function initialize(options) {
    if (!options?.client_id) {
      throw new Error("google.accounts.id.initialize: client_id is missing");
    }
    if (options.client_id !== settings.clientID) {
      throw new Error("google.accounts.id.initialize: this stand-in is for client_id " + settings.clientID);
    }
    config = { ...options };
  }

  // renderButton uses the options of the last call of initialize, also for later clicks.
  // So a page that has a new nonce must render the button again. Whether Google's script
  // needs that is not documented, but a page that works here works there.
  function renderButton(parent, options) {
    if (!config) {
      console.error("google.accounts.id.renderButton: call initialize first");
      return;
    }
    const now = config;
    const button = element("button", { type: "button", className: "sign-in", textContent: texts[options?.text] ?? texts.signin_with });
    if (options?.width) {
      button.style.width = options.width + "px";
    }
    button.addEventListener("click", () => {
      options?.click_listener?.();
      if (redirects(now)) {
        leave(now, options?.state);
      } else {
        choose(now.nonce, true).then((credential) => deliver(now, credential, "btn", options?.state), () => {});
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
    choose(now.nonce, false).then((credential) => deliver(now, credential, "user"), () => {});
    moment("display");
  }

  function cancel() {
    if (dialog && !dialog.dataset.modal) {
      end("dismissed", "cancel_called");
    }
  }

  // choose opens the chooser. It returns a promise of a credential, which is rejected if
  // the chooser is closed without one.
  function choose(nonce, modal) {
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
    const opened = element("dialog", { id: "gsi-stand-in", className: modal ? "modal" : "one-tap" },
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
    }
    return chosen;
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

  // One Tap has no redirect mode, but posts the form if there is no callback.
  const redirects = (config) => config.ux_mode === "redirect" || !config.callback;

  function deliver(config, credential, selectBy, state) {
    const fields = { credential, select_by: selectBy, ...(state === undefined ? {} : { state }) };
    if (redirects(config)) {
      post(config.login_uri || location.href, { ...fields, g_csrf_token: plantCSRFToken() });
    } else {
      config.callback(fields);
    }
  }

  // leave goes to the page of the chooser, which posts the form. It passes what the page
  // needs in the fragment, which no server sees.
  function leave(config, state) {
    const page = new URL("?page", here.src);
    page.hash = new URLSearchParams({
      login_uri: new URL(config.login_uri || location.href, location.href).href,
      g_csrf_token: plantCSRFToken(),
      ...(config.nonce === undefined ? {} : { nonce: config.nonce }),
      ...(state === undefined ? {} : { state }),
    });
    location.assign(page);
  }

  // plantCSRFToken sets and returns a random token. The application compares the cookie
  // with the field of the form. If the browser allows it, the cookie is sent across
  // sites, as the form is.
  function plantCSRFToken() {
    const random = crypto.getRandomValues(new Uint8Array(16));
    const token = Array.from(random, (byte) => byte.toString(16).padStart(2, "0")).join("");
    document.cookie = "g_csrf_token=" + token + "; path=/" + (isSecureContext ? "; secure; samesite=none" : "");
    return token;
  }

  // page runs in the page of the chooser.
  async function page() {
    const { login_uri, nonce, ...fields } = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
    try {
      const credential = await choose(nonce, true);
      post(login_uri, { ...fields, credential, select_by: "btn" });
    } catch {
      history.back();
    }
  }

  function post(action, fields) {
    const form = element("form", { method: "post", action },
      ...Object.entries(fields).map(([name, value]) => element("input", { type: "hidden", name, value })));
    document.body.append(form);
    form.submit();
  }

  function notification(type, reason) {
    const of = (wanted) => (type === wanted ? reason : undefined);
    return {
      getMomentType: () => type,
      isDisplayMoment: () => type === "display",
      isDisplayed: () => type === "display",
      isNotDisplayed: () => false,
      getNotDisplayedReason: () => undefined,
      isSkippedMoment: () => type === "skipped",
      getSkippedReason: () => of("skipped"),
      isDismissedMoment: () => type === "dismissed",
      getDismissedReason: () => of("dismissed"),
    };
  }

  function element(tag, properties, ...children) {
    const e = document.createElement(tag);
    Object.assign(e, properties);
    e.append(...children);
    return e;
  }

  // A policy without 'unsafe-inline' allows a style sheet that a script constructs.
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`
    * { box-sizing: border-box; font: 14px/1.4 Roboto, Arial, sans-serif; letter-spacing: normal; }
    button { padding: 8px 16px; color: #0b57d0; background: #fff; border: 1px solid #747775; border-radius: 20px; cursor: pointer; }
    button:hover { background: #f2f6fc; }
    button:focus-visible, input:focus-visible { outline: 2px solid #0b57d0; outline-offset: 2px; }
    .sign-in { height: 40px; max-width: 100%; padding: 0 16px; color: #1f1f1f; border-radius: 4px; font-weight: 500; }
    .account { padding: 10px 12px; color: #1f1f1f; text-align: left; border-color: #c4c7c5; border-radius: 8px; }
    .first { color: #fff; background: #0b57d0; border-color: #0b57d0; }
    .first:hover { background: #0842a0; }
    .buttons { display: flex; gap: 8px; justify-content: flex-end; }
    .problem { color: #b3261e; }
    .problem:empty { display: none; }
    dialog { width: min(340px, calc(100vw - 32px)); max-height: calc(100vh - 32px); overflow: auto; padding: 20px;
      color: #1f1f1f; background: #fff; border: 1px solid #c4c7c5; border-radius: 12px;
      box-shadow: 0 4px 24px #0003; color-scheme: light; text-align: left; z-index: 2147483647; }
    dialog[open], form, label { display: grid; gap: 12px; }
    label { gap: 4px; color: #444746; }
    dialog::backdrop { background: #0006; }
    .one-tap { position: fixed; inset: 16px 16px auto auto; margin: 0; }
    @media (max-width: 480px) { .one-tap { inset: auto 0 0 0; width: 100%; max-height: 60vh; border-radius: 12px 12px 0 0; } }
    h2 { margin: 0; font-size: 18px; font-weight: 500; }
    p { margin: 0; color: #444746; }
    input { width: 100%; padding: 8px 10px; color: #1f1f1f; background: #fff; border: 1px solid #747775; border-radius: 4px; }
  `);

  function inShadow(child) {
    const host = document.createElement("div");
    const root = host.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [sheet];
    root.append(child);
    return host;
  }

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
})();

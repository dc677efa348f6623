// A stand-in for https://accounts.google.com/gsi/client, for development and for
// browser tests: google.accounts.id as far as pages use it. Whoever sees it can
// sign in as anybody. It needs no inline script or style, so it works under a
// strict Content-Security-Policy.
//
// The account chooser is a <dialog id="gsi-stand-in"> with one button per account
// offered, and a form with the fields email and name.
//
// Left out: the HTML API (g_id_onload), auto_select, and the One Tap cooldown.
(() => {
  "use strict";

  const settings = { clientID: "", tokenPath: "", accounts: [] }; // filled in by the server

  const texts = {
    signin_with: "Sign in with Google",
    signup_with: "Sign up with Google",
    continue_with: "Continue with Google",
    signin: "Sign in",
  };

  let config = null; // of initialize
  let dialog = null; // the open chooser
  let moment = () => {}; // what prompt's caller wants to know

  function initialize(options) {
    if (!options?.client_id) {
      throw new Error("google.accounts.id.initialize: client_id is missing");
    }
    if (options.client_id !== settings.clientID) {
      throw new Error("google.accounts.id.initialize: this stand-in is for client_id " + settings.clientID);
    }
    config = { ...options };
  }

  // The button keeps the configuration of the moment that it is rendered in: a page
  // that has a new nonce must render it again. Whether Google's own script is as
  // strict is not documented; what works here works there.
  function renderButton(parent, options) {
    if (!config) {
      console.error("google.accounts.id.renderButton: call initialize first");
      return;
    }
    const now = config;
    const button = element("button", { type: "button", textContent: texts[options?.text] ?? texts.signin_with }, {
      font: "500 14px sans-serif", padding: "10px 16px", cursor: "pointer",
      color: "#1f1f1f", background: "#fff", border: "1px solid #747775", borderRadius: "4px",
    });
    button.addEventListener("click", () => {
      options?.click_listener?.();
      choose(now, options?.state, "btn", true);
    });
    parent.replaceChildren(button);
  }

  function prompt(listener) {
    if (!config) {
      console.error("google.accounts.id.prompt: call initialize first");
      return;
    }
    moment = (type, reason) => listener?.(notification(type, reason));
    choose(config, undefined, "user", false);
    moment("display");
  }

  function cancel() {
    if (dialog && !dialog.dataset.modal) {
      end("dismissed", "cancel_called");
    }
  }

  // choose asks who to be. A click opens it in front of the page, One Tap beside it.
  function choose(config, state, selectBy, modal) {
    end("skipped", "user_cancel");

    const problem = element("p", { role: "alert" }, { color: "#b3261e", margin: "0" });
    const email = element("input", { name: "email", type: "email", required: true, autocomplete: "off" });
    const name = element("input", { name: "name", type: "text", autocomplete: "off" });
    const close = element("button", { type: "button", textContent: "Cancel" });
    const form = element("form", {}, { display: "grid", gap: "8px" },
      label("E-mail", email), label("Name, if you like", name),
      element("div", {}, { display: "flex", gap: "8px", justifyContent: "flex-end" },
        close, element("button", { type: "submit", textContent: "Continue" })));
    const accounts = settings.accounts.map((account) => {
      const button = element("button", { type: "button", textContent: account }, { textAlign: "left", padding: "8px" });
      button.addEventListener("click", () => take(account, ""));
      return button;
    });
    const title = element("h2", { id: "gsi-stand-in-title", textContent: "Choose an account" }, { font: "500 18px sans-serif", margin: "0" });
    const mine = element("dialog", { id: "gsi-stand-in" }, {
      font: "14px sans-serif", color: "#1f1f1f", background: "#fff", width: "min(320px, 90vw)",
      padding: "20px", border: "1px solid #747775", borderRadius: "8px", zIndex: "2147483647",
    }, element("div", {}, { display: "grid", gap: "12px" },
      title, element("p", { textContent: "This is not Google, but a stand-in: any address will do." }, { margin: "0" }),
      ...accounts, form, problem));
    mine.setAttribute("aria-labelledby", title.id);

    async function take(email, name) {
      problem.textContent = "";
      try {
        const credential = await mint(email, name, config.nonce);
        if (dialog === mine) { // not closed meanwhile
          end("dismissed", "credential_returned");
          deliver(config, state, selectBy, credential);
        }
      } catch (error) {
        problem.textContent = error.message;
      }
    }
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      take(email.value.trim(), name.value.trim());
    });
    close.addEventListener("click", () => end("skipped", "user_cancel"));
    mine.addEventListener("close", () => { // Escape
      if (dialog === mine) {
        end("skipped", "user_cancel");
      }
    });

    dialog = mine;
    document.body.append(mine);
    if (modal) {
      mine.dataset.modal = "true";
      mine.showModal();
    } else {
      Object.assign(mine.style, { position: "fixed", inset: "16px 16px auto auto", margin: "0" });
      mine.show();
    }
  }

  // end takes the open chooser away, if there is one, and says why.
  function end(type, reason) {
    const open = dialog;
    dialog = null;
    if (!open) {
      return;
    }
    open.remove();
    if (!open.dataset.modal) {
      moment(type, reason);
    }
  }

  async function mint(email, name, nonce) {
    const response = await fetch(settings.tokenPath, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ email, name: name || undefined, nonce }),
    });
    if (!response.ok) {
      throw new Error(await response.text());
    }
    return (await response.json()).credential;
  }

  // deliver gives the credential to the page's function or, in redirect mode and
  // where there is none, posts it to login_uri as Google does.
  function deliver(config, state, selectBy, credential) {
    const fields = { credential, select_by: selectBy, ...(state === undefined ? {} : { state }) };
    if (config.callback && config.ux_mode !== "redirect") {
      config.callback(fields);
      return;
    }
    const random = crypto.getRandomValues(new Uint8Array(16));
    fields.g_csrf_token = Array.from(random, (byte) => byte.toString(16).padStart(2, "0")).join("");
    const secure = location.protocol === "https:" ? "; secure" : "";
    document.cookie = "g_csrf_token=" + fields.g_csrf_token + "; path=/" + secure;
    const form = element("form", { method: "post", action: config.login_uri || location.href }, {},
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

  function label(text, input) {
    return element("label", {}, { display: "grid", gap: "4px" }, text, input);
  }

  // Style goes through the CSSOM, which a policy without 'unsafe-inline' allows.
  function element(tag, properties, style = {}, ...children) {
    const e = document.createElement(tag);
    Object.assign(e, properties);
    Object.assign(e.style, style);
    e.append(...children);
    return e;
  }

  window.google ??= {};
  window.google.accounts ??= {};
  window.google.accounts.id = {
    initialize,
    renderButton,
    prompt,
    cancel,
    disableAutoSelect: () => {}, // nothing is ever selected by itself
    storeCredential: (credential, callback) => callback?.(),
    revoke: (hint, callback) => callback?.({ successful: true, error: "" }),
  };
  window.onGoogleLibraryLoad?.();
})();

// The redirect mode of the stand-in. The browser leaves for a page of this script's own origin,
// which posts Google's form to login_uri.

// One Tap does not have a redirect mode, but posts the form if the page gives no callback.
const redirects = (config) => config.ux_mode === "redirect" || !config.callback;

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
    const credential = await choose({ nonce }, true);
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

// login.js signs users in with Google on pages without a framework:
//
//   <div id="google-signin"></div>
//   <script src="/api/login.js"></script>
//
// The tag may stand in the head or in the body, with defer or async, or as a module.
// docs/login-page.md describes the attributes of the tag:
//
//   data-container   ID of the button's element; google-signin by default
//   data-next        page to go to after the sign-in, if the login page's address has no ?next=
//   data-one-tap     shows One Tap too
//   data-redirect    auto (default), always or never; whether to use Google's page in place of its script
//   data-remember    selector of the checkbox "remember me"; [data-remember] by default
//   data-reauth      signs the current user in again
//   data-lang        language of the texts; the browser's by default
//   data-msg-KEY     your text for a key of texts.json, such as data-msg-not_admitted
//   data-script      address of a script in place of Google's
//   data-theme …     Google's options, which options.js lists
//
// A click on an element with data-google-signout signs the user out. The attribute's value
// is the path to go to afterwards. The container dispatches events, which bubble. They are
// googlesession:ready, :busy, :signed-in and :error. The element that signs out dispatches
// googlesession:signed-out and :error.

let asked = 0; // the time at which the nonce was fetched, in milliseconds
let mismatches = 0; // the number of answers with nonce_mismatch
let reauth = false; // true if the user of the session signs in again
let stuck = 0; // the timer that runs after a click on Google's button

// run is called last, when all parts of the script are there.
const run = () => {
  if (!tag?.src) {
    console.error('login.js: load it with <script src="/api/login.js"></script>, because the address of the tag says where the server is.');
  } else if (document.readyState !== "loading" || document.getElementById(containerID)) {
    start();
  } else {
    document.addEventListener("DOMContentLoaded", start); // the tag stands before the container
  }
};

const start = () => {
  checkTag();
  if (!shared.signOut) {
    shared.signOut = signOut;
    document.addEventListener("click", signOut);
  }
  box = document.getElementById(containerID);
  if (!box) {
    // A page for users who are signed in may have only an element that signs out.
    if (!document.querySelector("[data-google-signout]")) {
      console.error(`login.js: the page has no element for the button. Add <div id="${containerID}"></div>.`);
    }
    return;
  }
  if (box.googlesession) {
    console.warn(`login.js: two tags have the container ${containerID}, so the second tag does nothing.`);
    return;
  }
  box.googlesession = true;
  say("status", isCode(parameter("code")) ? sentence(parameter("code")) : { words: "" });
  if (!isSecureContext) {
    fail("insecure_context"); // the browser would not keep a cookie
    return;
  }
  // An old nonce is replaced before it is used. A page from the back/forward cache may have
  // a nonce that is hours old.
  const renew = (hours) => () => {
    if (!busy && !document.hidden && Date.now() - asked > hours * 3_600_000) begin();
  };
  setInterval(renew(4), 600_000);
  document.addEventListener("visibilitychange", renew(1));
  addEventListener("pageshow", (event) => event.persisted && begin());
  document.addEventListener("change", aim); // the address of the link depends on the checkbox "remember me"
  begin();
};

// begin prepares the button, and prepares it again with a new nonce. Two tags on a page take
// turns, because two first requests at once would get two nonces for one cookie.
const begin = () =>
  (shared.turn = shared.turn
    .then(prepare)
    .catch((error) => {
      console.error("login.js:", error);
      fail("not_available");
    })
    .then(() => setBusy(false)));

const prepare = async () => {
  const answer = await request("GET", api);
  const login = await members(answer);
  if (!answer?.ok) return answer ? fail(login.code ?? "not_available", login.detail) : fail("network");
  asked = Date.now();
  const email = await emailToConfirm();

  const mode = attr("redirect") || "auto";
  // The server redirects only to paths of its own origin, so the page must be there too.
  const canRedirect = login.redirect === true && mode !== "never" && new URL(api).origin === location.origin;
  box.replaceChildren();
  if (mode === "always" && !canRedirect) {
    console.error('login.js: data-redirect="always" needs a server on this origin that has the route login/google.');
    return fail("not_available");
  }
  // Google requires a redirect on iOS:
  // https://developers.google.com/identity/gsi/web/guides/supported-browsers
  if (canRedirect && (mode === "always" || isIOS() || !(await load()))) {
    offerRedirect();
    return tell("ready", { mode: "redirect" });
  }
  if (!(await load())) return fail("script_blocked");
  showButton(login, email, canRedirect);
  tell("ready", { mode: "button" });
};

// emailToConfirm returns the e-mail address of the user who signs in again. It returns
// undefined for a visitor without a session, who signs in as usual.
const emailToConfirm = async () => {
  const user = attr("reauth") === null ? null : await request("GET", route("user"));
  reauth = user?.ok === true;
  return reauth ? (await members(user)).email : undefined;
};

const showButton = ({ client_id, nonce }, email, canRedirect) => {
  const { id } = google.accounts;
  const oneTap = attr("one-tap") !== null;
  // Google's pages disagree whether One Tap works in Safari and Firefox without itp_support:
  // https://developers.google.com/identity/gsi/web/guides/supported-browsers says that it needs
  // configuration, and guides/itp says that it is on by default.
  const given = { ...(oneTap && { itp_support: true }), ...readOptions(clientOptions), ...(email && { login_hint: email }) };
  // Google's script warns of a second call of initialize, so login.js calls it again only if
  // the nonce is new or another tag has called it.
  const options = { ...given, client_id, nonce };
  const wanted = containerID + JSON.stringify(options);
  if (shared.initialized !== wanted) id.initialize({ ...options, callback: signIn });
  shared.initialized = wanted;

  // If Google's pop-up cannot report to this page, for example because of the page's
  // Cross-Origin-Opener-Policy, the page does not notice. So the link to Google's page
  // appears some time after the click.
  const click_listener = () => {
    checkRemember(); // while the console of this page is still there
    clearTimeout(stuck);
    stuck = canRedirect ? setTimeout(offerRedirect, 20_000) : 0;
  };
  id.renderButton(box, { type: "standard", ...(locale && { locale: locale.replaceAll("-", "_") }), ...readOptions(buttonOptions), click_listener });
  if (oneTap) id.prompt();
};

// load resolves to true if Google's script is there. If the page has a tag of its own for
// the script, load waits for that tag.
const load = () =>
  new Promise((resolve) => {
    const isThere = () => Boolean(window.google?.accounts?.id);
    const finish = () => resolve(isThere());
    if (isThere()) return finish();
    const { href } = new URL(attr("script") || "https://accounts.google.com/gsi/client", location.href);
    const script = [...document.scripts].find((s) => s.src === href) ?? addScript(href);
    if (!script || script.googlesession === "failed") return finish();
    script.addEventListener("load", finish);
    script.addEventListener("error", () => {
      script.googlesession = "failed";
      finish();
    });
    setTimeout(finish, 8000);
  });

// addScript returns null if the page's policy demands trusted types, because login.js does
// not make any. Such a page has to have a tag of its own for Google's script.
const addScript = (src) => {
  const script = document.createElement("script");
  try {
    script.src = src;
  } catch {
    return null;
  }
  script.nonce = tag.nonce;
  document.head.append(script);
  return script;
};

const isIOS = () =>
  /iP(hone|ad|od)/.test(navigator.userAgent) ||
  (navigator.userAgent.includes("Macintosh") && navigator.maxTouchPoints > 1); // iPadOS

// signIn posts the token that Google's script passes to it.
const signIn = async ({ credential }) => {
  clearTimeout(stuck);
  if (busy) return;
  checkRemember(); // One Tap needs no click of the button
  setBusy(true);
  const answer = await request("POST", api, { credential, ...extras() });
  const body = await members(answer);
  if (answer?.ok) return welcome(body);
  if (body.code === "nonce_mismatch") return retry();
  setBusy(false);
  if (answer) fail(body.code ?? "not_available", body.detail);
  else fail("network");
};

// welcome leaves the page, unless the browser has dropped the cookie of the new session.
const welcome = async (user) => {
  const to = next();
  const lost = (await request("GET", route("user")))?.status === 401;
  if (!lost && tell("signed-in", { user, next: to.href })) return go(to);
  setBusy(false);
  if (lost) fail("cookie_lost");
  else say("status", { words: "" }); // a listener has prevented the default, so the page stays
};

// retry asks for a second click with a new nonce. A click does not help if the browser does
// not send the nonce cookie back. Two requests then get two nonces, because the server makes
// a new cookie each time.
const retry = async () => {
  const [first, second] = [await members(await request("GET", api)), await members(await request("GET", api))];
  const lost = first.nonce !== second.nonce || ++mismatches > 1;
  await begin();
  if (lost) fail("login_cookie_lost");
  else fail("again", "", "nonce_mismatch");
};

// offerRedirect shows a link to Google's page, which works without Google's script.
const offerRedirect = () => {
  const { words, lang } = sentence("button");
  box.querySelector(".google-signin-redirect")?.remove();
  const link = Object.assign(document.createElement("a"), { className: "google-signin-redirect", textContent: words, lang: lang ?? "" });
  link.addEventListener("click", () => {
    checkRemember();
    aim(); // a script that changes the checkbox causes no event
  });
  box.append(link);
  aim();
  styleLink();
};

// aim sets the address of the link, which depends on the checkbox "remember me".
const aim = () => {
  const link = box.querySelector("a.google-signin-redirect");
  const { pathname, search, hash } = next();
  if (link) link.href = `${api}/google?${new URLSearchParams({ next: pathname + search + hash, ...extras() })}`;
};

// extras returns the parameters of a sign-in that the page chooses.
const extras = () => ({ ...(remember() && { remember: true }), ...(reauth && { reauth: true }) });

const remember = () => selectRemember()?.checked === true;

const selectRemember = () => {
  try {
    return document.querySelector(attr("remember") || "[data-remember]:not(script)");
  } catch {
    console.error(`login.js: data-remember="${attr("remember")}" is not a selector.`);
    return { checked: false };
  }
};

const signOut = async (event) => {
  const button = event.target.closest?.("[data-google-signout]");
  if (!button) return;
  event.preventDefault();
  if (button.getAttribute("aria-busy") === "true") return;
  button.setAttribute("aria-busy", "true");
  const answer = await request("POST", route("logout"));
  button.removeAttribute("aria-busy");
  if (!answer?.ok) {
    const { code = "sign_out_failed", detail } = await members(answer);
    say("alert", sentence(code, detail), button);
    tell("error", { code }, button);
    return;
  }
  window.google?.accounts?.id?.disableAutoSelect(); // otherwise auto_select could sign in again at once
  if (tell("signed-out", {}, button)) go(onThisSite(button.getAttribute("data-google-signout") || "/") ?? onThisSite("/"));
};

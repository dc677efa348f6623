// Tests of login.js on pages without a framework.
import AxeBuilder from "@axe-core/playwright";

import { chooseAccount, refused } from "./fixtures.js";
import { answerOf, button, changeLogin, expect, isSignedIn, loginPage, script, test } from "./loginscript.js";

const status = (page) => page.getByRole("status");
const alert = (page) => page.getByRole("alert");

test("the tag works wherever it stands", async ({ app, open }) => {
  const page = await open(loginPage());
  for (const [name, text] of [
    ["behind the container", loginPage()],
    ["in the head", loginPage("", { head: script(), after: "" })],
    ["deferred", loginPage("", { head: script("defer"), after: "" })],
    ["asynchronous", loginPage("", { head: script("async"), after: "" })],
    ["a module", loginPage("", { head: script('type="module"'), after: "" })],
    ["a module behind the container", loginPage('type="module"')],
    ["with a version in its address", loginPage("", { after: '<script src="/api/login.js?v=1#a"></script>' })],
  ]) {
    await page.show(text, "?next=/docs");
    await expect(button(page), name).toBeVisible();
    expect(page.events, name).toEqual([{ name: "ready", target: "google-signin", mode: "button" }]);
    await chooseAccount(page, "ada@example.com");
    await expect(page, name).toHaveURL(app.site + "/docs");
  }
});

test("without its container the script says what to add, and throws nothing", async ({ open, allowed }) => {
  allowed.push(/^login\.js: the page has no element/);
  const errors = [];
  const page = await open(loginPage(), { prepare: (page) => page.on("console", (message) => errors.push(message.text())) });
  for (const [text, want] of [
    ["<!doctype html><title>x</title>" + script(), 'Add <div id="google-signin"></div>.'],
    ["<!doctype html><title>x</title>" + script('data-container="there"'), 'Add <div id="there"></div>.'],
    ["<!doctype html><title>x</title><button data-google-signout>Sign out</button>" + script(), null],
  ]) {
    await page.show(text);
    await page.waitForFunction(() => document.googlesession.signOut);
    expect(errors.splice(0)).toEqual(want ? [expect.stringContaining(want)] : []);
  }
});

test("without a tag of its own the script says how to load it", async ({ app, open, allowed }) => {
  allowed.push(/^login\.js: load it by <script src/);
  const errors = [];
  const page = await open("<!doctype html><title>x</title><div id=google-signin></div>", {
    prepare: (page) => page.on("console", (message) => errors.push(message.text())),
  });
  await page.evaluate(() => import("/api/login.js"));
  expect(errors).toEqual([expect.stringContaining("load it by")]);
});

test("two tags make one button for each container", async ({ app, open, allowed }) => {
  allowed.push(/^login\.js: two tags have the container google-signin\./);
  const page = await open(loginPage("", { head: script("defer"), after: script() + '<div id="second"></div>' + script('data-container="second"') }));
  await expect(button(page)).toHaveCount(2);
  await expect(page.locator("#google-signin").getByRole("button")).toHaveCount(1);
  const [[first], [second], ...more] = await page.calls("initialize");
  expect(second.nonce).toBe(first.nonce);
  expect(more).toEqual([]);

  // The tag of the first container signs in, although the second was prepared last.
  await page.locator("#google-signin").getByRole("button").click();
  await page.getByRole("dialog").getByRole("button", { name: "ada@example.com" }).click();
  await expect(page).toHaveURL(app.site + "/");
  expect(page.posts.length).toBe(1);
});

test("Google's options are passed on", async ({ open }) => {
  const page = await open(loginPage(`data-type="icon" data-theme="filled_black" data-size="small" data-text="continue_with" data-shape="square"
    data-logo_alignment="center" data-width="400" data-locale="zh_CN" data-auto_select data-button-auto-select="true"
    data-cancel_on_tap_outside="false" data-use_fedcm_for_button="true" data-use_fedcm_for_prompt="false" data-color_scheme="dark"
    data-context="signup" data-prompt-parent-id="there" data-state_cookie_domain="app.test" data-login_hint="bob@example.com"
    data-hd="example.com" data-allowed_parent_origin="https://a.test, https://b.test"`));
  await expect(page.locator("#google-signin button")).toBeVisible();
  const [[configuration]] = await page.calls("initialize");
  expect(configuration).toEqual({
    client_id: "test.apps.googleusercontent.com", nonce: expect.stringMatching(/^[\w-]{43}$/),
    auto_select: true, button_auto_select: true, cancel_on_tap_outside: false, use_fedcm_for_button: true, use_fedcm_for_prompt: false,
    color_scheme: "dark", context: "signup", prompt_parent_id: "there", state_cookie_domain: "app.test", login_hint: "bob@example.com",
    hd: "example.com", allowed_parent_origin: ["https://a.test", "https://b.test"],
  });
  expect(await page.calls("renderButton")).toEqual([["#google-signin", {
    type: "icon", theme: "filled_black", size: "small", text: "continue_with", shape: "square", logo_alignment: "center", width: 400, locale: "zh_CN",
  }]]);
  expect(await page.calls("prompt")).toEqual([]);
});

test("One Tap is shown with itp_support, which can be turned off", async ({ app, open }) => {
  const page = await open(loginPage("data-one-tap"));
  await page.getByRole("dialog", { name: "Choose an account" }).getByRole("button", { name: "ada@example.com" }).click();
  await expect(page).toHaveURL(app.site + "/");
  await page.show(loginPage("data-one-tap"));
  await expect(page.getByRole("dialog")).toBeVisible();
  expect((await page.calls("initialize"))[0][0].itp_support).toBe(true);
  await page.show(loginPage('data-one-tap data-itp_support="false"'));
  await expect(page.getByRole("dialog")).toBeVisible();
  expect((await page.calls("initialize"))[0][0].itp_support).toBe(false);
  await page.show(loginPage());
  await expect(button(page)).toBeVisible();
  await expect(page.getByRole("dialog")).toHaveCount(0);
});

test("a wrong option is reported and left out", async ({ open, allowed }) => {
  allowed.push(/^login\.js: data-/);
  const errors = [];
  const page = await open(
    loginPage('data-width="500" data-theme="dark" data-size data-auto_select="yes" data-context="login" data-hd=""'),
    { prepare: (page) => page.on("console", (message) => errors.push(message.text())) },
  );
  await expect(button(page)).toBeVisible();
  expect(errors.map((text) => text.match(/^login\.js: (data-\S+) is left out/)?.[1]).toSorted()).toEqual(
    ['data-auto_select="yes"', 'data-context="login"', 'data-hd=""', 'data-size=""', 'data-theme="dark"', 'data-width="500"'],
  );
  expect(Object.keys((await page.calls("initialize"))[0][0]).toSorted()).toEqual(["client_id", "nonce"]);
  expect((await page.calls("renderButton"))[0][1]).toEqual({ type: "standard", locale: "en_US" });
  for (const width of ["0", "-1", "401", "4e2", "40.5", "200px", " 200", "0200"]) {
    await page.show(loginPage(`data-width="${width}"`));
    await expect(button(page)).toBeVisible();
    expect((await page.calls("renderButton"))[0][1].width, width).toBeUndefined();
  }
});

test("texts and button are in the browser's language", async ({ open }) => {
  const page = await open(loginPage(), { query: "?code=not_admitted", locale: "de-DE" });
  for (const [languages, words, lang, locale] of [
    ["", "Dieses Konto darf sich hier nicht anmelden.", "de", "de_DE"],
    ["en-GB,de", "This account may not sign in here.", "en", "en_GB"],
    ["fr", "Ce compte n'est pas autorisé à se connecter ici.", "fr", "fr"],
    ["es-MX", "Esta cuenta no puede iniciar sesión aquí.", "es", "es_MX"],
    ["PT-br", "Esta conta não pode fazer login aqui.", "pt", "PT_br"],
    ["ja-JP", "このアカウントではログインできません。", "ja", "ja_JP"],
    ["zh-CN", "此账号不能在此登录。", "zh", "zh_CN"],
    ["it-IT,nl,fr-CH,en", "Ce compte n'est pas autorisé à se connecter ici.", "fr", "fr_CH"],
    ["it-IT", "This account may not sign in here.", "en", undefined], // Google's script has more languages, and chooses
  ]) {
    await page.show(loginPage(), "?code=not_admitted&languages=" + languages);
    await expect(status(page), languages).toHaveText(words);
    await expect(status(page)).toHaveAttribute("lang", lang);
    await expect(button(page)).toBeVisible();
    expect((await page.calls("renderButton"))[0][1].locale, languages).toBe(locale);
  }
});

test("a page can force a language and give texts of its own", async ({ open, allowed }) => {
  allowed.push(refused(403));
  const forced = await open(loginPage('data-lang="de"'), { query: "?code=no_session", locale: "ja-JP" });
  await expect(status(forced)).toHaveText("Bitte melden Sie sich an.");
  await expect(button(forced)).toBeVisible();
  expect((await forced.calls("renderButton"))[0][1].locale).toBe("de");

  const own = await open(loginPage('data-lang="it" data-msg-no_session="Acceda, per favore." data-msg-tenant-full="Completo." data-msg-busy="<b>Un momento</b>"'), {
    query: "?code=no_session",
    prepare: (page) => page.route("**/api/login", (route) =>
      route.request().method() === "POST" ? route.fulfill({ status: 403, json: { code: "tenant_full", detail: "The tenant is full." } }) : route.continue()),
  });
  await expect(status(own)).toHaveText("Acceda, per favore.");
  await expect(status(own)).toHaveAttribute("lang", "it");
  await chooseAccount(own, "ada@example.com");
  await expect(alert(own)).toHaveText("Completo.");
  await expect(own.locator("#google-signin-message b")).toHaveCount(0);
});

test("a code of the address is shown if it is known, and no other text", async ({ open }) => {
  const page = await open(loginPage());
  for (const code of ["", "nothing", "constructor", "__proto__", "toString", "button", "cookie_lost", "<img src=x onerror=alert(1)>", "No session", "no_session "]) {
    await page.show(loginPage(), "?code=" + encodeURIComponent(code));
    await expect(button(page)).toBeVisible();
    await expect(status(page), code).toHaveText("");
    await expect(alert(page), code).toHaveText("");
  }
});

test("a code without a text is shown as the server's sentence, marked as English", async ({ open, allowed }) => {
  allowed.push(refused(403), refused(400));
  const answers = [{ status: 403, json: { code: "tenant_full", detail: "The tenant is full." } }, { status: 400, body: "<h1>Bad</h1>" }];
  const page = await open(loginPage(), {
    locale: "de-DE",
    prepare: (page) => page.route("**/api/login", (route) => (route.request().method() === "POST" ? route.fulfill(answers.shift()) : route.continue())),
  });
  await chooseAccount(page, "ada@example.com");
  await expect(alert(page)).toHaveText("The tenant is full.");
  await expect(alert(page)).toHaveAttribute("lang", "en");
  await chooseAccount(page, "ada@example.com");
  await expect(alert(page)).toHaveText("Die Anmeldung ist zurzeit nicht möglich. Bitte laden Sie die Seite neu.");
  await expect(alert(page)).toHaveAttribute("lang", "de");
  expect(page.events.filter(({ name }) => name === "error").map(({ code }) => code)).toEqual(["tenant_full", "not_available"]);
});

test("the page is busy while a token is posted, and posts no second one", async ({ open, allowed }) => {
  allowed.push(refused(401));
  let answer;
  const page = await open(loginPage(), {
    prepare: (page) => page.route("**/api/login", async (route) => {
      if (route.request().method() === "POST") await new Promise((resolve) => (answer = resolve));
      await route.continue();
    }),
  });
  const box = page.locator("#google-signin");
  await button(page).focus();
  await page.evaluate(() => void calls.find(([name]) => name === "initialize")[1].callback({ credential: "x" }));
  await expect(box).toHaveAttribute("aria-busy", "true");
  await expect(status(page)).toHaveText("Signing in…");
  expect(await box.evaluate((e) => e.inert)).toBe(true);
  await page.evaluate(() => void calls.find(([name]) => name === "initialize")[1].callback({ credential: "y" }));
  await expect.poll(() => typeof answer).toBe("function");
  answer();
  await expect(alert(page)).toHaveText("The sign-in was not accepted. Please try again.");
  await expect(status(page)).toHaveText("");
  await expect(box).toHaveAttribute("aria-busy", "false");
  expect(await box.evaluate((e) => e.inert)).toBe(false);
  await expect(button(page)).toBeFocused();
  expect(page.posts.map((post) => post.postDataJSON())).toEqual([{ credential: "x" }]);
  expect(page.events.map(({ target, ...event }) => event)).toEqual([
    { name: "ready", mode: "button" }, { name: "busy", busy: true }, { name: "busy", busy: false }, { name: "error", code: "token_refused" },
  ]);
});

test("a server that cannot be reached is said, and the button works again", async ({ app, open, allowed }) => {
  allowed.push(/ERR_FAILED/);
  const page = await open(loginPage(), { prepare: (page) => page.route("**/api/login", (route) => route.request().method() === "POST" ? route.abort() : route.continue()) });
  await chooseAccount(page, "ada@example.com");
  await expect(alert(page)).toHaveText("The server cannot be reached. Please try again.");
  await page.unroute("**/api/login");
  await chooseAccount(page, "ada@example.com");
  await expect(page).toHaveURL(app.site + "/");

  const before = await open(loginPage(), { prepare: (page) => page.route("**/api/login", (route) => route.abort()) });
  await expect(alert(before)).toHaveText("The server cannot be reached. Please try again.");
});

test("the page stays after a sign-in if a listener prevents the default", async ({ app, open }) => {
  const page = await open(loginPage(), { query: "?next=/docs%23a" });
  await expect(button(page)).toBeVisible();
  await page.evaluate(() => document.addEventListener("googlesession:signed-in", (e) => e.preventDefault()));
  await chooseAccount(page, "ada@example.com");
  await expect.poll(() => page.events.at(-1)).toEqual({ name: "busy", target: "google-signin", busy: false });
  expect(page.events.at(-2)).toMatchObject({ name: "signed-in", next: app.site + "/docs#a", user: { email: "ada@example.com", name: "Ada Example" } });
  expect(page.url()).toBe(app.site + "/page?next=/docs%23a");
  await expect(status(page)).toHaveText("");
  expect(await isSignedIn(page, app)).toBe(true);
});

test("next may be the page itself with another fragment, and data-next is the default", async ({ app, open }) => {
  const page = await open(loginPage('data-next="/docs"'), { query: "?next=" + encodeURIComponent("/page#y") });
  await chooseAccount(page, "ada@example.com");
  await expect(page).toHaveURL(app.site + "/page#y");
  await chooseAccount(page, "ada@example.com");
  await expect(page).toHaveURL(app.site + "/docs");

  await page.show(loginPage('data-next="/page#z"')); // only the fragment differs, so the browser would load nothing
  await chooseAccount(page, "ada@example.com");
  await expect(page).toHaveURL(app.site + "/page#z");
  await expect(page.locator("#google-signin")).not.toHaveAttribute("inert");
  await expect(button(page)).toBeVisible();
});

test("no address leads to another site", async ({ app, open }) => {
  const page = await open(loginPage());
  for (const next of [
    "//evil.test", "\\\\evil.test", "/\\evil.test", "/\t/evil.test", "https:\\\\evil.test", "https://app.test@evil.test/", "http://[", "http:..",
    "javascript:document.title='x'", "java\nscript:document.title='x'", "data:text/html,x", app.plain + "/", "\u0000//evil.test", "blob:" + app.site + "/x",
  ]) {
    await page.show(loginPage('data-next="/icon.svg"'), "?next=" + encodeURIComponent(next));
    await chooseAccount(page, "ada@example.com");
    await expect(page, next).toHaveURL(app.site + "/icon.svg");
  }
});

test("remember me is posted if the checkbox is checked", async ({ app, open }) => {
  const page = await open(loginPage());
  const box = (attribute) => `<label><input type="checkbox" id="keep" ${attribute}> Remember me</label>`;
  for (const [attributes, before, check, want] of [
    ["", box("data-remember"), true, { remember: true }],
    ["", box("data-remember"), false, {}],
    ['data-remember="#keep"', box(""), true, { remember: true }],
    ["", box(""), true, {}],
    ['data-remember="#missing"', box(""), true, {}],
  ]) {
    await page.show(loginPage(attributes, { before }), "?next=/icon.svg");
    if (check) await page.getByLabel("Remember me").check();
    await chooseAccount(page, "ada@example.com");
    await expect(page).toHaveURL(app.site + "/icon.svg");
    const { credential, ...rest } = page.posts[0].postDataJSON();
    expect(rest).toEqual(want);
  }
});

test("a selector that is none is reported, and the sign-in works", async ({ app, open, allowed }) => {
  allowed.push(/^login\.js: data-remember="#" is not a selector/);
  const page = await open(loginPage('data-remember="#"'));
  await chooseAccount(page, "ada@example.com");
  await expect(page).toHaveURL(app.site + "/");
});

test("signing out ends the session, tells Google's script, and goes on", async ({ app, open, allowed }) => {
  allowed.push(/ERR_FAILED/, refused(401));
  const page = await open(loginPage("", { before: '<form method="post" action="/api/logout"><button data-google-signout="/icon.svg">Sign out</button></form>' }), { query: "?next=/page?again" });
  await chooseAccount(page, "ada@example.com");
  await expect(page).toHaveURL(app.site + "/page?again");
  await expect(button(page)).toBeVisible();

  // If the server cannot be reached, the page says that the user is still signed in.
  await page.route("**/api/logout", (route) => route.abort());
  await page.getByRole("button", { name: "Sign out" }).click();
  await expect(page.locator("#google-signout-message").getByRole("alert")).toHaveText("You are still signed in, because the server cannot be reached. Please try again.");
  await page.unroute("**/api/logout");
  expect(await isSignedIn(page, app)).toBe(true);

  await page.evaluate(() => document.addEventListener("googlesession:signed-out", (e) => e.preventDefault(), { once: true }));
  await page.getByRole("button", { name: "Sign out" }).click();
  await expect.poll(() => page.events.at(-1)?.name).toBe("signed-out");
  expect(await isSignedIn(page, app)).toBe(false);
  expect((await page.calls("disableAutoSelect")).length).toBe(1);
  await page.getByRole("button", { name: "Sign out" }).click(); // also without a session
  await expect(page).toHaveURL(app.site + "/icon.svg");
});

test("a page without a container can sign out, and never leads to another site", async ({ app, open, allowed }) => {
  allowed.push(refused(401));
  const page = await open(loginPage(), { query: "?next=/page2" });
  await page.context().route(app.site + "/page2", (route) => route.fulfill({
    contentType: "text/html", body: "<!doctype html><title>x</title>" + script() + '<a href="/nowhere" data-google-signout="//evil.test/">Sign out</a>' }));
  await chooseAccount(page, "ada@example.com");
  await page.getByRole("link", { name: "Sign out" }).click();
  await expect(page).toHaveURL(app.site + "/");
  expect(await isSignedIn(page, app)).toBe(false);
});

test("re-authentication asks for the same account, and needs a session", async ({ app, open, allowed }) => {
  allowed.push(refused(401), refused(403));
  const page = await open(loginPage("data-reauth"), { query: "?code=reauth_needed&next=/page" });
  await expect(status(page)).toHaveText("Please sign in again to do this.");
  await chooseAccount(page, "ada@example.com"); // without a session it is a sign-in
  await expect(page).toHaveURL(app.site + "/page");
  await expect(button(page)).toBeVisible();
  expect((await page.calls("initialize"))[0][0].login_hint).toBe("ada@example.com");
  await chooseAccount(page, "bob@example.com");
  await expect(alert(page)).toHaveText("Please sign in with the account that you are using.");
  await page.waitForTimeout(1100); // the token must be younger than the session, and Google counts in seconds
  await chooseAccount(page, "ada@example.com");
  await expect(page).toHaveURL(app.site + "/");
  expect(page.posts.map((post) => post.postDataJSON().reauth)).toEqual([undefined, true, true]);
});

test("an insecure page says that sign-in needs https, and shows no button", async ({ app, open }) => {
  const text = await (await open(loginPage())).evaluate(async () => (await fetch("/api/login.js")).text());
  const page = await open(loginPage(), {
    site: app.plain,
    // Chromium keeps insecure pages from loading what is on this machine.
    prepare: (page) => page.route(app.plain + "/api/login.js", (route) => route.fulfill({ contentType: "text/javascript", body: text })),
  });
  await expect(alert(page)).toHaveText("Sign-in works over https only. Please open this page at its address that begins with https://.");
  await expect(page.locator("#google-signin")).toBeEmpty();
  expect(page.events).toEqual([{ name: "error", target: "google-signin", code: "insecure_context" }]);
});

// withoutCookies removes the cookies from the answers to some requests, as a browser does
// that blocks them.
const withoutCookies = (page, method) => page.route("**/api/login", async (route) => {
  if (route.request().method() !== method) return route.fallback();
  const response = await answerOf(route);
  const headers = response.headers();
  delete headers["set-cookie"];
  await route.fulfill({ response, headers });
});

test("a browser that drops the session's cookie is told so, and the page does not leave", async ({ app, open, allowed }) => {
  allowed.push(refused(401));
  const page = await open(loginPage(), { query: "?next=/docs", prepare: (page) => withoutCookies(page, "POST") });
  await chooseAccount(page, "ada@example.com");
  await expect(alert(page)).toContainText("The sign-in succeeded, but the browser did not keep its cookie.");
  expect(page.url()).toBe(app.site + "/page?next=/docs");
  expect(page.events.map(({ code }) => code).filter(Boolean)).toEqual(["cookie_lost"]);
});

test("a browser that drops the nonce's cookie is told so at once, and not to click again", async ({ open, allowed }) => {
  allowed.push(refused(401));
  const page = await open(loginPage(), { prepare: (page) => withoutCookies(page, "GET") });
  await chooseAccount(page, "ada@example.com");
  await expect(alert(page)).toContainText("the browser does not send back a cookie");
  expect(page.events.map(({ code }) => code).filter(Boolean)).toEqual(["login_cookie_lost"]);
  expect(page.posts.length).toBe(1);
});

test("a nonce that another tab has used up costs one more click, and not two", async ({ app, open, allowed }) => {
  allowed.push(refused(401));
  const page = await open(loginPage());
  for (const words of ["Please click the button once more.", "the browser does not send back a cookie"]) {
    await expect(button(page)).toBeVisible();
    await page.context().clearCookies();
    await chooseAccount(page, "ada@example.com");
    await expect(alert(page)).toContainText(words);
  }
  expect(page.events.map(({ code }) => code).filter(Boolean)).toEqual(["nonce_mismatch", "login_cookie_lost"]);
  await chooseAccount(page, "ada@example.com");
  await expect(page).toHaveURL(app.site + "/");
});

test("a nonce of some hours ago is replaced before it is used", async ({ app, open }) => {
  const page = await open(loginPage(), { prepare: (page) => page.clock.install() });
  await expect(button(page)).toBeVisible();
  const [[first]] = await page.calls("initialize");
  await page.clock.fastForward("03:00:00");
  expect((await page.calls("initialize")).length).toBe(1);
  await page.context().clearCookies();
  await page.clock.fastForward("01:30:00");
  await expect.poll(async () => (await page.calls("initialize")).length).toBe(2);
  const [, [second]] = await page.calls("initialize");
  expect(second.nonce).not.toBe(first.nonce);
  await chooseAccount(page, "ada@example.com");
  await expect(page).toHaveURL(app.site + "/");
});

test("a page out of the back/forward cache asks for a new nonce", async ({ app, open }) => {
  const page = await open(loginPage());
  await expect(button(page)).toBeVisible();
  await page.context().clearCookies();
  await page.evaluate(() => dispatchEvent(new PageTransitionEvent("pageshow", { persisted: false })));
  await page.evaluate(() => dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true })));
  await expect.poll(async () => (await page.calls("initialize")).length).toBe(2);
  await chooseAccount(page, "ada@example.com");
  await expect(page).toHaveURL(app.site + "/");
});

test("the login page is accessible, in light and dark", async ({ open, allowed }) => {
  allowed.push(/ERR_FAILED/);
  const checkbox = '<label><input type="checkbox" data-remember> Remember me</label>';
  const page = await open(loginPage("", { before: checkbox }), { query: "?code=session_expired" });
  for (const name of ["button", "link"]) {
    if (name === "link") {
      await page.route("https://accounts.google.com/gsi/client", (route) => route.abort());
      await changeLogin(page, { redirect: true });
      await page.show(loginPage("", { before: checkbox }));
    }
    await expect(page.getByRole(name, { name: "Sign in with Google" })).toBeVisible();
    for (const colorScheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme });
      const { violations } = await new AxeBuilder({ page }).analyze();
      expect(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]), name + ", " + colorScheme).toEqual([]);
    }
  }
});

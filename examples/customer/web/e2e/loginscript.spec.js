// Tests of login.js on pages without a framework: the tag, its attributes, and the texts.
import { chooseAccount, refused } from "./fixtures.js";
import { alert, button, changeLogin, expect, loginPage, script, status, test } from "./loginscript.js";
import { violations } from "./look.js";

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
    await page.waitForFunction(() => document[Symbol.for("googlesession")]?.signOut);
    expect(errors.splice(0)).toEqual(want ? [expect.stringContaining(want)] : []);
  }
});

test("without a tag of its own the script says how to load it", async ({ open, allowed }) => {
  allowed.push(/^login\.js: load it with <script src/);
  const errors = [];
  const page = await open("<!doctype html><title>x</title><div id=google-signin></div>", {
    prepare: (page) => page.on("console", (message) => errors.push(message.text())),
  });
  await page.evaluate(() => import("/api/login.js"));
  expect(errors).toEqual([expect.stringContaining("load it with")]);
});

test("two tags make one button for each container", async ({ app, open, allowed }) => {
  allowed.push(/^login\.js: two tags have the container google-signin,/);
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

// consoleOf returns what login.js writes to the console of the pages that open opens.
const consoleOf = () => {
  const texts = [];
  return [texts, (page) => page.on("console", (message) => message.text().startsWith("login.js: ") && texts.push(message.text().slice("login.js: ".length)))];
};

test("an attribute that looks like a known one is reported", async ({ open, allowed }) => {
  allowed.push(/^login\.js: data-/);
  const [texts, prepare] = consoleOf();
  const page = await open(loginPage(), { prepare });
  for (const [attributes, want] of [
    // A letter is missing, too many, another, or in another place.
    ['data-remeber="#keep"', "data-remeber is unknown and does nothing. Is data-remember meant?"],
    ["data-remember-me", "data-remember-me is unknown and does nothing. Is data-remember meant?"],
    ['data-nextt="/docs"', "data-nextt is unknown and does nothing. Is data-next meant?"],
    ['data-rediect="always"', "data-rediect is unknown and does nothing. Is data-redirect meant?"],
    ['data-tehme="outline"', null], // two letters, and the name is short
    ['data-themes="outline"', "data-themes is unknown and does nothing. Is data-theme meant?"],
    ['data-scirpt="/x.js"', "data-scirpt is unknown and does nothing. Is data-script meant?"],
    ['data-lnag="de"', null],
    ["data-auth", "data-auth is unknown and does nothing. Is data-reauth meant?"],
    // The separators are wrong.
    ["data-one_tap", "data-one_tap is unknown and does nothing. Is data-one-tap meant?"],
    ["data-oneTap", "data-onetap is unknown and does nothing. Is data-one-tap meant?"],
    ["data-re-auth", "data-re-auth is unknown and does nothing. Is data-reauth meant?"],
    ["data-use_fedcm-for-button", "data-use_fedcm-for-button is unknown and does nothing. Is data-use_fedcm_for_button meant?"],
    ['data-msg_not_admitted="No."', "data-msg_not_admitted is unknown and does nothing. Is data-msg-KEY meant?"],
    // Google's attributes that the server decides on.
    ['data-client_id="x"', "data-client_id does nothing, because the server decides on client_id."],
    ['data-login-uri="/x"', "data-login-uri does nothing, because the server decides on login_uri."],
    // Those of others.
    ['data-turbo-track="reload" data-cfasync="false" data-nscript="beforeInteractive" data-astro-rerun data-v-7ba5bd90', null],
    ['data-test="login" data-testid="login" data-hid="a" data-no-optimize="1" data-pagespeed-no-defer data-navigate-once data-cookieconsent="ignore"', null],
    // Those that are right.
    ['data-use-fedcm-for-button data-logo-alignment="left" data-msg-own="Own." data-next="/docs" data-lang="de"', null],
  ]) {
    await page.show(loginPage(attributes));
    await expect(page.locator("#google-signin").getByRole("button")).toBeVisible();
    expect(texts.splice(0), attributes).toEqual(want ? [want] : []);
  }
});

test("a word that data-redirect does not know is reported", async ({ open, allowed }) => {
  allowed.push(/^login\.js: data-redirect=/);
  const [texts, prepare] = consoleOf();
  const page = await open(loginPage(), { prepare });
  for (const value of ["", "yes", "Always", "true"]) {
    await page.show(loginPage(`data-redirect="${value}"`));
    await expect(button(page)).toBeVisible();
    expect(texts.splice(0)).toEqual([`data-redirect="${value}" is left out. The values are auto, always, never.`]);
  }
  for (const value of ["auto", "never"]) {
    await page.show(loginPage(`data-redirect="${value}"`));
    await expect(button(page)).toBeVisible();
    expect(texts).toEqual([]);
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
    await expect(page.getByRole("button", { name: /Google/ })).toBeVisible();
    expect((await page.calls("renderButton"))[0][1].locale, languages).toBe(locale);
  }
});

test("a page can force a language and give texts of its own", async ({ open, allowed }) => {
  allowed.push(refused(403));
  const forced = await open(loginPage('data-lang="de"'), { query: "?code=no_session", locale: "ja-JP" });
  await expect(status(forced)).toHaveText("Bitte melden Sie sich an.");
  await expect(forced.getByRole("button", { name: "Über Google anmelden" })).toBeVisible();
  expect((await forced.calls("renderButton"))[0][1].locale).toBe("de");

  const own = await open(loginPage('data-lang="it" data-locale="en" data-msg-no_session="Acceda, per favore." data-msg-tenant-full="Completo." data-msg-busy="<b>Un momento</b>"'), {
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
      const found = await violations(page);
      expect(found.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]), name + ", " + colorScheme).toEqual([]);
    }
  }
});

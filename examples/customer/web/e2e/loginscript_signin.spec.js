// Tests of login.js from the click to the next page, and of what can go wrong on the way.
import { chooseAccount, refused } from "./fixtures.js";
import { alert, answerOf, button, expect, isSignedIn, loginPage, script, status, test } from "./loginscript.js";

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
  await page.evaluate(() => void globalThis.calls.find(([name]) => name === "initialize")[1].callback({ credential: "x" }));
  await expect(box).toHaveAttribute("aria-busy", "true");
  await expect(status(page)).toHaveText("Signing in…");
  expect(await box.evaluate((e) => e.inert)).toBe(true);
  await page.evaluate(() => void globalThis.calls.find(([name]) => name === "initialize")[1].callback({ credential: "y" }));
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

test("if the server cannot be reached, the page says so, and the button works again", async ({ app, open, allowed }) => {
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
    "//evil.test", "/\\evil.test", "/\t/evil.test", "https://app.test@evil.test/", "http://[", "java\nscript:document.title='x'", app.plain + "/",
  ]) {
    await page.show(loginPage('data-next="/icon.svg"'), "?next=" + encodeURIComponent(next));
    await chooseAccount(page, "ada@example.com");
    await expect(page, next).toHaveURL(app.site + "/icon.svg");
  }
});

test("remember me is posted if the checkbox is checked, and without a checkbox the console says so", async ({ app, open, allowed }) => {
  allowed.push(/^login\.js: data-remember="[^"]*" selects/);
  const texts = [];
  const page = await open(loginPage(), { prepare: (page) => page.on("console", (message) => message.text().startsWith("login.js: ") && texts.push(message.text())) });
  const box = (attribute) => `<label><input type="checkbox" id="keep" ${attribute}> Remember me</label>`;
  for (const [attributes, before, check, want, selects] of [
    ["", box("data-remember"), true, { remember: true }],
    ["", box("data-remember"), false, {}],
    ['data-remember="#keep"', box(""), true, { remember: true }],
    ["", box(""), true, {}],
    ['data-remember="#missing"', box(""), true, {}, "nothing"],
    ["data-remember", box(""), true, {}, "nothing"],
    ["data-remember", box("data-remember"), true, { remember: true }],
    ['data-remember="label"', box(""), true, {}, "an element that is not a checkbox"],
    ["", box("").replace("<label", "<label data-remember"), true, {}, "an element that is not a checkbox"],
    ["data-one-tap data-remember", "", false, {}, "nothing"],
  ]) {
    await page.show(loginPage(attributes, { before }), "?next=/icon.svg");
    if (check) await page.getByLabel("Remember me").check();
    expect(texts, "before the sign-in begins").toEqual([]);
    if (!attributes.includes("one-tap")) {
      await button(page).click();
      expect(texts.length, attributes).toBe(selects ? 1 : 0); // while this page is still there
    }
    await page.getByRole("dialog").getByRole("button", { name: "ada@example.com" }).click();
    await expect(page).toHaveURL(app.site + "/icon.svg");
    const { credential, ...rest } = page.posts[0].postDataJSON();
    expect(rest).toEqual(want);
    const value = attributes.match(/data-remember="(.*)"/)?.[1] ?? "";
    expect(texts.splice(0), attributes).toEqual(
      selects ? [`login.js: data-remember="${value}" selects ${selects}, so no sign-in is remembered.`] : []);
  }
});

test("a text that is not a selector is reported, and the sign-in works", async ({ app, open, allowed }) => {
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

test("if the browser drops the session's cookie, the page says so and stays", async ({ app, open, allowed }) => {
  allowed.push(refused(401));
  const page = await open(loginPage(), { query: "?next=/docs", prepare: (page) => withoutCookies(page, "POST") });
  await chooseAccount(page, "ada@example.com");
  await expect(alert(page)).toContainText("The sign-in succeeded, but the browser did not keep its cookie.");
  expect(page.url()).toBe(app.site + "/page?next=/docs");
  expect(page.events.map(({ code }) => code).filter(Boolean)).toEqual(["cookie_lost"]);
});

test("if the browser drops the nonce cookie, the page says so at once and does not ask for a second click", async ({ open, allowed }) => {
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

// Tests of login.js where Google's script does not help, so that the sign-in goes by a
// redirect.
import { refused } from "./fixtures.js";
import { alert, button, changeLogin, expect, isSignedIn, loginPage, test } from "./loginscript.js";

const link = (page) => page.getByRole("link", { name: "Sign in with Google" });
const gsi = "https://accounts.google.com/gsi/client";
const iPhone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1";
const macintosh = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15";

// chooseOnGooglesPage waits for the page of the stand-in and picks an account.
async function chooseOnGooglesPage(page, email) {
  await expect(page).toHaveURL(/^https:\/\/accounts\.google\.com\/o\/oauth2\/v2\/auth\?/);
  await page.getByRole("button", { name: email }).click();
}

test("a blocked script leads to a link, which signs in", async ({ redirectApp: app, open, allowed }) => {
  allowed.push(/ERR_BLOCKED_BY_CLIENT/);
  const page = await open(loginPage(), {
    on: app, query: "?next=" + encodeURIComponent("/icon.svg?a=b&c#d"),
    prepare: (page) => page.route(gsi, (route) => route.abort("blockedbyclient")),
  });
  await expect(link(page)).toHaveAttribute("href", app.site + "/api/login/google?next=%2Ficon.svg%3Fa%3Db%26c%23d");
  expect(page.events).toEqual([{ name: "ready", target: "google-signin", mode: "redirect" }]);
  await expect(alert(page)).toHaveText("");
  await link(page).click();
  await chooseOnGooglesPage(page, "ada@example.com");
  await expect(page).toHaveURL(app.site + "/icon.svg?a=b&c#d");
  expect(await isSignedIn(page, app)).toBe(true);
});

test("a person who cancels comes back to the login page, which says so", async ({ redirectApp: app, open }) => {
  const page = await open(loginPage('data-redirect="always"'), { on: app });
  await link(page).click();
  await page.getByRole("button", { name: "Cancel" }).click();
  await expect(page).toHaveURL(app.site + "/login?code=sign_in_cancelled&next=%2F");
  await page.show(loginPage('data-redirect="always" data-lang="fr"'), "?code=sign_in_cancelled&next=/icon.svg");
  await expect(page.getByRole("status")).toHaveText("La connexion a été annulée.");
  await page.getByRole("link", { name: "Se connecter avec Google" }).click();
  await chooseOnGooglesPage(page, "ada@example.com");
  await expect(page).toHaveURL(app.site + "/icon.svg");
});

test("a policy that forbids the script leads to the link", async ({ open, allowed }) => {
  allowed.push(/Content Security Policy/, /TrustedScriptURL/);
  const page = await open(loginPage(), {
    headers: { "content-security-policy": "default-src 'none'; script-src 'self'; connect-src 'self'; require-trusted-types-for 'script'; trusted-types 'none'" },
    prepare: (page) => changeLogin(page, { redirect: true }),
  });
  await expect(link(page)).toBeVisible();
});

test("a script that defines nothing, and one that never answers, lead to the link", async ({ open }) => {
  const page = await open(loginPage(), {
    prepare: async (page) => {
      await changeLogin(page, { redirect: true });
      await page.route(gsi, (route) => route.fulfill({ contentType: "text/javascript", body: "" }));
      await page.clock.install();
    },
  });
  await expect(link(page)).toBeVisible();
  await page.unroute(gsi);
  const asked = page.waitForRequest(gsi);
  await page.route(gsi, () => {});
  await page.show(loginPage());
  await asked;
  await expect(link(page)).toHaveCount(0);
  await page.clock.fastForward(8000);
  await expect(link(page)).toBeVisible();
  expect(page.events).toEqual([{ name: "ready", target: "google-signin", mode: "redirect" }]);
});

test("without sign-in by redirect the page says why there is no button", async ({ open, allowed }) => {
  allowed.push(/ERR_BLOCKED_BY_CLIENT/, /^login\.js: data-redirect="always" needs/);
  const page = await open(loginPage(), {
    prepare: async (page) => {
      await changeLogin(page, { redirect: false });
      await page.route(gsi, (route) => route.abort("blockedbyclient"));
    },
  });
  await expect(alert(page)).toHaveText("Google's sign-in could not be loaded. A content blocker or the network may stop it. Please allow accounts.google.com and reload the page.");
  expect(page.events).toEqual([{ name: "error", target: "google-signin", code: "script_blocked" }]);
  await page.show(loginPage('data-redirect="always"'));
  await expect(alert(page)).toHaveText("Sign-in is not available right now. Please reload the page.");
  await expect(link(page)).toHaveCount(0);

  await page.unroute("**/api/login");
  await changeLogin(page, { redirect: true });
  await page.show(loginPage('data-redirect="never"'));
  await expect(alert(page)).toContainText("could not be loaded");
  await expect(link(page)).toHaveCount(0);
});

for (const [name, options, want] of [
  ["an iPhone", { userAgent: iPhone, touchPoints: 5 }, "link"],
  ["an iPad that says Macintosh", { userAgent: macintosh, touchPoints: 5 }, "link"],
  ["a Mac", { userAgent: macintosh, touchPoints: 0 }, "button"],
]) {
  test(`${name} gets the ${want}`, async ({ open }) => {
    const requested = [];
    const page = await open(loginPage(), {
      userAgent: options.userAgent,
      prepare: async (page) => {
        await page.addInitScript((value) => Object.defineProperty(navigator, "maxTouchPoints", { value }), options.touchPoints);
        await changeLogin(page, { redirect: true });
        page.on("request", (request) => requested.push(request.url()));
      },
    });
    await expect(page.getByRole(want, { name: "Sign in with Google" })).toBeVisible();
    expect(requested.includes(gsi)).toBe(want === "button");
    await page.show(loginPage('data-redirect="never"'));
    await expect(button(page)).toBeVisible();
    await page.show(loginPage('data-redirect="always"'));
    await expect(link(page)).toBeVisible();
    await page.unroute("**/api/login");
    await changeLogin(page, { redirect: false });
    await page.show(loginPage());
    await expect(button(page)).toBeVisible(); // better than nothing
  });
}

test("the link says whether to remember and whether to sign in again", async ({ redirectApp: app, open, allowed }) => {
  allowed.push(refused(401));
  const page = await open(loginPage('data-redirect="always" data-reauth', { before: '<label><input type="checkbox" data-remember> Remember me</label>' }), { on: app });
  const address = app.site + "/api/login/google?next=%2F";
  await expect(link(page)).toHaveAttribute("href", address);
  await page.getByLabel("Remember me").check();
  await expect(link(page)).toHaveAttribute("href", address + "&remember=true");
  await page.getByLabel("Remember me").uncheck();
  await expect(link(page)).toHaveAttribute("href", address);
  await page.getByLabel("Remember me").check();
  await link(page).click();
  await chooseOnGooglesPage(page, "ada@example.com");
  await expect(page).toHaveURL(app.site + "/");

  await page.show(loginPage('data-redirect="always" data-reauth'), "?next=/icon.svg");
  await expect(link(page)).toHaveAttribute("href", app.site + "/api/login/google?next=%2Ficon.svg&reauth=true");
  await page.waitForTimeout(1100); // the token must be younger than the session, and Google counts in seconds
  await link(page).click();
  await expect(page).toHaveURL(/login_hint=ada%40example\.com/);
  await chooseOnGooglesPage(page, "ada@example.com");
  await expect(page).toHaveURL(app.site + "/icon.svg");
});

test("a click on the link reads the checkbox, and without one the console says so", async ({ redirectApp: app, open, allowed }) => {
  allowed.push(/^login\.js: data-remember="#keep" selects nothing/);
  const texts = [];
  const attributes = 'data-redirect="always" data-remember="#keep"';
  const page = await open(loginPage(attributes), { on: app, prepare: (page) => page.on("console", (message) => texts.push(message.text())) });
  await expect(link(page)).toBeVisible();
  expect(texts).toEqual([]);
  await link(page).click();
  await page.waitForURL(/response_type=code/);
  expect(texts).toEqual([expect.stringContaining('data-remember="#keep" selects nothing')]);

  // A script has checked the box, which causes no event.
  await page.show(loginPage(attributes, { before: '<input type="checkbox" id="keep" aria-label="Remember me">' }));
  await expect(link(page)).toBeVisible();
  await page.evaluate(() => (document.getElementById("keep").checked = true));
  const asked = page.waitForRequest(/\/api\/login\/google\?/);
  await link(page).click();
  expect(new URL((await asked).url()).searchParams.get("remember")).toBe("true");
});

test("no next leads to another site", async ({ redirectApp: app, open }) => {
  const page = await open(loginPage('data-redirect="always"'), { on: app });
  for (const [next, want] of [["//evil.test", "/"], ["/\\evil.test", "/"], ["/.//evil.test", "//evil.test"], ["javascript:alert(1)", "/"], ["/%5C/evil.test", "/%5C/evil.test"]]) {
    await page.show(loginPage('data-redirect="always"'), "?next=" + encodeURIComponent(next));
    await expect(link(page)).toHaveAttribute("href", app.site + "/api/login/google?" + new URLSearchParams({ next: want }));
    await link(page).click();
    await chooseOnGooglesPage(page, "ada@example.com");
    await expect.poll(() => new URL(page.url()).origin, next).toBe(app.site);
  }
});

test("if a pop-up reports nothing, the link appears beside the button", async ({ open }) => {
  const page = await open(loginPage(), {
    headers: { "cross-origin-opener-policy": "same-origin" },
    prepare: async (page) => {
      await changeLogin(page, { redirect: true });
      await page.clock.install();
    },
  });
  // Google's pop-up window is the stand-in's dialog, which the person leaves open.
  await expect(button(page)).toBeVisible();
  await page.evaluate(() => void document.querySelector("#google-signin > div").shadowRoot.querySelector("button").click());
  await page.clock.fastForward(19_000);
  await expect(link(page)).toHaveCount(0);
  await page.clock.fastForward(2000);
  await expect(link(page)).toHaveCount(1);
  await expect(page.locator("#google-signin")).not.toHaveAttribute("aria-busy", "true");
  expect(page.events.map(({ name }) => name)).toEqual(["ready"]);
});

test("without JavaScript the link of the page signs in", async ({ redirectApp: app, open }) => {
  const noscript = '<noscript><a href="/api/login/google?next=/icon.svg">Sign in with Google</a></noscript>';
  const page = await open(loginPage("", { before: noscript }), { on: app, javaScriptEnabled: false });
  await link(page).click();
  await chooseOnGooglesPage(page, "ada@example.com");
  await expect(page).toHaveURL(app.site + "/icon.svg");
  expect(await isSignedIn(page, app)).toBe(true);

  // With JavaScript there is one way only.
  const scripted = await open(loginPage("", { before: noscript }), { on: app });
  await expect(button(scripted)).toBeVisible();
  await expect(link(scripted)).toHaveCount(0);
});

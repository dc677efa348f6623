import { cell, chooseAccount, expect, heading, refused, signIn, test } from "./fixtures.js";

test("a visitor is redirected to the login page, and after the sign-in back to the same path", async ({ site, visit }) => {
  const page = await visit(site + "/customer?sort=name");
  await expect(page).toHaveURL(site + "/login?code=no_session&next=%2Fcustomer%3Fsort%3Dname");
  await expect(page.getByRole("alert")).toHaveText("Please sign in to see this page.");

  await chooseAccount(page, "ada@example.com");
  await expect(page).toHaveURL(site + "/customer?sort=name");
  await expect(cell(page, "Ada Lindqvist")).toBeVisible();
  await expect(page.locator("header")).toContainText("ada@example.com");

  await page.goBack(); // skips the login page, whose history entry was replaced
  await expect(page).not.toHaveURL(/login/);
});

test("the login page never leads to another site", async ({ site, visit }) => {
  const page = await visit(site + "/login?next=//evil.test/x");
  await signIn(page, "ada@example.com");
  await expect(page).toHaveURL(site + "/");
  for (const [next, want] of [
    ["/customer?q=1#x", "/customer?q=1#x"],
    ["/docs", "/docs"],
    ["/api/customer", "/api/customer"],
    ...[
      "//evil.test", "//evil.test/x", "https://evil.test/x", "/\\evil.test/x", "\\\\evil.test", "https:evil.test", "javascript:alert(1)",
      "/\t/evil.test", "/\n/evil.test", "/..//evil.test", "/.//evil.test", "evil.test", "", "data:text/html,x", "/\u0000", " /x",
    ].map((next) => [next, "/"]),
  ]) {
    await page.goto(site + "/login?next=" + encodeURIComponent(next));
    await expect(page.getByRole("link", { name: "Continue" }), next).toHaveAttribute("href", want);
  }
  await page.goto(site + "/login?next=/docs"); // not a page of this application, but of this site
  await page.getByRole("link", { name: "Continue" }).click();
  await expect(page).toHaveTitle(/API/);
});

test("a malformed return path leads to the top page and breaks nothing", async ({ site, visit }) => {
  const page = await visit(site + "/login");
  await signIn(page, "ada@example.com");
  for (const next of [
    "http:..", "http://[", "//[", "/\\[", "http:", ":", "///", "#", "?x", "%", "%E0%A4%A",
    "/%", "/%E0%A4%A", "/admin/users/%", "/admin/users/%E0%A4%A", "/admin/%zz",
  ]) {
    await page.goto(site + "/login?next=" + encodeURIComponent(next));
    await expect(page.getByRole("link", { name: "Continue" }), next).toHaveAttribute("href", "/");
  }
  for (const next of ["/admin/users/%ff", "/customer/%c0%80"]) { // paths of this site, which no page can read
    await page.goto(site + "/login?next=" + encodeURIComponent(next));
    await expect(page.getByRole("link", { name: "Continue" }), next).toHaveAttribute("href", next);
  }
  for (const query of ["?next=%", "?next=/admin/users/%25E0%25A4%25A", "?next=%E0%A4%A", "?next=/admin/users/%25&next=/", "?next[]=%5B", "?next"]) {
    await page.goto(site + "/login" + query);
    await page.getByRole("button", { name: "Sign Out", exact: true }).click();
    await expect(page).toHaveURL(site + "/");
    await page.goto(site + "/login" + query);
    await signIn(page, "ada@example.com");
    await expect(page, query).toHaveURL(site + "/");
    await expect(page.getByRole("heading", { level: 1 }), query).toBeVisible();
  }

  // A mistyped address breaks nothing, either.
  await page.goto(site + "/admin/users/%ff");
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
});

test("One Tap offers the accounts, and a click on an account signs in", async ({ site, visit }) => {
  const page = await visit(site + "/login");
  const oneTap = page.getByRole("dialog", { name: "Choose an account" });
  await oneTap.getByRole("button", { name: "bob@example.com" }).click();
  await expect(page).toHaveURL(site + "/");
  await expect(page.locator("header")).toContainText("bob@example.com");
  await expect(oneTap).toBeHidden();

  await page.goto(site + "/login");
  await expect(page.getByText("You are signed in as Bob Example.")).toBeVisible();
  await expect(oneTap).toBeHidden();
});

test("One Tap closes when the login page is left", async ({ site, visit }) => {
  const page = await visit(site + "/login");
  await expect(page.getByRole("dialog", { name: "Choose an account" })).toBeVisible();
  await page.getByRole("link", { name: "Top" }).click();
  await expect(page.getByRole("dialog")).toHaveCount(0);
});

test("a token with another nonce asks for one more click, once", async ({ site, visit, allowed }) => {
  allowed.push(refused(401));
  const page = await visit(site + "/login");
  await expect(page.getByRole("button", { name: "Sign in with Google" })).toBeVisible();
  await page.context().clearCookies({ name: "__Host-Http-login" }); // as after a sign-out in another tab
  await chooseAccount(page, "ada@example.com");
  await expect(page.getByRole("alert")).toHaveText("Please click the button once more.");
  await chooseAccount(page, "ada@example.com");
  await expect(page).toHaveURL(site + "/");

  // If the cookie never arrives, the page does not ask a second time.
  await page.getByRole("button", { name: "Sign Out", exact: true }).click();
  await page.getByRole("link", { name: "Login", exact: true }).click();
  for (const words of ["Please click the button once more.", "The sign-in was not accepted. Please try again."]) {
    await expect(page.getByRole("button", { name: "Sign in with Google" })).toBeVisible();
    await page.context().clearCookies({ name: "__Host-Http-login" });
    await chooseAccount(page, "ada@example.com");
    await expect(page.getByRole("alert")).toHaveText(words);
  }
});

test("two tabs with the login page work, and the second follows the sign-in of the first", async ({ site, visit }) => {
  const first = await visit(site + "/login?next=/devices");
  const second = await first.context().newPage();
  await second.goto(site + "/login?next=/customer");
  await expect(second.getByRole("button", { name: "Sign in with Google" })).toBeVisible();
  await signIn(first, "ada@example.com");
  await expect(heading(first, "Devices")).toBeVisible();
  await expect(heading(second, "Customers")).toBeVisible();
});

test("two tabs can ask Google at the same time", async ({ site, visit }) => {
  const first = await visit(site + "/login?next=/devices");
  const second = await first.context().newPage();
  await second.addInitScript(() => delete globalThis.BroadcastChannel.prototype.postMessage); // the second tab does not learn of the first
  await second.goto(site + "/login?next=/customer");
  await second.getByRole("button", { name: "Sign in with Google" }).click();
  await signIn(first, "ada@example.com");
  await second.bringToFront();
  await expect(heading(second, "Customers")).toBeVisible();
});

test("the login page shows a text for each known code and for no other", async ({ site, visit }) => {
  const page = await visit(site);
  for (const [code, words] of [
    ["session_expired", "expired"],
    ["session_revoked", "ended"],
    ["user_disabled", "disabled"],
    ["not_admitted", "invitation"],
    ["too_many_sessions", "too many devices"],
    ["too_slow", "too slowly"],
    ["too_many_streams", "too many pages open"],
    ["token_refused", "try again"],
    ["unavailable", "cannot answer right now"],
  ]) {
    await page.goto(site + "/login?code=" + code);
    await expect(page.getByRole("alert"), code).toContainText(words);
  }
  for (const code of ["", "<img src=x onerror=alert(1)>", "constructor", "nothing"]) {
    await page.goto(site + "/login?code=" + encodeURIComponent(code));
    await expect(page.getByRole("button", { name: "Sign in with Google" })).toBeVisible();
    await expect(page.getByRole("alert"), code).toHaveCount(0);
  }
});

test("a person who is not invited is refused and sees the reason", async ({ serve, visit, allowed }) => {
  allowed.push(refused(403));
  const site = await serve("-db", "memory", "-invited-only");
  const page = await visit(site + "/login");
  await chooseAccount(page, "bob@example.com");
  await expect(page.getByRole("alert")).toContainText("ask for an invitation");
  await expect(page.getByRole("button", { name: "Sign Out", exact: true })).toHaveCount(0);
  await signIn(page, "admin@example.com"); // without reloading
});

test("if Google's script cannot be loaded, the page says so and can try again", async ({ site, visit, allowed }) => {
  allowed.push(/ERR_FAILED/);
  const page = await visit();
  await page.route("**/demo/gsi.js", (route) => route.abort());
  await page.goto(site + "/login");
  await expect(page.getByRole("alert")).toContainText("Google's sign-in cannot be loaded");
  await page.unroute("**/demo/gsi.js");
  await page.getByRole("button", { name: "Try again" }).click();
  await signIn(page, "ada@example.com");
});

const iPhone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1";

test("on an iPhone the page leads to Google's page, because Google's window cannot report to it", async ({ site, visit }) => {
  const page = await visit(site + "/login?next=/customer", { userAgent: iPhone });
  await page.getByRole("link", { name: "Sign in with Google" }).click();
  await expect(page).toHaveURL(/\/demo\/authorize\?/);
  await page.getByRole("button", { name: "ada@example.com" }).click();
  await expect(heading(page, "Customers")).toBeVisible();
});

test("the page says that it cannot see what happens in Google's window", async ({ site, visit }) => {
  const page = await visit();
  await page.clock.install();
  await page.goto(site + "/login");
  await page.getByRole("button", { name: "Sign in with Google" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Cancel" }).click();
  const hint = page.getByText("If nothing happens, Google's window may have been blocked.");
  await page.clock.fastForward(19_000);
  await expect(hint).toHaveCount(0);
  await page.clock.fastForward(2_000);
  await expect(hint).toBeVisible();
  await signIn(page, "ada@example.com");
});

test("the button follows the language, the colours and the width of the page", async ({ site, visit }) => {
  for (const [options, name, background] of [
    [{}, "Sign in with Google", "rgb(255, 255, 255)"],
    [{ colorScheme: "dark" }, "Sign in with Google", "rgb(19, 19, 20)"],
    [{ locale: "de-AT" }, "Über Google anmelden", "rgb(255, 255, 255)"],
    [{ locale: "es-MX", viewport: { width: 320, height: 640 } }, "Iniciar sesión con Google", "rgb(255, 255, 255)"],
    [{ locale: "ja-JP" }, "Google でログイン", "rgb(255, 255, 255)"],
  ]) {
    const page = await visit(site + "/login", options);
    const button = page.getByRole("button", { name });
    await expect(button, name).toHaveCSS("background-color", background);
    const { width } = await button.boundingBox();
    expect(width).toBeGreaterThanOrEqual(200);
    expect(width).toBeLessThanOrEqual(320);
    if (!options.colorScheme) {
      await page.emulateMedia({ colorScheme: "dark" }); // the open page follows
      await expect(button, name).toHaveCSS("background-color", "rgb(19, 19, 20)");
    }
  }
});

test("a long name and a long reason fit into the login page", async ({ site, visit }) => {
  const page = await visit(site + "/login?code=not_admitted", { viewport: { width: 320, height: 640 } });
  const fits = () => page.evaluate(() => document.documentElement.scrollWidth <= innerWidth);
  await expect(page.getByRole("alert")).toBeVisible();
  expect(await fits()).toBe(true);
  await page.getByRole("dialog").getByRole("button", { name: "Cancel" }).click(); // One Tap covers the button of a small phone
  await page.getByRole("button", { name: "Sign in with Google" }).click();
  const chooser = page.getByRole("dialog", { name: "Choose an account" });
  await chooser.getByLabel("E-mail").fill("long@example.com");
  await chooser.getByLabel("Name, if you like").fill("W".repeat(100));
  await chooser.getByRole("button", { name: "Continue" }).click();
  await expect(page.getByRole("button", { name: "Sign Out", exact: true })).toBeVisible();
  await page.goto(site + "/login");
  await expect(page.getByText(/You are signed in as W+\./)).toBeVisible();
  expect(await fits()).toBe(true);
  await expect(page.getByRole("main").locator(".avatar")).toBeInViewport();
});

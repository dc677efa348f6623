import { cell, expect, heading, refused, signIn, temporary, test } from "./fixtures.js";

const sessionCookie = "__Host-Http-session";

test("scripts, other hosts and other sites cannot read or set the cookies", async ({ site, keys: [key], visit }) => {
  const page = await visit(site + "/login");
  await signIn(page, "ada@example.com");
  const cookies = (await page.context().cookies()).filter(({ name }) => name !== key.name); // without the demo's key
  expect(cookies.map(({ name }) => name).sort()).toEqual(["__Host-Http-device", "__Host-Http-login", sessionCookie]);
  for (const cookie of cookies) {
    expect(cookie).toMatchObject({ httpOnly: true, secure: true, sameSite: "Lax", path: "/", domain: "localhost" });
  }
  const { value, expires } = cookies.find(({ name }) => name === sessionCookie);
  expect(value).toMatch(/^[\w-]{59}$/);
  expect(Math.abs(expires - Date.now() / 1000 - 12 * 3600)).toBeLessThan(60);

  expect(await page.evaluate(() => document.cookie)).toBe("");
  const stored = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }]));
  expect(stored).not.toContain(value);
  const seen = await page.evaluate(async () => JSON.stringify([document.documentElement.outerHTML, await (await fetch("/api/sessions")).json()]));
  expect(seen).not.toContain(value);

  // A script cannot plant a session cookie.
  await page.evaluate((name) => (document.cookie = `${name}=planted; path=/; secure`), sessionCookie);
  expect((await page.context().cookies()).filter(({ name }) => name === sessionCookie)).toEqual([expect.objectContaining({ value })]);
});

test("signing out ends the session in all tabs and turns off Google's automatic sign-in", async ({ site, keys: [key], visit }) => {
  const page = await visit(site + "/login?next=/customer", { noStream: true }); // tabs report changes to each other
  await signIn(page, "ada@example.com");
  const [before] = (await page.context().cookies()).filter(({ name }) => name === sessionCookie);

  const other = await page.context().newPage();
  await other.goto(site + "/devices");
  await expect(heading(other, "Devices")).toBeVisible();
  const top = await page.context().newPage();
  await top.goto(site);
  await expect(top.getByText("Hello, Ada Example.")).toBeVisible();

  await page.reload(); // Google's script has not been loaded after a reload
  await page.evaluate(() => {
    globalThis.onGoogleLibraryLoad = () => {
      google.accounts.id.disableAutoSelect = () => (document.body.dataset.autoSelect = "disabled");
    };
  });
  await page.getByRole("button", { name: "Sign Out", exact: true }).click();
  await expect(page).toHaveURL(site + "/");
  await expect(page.getByRole("link", { name: "Login", exact: true })).toBeVisible();
  await expect(page.locator("body")).toHaveAttribute("data-auto-select", "disabled");

  await expect(other).toHaveURL(site + "/login?code=signed_out&next=%2Fdevices");
  await expect(other.getByText("You have signed out.")).toBeVisible();
  await expect(other.getByRole("dialog")).toHaveCount(0); // One Tap does not offer an account right after a sign-out
  await expect(top.getByText("Hello, Ada Example.")).toHaveCount(0);
  await expect(top).toHaveURL(site + "/");

  expect((await page.context().cookies()).map(({ name }) => name)).not.toContain(sessionCookie);
  const replay = await page.request.get(site + "/api/user", { headers: { cookie: `${sessionCookie}=${before.value}; ${key.name}=${key.value}` } });
  expect(replay.status()).toBe(401);
});

test("after signing out, the back button shows nothing private", async ({ site, visit }) => {
  const page = await visit(site + "/login?next=/customer");
  await signIn(page, "ada@example.com");
  await expect(cell(page, "Ada Lindqvist")).toBeVisible();

  // The back button stays within the application.
  await page.getByRole("button", { name: "Sign Out", exact: true }).click();
  await expect(page).toHaveURL(site + "/");
  await page.evaluate(watchFor, { text: "Ada Lindqvist" });
  await page.goBack();
  // The code depends on whether this answer or the end of the page's stream comes first.
  await expect(page).toHaveURL(/\/login\?code=(no_session|session_ended)&next=%2Fcustomer/);
  expect(await page.evaluate(() => globalThis.seen)).toBe(false);

  // The back button returns from another document, and the session has ended meanwhile.
  await signIn(page, "ada@example.com");
  await expect(cell(page, "Ada Lindqvist")).toBeVisible();
  await page.goto("about:blank");
  const other = await page.context().newPage();
  await other.goto(site);
  await other.getByRole("button", { name: "Sign Out", exact: true }).click();
  await expect(other.getByRole("link", { name: "Login", exact: true })).toBeVisible();
  await page.goBack();
  await expect(page).toHaveURL(/\/login\?code=\w+&next=%2Fcustomer/);
  await expect(page.getByText("Ada Lindqvist")).toHaveCount(0);
});

test("a page from the back/forward cache shows nothing until the server has answered", async ({ site, visit }) => {
  const page = await visit(site + "/login?next=/customer");
  await signIn(page, "ada@example.com");
  await expect(cell(page, "Ada Lindqvist")).toBeVisible();

  const signedOut = await page.request.post(site + "/api/logout");
  expect(signedOut.status()).toBe(204);
  const asked = page.waitForRequest("**/api/login");
  await page.evaluate(watchFor, { text: "Ada Lindqvist", restored: true });
  await asked;
  // The code depends on whether this answer or the end of the page's stream comes first.
  await expect(page).toHaveURL(/\/login\?code=(no_session|session_ended)&next=%2Fcustomer/);
  expect(await page.evaluate(() => globalThis.seen)).toBe(false);
});

// watchFor records in the page whether a text is shown from the next frame on. The page may
// still show it in the frame in which the browser restores the page.
function watchFor({ text, restored }) {
  if (restored) {
    dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true }));
  }
  globalThis.seen = false;
  const look = () => {
    globalThis.seen ||= document.body.textContent.includes(text);
    requestAnimationFrame(look);
  };
  requestAnimationFrame(() => requestAnimationFrame(look));
}

test("after the session has been ended elsewhere, the next click leads to the login page, which leads back", async ({ serve, visit, allowed }) => {
  allowed.push(refused(401));
  const site = await serve("-db", "memory");
  const here = await visit(site + "/login", { noStream: true });
  await signIn(here, "ada@example.com");
  const there = await visit(site + "/login?next=/devices");
  await signIn(there, "ada@example.com");
  await there.getByRole("button", { name: "Sign out all others" }).click();
  await there.getByRole("dialog").getByRole("button", { name: "Sign out" }).click();
  await expect(there.getByText("1 other device signed out.", { exact: true })).toBeVisible();

  await here.getByRole("link", { name: "Customers" }).first().click();
  await expect(here).toHaveURL(site + "/login?code=session_ended&next=%2Fcustomer");
  await expect(here.getByRole("alert")).toContainText("Your session has ended.");
  await signIn(here, "ada@example.com");
  await expect(heading(here, "Customers")).toBeVisible();
});

test("a visible page learns at once that its session has ended", async ({ serve, visit, allowed }) => {
  allowed.push(refused(401));
  const site = await serve("-db", "sqlite:" + temporary("live-") + "/test.db");
  const here = await visit(site + "/login?next=/customer");
  await signIn(here, "ada@example.com");
  await expect(cell(here, "Ada Lindqvist")).toBeVisible();
  const there = await visit(site + "/login?next=/devices");
  await signIn(there, "ada@example.com");
  await there.getByRole("button", { name: /^End/ }).click();
  await expect(here).toHaveURL(site + "/login?code=session_revoked&next=%2Fcustomer");
  await expect(here.getByText("Ada Lindqvist")).toHaveCount(0);
  await expect(heading(there, "Devices")).toBeVisible();

  // Signing in again, here or in another tab, ends the earlier session. The pages stay
  // signed in.
  await signIn(here, "ada@example.com");
  const tab = await here.context().newPage();
  await tab.goto(site + "/customer");
  await expect(cell(tab, "Ada Lindqvist")).toBeVisible();
  const answer = await tab.evaluate(async () => {
    const json = (body) => ({ method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
    const { nonce } = await (await fetch("/api/login")).json();
    const token = await (await fetch("/demo/token", json({ email: "ada@example.com", nonce }))).json();
    return (await fetch("/api/login", json(token))).status;
  });
  expect(answer).toBe(200);
  const asked = await here.waitForResponse("**/api/user");
  expect(asked.status()).toBe(200);
  await expect(here).toHaveURL(site + "/customer");
  await expect(cell(here, "Ada Lindqvist")).toBeVisible();
});

test("a tab that becomes visible again learns that the session has ended", async ({ site, visit, allowed }) => {
  allowed.push(refused(401));
  const page = await visit(site + "/login?next=/customer", { noStream: true });
  await signIn(page, "ada@example.com");
  await page.clock.install(); // the page does not check again within five seconds
  const [cookie] = (await page.context().cookies()).filter(({ name }) => name === sessionCookie);
  await page.context().clearCookies({ name: sessionCookie });
  await page.context().addCookies([{ ...cookie, value: cookie.value.slice(0, -2) + "AA" }]);
  await page.clock.fastForward("00:30");
  await page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
  await expect(page).toHaveURL(/\/login\?code=session_ended&next=%2Fcustomer/);
});

test("a late refusal of an earlier session does not end the present session", async ({ site, visit, allowed }) => {
  allowed.push(refused(401));
  const page = await visit(site + "/login?next=/devices");
  await signIn(page, "ada@example.com");
  let release;
  const held = new Promise((resolve) => (release = resolve));
  let answer = true;
  await page.route("**/api/customer?*", async (route) => {
    if (!answer) {
      return route.continue();
    }
    answer = false;
    await held;
    return route.fulfill({ status: 401, contentType: "application/problem+json", body: '{"status":401,"code":"no_session"}' });
  });
  await page.getByRole("link", { name: "Customers" }).click();

  const other = await page.context().newPage(); // signs in again and reports it to the other tab
  await other.goto(site);
  await other.getByRole("button", { name: "Sign Out", exact: true }).click();
  await expect(page).toHaveURL(/\/login/);
  await signIn(other, "ada@example.com");
  await expect(heading(page, "Customers")).toBeVisible();
  await expect(cell(page, "Ada Lindqvist")).toBeVisible();
  const late = page.waitForResponse((response) => response.status() === 401);
  const again = page.waitForResponse((response) => response.url().includes("/api/customer?") && response.ok());
  release();
  await late;
  await again; // the page repeats the request and does not treat the answer as the end of this session
  await expect(cell(page, "Ada Lindqvist")).toBeVisible();
  await expect(page).toHaveURL(site + "/customer");
});

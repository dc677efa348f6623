// The tour on the first page: its steps are ticked by what happens.
import { expect, heading, refused, signIn, test } from "./fixtures.js";
import { picture, violations } from "./look.js";

const step = (page, name) => page.locator(`[data-step=${name}]`);
const ticked = (page, name) => expect(step(page, name).getByRole("heading", { level: 2 })).toContainText("(done)");
const press = (page, name, text) => step(page, name).getByRole("button", { name: text, exact: true }).click();

test("a new user sees a session end in another browser", async ({ site, visit }) => {
  const page = await visit(site);
  await expect(heading(page, "Sign in with Google, real sessions")).toBeVisible();
  await step(page, "signIn").getByRole("link", { name: "Sign in with Google" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "ada@example.com" }).click();
  await expect(page).toHaveURL(site + "/");
  await ticked(page, "signIn");

  const other = step(page, "end").getByRole("region", { name: /Firefox .*on Windows/ });
  await press(page, "end", "Open a second browser");
  await expect(other).toContainText("Signed in as ada@example.com");
  await expect(step(page, "end").getByRole("heading", { level: 2 })).not.toContainText("(done)");
  await press(page, "end", "End that session");
  await expect(other).toContainText("The session has ended, and this page has closed.");
  await expect(other).toContainText(/\d ms/);
  await expect(other).toContainText("Its next request got 401.");
  await expect(step(page, "end")).toContainText("DELETE /api/sessions/");
  await expect(step(page, "end")).toContainText("HTTP/1.1 204");
  await ticked(page, "end");
  await expect(page.getByRole("main").getByRole("status").first()).toHaveText(/closed after .+ ms, and its next request got 401\./);
  await expect(step(page, "end").getByRole("button", { name: "Do it again" })).toBeFocused();

  // The progress stays until the browser is closed.
  await page.reload();
  await ticked(page, "end");
  await expect(step(page, "thief").getByRole("button", { name: "Open a browser and copy its cookie" })).toBeVisible();
});

test("a real second browser appears, and its session ends", async ({ site, visit, allowed }) => {
  allowed.push(refused(401));
  const page = await visit(site + "/login?next=/");
  await signIn(page, "ada@example.com");
  await expect(step(page, "end")).toContainText("sign in as ada@example.com");
  const userAgent = "Mozilla/5.0 (X11; Linux x86_64; rv:139.0) Gecko/20100101 Firefox/139.0";
  const second = await visit(site + "/login?next=/devices", { userAgent });
  await signIn(second, "ada@example.com");
  await expect(heading(second, "Devices")).toBeVisible();
  await press(page, "end", "End Firefox 139 on Linux");
  await ticked(page, "end");
  await expect(second).toHaveURL(/\/login\?code=.*next=%2Fdevices/);
});

test("a step is ticked when the session of the other browser ends in another way", async ({ site, visit }) => {
  const page = await visit(site + "/login?next=/");
  await signIn(page, "ada@example.com");
  await press(page, "end", "Open a second browser");
  await expect(step(page, "end")).toContainText("Signed in as ada@example.com");
  const second = await visit(site + "/login?next=/devices");
  await signIn(second, "ada@example.com");
  await expect(heading(second, "Devices")).toBeVisible();
  expect(await second.evaluate(async () => {
    const { sessions } = await (await fetch("/api/sessions")).json();
    const { id } = sessions.find((s) => s.user_agent.includes("Firefox/"));
    return (await fetch("/api/sessions/" + id, { method: "DELETE" })).status;
  })).toBe(204);
  await ticked(page, "end");
});

test("every step happens, and people stay signed in", async ({ site, visit, allowed }) => {
  test.slow();
  allowed.push(refused(503));
  const page = await visit(site + "/login?next=/");
  await signIn(page, "bob@example.com");

  await press(page, "end", "Open a second browser");
  await press(page, "end", "End that session");
  await ticked(page, "end");

  await press(page, "thief", "Open a browser and copy its cookie");
  await expect(step(page, "thief")).toContainText("The copy of the cookie gets 200");
  await press(page, "thief", "End that session");
  await expect(step(page, "thief")).toContainText("After the end of the session the copy gets 401");
  await ticked(page, "thief");

  await press(page, "outage", "Take the store down");
  await expect(step(page, "outage")).toContainText("HTTP/1.1 503");
  expect((await page.request.get(site + "/readyz")).status()).toBe(503);
  await press(page, "outage", "Bring it back now");
  await expect(step(page, "outage")).toContainText("answered with 503");
  await ticked(page, "outage");

  await press(page, "hijack", "Open the browser of ada@example.com");
  await press(page, "hijack", "Let Google report it");
  await expect(step(page, "hijack")).toContainText("Every session of ada@example.com has ended.");
  await ticked(page, "hijack");

  await press(page, "disable", "Open both browsers");
  await press(page, "disable", "Disable grace@example.com");
  await expect(step(page, "disable")).toContainText('{"disabled":true}');
  await ticked(page, "disable");
  await expect(page.getByText("You have seen every promise kept.")).toBeVisible();
  await expect(page.locator("header")).toContainText("bob@example.com");

  // The accounts can be used afterwards, and the tour can be made again.
  for (const email of ["ada@example.com", "grace@example.com"]) {
    await signIn(await visit(site + "/login"), email);
  }
  await page.getByRole("button", { name: "Start again" }).click();
  await expect(page.getByText("1 of 6 steps done")).toBeVisible();
  await expect(page.getByRole("heading", { name: "See it in two minutes" })).toBeFocused();
});

test("an account that an earlier tour left disabled is enabled again", async ({ site, visit, allowed }) => {
  allowed.push(refused(401), refused(409)); // bob's page asks who is signed in when its session ends
  const admin = await visit(site + "/login");
  await signIn(await visit(site + "/login"), "bob@example.com");
  await signIn(admin, "admin@example.com");
  expect(await admin.evaluate(async () => {
    const { users } = await (await fetch("/api/admin/users?email=bob")).json();
    const body = JSON.stringify({ disabled: true });
    return (await fetch("/api/admin/users/" + users[0].id, { method: "PATCH", headers: { "Content-Type": "application/json" }, body })).status;
  })).toBe(200);
  await admin.goto(site);
  await step(admin, "hijack").getByRole("heading", { level: 2 }).click();
  await press(admin, "hijack", "Open the browser of bob@example.com");
  await expect(step(admin, "hijack")).toContainText("Signed in as bob@example.com");
});

test("the keyboard is enough", async ({ site, visit }) => {
  const page = await visit(site + "/login?next=/");
  await signIn(page, "ada@example.com");
  await ticked(page, "signIn");
  await step(page, "end").getByRole("button", { name: "Open a second browser" }).focus();
  await page.keyboard.press("Enter");
  await expect(step(page, "end").getByRole("button", { name: "End that session" })).toBeFocused();
  await page.keyboard.press("Enter");
  await ticked(page, "end");
  await expect(step(page, "end").getByRole("button", { name: "Do it again" })).toBeFocused();
  await step(page, "thief").locator("summary").first().focus();
  await page.keyboard.press("Space");
  await expect(step(page, "thief").getByRole("button", { name: "Open a browser and copy its cookie" })).toBeHidden();
});

test("the page of a server with Google has the promises and the code", async ({ serveGoogle, visit }) => {
  const { site, intercept } = await serveGoogle();
  const page = await visit();
  await intercept(page);
  await page.goto(site);
  await expect(page.getByRole("link", { name: "Sign in with Google" })).toBeVisible();
  await expect(page.getByRole("heading", { name: "Ended is ended" })).toBeVisible();
  await expect(page.getByRole("heading", { name: "Use it in your server" })).toBeVisible();
  await expect(page.getByRole("heading", { name: "See it in two minutes" })).toHaveCount(0);
});

test("the code can be copied", async ({ site, visit }) => {
  const page = await visit(site, { permissions: ["clipboard-read", "clipboard-write"] });
  const copied = async (name) => {
    await page.getByRole("button", { name: "Copy " + name }).click();
    await expect(page.getByText("Copied.").first()).toBeVisible();
    return page.evaluate(() => navigator.clipboard.readText());
  };
  expect(await copied("HTML")).toContain('<script src="/api/login.js"></script>');
  await page.locator(".use summary").filter({ hasText: "Go" }).click();
  expect(await copied("Go")).toContain("package main");
  await page.locator(".use summary").filter({ hasText: "curl" }).click();
  expect(await copied("curl")).toContain("demo=" + site + "/?key=");
});

for (const [name, options] of Object.entries({
  phone: { viewport: { width: 320, height: 640 }, hasTouch: true, isMobile: true },
  dark: { viewport: { width: 1440, height: 900 }, colorScheme: "dark" },
  "right to left": { viewport: { width: 390, height: 800 } },
})) {
  test("the tour is readable, " + name, async ({ site, visit }) => {
    const page = await visit(undefined, options);
    if (name === "right to left") {
      await page.addInitScript(() => localStorage.setItem("customer:locale", "ar-XB"));
    }
    await page.goto(site + "/login?next=/");
    await page.getByRole("dialog").getByRole("button", { name: "ada@example.com" }).click(); // One Tap
    await press(page, "end", "Open a second browser");
    await press(page, "end", "End that session");
    await ticked(page, "end");
    await page.locator("details").evaluateAll((all) => all.forEach((details) => (details.open = true)));
    await expect(step(page, "disable").getByRole("button", { name: "Open both browsers" })).toBeVisible();
    await expect(step(page, "disable")).toContainText("func Disable(");
    await picture(page, `tour-${name.replaceAll(" ", "-")}`);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(options.viewport.width);
    const found = await violations(page);
    expect(found.map(({ id, nodes }) => [id, nodes.map(({ html, failureSummary }) => html + failureSummary)])).toEqual([]);
  });
}

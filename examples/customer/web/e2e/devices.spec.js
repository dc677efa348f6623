import { cell, expect, heading, refused, signIn, test } from "./fixtures.js";

const android = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36";
const firefox = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0";

const devices = (page) => page.getByRole("link", { name: "Devices", exact: true });
const toast = (page, text) => page.getByText(text, { exact: true });
const group = (page, name) => page.getByRole("main").locator("section").filter({ has: page.getByRole("heading", { name, exact: true }) });
const focused = (page) => page.evaluate(() => document.activeElement.ariaLabel || document.activeElement.textContent.trim());

test("the list of devices marks this device and can end one other session or all", async ({ site, visit, allowed }) => {
  allowed.push(refused(401));
  const people = [];
  for (const userAgent of [android, firefox, firefox, undefined]) {
    const page = await visit(site + "/login", { noStream: true, ...(userAgent && { userAgent }) });
    await signIn(page, "ada@example.com");
    people.push(page);
  }
  const [phone, second, third, page] = people;
  const stranger = await visit(site + "/login?next=/devices");
  await signIn(stranger, "bob@example.com");
  await expect(stranger.getByText("this device")).toBeVisible();
  await expect(stranger.getByRole("button", { name: "Sign out all others" })).toHaveCount(0);

  await devices(page).click();
  const here = group(page, "Linux computer");
  await expect(here.getByRole("listitem")).toHaveCount(1);
  await expect(here.getByText("this device")).toBeVisible();
  await expect(here).toContainText(/Chrome \d+ on Linux/);
  await expect(here).toContainText(/Last seen just now.*127\.0\.0\.1.*this machine/);
  await expect(here.getByRole("button")).toHaveCount(0);
  await expect(here.getByText("new", { exact: true })).toHaveCount(0);
  await expect(page.getByRole("main").getByRole("heading", { level: 2 }).first()).toHaveText("Linux computer");
  await expect(group(page, "Windows computer").getByRole("listitem")).toHaveCount(2);
  await expect(group(page, "Windows computer")).toContainText("2 sessions");
  await expect(group(page, "Windows computer").getByText("new", { exact: true })).toHaveCount(2);

  await group(page, "Android phone").getByRole("button", { name: "End Chrome 140 on Android" }).click();
  await expect(toast(page, "Chrome 140 on Android has been signed out.")).toBeVisible();
  await expect(group(page, "Android phone")).toHaveCount(0);
  expect(await focused(page)).toMatch(/^End Firefox 140 on Windows/); // the nearest button
  await devices(phone).click();
  await expect(phone).toHaveURL(/\/login\?code=session_ended/);

  await page.getByRole("button", { name: "Sign out all others" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Cancel" }).click();
  await expect(group(page, "Windows computer").getByRole("listitem")).toHaveCount(2);
  await page.getByRole("button", { name: "Sign out all others" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Sign out" }).click();
  await expect(toast(page, "2 other devices signed out.")).toBeVisible();
  await expect(group(page, "Windows computer")).toHaveCount(0);
  await expect(heading(page, "Devices")).toBeFocused();
  await expect(page.getByRole("button", { name: "Sign out all others" })).toHaveCount(0);
  for (const other of [second, third]) {
    await devices(other).click();
    await expect(other).toHaveURL(/\/login/);
  }
  await stranger.reload();
  await expect(heading(stranger, "Devices")).toBeVisible();
  await page.reload();
  await expect(here.getByText("this device")).toBeVisible();
});

test("new and ended sessions appear without a reload", async ({ site, visit }) => {
  const page = await visit(site + "/login?next=/devices");
  await signIn(page, "ada@example.com");
  await expect(page.getByText("this device")).toBeVisible();
  const other = await visit(site + "/login", { userAgent: firefox });
  await signIn(other, "ada@example.com");
  await expect(group(page, "Windows computer")).toContainText("Firefox 140 on Windows");
  await expect(page.getByText("No session has ended in this time.")).toBeVisible();
  await other.getByRole("button", { name: "Sign Out", exact: true }).click();
  await expect(group(page, "Windows computer")).toHaveCount(0);

  // The session is among those that have ended.
  await expect(page.getByRole("heading", { name: "Ended in the last 28 days" })).toBeVisible();
  const ended = page.getByRole("listitem").filter({ hasText: "signed out" });
  await expect(ended).toContainText(/Firefox 140 on Windows.*just now.*signed out.*127\.0\.0\.1.*this machine/);
});

test("times are shown in words, and many sessions are shown in parts", async ({ site, visit }) => {
  const page = await visit(site + "/login");
  await signIn(page, "ada@example.com");
  const ago = (seconds) => new Date(Date.now() - seconds * 1000).toISOString();
  const of = (id, seen, more) => ({
    id, kind: "cookie", label: "", current: false, created_at: ago(200_000), seen_at: ago(seen), expires_at: ago(-1000), ip: "", user_agent: "", ...more,
  });
  const many = Array.from({ length: 95 }, (_, i) => of("many" + i, 1000 + i, { user_agent: firefox }));
  const times = [of("a", -30, { current: true }), of("b", 30), of("c", 90), of("d", 3 * 3600), of("e", 30 * 3600)];
  await page.route("**/api/sessions", (route) => route.fulfill({ json: { sessions: [...times, ...many] } }));
  await devices(page).click();
  const list = group(page, "Other devices").getByRole("listitem");
  for (const [i, words] of ["in less than a minute", "just now", "1 minute ago", "3 hours ago", "yesterday"].entries()) {
    await expect(list.nth(i)).toContainText("Last seen " + words);
  }
  await expect(list.first()).toContainText("Unknown browser");
  await expect(list.first()).toContainText("Ends in 16 minutes");
  await expect(list.first().locator("time").first()).toHaveAttribute("datetime", /^\d{4}-/);

  const windows = group(page, "Windows computer");
  await expect(windows).toContainText("95 sessions");
  await expect(windows.getByRole("listitem")).toHaveCount(5);
  await windows.getByRole("button", { name: "Show 90 more" }).click();
  await expect(windows.getByRole("listitem")).toHaveCount(95);
  await expect(windows.getByRole("listitem").nth(5).getByRole("button")).toBeFocused();
});

test("ending a session that has ended already is not an error", async ({ site, visit, allowed }) => {
  allowed.push(refused(404));
  const other = await visit(site + "/login", { userAgent: firefox });
  await signIn(other, "ada@example.com");
  const page = await visit(site + "/login?next=/devices", { noStream: true });
  await signIn(page, "ada@example.com");
  await expect(group(page, "Windows computer")).toBeVisible();
  await other.getByRole("button", { name: "Sign Out", exact: true }).click();
  await expect(other.getByRole("link", { name: "Login", exact: true })).toBeVisible();
  await page.getByRole("button", { name: /^End Firefox/ }).click();
  await expect(group(page, "Windows computer")).toHaveCount(0);
});

test("a token is shown once, works for a program, and can be ended", async ({ site, visit, keys: [key] }) => {
  const page = await visit(site + "/login?next=/devices", { permissions: ["clipboard-read", "clipboard-write"] });
  await signIn(page, "ada@example.com");
  await page.getByLabel("What it is for").fill("Nightly backup");
  await page.getByLabel("Good for").selectOption("90 days");
  await page.getByRole("button", { name: "Make a token" }).click();
  const secret = page.getByLabel("Copy the token “Nightly backup” now. It is not shown again.");
  await expect(secret).toBeFocused();
  const token = await secret.inputValue();
  expect(token).toMatch(/^gs_/);
  await page.getByRole("button", { name: "Copy", exact: true }).click();
  await expect(toast(page, "Copied.")).toBeVisible();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(token);

  const program = (await (await fetch(site + "/api/user", { headers: { authorization: "Bearer " + token, cookie: `${key.name}=${key.value}` } })).json());
  expect(program.email).toBe("ada@example.com");

  const row = group(page, "Programs").getByRole("listitem");
  await expect(row).toContainText("Nightly backup");
  await expect(row).toContainText(/Last seen just now.*Ends in (89|90) days/);
  await page.getByRole("button", { name: "Done" }).click();
  await expect(secret).toHaveCount(0);
  await expect(page.getByLabel("What it is for")).toBeFocused();
  await page.reload();
  await expect(row).toContainText("Nightly backup");
  expect(await page.content()).not.toContain(token);
  await row.getByRole("button", { name: "End Nightly backup" }).click();
  await expect(page.getByText("You have no tokens.")).toBeVisible();
  await expect(heading(page, "Devices")).toBeFocused();
  expect((await fetch(site + "/api/user", { headers: { authorization: "Bearer " + token, cookie: `${key.name}=${key.value}` } })).status).toBe(401);
});

test("a person downloads their data and deletes their account", async ({ site, visit, allowed }) => {
  allowed.push(refused(401));
  const page = await visit(site + "/login?next=/devices");
  await signIn(page, "ada@example.com");
  const downloading = page.waitForEvent("download");
  await page.getByRole("link", { name: "Download your data" }).click();
  const download = await downloading;
  expect(download.suggestedFilename()).toBe("account.json");
  const stream = await download.createReadStream();
  const chunks = [];
  for await (const chunk of stream) {
    chunks.push(chunk);
  }
  expect(JSON.parse(Buffer.concat(chunks).toString()).user.email).toBe("ada@example.com");

  const other = await visit(site + "/login?next=/customer", { userAgent: firefox });
  await signIn(other, "ada@example.com");
  await expect(cell(other, "Ada Lindqvist")).toBeVisible();
  await page.getByRole("button", { name: "Delete your account" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Cancel" }).click();
  await page.getByRole("button", { name: "Delete your account" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete", exact: true }).click();
  await expect(page).toHaveURL(/\/login\?code=account_deleted/);
  await expect(page.getByRole("alert")).toHaveText(/^Your account has been deleted\./);
  await expect(page.getByRole("dialog")).toHaveCount(0); // One Tap does not offer the account again
  await expect(other).toHaveURL(/\/login\?code=/);
  await expect(other.getByText("Ada Lindqvist")).toHaveCount(0);
});

test("the last administrator cannot delete the account", async ({ site, visit, allowed }) => {
  allowed.push(refused(409));
  const page = await visit(site + "/login?next=/devices");
  await signIn(page, "admin@example.com");
  await page.getByRole("button", { name: "Delete your account" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete", exact: true }).click();
  await expect(page.getByRole("main").or(page.getByRole("alert")).getByText(/administrator/).first()).toBeVisible();
  await expect(page).toHaveURL(site + "/devices");
});

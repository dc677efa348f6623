import { expect, heading, refused, signIn, test } from "./fixtures.js";

const safari = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1";
const firefox = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0";

test("the list of devices marks this device and can end one other session or all", async ({ site, visit, allowed }) => {
  allowed.push(refused(401));
  const people = [];
  for (const userAgent of [safari, firefox, firefox, undefined]) {
    const page = await visit(site + "/login", { noStream: true, ...(userAgent && { userAgent }) });
    await signIn(page, "ada@example.com");
    people.push(page);
  }
  const [phone, second, third, page] = people;
  const stranger = await visit(site + "/login?next=/devices");
  await signIn(stranger, "bob@example.com");
  await expect(stranger.getByRole("main").getByRole("listitem")).toHaveCount(1);

  await page.getByRole("link", { name: "Devices", exact: true }).click();
  const list = page.getByRole("main").getByRole("listitem");
  await expect(list).toHaveCount(4);
  await expect(list.filter({ hasText: "this device" })).toHaveCount(1);
  await expect(list.filter({ hasText: "this device" })).toContainText("Chrome on Linux");
  await expect(list.filter({ hasText: "this device" }).getByRole("button")).toHaveCount(0);
  await expect(list.first()).toContainText(/Last seen just now, from 127\.0\.0\.1/);

  await list.filter({ hasText: "Safari on iPhone" }).getByRole("button", { name: "End" }).click();
  await expect(page.getByRole("status")).toHaveText("Safari on iPhone has been signed out.");
  await expect(list).toHaveCount(3);
  await phone.getByRole("link", { name: "Devices", exact: true }).click();
  await expect(phone).toHaveURL(/\/login\?code=session_ended/);

  await page.getByRole("button", { name: "Sign out all others" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Cancel" }).click();
  await expect(list).toHaveCount(3);
  await page.getByRole("button", { name: "Sign out all others" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Sign out" }).click();
  await expect(page.getByRole("status")).toHaveText("2 other devices signed out.");
  await expect(list).toHaveCount(1);
  await expect(page.getByRole("button", { name: "Sign out all others" })).toHaveCount(0);
  for (const other of [second, third]) {
    await other.getByRole("link", { name: "Devices", exact: true }).click();
    await expect(other).toHaveURL(/\/login/);
  }
  await stranger.reload();
  await expect(heading(stranger, "Devices")).toBeVisible();
  await page.reload();
  await expect(list).toHaveCount(1);
});

test("times are shown in words", async ({ site, visit }) => {
  const page = await visit(site + "/login");
  await signIn(page, "ada@example.com");
  const ago = (seconds) => new Date(Date.now() - seconds * 1000).toISOString();
  const of = (id, seen) => ({ id, current: false, created_at: ago(200_000), seen_at: ago(seen), expires_at: ago(-1000), ip: "", user_agent: "" });
  await page.route("**/api/sessions", (route) =>
    route.fulfill({ json: { sessions: [of("a", -3), of("b", 59), of("c", 61), of("d", 3 * 3600), of("e", 30 * 3600)] } }),
  );
  await page.getByRole("link", { name: "Devices", exact: true }).click();
  const list = page.getByRole("main").getByRole("listitem");
  for (const [i, words] of ["in less than a minute", "just now", "1 minute ago", "3 hours ago", "yesterday"].entries()) {
    await expect(list.nth(i)).toContainText("Last seen " + words);
  }
  await expect(list.first()).toContainText("Unknown browser");
  await expect(list.first()).toContainText("ends in 16 minutes");
  await expect(list.first().locator("time").first()).toHaveAttribute("datetime", /^\d{4}-/);
});

test("ending a session that has ended already is not an error", async ({ site, visit, allowed }) => {
  allowed.push(refused(404));
  const other = await visit(site + "/login", { userAgent: firefox });
  await signIn(other, "ada@example.com");
  const page = await visit(site + "/login?next=/devices");
  await signIn(page, "ada@example.com");
  const list = page.getByRole("main").getByRole("listitem");
  await expect(list).toHaveCount(2);
  await other.getByRole("button", { name: "Sign Out", exact: true }).click();
  await expect(other.getByRole("link", { name: "Login", exact: true })).toBeVisible();
  await list.filter({ hasText: "Firefox on Windows" }).getByRole("button", { name: "End" }).click();
  await expect(list).toHaveCount(1);
});

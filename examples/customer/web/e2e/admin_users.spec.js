import { expect, heading, refused, signIn, test } from "./fixtures.js";
import { signInMany } from "./users.js";

const admin = "admin@example.com";
const rows = (page) => page.getByRole("main").locator("li", { has: page.getByRole("switch") });
const toast = (page) => page.locator(".toast").last();
const pick = (page, name) => page.getByRole("checkbox", { name: "Select " + name, exact: true });

test("2,000 users can be searched, filtered, sorted and paged, and Back restores the list", async ({ site, keys, visit }) => {
  test.setTimeout(300_000);
  await signInMany(site, keys, 2000);
  const page = await visit(site + "/login?next=/admin");
  await signIn(page, admin);
  await expect(page.getByText("2,001 of 2,001 users")).toBeVisible();

  // Three of the requests ask who is signed in. The stream of the session is not counted.
  const requests = [];
  page.on("request", (request) => {
    if (request.url().includes("/api/") && request.resourceType() !== "eventsource") {
      requests.push(new URL(request.url()).pathname);
    }
  });
  await page.reload();
  await expect(rows(page)).toHaveCount(50);
  expect(requests.length, requests.join(" ")).toBeLessThanOrEqual(4);
  expect(await page.evaluate(() => document.querySelectorAll("*").length)).toBeLessThan(4000);

  const first = await rows(page).first().textContent();
  await page.getByRole("link", { name: "Page 2", exact: true }).click();
  await expect(page).toHaveURL(site + "/admin?page=2");
  await expect(rows(page).first()).not.toHaveText(first); // the rows of page 1 stay until those of page 2 have come
  const twentieth = rows(page).nth(20).getByRole("link");
  const name = await twentieth.textContent();
  await twentieth.scrollIntoViewIfNeeded();
  const scrolled = await page.evaluate(() => scrollY);
  await twentieth.click();
  await expect(heading(page, name)).toBeVisible();
  await page.goBack();
  await expect(page).toHaveURL(site + "/admin?page=2");
  await expect(rows(page).nth(20).getByRole("link")).toHaveText(name);
  await expect.poll(() => page.evaluate(() => scrollY)).toBe(scrolled);

  await page.getByLabel("Search by name or e-mail").fill("u199");
  await expect(page.getByText("11 of 2,001 users")).toBeVisible(); // u199 and u1990 to u1999
  await expect(page).toHaveURL(site + "/admin?q=u199");
  await page.getByLabel("Order").selectOption({ label: "Name, Z to A" });
  await expect(rows(page).first()).toContainText("User 1999");
  await expect(page).toHaveURL(site + "/admin?q=u199&sort=-name");
  await page.getByRole("link", { name: /^Administrators/ }).click();
  await expect(page.getByText("No user matches.")).toBeVisible();
  await page.goBack();
  await expect(page.getByText("11 of 2,001 users")).toBeVisible();
  await page.goBack();
  await expect(rows(page).first()).toContainText("User 199");
  await page.goto(site + "/admin?q=u199&sort=-name");
  await expect(rows(page).first()).toContainText("User 1999");
  await expect(page.getByLabel("Search by name or e-mail")).toHaveValue("u199");
});

test("selected users are disabled in one step, which can be undone, and failures are named", async ({ site, keys, visit, allowed }) => {
  allowed.push(refused(409));
  await signInMany(site, keys, 3);
  const page = await visit(site + "/login?next=/admin");
  await signIn(page, admin);
  await pick(page, "u1@example.com").check();
  await pick(page, "u2@example.com").check();
  await expect(page.getByText("2 selected")).toBeVisible();
  await page.getByRole("button", { name: "Disable", exact: true }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Disable" }).click();
  await expect(toast(page)).toContainText("2 users have been disabled.");
  await expect(page.getByRole("switch", { name: "Disabled: u1@example.com" })).toBeChecked();
  await expect(page.getByRole("link", { name: "Disabled 2" })).toBeVisible();
  await expect(rows(page).filter({ hasText: "User 2" })).toContainText("not signed in");
  await toast(page).getByRole("button", { name: "Undo" }).click();
  await expect(toast(page)).toContainText("2 users have been enabled.");
  await expect(page.getByRole("switch", { name: "Disabled: u1@example.com" })).not.toBeChecked();

  // Administrators cannot disable themselves, and the others are disabled all the same.
  await page.getByRole("checkbox", { name: "2 selected" }).check();
  await expect(page.getByText("4 selected")).toBeVisible();
  await page.getByRole("button", { name: "Disable", exact: true }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Disable" }).click();
  await expect(toast(page)).toContainText("3 users have been disabled. Not changed: admin@example.com (Administrators cannot lock themselves out.");

  // A new page of the list has no selection.
  await page.getByRole("link", { name: /^Signed in now/ }).click();
  await expect(page.getByRole("button", { name: "Disable", exact: true })).toBeDisabled();
  await expect(rows(page)).toHaveCount(1);
});

test("the sessions of selected users end, one's own last", async ({ site, keys, visit, allowed }) => {
  allowed.push(refused(401));
  await signInMany(site, keys, 2);
  const page = await visit(site + "/login?next=/admin");
  await signIn(page, admin);
  await pick(page, "u1@example.com").check();
  await page.getByRole("button", { name: "End sessions" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "End sessions" }).click();
  await expect(toast(page)).toContainText("The sessions of 1 user have ended.");
  await expect(rows(page).filter({ hasText: "User 1" })).toContainText("not signed in");
  await expect(rows(page).filter({ hasText: "User 2" })).toContainText("1 live session");
  await page.getByRole("checkbox", { name: "1 selected" }).check();
  await page.getByRole("button", { name: "End sessions" }).click();
  await expect(page.getByRole("dialog")).toContainText("this session ends, too");
  await page.getByRole("dialog").getByRole("button", { name: "End sessions" }).click();
  await expect(page).toHaveURL(/\/login\?code=signed_out/);
});

test("the focus stays on a switch, and the switch can be undone", async ({ site, keys, visit, allowed }) => {
  allowed.push(refused(409));
  await signInMany(site, keys, 1);
  const page = await visit(site + "/login?next=/admin");
  await signIn(page, admin);
  const box = page.getByRole("switch", { name: "Admin: u1@example.com" });
  await box.focus();
  await page.keyboard.press("Space");
  await expect(toast(page)).toContainText("u1@example.com is an administrator now.");
  await expect(box).toBeFocused();
  await expect(page.getByRole("link", { name: "Administrators 2" })).toBeVisible();
  await page.keyboard.press("Space");
  await expect(toast(page)).toContainText("u1@example.com is not an administrator any more.");
  await expect(box).not.toBeChecked();
  await toast(page).getByRole("button", { name: "Undo" }).click();
  await expect(box).toBeChecked();

  const own = page.getByRole("switch", { name: "Disabled: admin@example.com" });
  await own.click();
  await expect(page.getByRole("alert")).toContainText("Administrators cannot lock themselves out.");
  await expect(own).not.toBeChecked();
});

test("switches are told apart in forced colours", async ({ site, visit }) => {
  const page = await visit(site + "/login?next=/admin", { forcedColors: "active" });
  await signIn(page, admin);
  const look = (name) => page.getByRole("switch", { name: name + ": admin@example.com" }).evaluate((box) => getComputedStyle(box).backgroundColor);
  expect(await look("Admin")).not.toBe(await look("Disabled"));
});

test("a list that is not complete says so", async ({ site, visit }) => {
  const page = await visit(site + "/login?next=/admin");
  await page.route("**/api/admin/people*", async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, json: { ...(await response.json()), partial: true } });
  });
  await signIn(page, admin);
  await expect(page.getByText("Search by the beginning of the e-mail address.")).toBeVisible();
  await expect(page.getByRole("link", { name: "All 1+" })).toBeVisible();
});

test("long names, emoji and text from right to left stay in their rows at every width", async ({ site, keys, visit }) => {
  const names = ["x".repeat(100), "😀".repeat(40), "محمد عبد الرحمن".repeat(5), "山田".repeat(30)];
  await signInMany(site, keys, names.length, (n) => names[n - 1]);
  const page = await visit(site + "/login?next=/admin");
  await signIn(page, admin);
  await expect(rows(page)).toHaveCount(names.length + 1);
  for (const path of ["/admin", "/admin/sessions", "/admin/overview"]) {
    await page.goto(site + path);
    await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
    await expect(page.locator("[aria-busy=true]")).toHaveCount(0);
    for (const width of [320, 360, 390, 450, 768, 1440]) {
      await page.setViewportSize({ width, height: 800 });
      expect(await page.evaluate(() => document.documentElement.scrollWidth), path + " at " + width).toBeLessThanOrEqual(width);
    }
  }
});

import { readFileSync } from "node:fs";

import { expect, heading, refused, signIn, test } from "./fixtures.js";
import { violations } from "./look.js";
import { signInMany } from "./users.js";

const admin = "admin@example.com";
const toast = (page) => page.locator(".toast").last();

// openUser signs an administrator in and opens the page of a user.
async function openUser(page, name) {
  await signIn(page, admin);
  await page.getByRole("link", { name, exact: true }).click();
  await expect(heading(page, name)).toBeVisible();
}

test("the page of a user has the name as its title and fits on phones", async ({ site, keys, visit }) => {
  const name = "Wolfeschlegelsteinhausenbergerdorff".repeat(2);
  await signInMany(site, keys, 1, () => name);
  const page = await visit(site + "/login?next=/admin");
  await openUser(page, name);
  await expect(page).toHaveTitle(name + " – Customers");
  for (const width of [320, 342, 360, 380, 390, 400, 450, 768, 1440]) {
    await page.setViewportSize({ width, height: 800 });
    const who = await page.locator(".profile .who").boundingBox();
    expect(who.width, "the name at " + width).toBeGreaterThan(150);
    expect(await page.evaluate(() => document.documentElement.scrollWidth), "the page at " + width).toBeLessThanOrEqual(width);
  }
});

test("the history leads from one user to another, and the page follows", async ({ site, keys, visit }) => {
  await signInMany(site, keys, 2);
  const page = await visit(site + "/login?next=/admin");
  await openUser(page, "User 1");
  await page.getByRole("link", { name: "Users", exact: true }).click();
  await page.getByRole("link", { name: "User 2", exact: true }).click();
  await expect(heading(page, "User 2")).toBeVisible();
  await page.evaluate(() => history.go(-2));
  await expect(heading(page, "User 1")).toBeVisible();
  await page.getByRole("button", { name: "Delete user" }).click();
  const deleted = page.waitForRequest((request) => request.method() === "DELETE");
  await page.getByRole("dialog", { name: "Delete User 1?" }).getByRole("button", { name: "Delete user" }).click();
  expect(page.url().length).toBeGreaterThan(0);
  const { pathname } = new URL((await deleted).url());
  await expect(heading(page, "Users")).toBeVisible();
  await expect(toast(page)).toContainText("User 1 has been deleted.");
  await expect(page.getByRole("link", { name: "User 1", exact: true })).toHaveCount(0);
  await expect(page.getByRole("link", { name: "User 2", exact: true })).toBeVisible();
  const users = await page.evaluate(() => fetch("/api/admin/people").then((response) => response.json()));
  expect(users.users.map(({ id }) => "/api/admin/users/" + encodeURIComponent(id))).not.toContain(pathname);
});

test("a reason is in the audit", async ({ site, keys, visit }) => {
  await signInMany(site, keys, 1);
  const page = await visit(site + "/login?next=/admin");
  await openUser(page, "User 1");
  await page.getByLabel("Reason (optional)").fill("left & gone");
  await page.getByRole("switch", { name: "Disabled: u1@example.com" }).click();
  await expect(toast(page)).toContainText("u1@example.com is disabled and signed out.");
  await expect(page.getByText("This user is not signed in.")).toBeVisible();
  await expect(page.getByRole("list", { name: "What has happened, the newest first" }).getByText("left & gone").first()).toBeVisible();
  await page.getByRole("link", { name: "Audit", exact: true }).click();
  await expect(page.getByText("left & gone").first()).toBeVisible();
});

// holdChanges keeps the requests that change a user until their answers are called.
async function holdChanges(page) {
  const held = { bodies: [], answers: [] };
  await page.route("**/api/admin/users/*", async (route) => {
    if (route.request().method() === "PATCH") {
      held.bodies.push(route.request().postDataJSON());
      await new Promise((resolve) => held.answers.push(resolve));
    }
    await route.continue();
  });
  return held;
}

test("a switch that is pressed again before the server has answered ends where the person left it", async ({ site, keys, visit }) => {
  await signInMany(site, keys, 1);
  const page = await visit(site + "/login?next=/admin");
  await openUser(page, "User 1");
  const { bodies, answers } = await holdChanges(page);
  const box = page.getByRole("switch", { name: "Disabled: u1@example.com" });
  await box.click();
  await expect.poll(() => answers.length).toBe(1);
  await box.click(); // the first request has no answer yet
  await expect(box).not.toBeChecked();
  answers[0]();
  await expect.poll(() => answers.length).toBe(2);
  answers[1]();
  await expect(toast(page)).toContainText("u1@example.com may sign in again.");
  await expect(box).not.toBeChecked();
  expect(bodies).toEqual([{ disabled: true }, { disabled: false }]);
});

test("a press on the switch of another user is not dropped either", async ({ site, keys, visit }) => {
  await signInMany(site, keys, 2);
  const page = await visit(site + "/login?next=/admin");
  await signIn(page, admin);
  const { bodies, answers } = await holdChanges(page);
  const boxes = ["u1", "u2"].map((name) => page.getByRole("switch", { name: `Disabled: ${name}@example.com` }));
  await boxes[0].click();
  await expect.poll(() => answers.length).toBe(1);
  await boxes[1].click();
  await expect.poll(() => answers.length).toBe(2);
  answers[0]();
  await expect(toast(page)).toContainText("u1@example.com is disabled and signed out.");
  answers[1]();
  await expect(toast(page)).toContainText("u2@example.com is disabled and signed out.");
  for (const box of boxes) {
    await expect(box).toBeChecked();
  }
  expect(bodies).toEqual([{ disabled: true }, { disabled: true }]);
});

test("the focus moves to the next session, and then to the title", async ({ site, keys, visit, allowed }) => {
  allowed.push(refused(401)); // the page of the user whose sessions end
  await signInMany(site, keys, 1);
  const other = await visit(site + "/login?next=/devices");
  await signIn(other, "u1@example.com");
  const page = await visit(site + "/login?next=/admin");
  await openUser(page, "U1 Example");
  const buttons = page.getByRole("button", { name: /^End .+,/ });
  await expect(buttons).toHaveCount(2);
  await buttons.first().click();
  await expect(buttons).toHaveCount(1);
  await expect(buttons).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(page.getByText("This user is not signed in.")).toBeVisible();
  await expect(heading(page, "U1 Example")).toBeFocused();
});

test("ending all of one's own sessions asks first", async ({ site, visit, allowed }) => {
  allowed.push(refused(401));
  const page = await visit(site + "/login?next=/admin");
  await openUser(page, "Admin Example");
  await page.getByRole("button", { name: "End all" }).click();
  const dialog = page.getByRole("dialog", { name: "End your own session?" });
  await dialog.getByRole("button", { name: "Cancel" }).click();
  await expect(page.getByRole("button", { name: "End all" })).toBeFocused();
  await page.getByRole("button", { name: "End all" }).click();
  await dialog.getByRole("button", { name: "End all" }).click();
  await expect(page).toHaveURL(/\/login\?code=signed_out/);
});

test("an unknown user is said to be unknown, with a way back", async ({ site, visit, allowed }) => {
  allowed.push(refused(404));
  const page = await visit(site + "/login?next=/admin/users/unknown");
  await signIn(page, admin);
  await expect(heading(page, "There is no such user")).toBeVisible();
  await page.getByRole("link", { name: "All users" }).click();
  await expect(heading(page, "Users")).toBeVisible();
});

test("the data of a user can be downloaded", async ({ site, keys, visit }) => {
  await signInMany(site, keys, 1);
  const page = await visit(site + "/login?next=/admin");
  await openUser(page, "User 1");
  const download = page.waitForEvent("download");
  await page.getByRole("link", { name: "Download as JSON" }).click();
  const file = await download;
  expect(file.suggestedFilename()).toBe("user.json");
  const data = JSON.parse(readFileSync(await file.path()));
  expect(data.user.email).toBe("u1@example.com");
  expect(data.sessions).toHaveLength(1);
  await page.getByText("User and sessions as JSON").click();
  await expect(page.locator("pre")).toContainText('"email": "u1@example.com"');
});

test("all sessions of all users are listed and can be ended", async ({ site, keys, visit, allowed }) => {
  allowed.push(refused(401));
  await signInMany(site, keys, 60);
  const page = await visit(site + "/login?next=/admin/sessions");
  await signIn(page, admin);
  await expect(page.getByText("there are more")).toBeVisible();
  await page.getByRole("button", { name: "More" }).click();
  await expect(page.getByText("61 sessions", { exact: true })).toBeVisible();
  await page.getByRole("button", { name: /^End .*, User 7,/ }).click();
  await expect(toast(page)).toContainText("A session of User 7 has ended.");
  await expect(page.getByText("60 sessions", { exact: true })).toBeVisible();
  await page.getByRole("button", { name: /^End .*, Admin Example,/ }).click();
  await page.getByRole("dialog", { name: "End your own session?" }).getByRole("button", { name: "End" }).click();
  await expect(page).toHaveURL(/\/login\?code=signed_out/);
});

test("a person who is not an administrator any more sees it at once", async ({ site, keys, visit, allowed }) => {
  allowed.push(refused(403));
  await signInMany(site, keys, 1);
  const page = await visit(site + "/login?next=/admin");
  await signIn(page, admin);
  await page.getByRole("switch", { name: "Admin: u1@example.com" }).click();
  await expect(toast(page)).toContainText("is an administrator now");
  const other = await visit(site + "/login?next=/admin");
  await signIn(other, "u1@example.com");
  await expect(heading(other, "Users")).toBeVisible();
  await page.getByRole("switch", { name: "Admin: u1@example.com" }).click();
  await expect(toast(page)).toContainText("not an administrator any more");
  await expect(other.getByRole("alert")).toHaveText("You are not an administrator any more, so this page is closed to you.");
  await expect(other.getByRole("link", { name: "Admin", exact: true })).toHaveCount(0);
  await expect(other.getByRole("navigation", { name: "Admin" })).toHaveCount(0);
  await other.getByRole("link", { name: "Back to the customers" }).click();
  await expect(heading(other, "Customers")).toBeVisible();
});

test("administrators' pages have no accessibility problem", async ({ site, keys, visit }) => {
  test.setTimeout(180_000);
  await signInMany(site, keys, 2);
  const page = await visit(site + "/login?next=/admin");
  await signIn(page, admin);
  const user = await page.getByRole("link", { name: "User 1", exact: true }).getAttribute("href");
  for (const path of ["/admin", "/admin/sessions", "/admin/overview", user]) {
    await page.goto(site + path);
    await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
    await expect(page.locator("[aria-busy=true]")).toHaveCount(0);
    for (const colorScheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme });
      for (const width of [320, 1440]) {
        await page.setViewportSize({ width, height: 800 });
        const found = await violations(page);
        expect(found.map(({ id, nodes }) => [id, nodes.map((n) => n.html)]), `${path} ${colorScheme} ${width}`).toEqual([]);
      }
    }
  }
});

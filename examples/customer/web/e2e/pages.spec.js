// Every page in a light theme, in a dark theme and on a phone. No page is wider than the
// screen or has a serious accessibility problem. A picture of each is in screenshots/.
import AxeBuilder from "@axe-core/playwright";

import { cell, expect, heading, refused, signIn, test } from "./fixtures.js";

const screens = {
  light: { viewport: { width: 1100, height: 760 }, colorScheme: "light" },
  dark: { viewport: { width: 1100, height: 760 }, colorScheme: "dark" },
  phone: { viewport: { width: 320, height: 640 }, hasTouch: true, isMobile: true },
};

for (const [screen, options] of Object.entries(screens)) {
  test("every page, " + screen, async ({ site, visit, allowed }) => {
    test.slow();
    allowed.push(refused(401), refused(404), refused(503)); // bob is disabled
    const page = await visit(undefined, options);
    const check = async (name) => {
      await page.evaluate(() => document.fonts.ready);
      await page.screenshot({ path: `screenshots/${screen}/${name}.png`, fullPage: true });
      expect(await page.evaluate(() => document.documentElement.scrollWidth), name).toBeLessThanOrEqual(options.viewport.width);
      if (options.colorScheme) {
        const { violations } = await new AxeBuilder({ page }).analyze();
        const serious = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
        expect(serious.map(({ id, nodes }) => [id, nodes.map(({ html, failureSummary }) => html + failureSummary)]), name).toEqual([]);
      }
    };
    const open = async (path, title) => {
      await page.goto(site + path);
      await expect(heading(page, title)).toBeVisible();
      await expect(page.getByText("Demo mode: every person on this machine can sign in with any account, without Google.")).toBeVisible();
    };

    // Two more users fill the lists.
    const ada = await visit(site + "/login", { userAgent: "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0" });
    await signIn(ada, "admin@example.com");
    const bob = await visit(site + "/login");
    await signIn(bob, "bob@example.com");

    await open("/", "Sign in with Google, real sessions");
    await check("top-visitor");
    await open("/login", "Login");
    await expect(page.getByRole("dialog")).toBeVisible();
    await check("login-one-tap");
    await page.getByRole("dialog").getByRole("button", { name: "Cancel" }).click();
    await open("/login?code=session_revoked", "Login");
    await page.getByRole("dialog").getByRole("button", { name: "Cancel" }).click();
    await check("login-signed-out");
    await page.getByRole("button", { name: "Sign in with Google" }).click();
    await expect(page.getByRole("dialog")).toBeVisible();
    await check("login-chooser");
    await page.getByRole("dialog").getByRole("button", { name: "Cancel" }).click();
    await signIn(page, "admin@example.com");

    await open("/", "Sign in with Google, real sessions");
    await check("top");
    await open("/login", "Login");
    await check("login-signed-in");
    await open("/customer", "Customers");
    await expect(cell(page, "Ada Lindqvist")).toBeVisible();
    await check("customer");
    await page.getByRole("button", { name: "Add customer" }).click();
    await check("customer-add");
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Delete Ada Lindqvist" }).click();
    await check("customer-delete");
    await page.keyboard.press("Escape");
    await open("/devices", "Devices");
    await expect(page.getByText("Firefox on Windows", { exact: true })).toBeVisible();
    await check("devices");
    await open("/admin", "Users");
    await page.getByRole("switch", { name: "Disabled: bob@example.com" }).click();
    await expect(page.getByRole("status").first()).toContainText("is disabled");
    await check("admin-users");
    await page.getByRole("link", { name: "Admin Example" }).click();
    await expect(page.getByText("Firefox on Windows", { exact: true })).toBeVisible();
    await check("admin-user");
    await open("/admin/invitations", "Invitations");
    for (const email of ["ada@example.com", "grace.hopper@example.com"]) {
      await page.getByLabel("E-mail").fill(email);
      await page.getByRole("button", { name: "Invite", exact: true }).click();
      await expect(page.getByRole("status").first()).toContainText(email);
    }
    await check("admin-invitations");
    await open("/admin/audit", "Audit");
    await expect(page.locator("tbody tr").first()).toBeVisible();
    await check("admin-audit");
    await open("/no/such/page", "Page does not exist");
    await check("not-found");
    await page.route("**/api/customer", (route) => route.fulfill({ status: 503, json: { code: "unavailable", detail: "The service cannot answer right now. Please try again." } }));
    await open("/customer", "Customers");
    await expect(page.getByRole("alert")).toBeVisible();
    await check("customer-unavailable");
    await page.route("**/api/user", (route) => route.fulfill({ status: 503, json: { code: "unavailable", detail: "The service cannot answer right now. Please try again." } }));
    await open("/customer", "Not available right now");
    await check("unavailable");
  });
}

// The pictures of the README. Look at them before you copy them to docs.
test("pictures for the README", async ({ site, visit }) => {
  const people = [
    ["ada@example.com", "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile/15E148 Safari/604.1"],
    ["ada@example.com", "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"],
    ["bob@example.com"],
    ["grace.hopper@example.com"],
  ];
  for (const [email, userAgent] of people) {
    await signIn(await visit(site + "/login", { userAgent }), email);
  }
  for (const [picture, email, path, colorScheme] of [
    ["devices", "ada@example.com", "/devices", "light"],
    ["admin", "admin@example.com", "/admin", "dark"],
  ]) {
    const page = await visit(site + "/login?next=" + path, { viewport: { width: 860, height: 500 }, colorScheme });
    await signIn(page, email);
    await expect(page.getByRole("main").getByRole("listitem").nth(2)).toBeVisible();
    await page.mouse.move(0, 0);
    await page.screenshot({ path: `screenshots/readme/${picture}.png` });
  }
});

test("a page that does not exist has status 404 and says so", async ({ site, visit, allowed }) => {
  allowed.push(refused(404));
  const page = await visit();
  for (const path of ["/nothing", "/admin/nothing", "/customer/1", "/%2e%2e/x", "/login/x"]) {
    const answer = await page.goto(site + path);
    expect(answer.status(), path).toBe(404);
    await expect(page.getByText("This page does not exist.")).toBeVisible();
  }
  await page.getByRole("link", { name: "To the top" }).click();
  await expect(page).toHaveURL(site + "/");
  await page.goto(site + "/");
  for (const path of ["/customer/", "/login/", "/admin/"]) {
    const answer = await page.goto(site + path);
    expect(answer.status(), path).toBe(200);
    await expect(page.getByText("This page does not exist.")).toHaveCount(0);
  }
});

test("the keyboard is enough to sign in, to use the pages and to sign out", async ({ site, visit }) => {
  const page = await visit(site);
  const press = (...keys) => keys.reduce((before, key) => before.then(() => page.keyboard.press(key)), Promise.resolve());
  const focused = page.locator(":focus").last(); // if it is inside a shadow tree, its host has the focus, too
  await expect(heading(page, "Sign in with Google, real sessions")).toBeVisible();
  await expect(focused).toHaveCount(0); // after loading a document nothing has the focus

  await press("Tab");
  await expect(focused).toHaveText("Skip to content");
  await expect(focused).toBeInViewport();
  await press("Enter");
  await expect(page.getByRole("main")).toBeFocused();
  await expect(page).toHaveURL(site + "/");
  await press("Tab");
  await expect(focused).toHaveText("customers");

  // After a navigation the heading has the focus.
  await press("Enter");
  await expect(heading(page, "Login")).toBeFocused();
  await expect(page.getByRole("button", { name: "Sign in with Google" })).toBeVisible();
  await press("Tab");
  await expect(focused).toHaveText("Sign in with Google");
  await press("Enter");
  await expect(page.getByRole("dialog")).toBeVisible();
  await press("Escape");
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await expect(focused).toHaveText("Sign in with Google");
  await press("Enter", "Enter"); // the first account
  await expect(heading(page, "Customers")).toBeFocused();
  await expect(page).toHaveTitle("Customers");

  // The element that has the focus shows an outline.
  await press("Tab");
  await expect(focused).toHaveText("Add customer");
  const outline = await focused.evaluate((e) => getComputedStyle(e).outlineStyle + getComputedStyle(e).outlineWidth);
  expect(outline).toBe("solid3px");

  // A dialog keeps the focus and returns it on closing.
  await press("Enter");
  await expect(page.getByLabel("Name")).toBeFocused();
  for (const _ of Array(8)) {
    await press("Tab");
    await expect(page.locator("main article ~ * :focus, header :focus")).toHaveCount(0);
  }
  await press("Escape");
  await expect(focused).toHaveText("Add customer");

  await page.getByRole("button", { name: "Sign Out", exact: true }).focus();
  await press("Enter");
  await expect(heading(page, "Sign in with Google, real sessions")).toBeFocused();
});

test("links open new tabs, and the back button and the address work", async ({ site, visit }) => {
  const page = await visit(site + "/login");
  await signIn(page, "ada@example.com");
  const opened = page.context().waitForEvent("page");
  await page.getByRole("link", { name: "Devices", exact: true }).click({ modifiers: ["Control"] });
  const tab = await opened;
  await expect(heading(tab, "Devices")).toBeVisible();
  await expect(page).toHaveURL(site + "/");

  await page.getByRole("link", { name: "Customers", exact: true }).click();
  await expect(heading(page, "Customers")).toBeVisible();
  await page.getByRole("link", { name: "Devices", exact: true }).click();
  await expect(heading(page, "Devices")).toBeVisible();
  await expect(page.getByRole("link", { name: "Devices", exact: true })).toHaveAttribute("aria-current", "page");
  await page.goBack();
  await expect(heading(page, "Customers")).toBeFocused();
  await page.goForward();
  await expect(heading(page, "Devices")).toBeFocused();
});

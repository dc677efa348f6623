// The addresses of the pages, and the pictures of the README.
import { expect, heading, refused, signIn, test } from "./fixtures.js";
import { settled } from "./people.js";

// The pictures of the README. Look at them before you copy them to docs.
test("pictures for the README", async ({ site, visit }) => {
  test.slow();
  const people = [
    ["ada@example.com", "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36"],
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
    ["overview", "admin@example.com", "/admin/overview", "light"],
    ["top", "ada@example.com", "/", "light"],
  ]) {
    const page = await visit(site + "/login?next=" + path, { viewport: { width: 900, height: 680 }, colorScheme });
    await signIn(page, email);
    await settled(page);
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

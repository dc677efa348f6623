// A tour of the whole application as "go run ./examples/customer" runs it, without flags,
// at http://localhost:8080 and with a database in the current folder.
import { join } from "node:path";

import { cell, chooseAccount, expect, folder, heading, refused, signIn, temporary, test } from "./fixtures.js";

test("the whole tour", async ({ start, visit, allowed }) => {
  test.slow();
  allowed.push(refused(401), refused(404), refused(421));
  const cwd = temporary("tour-");
  const { line } = await start(join(folder, "customer"), [], { cwd, env: {} });
  expect(line).toMatch(/^Open http:\/\/localhost:8080\/\?key=\w+$/);
  const site = "http://localhost:8080";
  const visitPrinted = async (path, options) => {
    const page = await visit(line.replace("Open ", ""), options);
    await expect(page).toHaveURL(site + "/"); // without the key
    if (path) {
      await page.goto(site + path);
    }
    return page;
  };
  const stranger = await visit(site);
  await expect(heading(stranger, "This demo needs its key")).toBeVisible();

  // Sign in by One Tap on the login page, to which the application redirects.
  const page = await visitPrinted();
  await page.getByRole("link", { name: "customers", exact: true }).click();
  await expect(page).toHaveURL(site + "/login?code=no_session&next=%2Fcustomer");
  await page.getByRole("button", { name: "ada@example.com" }).click();
  await expect(heading(page, "Customers")).toBeVisible();

  // Customers.
  await expect(page.locator("tbody tr")).toHaveCount(20);
  await page.getByRole("button", { name: "Add customer" }).click();
  await page.getByRole("dialog").getByLabel("Name").fill("New Customer");
  await page.getByRole("dialog").getByLabel("E-mail").fill("new@example.com");
  await page.getByRole("button", { name: "Add", exact: true }).click();
  await expect(cell(page, "New Customer")).toBeVisible();
  await page.getByRole("button", { name: "Delete New Customer" }).click();
  await expect(cell(page, "New Customer")).toHaveCount(0);

  // Devices.
  const phone = await visitPrinted("/login?next=/customer", { viewport: { width: 320, height: 640 } });
  await phone.getByRole("button", { name: "ada@example.com" }).click();
  await expect(cell(phone, "Ada Lindqvist")).toBeVisible();
  await page.getByRole("link", { name: "Devices", exact: true }).click();
  await expect(page.getByRole("main").getByRole("listitem")).toHaveCount(2);
  await page.getByRole("button", { name: /^End/ }).click();
  await expect(page.getByRole("button", { name: /^End/ })).toHaveCount(0);
  await expect(phone).toHaveURL(site + "/login?code=session_revoked&next=%2Fcustomer");
  await phone.getByRole("button", { name: "ada@example.com" }).click();
  await expect(cell(phone, "Ada Lindqvist")).toBeVisible();

  // An administrator ends all sessions of the user.
  const admin = await visitPrinted("/login?next=/admin");
  await signIn(admin, "admin@example.com");
  await admin.getByRole("link", { name: "Ada Example" }).click();
  await admin.getByRole("button", { name: "End all" }).click();
  await expect(admin.getByText("2 sessions of Ada Example have ended.")).toBeVisible();
  await expect(page).toHaveURL(site + "/login?code=session_revoked&next=%2Fdevices");
  await expect(phone).toHaveURL(site + "/login?code=session_revoked&next=%2Fcustomer");
  await admin.getByRole("link", { name: "Invitations" }).click();
  await admin.getByLabel("E-mail").fill("grace@example.com");
  await admin.getByRole("button", { name: "Invite", exact: true }).click();
  await expect(cell(admin, "grace@example.com")).toBeVisible();
  await admin.getByRole("link", { name: "Audit" }).click();
  await expect(admin.locator("tbody tr").first()).toContainText("grace@example.com");

  // After the sign-out the back button shows nothing private.
  await admin.goto(site + "/no/such/page");
  await expect(heading(admin, "Page does not exist")).toBeVisible();
  await admin.getByRole("button", { name: "Sign Out", exact: true }).click();
  await expect(admin).toHaveURL(site + "/");
  await admin.goBack();
  await admin.goBack();
  await expect(admin).toHaveURL(/\/login\?code=no_session&next=/);
  await chooseAccount(admin, "admin@example.com");
});

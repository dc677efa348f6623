// What the older system, of which this example has to do everything, showed to a person.
// Each test is one row of that list.
import { cell, chooseAccount, expect, heading, refused, signIn, test } from "./fixtures.js";
import { execute } from "./tryout.js";

const ada = "ada@example.com";
const admin = "admin@example.com";

const main = (page) => page.getByRole("main");

test("Top is open to every visitor and leads to the customers", async ({ site, visit }) => {
  const page = await visit();
  const answer = await page.goto(site);
  expect(answer.status()).toBe(200);
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  const pages = page.getByRole("navigation", { name: "Pages" });
  await expect(pages.getByRole("link", { name: "Top", exact: true })).toHaveAttribute("aria-current", "page");
  await expect(pages.getByRole("link", { name: "Customers", exact: true })).toBeVisible();
});

test("Customers says that it loads, then shows a table of 20", async ({ site, visit }) => {
  const page = await visit(site + "/login?next=/devices");
  await signIn(page, ada);
  let proceed;
  const held = new Promise((done) => (proceed = done));
  await page.route(/\/api\/customer(\?.*)?$/, async (route) => {
    await held;
    await route.continue();
  });
  await page.getByRole("link", { name: "Customers", exact: true }).click();
  await expect(main(page).getByText("Loading…").first()).toBeAttached();
  proceed();
  await expect(main(page).getByRole("row")).toHaveCount(21); // and the head
  await expect(main(page).getByText("Loading…")).toHaveCount(0);
  for (const name of ["ID", "Name", "E-mail"]) {
    await expect(page.getByRole("columnheader", { name })).toBeVisible();
  }
  await expect(cell(page, "Ada Lindqvist")).toBeVisible();
});

test("Login has Google's button", async ({ site, visit }) => {
  const page = await visit(site + "/login");
  await chooseAccount(page, ada);
  await expect(page.getByRole("button", { name: "Sign Out", exact: true })).toBeVisible();
});

test("Login has One Tap", async ({ site, visit }) => {
  const page = await visit(site + "/login");
  await page.getByRole("dialog", { name: "Choose an account" }).getByRole("button", { name: ada }).click();
  await expect(page.getByRole("button", { name: "Sign Out", exact: true })).toBeVisible();
});

test("an unknown path is 404 and says so", async ({ site, visit, allowed }) => {
  allowed.push(refused(404));
  const page = await visit();
  expect((await page.goto(site + "/no/such/page")).status()).toBe(404);
  await expect(heading(page, "Page does not exist")).toBeVisible();
});

test("Customers leads a visitor to Login, which leads back", async ({ site, visit }) => {
  const page = await visit(site + "/customer");
  await expect(page).toHaveURL(site + "/login?code=no_session&next=%2Fcustomer");
  await chooseAccount(page, ada);
  await expect(page).toHaveURL(site + "/customer");
  await expect(cell(page, "Ada Lindqvist")).toBeVisible();
});

test("the header says as whom a person is authenticated, and signs out", async ({ site, visit }) => {
  const page = await visit(site + "/login?next=/customer");
  await signIn(page, ada);
  const header = page.getByRole("banner");
  await expect(header.getByText("Authenticated as " + ada, { exact: true })).toBeVisible();
  await header.getByRole("button", { name: "Sign Out", exact: true }).click();
  await expect(page).toHaveURL(site + "/");
  await expect(header.getByText("Authenticated as")).toHaveCount(0);
  await page.getByRole("link", { name: "Customers", exact: true }).first().click();
  await expect(page).toHaveURL(site + "/login?code=no_session&next=%2Fcustomer");
});

test("a request that is refused with 401 leads to Login", async ({ site, visit, allowed }) => {
  allowed.push(refused(401));
  const page = await visit(site + "/login", { noStream: true });
  await signIn(page, ada);
  await page.context().clearCookies({ name: "__Host-Http-session" });
  await page.getByRole("link", { name: "Customers", exact: true }).first().click();
  await expect(page).toHaveURL(/\/login\?code=(no_session|session_ended|signed_out)&next=%2Fcustomer$/);
  await expect(page.getByRole("alert")).toBeVisible();
});

test("a request that is refused with 403 says so", async ({ site, visit, allowed }) => {
  allowed.push(refused(403));
  const page = await visit(site + "/login");
  await signIn(page, ada);
  await page.goto(site + "/admin");
  await expect(main(page).getByText("Only administrators may")).toBeVisible();
  await expect(page).toHaveURL(site + "/admin");
});

test("/docs tries out the API, from the sign-in to a new customer", async ({ site, visit, allowed }) => {
  allowed.push(refused(401));
  const page = await visit(site + "/docs/");
  await expect(page.getByRole("heading", { level: 1 })).toContainText("Customers");
  await expect(page.getByRole("button", { name: /^authoriz/i })).toHaveCount(0); // it would ask for the cookie's value
  expect((await execute(page, "sign-in-currentUser")).body.code).toBe("no_session");

  const { nonce } = (await execute(page, "sign-in-beginSignIn")).body;
  const token = await execute(page, "demo-mintToken", { email: "ada@example.com", nonce });
  expect((await execute(page, "sign-in-signIn", token.body)).status).toBe(200);
  expect((await execute(page, "sign-in-currentUser")).body.email).toBe("ada@example.com");
  expect((await execute(page, "customers-createCustomer")).status).toBe(201);
  expect((await execute(page, "customers-listCustomers")).body.results).toHaveLength(21);
  expect((await execute(page, "sign-in-signOut")).status).toBe(204);
});

test("customers are created, read, changed and deleted", async ({ site, visit }) => {
  const page = await visit(site + "/login?next=/customer");
  await signIn(page, ada);
  const dialog = page.getByRole("dialog");
  await page.getByRole("button", { name: "Add customer" }).click();
  await dialog.getByLabel("Name").fill("Grace Hopper");
  await dialog.getByLabel("E-mail").fill("grace@example.com");
  await dialog.getByRole("button", { name: "Add", exact: true }).click();
  await expect(cell(page, "Grace Hopper")).toBeVisible();

  await page.getByRole("button", { name: "Edit Grace Hopper" }).click();
  await expect(dialog.getByLabel("E-mail")).toHaveValue("grace@example.com");
  await dialog.getByLabel("Name").fill("Grace Murray Hopper");
  await dialog.getByRole("button", { name: "Save" }).click();
  await expect(cell(page, "Grace Murray Hopper")).toBeVisible();

  // A deletion is sent when the time for "Undo" is over, or when the message is closed.
  const deleted = page.waitForRequest((request) => request.method() === "DELETE" && /\/api\/customer\/\d+$/.test(request.url()));
  await page.getByRole("button", { name: "Delete Grace Murray Hopper" }).click();
  await expect(cell(page, "Grace Murray Hopper")).toHaveCount(0);
  await page.getByRole("button", { name: "Close the message" }).last().click();
  expect((await (await deleted).response()).status()).toBe(204);
  await page.reload();
  await expect(cell(page, "Ada Lindqvist")).toBeVisible();
  await expect(page.getByText("Grace Murray Hopper")).toHaveCount(0);
});

test("administrators see all users and all sessions", async ({ site, visit }) => {
  for (const email of [ada, "bob@example.com"]) {
    const other = await visit(site + "/login");
    await signIn(other, email);
  }
  const page = await visit(site + "/login?next=/admin");
  await signIn(page, admin);
  await expect(heading(page, "Users")).toBeVisible();
  for (const email of [ada, "bob@example.com", admin]) {
    await expect(main(page).getByText(email).first()).toBeVisible();
  }
  await page.getByRole("link", { name: "Sessions", exact: true }).click();
  await expect(page).toHaveURL(site + "/admin/sessions");
  for (const name of ["Ada Example", "Bob Example", "Admin Example"]) {
    await expect(main(page).getByText(name).first()).toBeVisible();
  }
});

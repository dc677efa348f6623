// The documentation of the API at /docs, used as a person would. If the policy refused a
// part of Swagger UI, the console would show an error and the test would fail.
import { expect, refused, signIn, test } from "./fixtures.js";

// execute opens an operation, sends it and returns the answer's status and text.
async function execute(page, id, body) {
  const operation = page.locator("#operations-" + id);
  if (!(await operation.getByRole("button", { name: "Execute" }).isVisible())) {
    await operation.locator(".opblock-summary-control").click();
  }
  if (body) {
    await operation.locator("textarea.body-param__text").fill(JSON.stringify(body));
  }
  const answer = page.waitForResponse(/\/(api|demo)\//);
  await operation.getByRole("button", { name: "Execute" }).click();
  const response = await answer;
  await expect(operation.locator(".live-responses-table .response .response-col_status")).toContainText(String(response.status()));
  return { status: response.status(), body: response.status() === 204 ? undefined : await response.json() };
}

test("documentation: a person can sign in and act as that user", async ({ site, visit, allowed }) => {
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

test("documentation: a session from another page of the site works", async ({ site, visit }) => {
  const page = await visit(site + "/login");
  await signIn(page, "ada@example.com");
  await page.goto(site);
  await page.getByRole("link", { name: "see it, try it" }).click();
  expect((await execute(page, "sign-in-currentUser")).body.email).toBe("ada@example.com");
});

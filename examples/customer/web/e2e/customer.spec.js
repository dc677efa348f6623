import { cell, expect, heading, refused, signIn, test } from "./fixtures.js";

test("customers can be listed, added and deleted", async ({ site, visit }) => {
  const page = await visit(site + "/login?next=/customer");
  await signIn(page, "ada@example.com");
  await expect(heading(page, "Customers")).toBeFocused();
  const rows = page.locator("tbody tr");
  await expect(rows).toHaveCount(20);
  for (const name of ["ID", "Name", "E-mail"]) {
    await expect(page.getByRole("columnheader", { name, exact: true })).toBeVisible();
  }

  await page.getByRole("button", { name: "Add customer" }).click();
  const dialog = page.getByRole("dialog", { name: "Add a customer" });
  await dialog.getByLabel("Name").fill("<b>Zoë</b>");
  await dialog.getByLabel("E-mail").fill("zoe@example.com");
  await page.keyboard.press("Enter");
  await expect(dialog).toBeHidden();
  await expect(page.getByRole("status").first()).toHaveText("<b>Zoë</b> has been added.");
  await expect(rows).toHaveCount(21);
  await expect(page.getByRole("button", { name: "Add customer" })).toBeFocused();

  await page.getByRole("button", { name: "Delete <b>Zoë</b>" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Cancel" }).click();
  await expect(rows).toHaveCount(21);
  await page.getByRole("button", { name: "Delete <b>Zoë</b>" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await expect(rows).toHaveCount(20);
  await expect(page.getByRole("status").first()).toHaveText("<b>Zoë</b> has been deleted.");

  await page.reload();
  await expect(rows).toHaveCount(20);
});

test("the list shows that it is loading, empty or unavailable", async ({ site, visit, allowed }) => {
  allowed.push(refused(503), /ERR_FAILED/);
  const page = await visit(site + "/login");
  await signIn(page, "ada@example.com");

  let answer;
  await page.route("**/api/customer", (route) => answer(route));
  const open = async () => {
    await page.getByRole("link", { name: "Top" }).click();
    await page.getByRole("link", { name: "Customers", exact: true }).click();
    await expect(heading(page, "Customers")).toBeVisible();
  };

  let release;
  answer = (route) => new Promise((resolve) => (release = resolve)).then(() => route.fulfill({ json: { description: "", results: [] } }));
  await open();
  await expect(page.getByText("Loading…")).toBeVisible();
  release();
  await expect(page.getByText("There are no customers.")).toBeVisible();

  for (const [refuse, words] of [
    [(route) => route.fulfill({ status: 503, contentType: "application/problem+json", body: '{"status":503,"code":"unavailable","detail":"The service cannot answer right now."}' }), "The service cannot answer right now."],
    [(route) => route.fulfill({ status: 503, contentType: "text/html", body: "<h1>proxy</h1>" }), "The server answered with status 503."],
    [(route) => route.abort(), "The server cannot be reached."],
  ]) {
    answer = refuse;
    await open();
    await expect(page.getByRole("alert")).toContainText(words);
    await expect(page.locator("header")).toContainText("Ada Example");
    answer = (route) => route.continue();
    await page.getByRole("button", { name: "Try again" }).click();
    await expect(cell(page, "Ada Lindqvist")).toBeVisible();
  }
});

test("a refusal is shown where the request was made", async ({ site, visit, allowed }) => {
  allowed.push(refused(400), refused(404), refused(503));
  const page = await visit(site + "/login?next=/customer");
  await signIn(page, "ada@example.com");

  await page.getByRole("button", { name: "Add customer" }).click();
  const dialog = page.getByRole("dialog", { name: "Add a customer" });
  await dialog.getByLabel("Name").fill("A name");
  await dialog.getByLabel("E-mail").fill("a@b"); // the browser accepts this address
  await page.route("**/api/customer", (route) =>
    route.fulfill({ status: 400, contentType: "application/problem+json", body: '{"status":400,"code":"bad_request","detail":"A customer has an e-mail address."}' }),
  );
  await dialog.getByRole("button", { name: "Add", exact: true }).click();
  await expect(dialog.getByRole("alert")).toHaveText("A customer has an e-mail address.");
  await expect(dialog.getByLabel("Name")).toHaveValue("A name");
  await page.unroute("**/api/customer");
  await page.keyboard.press("Escape");
  await expect(dialog).toBeHidden();

  // Two people delete the same customer.
  const other = await visit(site + "/login?next=/customer");
  await signIn(other, "bob@example.com");
  for (const [person, words] of [
    [other, "Ada Lindqvist has been deleted."],
    [page, "There is no such customer."],
  ]) {
    await person.getByRole("button", { name: "Delete Ada Lindqvist" }).click();
    await person.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
    await expect(person.getByText(words)).toBeVisible();
  }

  // After an outage the request can be tried again.
  await page.route("**/api/customer/2", (route) => route.fulfill({ status: 503, contentType: "application/problem+json", body: '{"status":503,"code":"unavailable","detail":"Not now."}' }), { times: 1 });
  await page.getByRole("button", { name: "Delete Benoît Carré" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await page.getByRole("alert").getByRole("button", { name: "Try again" }).click();
  await expect(page.getByText("Benoît Carré has been deleted.")).toBeVisible();
});

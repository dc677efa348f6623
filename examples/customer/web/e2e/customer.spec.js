import { cell, expect, heading, refused, signIn, test } from "./fixtures.js";

const rows = (page) => page.locator("tbody tr");
const toast = (page, text) => page.locator(".toast").filter({ hasText: text });
const closeToast = (page, text) => toast(page, text).getByRole("button", { name: "Close the message" }).click();
const problem = (status, members) => ({ status, contentType: "application/problem+json", body: JSON.stringify({ status, ...members }) });
const list = "**/api/customer?*";

async function open(visit, site, path = "/customer", options) {
  const page = await visit(site + "/login?next=" + encodeURIComponent(path), options);
  await signIn(page, "ada@example.com");
  await expect(heading(page, "Customers")).toBeVisible();
  return page;
}

test("customers can be listed, added, changed and deleted", async ({ site, visit }) => {
  const page = await open(visit, site);
  await expect(heading(page, "Customers")).toBeFocused();
  await expect(rows(page)).toHaveCount(20);
  for (const name of ["ID", "Name", "E-mail"]) {
    await expect(page.getByRole("columnheader", { name, exact: true })).toBeVisible();
  }

  // The new row is at the top, although its ID is the last one.
  await page.getByRole("button", { name: "Add customer" }).click();
  const dialog = page.getByRole("dialog");
  await expect(dialog).toHaveAccessibleName("Add a customer");
  await dialog.getByLabel("Name").fill("<b>Zoë</b>");
  await dialog.getByLabel("E-mail").fill("zoe@example.com");
  await page.keyboard.press("Enter");
  await expect(dialog).toBeHidden();
  await expect(toast(page, "<b>Zoë</b> has been added.")).toBeVisible();
  await expect(rows(page)).toHaveCount(21);
  await expect(rows(page).first()).toContainText("<b>Zoë</b>");
  await expect(page.getByRole("button", { name: "Edit <b>Zoë</b>" })).toBeFocused();
  await expect(page.getByText("21 customers", { exact: true }).first()).toBeVisible();

  // The changed row stays where it is, although its name is the last one now.
  await page.getByRole("button", { name: "Name", exact: true }).click();
  await expect(page).toHaveURL(site + "/customer?sort=name");
  await expect(rows(page).first()).toContainText("<b>Zoë</b>");
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Edit <b>Zoë</b>" }).click();
  await expect(dialog).toHaveAccessibleName("Change a customer");
  await expect(dialog.getByLabel("E-mail")).toHaveValue("zoe@example.com");
  await dialog.getByLabel("Name").fill("Zoë");
  await dialog.getByRole("button", { name: "Save" }).click();
  await expect(toast(page, "Zoë has been changed.")).toBeVisible();
  await expect(rows(page).first()).toContainText("Zoë");
  await expect(page.getByRole("button", { name: "Edit Zoë" })).toBeFocused();

  // A row goes at once. The focus moves to the row after it, and back with Undo.
  await page.getByRole("button", { name: "Delete Ada Lindqvist" }).focus();
  await page.keyboard.press("Enter");
  await expect(rows(page)).toHaveCount(20);
  await expect(page.getByRole("button", { name: "Delete Benoît Carré" })).toBeFocused();
  await toast(page, "Ada Lindqvist has been deleted.").getByRole("button", { name: "Undo" }).click();
  await expect(rows(page)).toHaveCount(21);
  await expect(page.getByRole("button", { name: "Delete Ada Lindqvist" })).toBeFocused();

  const sent = page.waitForRequest((request) => request.method() === "DELETE");
  await page.getByRole("button", { name: "Delete Ada Lindqvist" }).click();
  await closeToast(page, "Ada Lindqvist has been deleted.");
  expect((await sent).url()).toBe(site + "/api/customer/1");
  await page.reload();
  await expect(rows(page)).toHaveCount(20);
  await expect(rows(page).last()).toContainText("Zoë");
});

test("the list shows that it is loading, empty or unavailable", async ({ site, visit, allowed }) => {
  allowed.push(refused(503), /ERR_FAILED/);
  const page = await visit(site + "/login");
  await signIn(page, "ada@example.com");

  let answer;
  await page.route(list, (route) => answer(route));
  const openAgain = async () => {
    await page.getByRole("link", { name: "Top" }).click();
    await page.getByRole("link", { name: "Customers", exact: true }).click();
    await expect(heading(page, "Customers")).toBeVisible();
  };

  let release;
  answer = (route) => new Promise((resolve) => (release = resolve)).then(() => route.fulfill({ json: { description: "", results: [], total: 0, page: 1, pages: 1 } }));
  await openAgain();
  await expect(page.getByText("Loading…")).toBeAttached();
  release();
  await expect(page.getByText("There are no customers.")).toBeVisible();
  await page.getByRole("button", { name: "Add the first customer" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Cancel" }).click();
  await expect(page.getByRole("button", { name: "Add the first customer" })).toBeFocused();

  for (const [refuse, words] of [
    [(route) => route.fulfill(problem(503, { code: "other", detail: "Not right now." })), "Not right now."],
    [(route) => route.fulfill({ status: 503, contentType: "text/html", body: "<h1>proxy</h1>" }), "The server answered with status 503."],
    [(route) => route.abort(), "The server cannot be reached."],
  ]) {
    answer = refuse;
    await openAgain();
    await expect(page.getByRole("alert").filter({ hasText: words })).toBeVisible();
    await expect(page.locator("header")).toContainText("ada@example.com");
    answer = (route) => route.continue();
    await page.getByRole("button", { name: "Try again" }).click();
    await expect(cell(page, "Ada Lindqvist")).toBeVisible();
  }
});

test("a refusal is shown where the request was made, and nothing is lost or made twice", async ({ site, visit, allowed }) => {
  allowed.push(refused(400), refused(404), refused(503), /ERR_FAILED/);
  const page = await open(visit, site);

  // The server refuses what the browser accepts.
  await page.getByRole("button", { name: "Add customer" }).click();
  const dialog = page.getByRole("dialog");
  const name = dialog.getByLabel("Name");
  await name.fill("\u3164");
  await dialog.getByLabel("E-mail").fill("filler@example.com");
  await dialog.getByRole("button", { name: "Add", exact: true }).click();
  await expect(dialog.getByRole("alert")).toHaveText("A name has at most 100 characters, and at least one of them is visible.");
  await expect(name).toBeFocused();
  await expect(name).toHaveAttribute("aria-invalid", "true");
  await expect(name).toHaveAccessibleDescription(/visible/);
  await name.fill("Filler");
  await expect(dialog.getByRole("alert")).toHaveCount(0);

  // The answer to the first request is lost on the way. The customer is added once.
  await page.route("**/api/customer", (route) => route.fetch().then(() => route.abort()), { times: 1 });
  await dialog.getByRole("button", { name: "Add", exact: true }).click();
  await expect(dialog.getByRole("alert")).toContainText("The server cannot be reached.");
  await expect(name).toHaveValue("Filler");
  await dialog.getByRole("button", { name: "Add", exact: true }).click();
  await expect(dialog).toBeHidden();
  await page.reload();
  await expect(cell(page, "Filler")).toHaveCount(1);

  // Two people delete the same customer, and change one who is deleted.
  const other = await open(visit, site);
  for (const person of [other, page]) {
    await person.getByRole("button", { name: "Delete Ada Lindqvist" }).click();
    await closeToast(person, "Ada Lindqvist has been deleted.");
    await expect(cell(person, "Ada Lindqvist")).toHaveCount(0);
    await expect(person.getByText("20 customers", { exact: true }).first()).toBeVisible();
  }
  const gone = other.waitForResponse((response) => response.request().method() === "DELETE");
  await other.getByRole("button", { name: "Delete Benoît Carré" }).click();
  await closeToast(other, "Benoît Carré has been deleted.");
  await gone;
  await page.getByRole("button", { name: "Edit Benoît Carré" }).click();
  await dialog.getByLabel("Name").fill("Benoît");
  await dialog.getByRole("button", { name: "Save" }).click();
  await expect(dialog).toBeHidden();
  await expect(cell(page, "Benoît Carré")).toHaveCount(0);
  await expect(page.getByRole("button", { name: "Edit Chiara Bellini" })).toBeFocused();

  // After an outage the row is there again, and the request can be repeated.
  await page.route("**/api/customer/4", (route) => route.fulfill(problem(503, { code: "other", detail: "Not now." })), { times: 1 });
  await page.getByRole("button", { name: "Delete Diego Fuentes" }).click();
  await closeToast(page, "Diego Fuentes has been deleted.");
  await expect(toast(page, "Diego Fuentes has not been deleted. Not now.")).toBeVisible();
  await expect(cell(page, "Diego Fuentes")).toBeVisible();
  await page.getByRole("button", { name: "Try again" }).click();
  await expect(cell(page, "Diego Fuentes")).toHaveCount(0);
});

test("several customers are deleted together, when the time to undo is over or the page is left", async ({ site, visit }) => {
  const page = await visit();
  await page.clock.install();
  await page.goto(site + "/login?next=/customer");
  await signIn(page, "ada@example.com");
  const deleted = [];
  page.on("request", (request) => request.method() === "DELETE" && deleted.push(new URL(request.url()).pathname));

  await page.getByRole("checkbox", { name: "Select Ada Lindqvist" }).check();
  const all = page.getByRole("checkbox", { name: "Select all on this page" });
  await expect(all).toBeChecked({ indeterminate: true });
  await page.getByRole("checkbox", { name: "Select Benoît Carré" }).check();
  await expect(page.getByText("2 selected")).toBeVisible();
  await page.getByRole("button", { name: "Delete selected" }).click();
  await expect(rows(page)).toHaveCount(18);
  await expect(page.getByRole("button", { name: "Delete Chiara Bellini" })).toBeFocused();
  await toast(page, "2 customers have been deleted.").getByRole("button", { name: "Undo" }).click();
  await expect(rows(page)).toHaveCount(20);

  await page.getByRole("checkbox", { name: "Select Ada Lindqvist" }).check();
  await page.getByRole("button", { name: "Delete selected" }).click();
  await page.clock.runFor(5_000);
  await expect(toast(page, "Ada Lindqvist has been deleted.")).toBeVisible();
  expect(deleted).toEqual([]);
  await page.clock.runFor(2_000);
  await expect.poll(() => deleted).toEqual(["/api/customer/1"]);
  await expect(rows(page)).toHaveCount(19);

  // Another page of the application, and then another document.
  await page.getByRole("button", { name: "Delete Benoît Carré" }).click();
  await page.getByRole("link", { name: "Devices", exact: true }).click();
  await expect(heading(page, "Devices")).toBeVisible();
  await expect.poll(() => deleted).toHaveLength(2);
  await expect(toast(page, "Benoît Carré")).toHaveCount(0);
  await page.goBack();
  await expect(rows(page)).toHaveCount(18);
  await all.check();
  await expect(page.getByText("18 selected")).toBeVisible();
  await page.getByRole("button", { name: "Delete selected" }).click();
  await expect(page.getByText("There are no customers.")).toBeVisible();
  await page.goto(site + "/docs");
  await expect(async () => {
    await page.goto(site + "/customer"); // the requests may be under way still
    await expect(page.getByText("There are no customers.")).toBeVisible({ timeout: 1_000 });
  }).toPass();
});

test("what is typed is there again after the session has ended", async ({ site, visit, allowed }) => {
  allowed.push(refused(401));
  const page = await open(visit, site, "/customer?sort=name");
  const dialog = page.getByRole("dialog");
  for (const button of ["Add customer", "Edit Ada Lindqvist"]) {
    await page.getByRole("button", { name: button }).click();
    await dialog.getByLabel("Name").fill("Typed " + button);
    await page.evaluate(() => fetch("/api/logout", { method: "POST" }));
    await expect(page).toHaveURL(/\/login\?.*next=%2Fcustomer%3Fsort%3Dname/);
    await signIn(page, "ada@example.com");
    await expect(dialog.getByLabel("Name")).toHaveValue("Typed " + button);
    await dialog.getByRole("button", { name: "Cancel" }).click();
    await page.reload();
    await expect(rows(page)).toHaveCount(20);
    await expect(dialog).toBeHidden();
  }
});

test("the list is saved as a table for spreadsheets, as it is searched and sorted", async ({ serve, visit }) => {
  const site = await serve("-db", "memory", "-demo-customers", "450");
  const page = await open(visit, site, "/customer?q=EXAMPLE&sort=-id");
  const saving = page.waitForEvent("download");
  await page.getByRole("button", { name: "Download as CSV" }).click();
  const file = await saving;
  expect(file.suggestedFilename()).toBe("customers.csv");
  const chunks = [];
  for await (const chunk of await file.createReadStream()) {
    chunks.push(chunk);
  }
  const lines = Buffer.concat(chunks).toString().split("\r\n");
  expect(lines[0]).toBe("\ufeffID,Name,E-mail");
  expect(lines[1]).toMatch(/^450,/);
  expect(lines[450]).toBe("1,Ada Lindqvist,ada.lindqvist@example.com");
  expect(lines).toHaveLength(452);
});

// The customers page with many customers and with long names.
import { expect, heading, signIn, test } from "./fixtures.js";

const rows = (page) => page.locator("tbody tr");
const many = ["-db", "memory", "-demo-customers", "5000"];

test("5,000 customers are searched, sorted and turned over in the address", async ({ serve, visit }) => {
  const site = await serve(...many);
  const page = await visit(site + "/login?next=/customer");
  const asked = [];
  page.on("request", (request) => request.url().includes("/api/customer") && asked.push(request.url()));
  await signIn(page, "ada@example.com");
  await expect(rows(page)).toHaveCount(50);
  expect(asked.length).toBeLessThanOrEqual(3);
  expect(await page.locator("*").count()).toBeLessThan(4000);
  await expect(page.getByText("5,000 customers", { exact: true }).first()).toBeVisible();

  const header = (name) => page.getByRole("columnheader", { name, exact: true });
  await expect(header("ID")).toHaveAttribute("aria-sort", "ascending");
  await header("Name").getByRole("button").click();
  await expect(page).toHaveURL(site + "/customer?sort=name");
  await expect(header("Name")).toHaveAttribute("aria-sort", "ascending");
  await expect(rows(page).first()).toContainText("Ada Lindqvist");
  await header("Name").getByRole("button").click();
  await expect(page).toHaveURL(site + "/customer?sort=-name");
  await expect(header("Name")).toHaveAttribute("aria-sort", "descending");
  await expect(header("Name").getByRole("button")).toBeFocused();

  await page.getByRole("link", { name: "Page 100" }).click();
  await expect(page).toHaveURL(site + "/customer?sort=-name&page=100");
  await expect(rows(page).last()).toContainText("Ada Lindqvist");
  await expect(page.getByRole("region", { name: "Page 100" })).toBeFocused();
  await page.getByRole("searchbox").fill("LINDQVIST");
  await expect(page).toHaveURL(site + "/customer?q=LINDQVIST&sort=-name");
  await expect(rows(page)).toHaveCount(1);
  await expect(page.getByRole("searchbox")).toBeFocused();
  await page.getByRole("searchbox").fill("no such customer");
  await expect(page.getByText("No customer matches “no such customer”.")).toBeVisible();
  await page.getByRole("button", { name: "Clear the search" }).click();
  await expect(rows(page)).toHaveCount(50);
  await expect(page.getByRole("searchbox")).toBeFocused();

  // The address opens the same list, and one that makes no sense opens a list.
  await page.goto(site + "/customer?q=kovalenko&sort=-email&page=2");
  await expect(page.getByRole("searchbox")).toHaveValue("kovalenko");
  await expect(page.getByRole("link", { name: "Page 2" })).toHaveAttribute("aria-current", "page");
  await page.goto(site + "/customer?sort=age&page=zero");
  await expect(rows(page).first()).toContainText("Ada Lindqvist");
  await page.goto(site + "/customer?page=999");
  await expect(page).toHaveURL(site + "/customer?page=100");
  await expect(rows(page)).toHaveCount(50);
});

test("Back shows the list as it was", async ({ serve, visit }) => {
  const site = await serve(...many);
  const page = await visit(site + "/login?next=" + encodeURIComponent("/customer?sort=name&page=7"));
  await signIn(page, "ada@example.com");
  const row = rows(page).nth(40);
  const text = await row.textContent();
  await row.scrollIntoViewIfNeeded();
  const y = await page.evaluate(() => scrollY);
  expect(y).toBeGreaterThan(500);
  await page.evaluate(() => document.querySelector("header a[href='/devices']").click());
  await expect(heading(page, "Devices")).toBeVisible();
  await page.goBack();
  await expect(page).toHaveURL(site + "/customer?sort=name&page=7");
  await expect(rows(page).nth(40)).toHaveText(text);
  await expect.poll(() => page.evaluate(() => scrollY)).toBe(y);

  // The head of the table stays in sight.
  const head = page.getByRole("columnheader", { name: "Name", exact: true });
  await expect(head).toBeInViewport();
  expect((await head.boundingBox()).y).toBeLessThan(2);

  await page.getByRole("link", { name: "Page 8" }).click();
  await expect(page).toHaveURL(/page=8/);
  await expect(rows(page).nth(40)).not.toHaveText(text);
  await page.goBack();
  await expect(page).toHaveURL(/page=7/);
  await expect(rows(page).nth(40)).toHaveText(text);
});

test("opening a dialog and deleting a row leave the other rows alone", async ({ serve, visit }) => {
  const site = await serve(...many);
  const page = await visit(site + "/login?next=/customer");
  await signIn(page, "ada@example.com");
  await expect(rows(page)).toHaveCount(50);
  const body = await page.locator("tbody").evaluateHandle((tbody) => {
    const seen = { added: 0, removed: 0 };
    new MutationObserver((records) => {
      for (const { addedNodes, removedNodes } of records) {
        seen.added += addedNodes.length;
        seen.removed += removedNodes.length;
      }
    }).observe(tbody, { childList: true, subtree: true });
    return seen;
  });
  const asked = [];
  page.on("request", (request) => asked.push(request.method() + " " + new URL(request.url()).pathname));

  await page.getByRole("button", { name: "Add customer" }).click();
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Edit Ada Lindqvist" }).click();
  await page.keyboard.press("Escape");
  expect(await body.jsonValue()).toEqual({ added: 0, removed: 0 });
  expect(asked).toEqual([]);

  await page.getByRole("button", { name: "Delete Benoît Carré" }).click();
  await page.getByRole("button", { name: "Close the message" }).click();
  await expect(rows(page).last()).toContainText("51");
  await expect(rows(page)).toHaveCount(50);
  expect(await body.jsonValue()).toEqual({ added: 1, removed: 1 });
  expect(asked).toEqual(["DELETE /api/customer/2", "GET /api/customer"]);
});

test("long names wrap, and every button can be touched, at every width", async ({ site, visit }) => {
  const page = await visit(site + "/login?next=/customer");
  await signIn(page, "ada@example.com");
  const long = "W".repeat(100);
  await page.evaluate(async (name) => {
    for (const customer of [{ name, email: "x".repeat(60) + "@" + "y".repeat(180) + ".example" }, { name: "ليلى الحسن", email: "rtl@example.com" }, { name: "👩🏽‍🚀".repeat(20), email: "a@b.example" }]) {
      await fetch("/api/customer", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(customer) });
    }
  }, long);
  await page.reload();
  for (const width of [320, 360, 390, 450, 640, 641, 768, 1440]) {
    await page.setViewportSize({ width, height: 800 });
    await expect(page.getByText(long)).toBeVisible();
    expect(await page.evaluate(() => document.documentElement.scrollWidth), `width ${width}`).toBeLessThanOrEqual(width);
    const card = await page.locator(".list").boundingBox();
    for (const target of await page.locator("tbody tr:nth-child(21) :is(button, td.name, td.email)").all()) {
      const box = await target.boundingBox();
      expect(box.x + box.width, `width ${width}`).toBeLessThanOrEqual(card.x + card.width + 1);
      expect(Math.min(box.width, box.height), `width ${width}`).toBeGreaterThanOrEqual(24);
    }
    expect((await page.locator("tbody tr:nth-child(21) td.name").boundingBox()).width).toBeGreaterThan(80);
  }
  await page.setViewportSize({ width: 390, height: 800 });
  const checkbox = await page.locator("tbody tr:nth-child(21) input").boundingBox();
  const name = await page.locator("tbody tr:nth-child(21) td.name").boundingBox();
  expect(name.x - checkbox.x - checkbox.width, "the gap between checkbox and name").toBeLessThan(32);
  await page.getByRole("combobox", { name: "Sort by" }).selectOption("Name, Z to A");
  await expect(page).toHaveURL(site + "/customer?sort=-name");
  await page.getByRole("combobox", { name: "Sort by" }).selectOption("ID, oldest first");
  await expect(page).toHaveURL(site + "/customer");
});

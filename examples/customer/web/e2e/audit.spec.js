import { readFile } from "node:fs/promises";

import { expect, heading, signIn, test } from "./fixtures.js";
import { picture, violations } from "./look.js";

const admin = "admin@example.com";

// ask sends a request of the page's user and returns the status.
const ask = (page, method, path, body) =>
  page.evaluate(
    async ([method, path, body]) => {
      const headers = body ? { "Content-Type": "application/json" } : {};
      return (await fetch("/api" + path, { method, headers, body: body && JSON.stringify(body) })).status;
    },
    [method, path, body],
  );

const idOf = (page) => page.evaluate(async () => (await (await fetch("/api/user")).json()).id);

// prepare signs in a user and an administrator, who disables the user for a reason.
async function prepare({ site, visit }, options = {}, reason = "left the company") {
  const ada = await visit(site + "/login", { noStream: true });
  await signIn(ada, "ada@example.com");
  const id = await idOf(ada);
  expect(await ask(ada, "POST", "/customer", { name: "Grace & Söhne", email: "grace@example.com" })).toBe(201);
  const page = await visit(site + "/login?next=/admin/audit", options);
  await signIn(page, admin);
  await expect(heading(page, "Audit")).toBeVisible();
  expect(await ask(page, "PATCH", `/admin/users/${encodeURIComponent(id)}?reason=${encodeURIComponent(reason)}`, { disabled: true })).toBe(200);
  return { page, ada, id };
}

const rows = (page) => page.locator("tbody tr");

test("filters are in the address, and entries have names, links, device and address", async ({ site, visit }) => {
  const { page, id } = await prepare({ site, visit });
  await page.reload();
  const first = rows(page).first();
  await expect(first).toContainText("access changed");
  await expect(first.getByRole("link", { name: admin })).toBeVisible();
  await expect(first.getByRole("link", { name: "ada@example.com" })).toHaveAttribute("href", "/admin/users/" + encodeURIComponent(id));
  await expect(first).toContainText("disabled · left the company");
  await expect(first).toContainText(/Chrome \d+ on Linux/);
  await expect(first).toContainText(/127\.0\.0\.1|::1/);
  const all = await rows(page).count();

  await page.getByRole("combobox", { name: "Action" }).selectOption("customer added");
  await expect(page).toHaveURL(/[?&]action=customer_added/);
  await expect(rows(page)).toHaveCount(1);
  await expect(first.getByRole("link", { name: "Grace & Söhne" })).toHaveAttribute("href", "/customer?q=Grace+%26+S%C3%B6hne");

  await page.getByRole("combobox", { name: "Action" }).selectOption("All actions");
  await page.getByLabel("Person").fill("ADA@example.com");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/[?&]person=ADA%40example.com/);
  await expect(rows(page).filter({ hasText: "signed in" })).toHaveCount(1);
  await expect(rows(page)).toHaveCount(4); // created, signed in, customer added, disabled

  await page.getByLabel("To", { exact: true }).fill("2020-01-31");
  await page.getByLabel("To", { exact: true }).press("Tab");
  await expect(page).toHaveURL(/[?&]to=2020-01-31/);
  await expect(page.getByText("No entry matches the filter.")).toBeVisible();
  await page.goBack();
  await expect(rows(page)).toHaveCount(4);
  await page.reload();
  await expect(page.getByLabel("Person")).toHaveValue("ADA@example.com");
  await expect(rows(page)).toHaveCount(4);

  await page.getByRole("button", { name: "Clear the filter" }).click();
  await expect(page).toHaveURL(site + "/admin/audit");
  await expect(page.getByRole("combobox", { name: "Action" })).toBeFocused();
  await expect(rows(page)).toHaveCount(all);
  await expect(page.getByRole("button", { name: "Clear the filter" })).toHaveCount(0);
});

test("new entries appear at the top while the page is live, and are announced together", async ({ site, visit }) => {
  const { page, id } = await prepare({ site, visit });
  const change = (body) => ask(page, "PATCH", "/admin/users/" + encodeURIComponent(id), body);
  const live = page.getByRole("switch", { name: "Live" });
  await expect(live).toBeChecked();
  await expect(rows(page).first()).toContainText("left the company");
  const before = await rows(page).count();

  await change({ disabled: false });
  await change({ admin: true });
  await change({ admin: false });
  await expect(rows(page)).toHaveCount(before + 3);
  await expect(rows(page).first()).toContainText("not an administrator any more");
  await expect(rows(page).first()).toHaveClass(/new/);
  await expect(page.getByRole("status").filter({ hasText: "new entr" })).toHaveText(/^\d new entr(y|ies)$/);

  await page.getByRole("combobox", { name: "Action" }).selectOption("signed in");
  await expect(rows(page)).toHaveCount(2);
  await change({ admin: true });
  await page.getByRole("combobox", { name: "Action" }).selectOption("All actions");
  await expect(rows(page)).toHaveCount(before + 4);

  await live.click();
  await expect(page).toHaveURL(/[?&]live=false/);
  await expect(live).not.toBeChecked();
  await expect(live).toBeFocused();
  await change({ admin: false });
  await page.getByLabel("Person").fill("nobody@example.com");
  await page.keyboard.press("Enter");
  await expect(page.getByText("No entry matches the filter.")).toBeVisible();
  await page.goBack();
  await expect(rows(page)).toHaveCount(before + 5); // by loading the list again
});

test("a stream that was refused is opened again, and what was missed appears", async ({ site, visit, allowed }) => {
  allowed.push(/503|ERR_/);
  const { page, id } = await prepare({ site, visit });
  await expect(rows(page).first()).toContainText("left the company");
  const before = await rows(page).count();
  await page.route("**/api/admin/live", (route) => route.fulfill({ status: 503, body: "" }), { times: 1 });
  await page.getByRole("switch", { name: "Live" }).click();
  const refused = page.waitForResponse((response) => response.url().endsWith("/api/admin/live") && response.status() === 503);
  await page.getByRole("switch", { name: "Live" }).click();
  await refused;
  await ask(page, "PATCH", "/admin/users/" + encodeURIComponent(id), { disabled: false });
  await expect(rows(page)).toHaveCount(before + 1, { timeout: 15_000 });
});

test("the filtered audit can be saved as a file", async ({ site, visit }) => {
  const { page } = await prepare({ site, visit }, {}, "=1+2");
  await page.getByRole("combobox", { name: "Action" }).selectOption("access changed");
  await expect(page).toHaveURL(/action=access_changed/);
  const saved = page.waitForEvent("download");
  await page.getByRole("link", { name: "CSV file" }).click();
  const download = await saved;
  expect(download.suggestedFilename()).toBe("audit.csv");
  const lines = (await readFile(await download.path(), "utf8")).trim().split("\r\n");
  expect(lines[0]).toMatch(/^id,time,action,actor,/);
  expect(lines[1]).toContain(",access_changed,");
  expect(lines[1]).toContain(",ada@example.com,");
  expect(lines.every((line, i) => i === 0 || line.includes("access_changed"))).toBe(true);
});

test("nothing is cut at any width, and the page is accessible", async ({ site, visit }) => {
  test.slow();
  const { page } = await prepare({ site, visit }, {}, "x".repeat(200));
  await page.reload();
  await expect(rows(page).first()).toContainText("x".repeat(200));
  for (const [width, dir] of [[320], [360], [390], [450], [650], [768], [950], [1440], [390, "rtl"], [1440, "rtl"]]) {
    await page.setViewportSize({ width, height: 800 });
    await page.evaluate((dir) => (document.documentElement.dir = dir), dir ?? "ltr");
    const cut = await page.evaluate(() => {
      const isCut = (element) => element.scrollWidth > element.clientWidth + 1 && getComputedStyle(element).display !== "inline";
      const outside = ({ left, right }) => left < -1 || right > innerWidth + 1;
      return [...document.querySelectorAll("tbody td, .log, .filter, .filter label")]
        .filter((element) => element.checkVisibility() && (isCut(element) || outside(element.getBoundingClientRect())))
        .map((element) => element.outerHTML.slice(0, 200));
    });
    expect(cut, `${width} ${dir}`).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
    if ([390, 1440].includes(width) && !dir) {
      for (const colorScheme of ["light", "dark"]) {
        await page.emulateMedia({ colorScheme });
        const found = await violations(page, (axe) => axe.include("main"));
        expect(found.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]), `${width} ${colorScheme}`).toEqual([]);
        await picture(page, `audit/${width}-${colorScheme}`);
      }
    }
  }
});

test("the audit speaks German, Spanish and Japanese", async ({ site, visit }) => {
  const { page } = await prepare({ site, visit });
  for (const [locale, title, words] of [
    ["de", "Protokoll", "gesperrt · left the company"],
    ["es", "Auditoría", "desactivado · left the company"],
    ["ja", "監査ログ", "無効化 · left the company"],
  ]) {
    await page.evaluate((locale) => localStorage.setItem("customer:locale", locale), locale);
    await page.reload();
    await expect(heading(page, title)).toBeVisible();
    await expect(rows(page).first()).toContainText(words);
  }
});

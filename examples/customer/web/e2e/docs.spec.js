// The documentation of the API at /docs, used as a person would. If the policy refused a
// part of Swagger UI, the console would show an error and the test would fail.
import { expect, signIn, test } from "./fixtures.js";
import { picture, violations } from "./look.js";
import { execute } from "./tryout.js";

test("documentation: a session from another page of the site works", async ({ site, visit }) => {
  const page = await visit(site + "/login");
  await signIn(page, "ada@example.com");
  await page.goto(site);
  await page.getByRole("link", { name: "see it, try it" }).click();
  expect((await execute(page, "sign-in-currentUser")).body.email).toBe("ada@example.com");
});

for (const [colorScheme, background] of [["light", "rgb(255, 255, 255)"], ["dark", "rgb(28, 32, 34)"]]) {
  test(`documentation: ${colorScheme}, with a way home and without faults of accessibility`, async ({ site, visit }) => {
    const page = await visit(site + "/docs", { colorScheme });
    await expect(page).toHaveTitle("API – Customers");
    await expect(page.locator("#operations-sign-in-currentUser")).toBeVisible();
    await expect(page.locator("body")).toHaveCSS("background-color", background);
    await page.locator("#operations-sign-in-signIn .opblock-summary-control").click();
    await expect(page.locator("#operations-sign-in-signIn").getByRole("button", { name: "Execute" })).toBeVisible();
    const whole = await violations(page, (axe) => axe.withRules(["color-contrast"]));
    expect(whole.flatMap(({ nodes }) => nodes.map(({ html, failureSummary }) => html + failureSummary))).toEqual([]);
    const own = await violations(page, (axe) => axe.exclude(".swagger-ui"));
    expect(own.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([]);
    await picture(page, `docs-${colorScheme}`);

    await page.setViewportSize({ width: 320, height: 640 });
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(320);
    await page.getByRole("link", { name: "Customers", exact: true }).click();
    await expect(page).toHaveURL(site + "/");
    await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  });
}

test("documentation: the theme that a person has chosen in the application wins over the system's", async ({ site, visit }) => {
  const page = await visit(site, { colorScheme: "light" });
  await page.evaluate(() => localStorage.setItem("customer:theme", "dark"));
  await page.goto(site + "/docs");
  await expect(page.locator("html")).toHaveClass("dark-mode");
  await expect(page.locator("body")).toHaveCSS("background-color", "rgb(28, 32, 34)");
});

test("documentation: without a script the page says so and leads to the contract", async ({ site, visit }) => {
  const page = await visit(site + "/docs", { javaScriptEnabled: false });
  const text = page.locator("#shell noscript");
  await expect(text.locator("p")).toContainText("This page needs JavaScript.");
  await expect(text.locator("p")).toBeVisible();
  await text.locator("a").click();
  await expect(page.locator("body")).toContainText('"openapi":"3.1.0"');
});

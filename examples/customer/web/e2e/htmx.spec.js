// Tests of examples/htmx with htmx itself, which the browser gets from node_modules in the
// place of the CDN.
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { chooseAccount, expect, heading, refused, serveGoogle, test as base } from "./fixtures.js";
import { answerOf } from "./loginscript.js";

const test = base.extend({
  notes: async ({ start }, use) => {
    await use(await serveGoogle(start, "htmx", (port, env) => [[], { ...env, PORT: String(port), GOOGLE_CLIENT_ID: env.CUSTOMER_CLIENT_ID }]));
  },
});

const cdn = "https://cdn.jsdelivr.net/npm/htmx.org@";
const packages = { "4.0.1": "htmx.org", "2.0.11": "htmx2" };

// useHTMX makes the browser load a version of htmx, or none.
async function useHTMX(page, { site }, version) {
  await page.route(cdn + "**", (route) =>
    version
      ? route.fulfill({
          contentType: "text/javascript",
          headers: { "access-control-allow-origin": "*" },
          body: readFileSync(join(import.meta.dirname, "../node_modules", packages[version], "dist/htmx.min.js")),
        })
      : route.abort());
  if (version !== "2.0.11") return; // the program's own tag, with the hash of the file
  await page.route(site + "/", async (route) => {
    const response = await answerOf(route);
    const body = (await response.text()).replace(/<script src="https:\/\/cdn[^>]*>/, `<script src="${cdn}${version}/dist/htmx.min.js">`);
    await route.fulfill({ response, body });
  });
}

for (const version of ["4.0.1", "2.0.11", ""]) {
  test(`a form that is posted after the session has ended leads to the login page and back, with ${version ? "htmx " + version : "plain HTML"}`, async ({
    notes, visit, allowed,
  }) => {
    allowed.push(refused(401), /Response Status Error Code 401/, /ERR_FAILED/);
    const page = await visit();
    await notes.intercept(page);
    await useHTMX(page, notes, version);
    await page.goto(notes.site);
    await expect(page).toHaveURL(notes.site + "/login?code=no_session&next=%2F");
    await expect(page.getByRole("status")).toHaveText("Please sign in.");
    await chooseAccount(page, "ada@example.com");
    await expect(heading(page, "Notes of Ada Example")).toBeVisible();
    expect(await page.evaluate(() => globalThis.htmx?.version)).toBe(version || undefined);

    const add = async (note) => {
      await page.getByLabel("Note").fill(note);
      await page.getByRole("button", { name: "Add" }).click();
    };
    await page.evaluate(() => (globalThis.kept = true));
    await add("milk");
    await expect(page.getByRole("listitem")).toHaveText(["milk"]);
    expect(await page.evaluate(() => globalThis.kept)).toBe(version ? true : undefined); // htmx replaces the list only

    // The user ends the session from another browser.
    const other = await visit();
    await notes.intercept(other);
    await other.goto(notes.site + "/login?next=/login%23signed-in");
    await chooseAccount(other, "ada@example.com");
    await expect(other).toHaveURL(notes.site + "/login#signed-in");
    await expect(other.getByRole("button")).toBeVisible();
    expect(await other.evaluate(async () => (await fetch("/api/sessions", { method: "DELETE" })).json())).toEqual({ ended: 1 });

    await add("bread");
    await expect(page).toHaveURL(/\/login\?code=\w+&next=%2F$/);
    await expect(page.getByRole("status")).toContainText("sign in");
    await chooseAccount(page, "ada@example.com");
    await expect(page).toHaveURL(notes.site + "/");
    await expect(page.getByRole("listitem")).toHaveText(["milk"]); // the refused note was not written
    await add("bread");
    await expect(page.getByRole("listitem")).toHaveText(["milk", "bread"]);

    await page.getByRole("button", { name: "Sign out" }).click();
    await expect(page).toHaveURL(notes.site + "/login");
    await expect(page.getByRole("button", { name: "Sign in with Google" })).toBeVisible();
    await page.goto(notes.site);
    await expect(page).toHaveURL(notes.site + "/login?code=no_session&next=%2F");
    await expect(page.getByRole("button", { name: "Sign in with Google" })).toBeVisible();
  });
}

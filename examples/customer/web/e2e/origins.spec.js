// With "npm run dev" the page is on another port than the API.
import { fileURLToPath } from "node:url";

import { cell, chooseAccount, expect, freePort, heading, refused, test } from "./fixtures.js";

const web = fileURLToPath(new URL("..", import.meta.url));

async function develop(start, api, port) {
  const vite = [web + "node_modules/vite/bin/vite.js", "--port", String(port), "--clearScreen", "false"];
  await start(process.execPath, vite, { cwd: web, env: { ...process.env, VITE_API: api } });
  const url = "http://localhost:" + port;
  await expect.poll(() => fetch(url).then((answer) => answer.ok, () => false), { timeout: 15_000 }).toBe(true);
  return url;
}

test("the development server works with the API on another port", async ({ start, serve, visit, allowed }) => {
  const port = await freePort();
  const api = await serve("-demo", "-db", "memory", "-origins", "http://localhost:" + port);
  const front = await develop(start, api, port);
  const page = await visit(front + "/customer");
  await expect(page.getByText("Demo: every person")).toBeVisible();
  await chooseAccount(page, "ada@example.com");
  await expect(cell(page, "Ada Lindqvist")).toBeVisible();
  await expect(page).toHaveURL(front + "/customer");
  await page.getByRole("button", { name: "Delete Ada Lindqvist" }).click(); // sent at the sign-out at the latest, after a preflight request
  await expect(page.getByText("Ada Lindqvist has been deleted.")).toBeVisible();
  await page.getByRole("button", { name: "Sign Out", exact: true }).click();
  await expect(page.getByRole("link", { name: "Login", exact: true })).toBeVisible();

  // The browser hides the answers of an API that does not allow this origin.
  allowed.push(/CORS policy/, /ERR_FAILED/, refused(401)); // the list may be asked for once more during the sign-out
  const elsewhere = await serve("-demo", "-db", "memory");
  const stranger = await visit();
  await stranger.route(api + "/**", (route) => route.continue({ url: route.request().url().replace(api, elsewhere) }));
  await stranger.goto(front + "/customer");
  await expect(heading(stranger, "Not available right now")).toBeVisible();
});

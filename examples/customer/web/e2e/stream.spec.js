// The event stream of a session when it is lost, refused and opened again.
import { join } from "node:path";

import { cell, expect, folder, freePort, heading, refused, signIn, test } from "./fixtures.js";
import { ask } from "./people.js";

test("a page learns that the session has ended while the server restarted", async ({ start, keys, visit, allowed }) => {
  allowed.push(refused(401), /ERR_(CONNECTION_REFUSED|INCOMPLETE_CHUNKED_ENCODING|EMPTY_RESPONSE|CONNECTION_RESET|NETWORK_CHANGED)/);
  const port = await freePort();
  const key = "abcd1234efgh5678";
  const serve = () => start(join(folder, "customer"), ["-addr", "localhost:" + port, "-db", "memory", "-demo", "-demo-key", key], { env: {} });
  const site = "http://localhost:" + port;
  keys.push({ name: "demo-key-" + port, value: key, url: site, httpOnly: true, sameSite: "Strict" });
  const server = await serve();
  const page = await visit(site + "/login?next=/customer");
  await signIn(page, "ada@example.com");
  await expect(cell(page, "Ada Lindqvist")).toBeVisible();
  await server.stop("SIGKILL");
  await serve(); // with an empty store, so that the session is unknown
  await expect(page).toHaveURL(site + "/login?code=session_ended&next=%2Fcustomer", { timeout: 30_000 });
  await expect(page.getByText("Ada Lindqvist")).toHaveCount(0);
});

test("a change of rights ends the stream, and the page learns what happens right after it", async ({ site, visit, allowed }) => {
  allowed.push(refused(401), refused(403));
  const page = await visit(site + "/login?next=/customer");
  await signIn(page, "bob@example.com");
  await expect(cell(page, "Ada Lindqvist")).toBeVisible();
  const admin = await visit(site + "/login?next=/admin");
  await signIn(admin, "admin@example.com");
  const { users } = await ask(admin, "GET", "/admin/users");
  const bob = "/admin/users/" + encodeURIComponent(users.find(({ email }) => email === "bob@example.com").id);
  await ask(admin, "PATCH", bob, { admin: true });
  await ask(admin, "PATCH", bob, { admin: false });
  await ask(admin, "PATCH", bob, { disabled: true });
  await expect(page).toHaveURL(/\/login\?code=\w+&next=%2Fcustomer/);
  await expect(page.getByText("Ada Lindqvist")).toHaveCount(0);
  await expect(heading(page, "Customers")).toHaveCount(0);
});

test("a refused stream is opened again, and then reports the end of the session", async ({ site, visit, allowed }) => {
  allowed.push(refused(401), refused(429), refused(503));
  const page = await visit(site + "/login?next=/customer");
  const answers = [429, 503];
  let asked = 0;
  await page.route("**/api/live", (route) => {
    const status = answers[asked++];
    return status ? route.fulfill({ status, contentType: "application/problem+json", body: "{}" }) : route.continue();
  });
  await signIn(page, "ada@example.com");
  await expect.poll(() => asked, { timeout: 20_000 }).toBeGreaterThan(2);
  await expect(cell(page, "Ada Lindqvist")).toBeVisible(); // the refusals did not sign out
  const there = await visit(site + "/login?next=/devices");
  await signIn(there, "ada@example.com");
  const { sessions } = await ask(there, "GET", "/sessions");
  await ask(there, "DELETE", "/sessions/" + sessions.find(({ current }) => !current).id);
  await expect(page).toHaveURL(site + "/login?code=session_ended&next=%2Fcustomer"); // the memory store forgets why
});

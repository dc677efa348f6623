import { once } from "node:events";

import { cell, expect, freePort, heading, refused, signIn, temporary, test } from "./fixtures.js";

test("during an outage of the store no user is signed out, and after it all pages work", async ({ start, serve, visit, allowed }) => {
  allowed.push(refused(503));
  const port = await freePort();
  const dir = temporary("redis-");
  const redis = async () => {
    const server = await start("redis-server", ["--port", port, "--bind", "127.0.0.1", "--dir", dir, "--save", "", "--appendonly", "yes", "--appendfsync", "always"]);
    await expect.poll(() => answers(port)).toBe(true);
    return server;
  };
  const store = await redis();
  const site = await serve("-demo", "-db", "memory", "-redis", "redis://127.0.0.1:" + port);
  const page = await visit(site + "/login?next=/customer");
  await signIn(page, "ada@example.com");
  await expect(cell(page, "Ada Lindqvist")).toBeVisible();
  const early = await page.context().newPage();
  await early.goto(site);
  await expect(early.getByText("Hello, Ada Example.")).toBeVisible();

  await store.stop("SIGKILL");

  // An open page shows the outage and keeps the user.
  await page.getByRole("link", { name: "Devices", exact: true }).click();
  await expect(page.getByRole("alert")).toContainText("cannot answer right now");
  await expect(page.locator("header")).toContainText("ada@example.com");
  await expect(page).toHaveURL(site + "/devices");
  await page.getByRole("button", { name: "Sign Out", exact: true }).click();
  await expect(page.getByText(/^You are still signed in/)).toBeVisible();
  await expect(page.locator("header")).toContainText("ada@example.com");

  // A page that is opened now, and a page that becomes visible again, do the same.
  const late = await page.context().newPage();
  await late.goto(site + "/customer");
  await expect(heading(late, "Not available right now")).toBeVisible();
  await expect(late).toHaveURL(site + "/customer");
  await early.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
  await expect(early.locator("header")).toContainText("ada@example.com");

  // A visitor sees the outage, too, and cannot sign in.
  const visitor = await visit(site + "/login?next=/customer");
  await visitor.getByRole("button", { name: "bob@example.com" }).click();
  await expect(visitor.getByRole("alert")).toContainText("cannot answer right now");

  await redis();
  await expect(page.getByText("this device")).toBeVisible({ timeout: 30_000 }); // the pages ask again by themselves
  await expect(cell(late, "Ada Lindqvist")).toBeVisible({ timeout: 30_000 });
  await visitor.getByRole("button", { name: "Try again" }).click(); // with the token that Google has issued
  await expect(heading(visitor, "Customers")).toBeVisible();
  await page.getByRole("button", { name: "Sign Out", exact: true }).click();
  await expect(page.getByRole("link", { name: "Login", exact: true })).toBeVisible();
});

async function answers(port) {
  const { connect } = await import("node:net");
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    socket.write("PING\r\n");
    return String(await once(socket, "data")).startsWith("+PONG");
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

test("if the server cannot be reached, the page says so and works again as soon as the network does", async ({ visit, allowed, site }) => {
  allowed.push(/ERR_FAILED|ERR_CONNECTION_REFUSED/);
  const page = await visit(site + "/login?next=/customer");
  await signIn(page, "ada@example.com");
  await page.route("**/api/**", (route) => route.abort());
  await page.getByRole("link", { name: "Devices", exact: true }).click();
  await expect(page.getByRole("alert")).toContainText("The server cannot be reached.");
  await page.reload();
  await expect(heading(page, "Not available right now")).toBeVisible();
  await page.getByRole("button", { name: "Try again" }).click();
  await expect(heading(page, "Not available right now")).toBeVisible();
  await page.unroute("**/api/**");
  await page.evaluate(() => dispatchEvent(new Event("online")));
  await expect(heading(page, "Devices")).toBeVisible();
  await expect(page.locator("header")).toContainText("ada@example.com");
});

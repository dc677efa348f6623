// The requests of the older system's own client, in its order, from another origin. They
// are written by hand, with the headers that its HTTP client sends.
import { createServer } from "node:http";

import { expect, refused, test } from "./fixtures.js";

// elsewhere serves an empty page on another port of localhost and returns its origin.
async function elsewhere() {
  const server = createServer((request, response) => {
    response.writeHead(200, { "Content-Type": "text/html" }).end('<!doctype html><link rel="icon" href="data:,"><title>Original</title>');
  });
  await new Promise((done) => server.listen(0, "localhost", done));
  return { origin: "http://localhost:" + server.address().port, close: () => server.close() };
}

// ask sends a request as the client does and returns what the page may read of the answer.
const ask = (page, url, init = {}) =>
  page.evaluate(
    async ([url, init]) => {
      const headers = { Accept: "application/json, text/plain, */*", ...init.headers };
      const answer = await fetch(url, { ...init, headers, credentials: "include" });
      return { status: answer.status, body: await answer.json().catch(() => null) };
    },
    [url, init],
  );

const form = { "Content-Type": "application/x-www-form-urlencoded" };

const sessionCookie = async (page) => (await page.context().cookies()).find((cookie) => cookie.name === "__Host-Http-session");

test("the original client signs in, reads the customers and signs out", async ({ serve, visit, allowed }) => {
  allowed.push(refused(401));
  const client = await elsewhere();
  const api = await serve("-demo", "-db", "memory", "-skip-nonce", "-origins", client.origin);
  const page = await visit(client.origin);
  const answers = [];
  page.on("response", (response) => answers.push(response));

  // A visitor opens the page of customers. The client then shows its login page.
  expect((await ask(page, api + "/api/user/")).status).toBe(401);
  expect((await ask(page, api + "/api/customer/")).status).toBe(401);

  // Google's response, as the text that the client makes of it.
  const { body: token } = await ask(page, api + "/demo/token", { method: "POST", headers: { "Content-Type": "application/json" }, body: '{"email":"ada@example.com"}' });
  const text = JSON.stringify({ credential: token.credential, clientId: "demo", select_by: "btn" }, null, 2);
  const login = await ask(page, api + "/api/login/", { method: "POST", headers: form, body: text });
  expect(login.status).toBe(200);
  expect(login.body.Authenticated_as).toBe("ada@example.com");
  const cookie = await sessionCookie(page);
  expect(cookie).toMatchObject({ httpOnly: true, secure: true, sameSite: "Lax", path: "/" });

  const user = await ask(page, api + "/api/user/");
  expect(user).toMatchObject({ status: 200, body: { username: "ada@example.com" } });
  const customers = await ask(page, api + "/api/customer/");
  expect(customers.status).toBe(200);
  expect(customers.body.results).toHaveLength(20);
  expect(Object.keys(customers.body.results[0])).toEqual(expect.arrayContaining(["id", "name", "email"]));

  expect((await ask(page, api + "/api/logout/")).status).toBe(204);
  expect((await ask(page, api + "/api/user/")).status).toBe(401);
  expect(await sessionCookie(page)).toBeUndefined();

  // The session itself has ended, so a copy of its cookie is worth nothing.
  await page.context().addCookies([cookie]);
  expect((await ask(page, api + "/api/user/")).status).toBe(401);

  // The browser lets a page read an answer only if the server allows the page's origin.
  const fromAPI = answers.filter((answer) => answer.url().startsWith(api));
  expect(fromAPI.length).toBeGreaterThanOrEqual(9);
  for (const answer of fromAPI) {
    const headers = await answer.allHeaders();
    expect(headers["access-control-allow-origin"], answer.url()).toBe(client.origin);
    expect(headers["access-control-allow-credentials"], answer.url()).toBe("true");
    expect(headers.vary, answer.url()).toContain("Origin");
  }
  client.close();
});

test("a page of another origin signs nobody out", async ({ serve, visit, allowed }) => {
  allowed.push(refused(405), /CORS policy/, /ERR_FAILED/, /ERR_BLOCKED_BY_ORB/);
  const client = await elsewhere();
  const stranger = await elsewhere();
  const api = await serve("-demo", "-db", "memory", "-skip-nonce", "-origins", client.origin);
  const page = await visit(client.origin);
  const { body: token } = await ask(page, api + "/demo/token", { method: "POST", headers: { "Content-Type": "application/json" }, body: '{"email":"ada@example.com"}' });
  expect((await ask(page, api + "/api/login/", { method: "POST", headers: form, body: JSON.stringify(token) })).status).toBe(200);

  await page.goto(stranger.origin);
  await expect(ask(page, api + "/api/logout/")).rejects.toThrow("Failed to fetch");
  for (const crossOrigin of [null, "use-credentials"]) {
    await page.evaluate(
      ([src, crossOrigin]) =>
        new Promise((done) => {
          const image = Object.assign(new Image(), { crossOrigin, onerror: done, onload: done });
          image.src = src;
        }),
      [api + "/api/logout/", crossOrigin],
    );
  }
  expect((await page.goto(api + "/api/logout/")).status()).toBe(405);
  await page.goto(client.origin);
  expect((await ask(page, api + "/api/user/")).status).toBe(200);
  client.close();
  stranger.close();
});

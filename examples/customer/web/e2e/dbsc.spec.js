// Sessions that are bound to a key of their browser, in Chromium. Deleting the bound cookie makes
// the browser renew its proof with the next request, as it does by itself after ten minutes.
import { created, ended, expect, forgetProof, refreshed, sessions, status, test, waitUntilBound } from "./dbsc.js";
import { heading, refused, signIn } from "./fixtures.js";
import { ask, become } from "./people.js";

test.describe.configure({ timeout: 180_000 });

// signInBound opens a demo in a browser that binds its session.
async function signInBound({ serveTLS, openBrowser }) {
  const { site, pin } = await serveTLS();
  const browser = await openBrowser(site + "/login?next=/customer", { pins: [pin] });
  await signIn(browser.page, "ada@example.com");
  await waitUntilBound(browser);
  return { site, ...browser };
}

test("a sign-in by the button binds the session", async ({ serveTLS, openBrowser }) => {
  const { page, events } = await signInBound({ serveTLS, openBrowser });
  expect(await sessions(page)).toMatchObject([{ current: true, bound: true }]);
  expect(created(events)).toEqual(["Success"]);
  expect(new Set(refreshed(events))).toEqual(new Set(["Refreshed"]));
  expect(ended(events)).toEqual([]);
});

// listen opens a stream. heard returns what has happened to it.
const listen = (page) =>
  page.evaluate(() => {
    window.heard = [];
    const source = new EventSource("/api/live");
    source.addEventListener("hello", () => window.heard.push("hello"));
    source.addEventListener("error", () => window.heard.push(source.readyState === EventSource.CLOSED ? "refused" : "interrupted"));
  });
const heard = (page) => page.evaluate(() => window.heard);

test("a copy of the cookies and its stream are refused soon after the binding, and the browser goes on", async ({ serveTLS, openBrowser, visit, allowed }) => {
  allowed.push(refused(401), /ERR_INCOMPLETE_CHUNKED_ENCODING/);
  const { site, pin } = await serveTLS();
  const browser = await openBrowser(site + "/healthz", { pins: [pin] }); // a page that sends no requests of its own
  const { page, context, events } = browser;
  const thief = await visit(site + "/healthz");
  const early = await context.newPage();
  await early.goto(site + "/healthz");
  await become(page, { email: "ada@example.com", name: "Ada Example" });
  await listen(early);
  const stolen = await context.cookies(site);
  await thief.context().addCookies(stolen.filter(({ name }) => name !== "__Host-bound")); // it ends after two minutes
  await listen(thief);
  expect(await status(thief)).toBe(200);
  await waitUntilBound(browser);

  // A stream that begins with a proof outlives the renewal.
  await listen(page);
  await expect.poll(() => heard(page)).toEqual(["hello"]);
  const before = refreshed(events).length;
  await forgetProof(context);
  expect(await status(page)).toBe(200);
  await expect.poll(() => refreshed(events)).toHaveLength(before + 1);

  // Streams from before end 30 seconds after the binding. EventSource opens them again.
  await expect.poll(() => heard(early), { timeout: 60_000 }).toEqual(["hello", "interrupted", "hello"]);
  await expect.poll(() => heard(thief)).toEqual(["hello", "interrupted", "refused"]);
  expect(await heard(page)).toEqual(["hello"]);
  expect(await thief.evaluate(async () => (await fetch("/api/user")).json())).toMatchObject({ status: 401, code: "proof_missing" });
  await thief.goto(site + "/customer");
  await expect(thief).toHaveURL(site + "/login?code=proof_missing&next=%2Fcustomer");

  expect(await status(page)).toBe(200);
  await forgetProof(context);
  await page.goto(site + "/devices");
  await expect(heading(page, "Devices")).toBeVisible();
  expect(ended(events)).toEqual([]);
});

test("after its session has been revoked, the browser forgets the key, and a new sign-in binds again", async ({ serveTLS, openBrowser, visit, allowed }) => {
  allowed.push(refused(401));
  const browser = await signInBound({ serveTLS, openBrowser });
  const { site, page, context, events } = browser;
  const other = await visit(site + "/login?next=/devices");
  await signIn(other, "ada@example.com");
  const [{ id }] = (await sessions(other)).filter(({ current }) => !current);
  await ask(other, "DELETE", "/sessions/" + id);
  await expect(page).toHaveURL(/\/login\?code=\w+&next=%2Fcustomer/);
  await forgetProof(context);
  await page.reload();
  await expect.poll(() => ended(events)).toEqual(["ServerRequested"]);
  await signIn(page, "ada@example.com");
  await waitUntilBound(browser, 2);
  expect((await sessions(page)).filter(({ current }) => current)).toMatchObject([{ bound: true }]);
});

test("requests of four tabs without a proof cause one refresh, and all are answered", async ({ serveTLS, openBrowser }) => {
  const { site, page, context, events } = await signInBound({ serveTLS, openBrowser });
  const tabs = [page, await context.newPage(), await context.newPage(), await context.newPage()];
  for (const tab of tabs) {
    await tab.goto(site + "/healthz");
  }
  const before = refreshed(events).length;
  await forgetProof(context);
  const answers = await Promise.all(tabs.map((tab) => Promise.all(Array.from({ length: 5 }, () => status(tab)))));
  expect(answers.flat()).toEqual(Array(20).fill(200));
  await expect.poll(() => refreshed(events).slice(before)).toEqual(["Refreshed"]);
});

// outage begins or ends an outage of the demo's store.
const outage = (page, method) =>
  page.evaluate(async (method) => {
    const body = method === "POST" ? { headers: { "Content-Type": "application/json" }, body: '{"seconds":60}' } : {};
    return (await fetch("/demo/outage", { method, ...body })).status;
  }, method);

test("in an outage of the store the browser keeps its key", async ({ serveTLS, openBrowser, allowed }) => {
  allowed.push(refused(503));
  const { site, page, context, events } = await signInBound({ serveTLS, openBrowser });
  await page.goto(site + "/healthz");
  expect(await outage(page, "POST")).toBe(200);
  await forgetProof(context);
  const before = refreshed(events).length;
  expect(await status(page)).toBe(503);
  expect(await outage(page, "DELETE")).toBe(204);
  await expect.poll(() => status(page)).toBe(200);
  await expect.poll(() => refreshed(events).at(-1)).toBe("Refreshed");
  expect(refreshed(events)[before]).toBe("ServerError");
  expect(ended(events)).toEqual([]);
  expect(created(events)).toEqual(["Success"]);
});

test("a browser without bound sessions ignores the offer", async ({ serveTLS, openBrowser }) => {
  const { site, pin } = await serveTLS();
  const { page, context, events } = await openBrowser(site + "/login?next=/customer", { pins: [pin], features: false });
  const answer = page.waitForResponse((response) => response.url() === site + "/api/login" && response.request().method() === "POST");
  await signIn(page, "ada@example.com");
  expect(await (await answer).headerValue("Secure-Session-Registration")).toContain("(ES256)");
  await page.goto(site + "/devices");
  await expect(heading(page, "Devices")).toBeVisible();
  expect(await sessions(page)).toMatchObject([{ current: true, bound: false }]);
  expect((await context.cookies()).map(({ name }) => name)).not.toContain("__Host-bound");
  expect(events).toEqual([]);
});

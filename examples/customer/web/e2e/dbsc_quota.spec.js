// Browsers that have signed as often as Chromium lets them, which is six times in nine minutes for
// all servers of a site.
import { created, expect, forgetProof, refreshed, sessions, signings, status, test, waitUntilBound } from "./dbsc.js";
import { heading, refused, signIn } from "./fixtures.js";

test.describe.configure({ timeout: 180_000 });

const quota = 6;

// greedy is a server that asks for a key and refuses the registration. It also sends challenges
// for the sessions of another server.
function greedy(question, answer) {
  const { pathname, searchParams } = new URL(question.url, "https://localhost");
  if (pathname === "/offer") {
    answer.setHeader("Secure-Session-Registration", '(ES256);path="/register";challenge="x"');
  }
  if (pathname === "/challenge") {
    answer.setHeader("Secure-Session-Challenge", `"y";id="${searchParams.get("id")}"`);
  }
  answer.statusCode = pathname === "/register" ? 400 : 200;
  answer.end();
}

// sign makes the browser sign for the greedy server that many times.
async function sign({ page, events }, times) {
  const before = created(events).length;
  for (let i = 1; i <= times; i++) {
    expect(await status(page, "/offer")).toBe(200);
    await expect.poll(() => created(events).slice(before)).toEqual(Array(i).fill("PersistentHttpError"));
  }
}

test("a browser that may not sign any more signs in as always, without a binding", async ({ serveTLS, serveOther, openBrowser }) => {
  const { site, pin } = await serveTLS();
  const { sibling, pin: second } = await serveOther(greedy);
  const browser = await openBrowser(sibling, { pins: [pin, second] });
  const { page, events } = browser;
  await sign(browser, quota);
  await page.goto(site + "/login?next=/customer");
  await signIn(page, "ada@example.com");
  await expect.poll(() => created(events).slice(quota)).toEqual(["SigningQuotaExceeded"]);
  expect(await status(page)).toBe(200);
  expect(await sessions(page)).toMatchObject([{ current: true, bound: false }]);
  expect(refreshed(events)).toEqual([]);
});

test("a browser that cannot renew its proof gets to the login page, and goes on after a sign-in", async ({ serveTLS, serveOther, openBrowser, allowed }) => {
  allowed.push(refused(401));
  const { site, pin } = await serveTLS();
  const { sibling, pin: second } = await serveOther(greedy);
  const browser = await openBrowser(site + "/login?next=/customer", { pins: [pin, second] });
  const { page, context, events } = browser;
  await signIn(page, "ada@example.com");
  await waitUntilBound(browser);
  const [{ id }] = await sessions(page);
  const used = signings(events);
  await page.goto(sibling);
  await sign(browser, quota - used);
  await status(page, "/challenge?id=" + encodeURIComponent(id)); // the browser cannot send its last proof again
  await page.goto(site + "/healthz");
  await forgetProof(context);
  const before = refreshed(events).length;
  await expect.poll(() => status(page), { timeout: 60_000, intervals: [1_000] }).toBe(401); // the grace is 30 s
  expect(new Set(refreshed(events).slice(before))).toEqual(new Set(["SigningQuotaExceeded"]));
  await page.goto(site + "/customer");
  await expect(page).toHaveURL(site + "/login?code=proof_missing&next=%2Fcustomer");
  await signIn(page, "ada@example.com");
  await expect(heading(page, "Customers")).toBeVisible();
  await page.reload();
  await expect(heading(page, "Customers")).toBeVisible();
  expect((await sessions(page)).filter(({ current }) => current)).toMatchObject([{ bound: false }]);
});

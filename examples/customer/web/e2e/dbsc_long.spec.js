// A page that is used for longer than a proof is valid. It takes 13 minutes, so it runs only with
// DBSC_LONG=1.
import { created, expect, refreshed, signings, test, waitUntilBound } from "./dbsc.js";
import { signIn } from "./fixtures.js";

const minutes = 13;

test("a bound session is used for 13 minutes without a refusal", async ({ serveTLS, openBrowser }) => {
  test.setTimeout((minutes + 3) * 60_000);
  const { site, pin } = await serveTLS();
  const browser = await openBrowser(site + "/login?next=/customer", { pins: [pin] });
  const { page, events } = browser;
  await signIn(page, "ada@example.com");
  await waitUntilBound(browser);
  const answers = await page.evaluate(async (minutes) => {
    const answers = [];
    for (const end = Date.now() + minutes * 60_000; Date.now() < end; ) {
      const begun = performance.now();
      const { status } = await fetch("/api/user", { cache: "no-store" });
      answers.push({ status, ms: Math.round(performance.now() - begun) });
      await new Promise((done) => setTimeout(done, 5_000));
    }
    return answers;
  }, minutes);
  const refusals = answers.filter(({ status }) => status !== 200);
  const slowest = Math.max(...answers.map(({ ms }) => ms));
  console.log(`${answers.length} requests, ${refusals.length} refusals, ${signings(events)} signatures, ${refreshed(events).length} refreshes, slowest ${slowest} ms`);
  expect(refusals).toEqual([]);
  expect(created(events)).toEqual(["Success"]);
  expect(refreshed(events).length).toBeGreaterThan(1);
  expect(new Set(refreshed(events))).toEqual(new Set(["Refreshed"]));
});

// Bound sessions and pages of other sites, in Chromium.
import { request } from "@playwright/test";

import { created, ended, expect, forgetProof, refreshed, sessions, test, waitUntilBound } from "./dbsc.js";
import { heading, refused } from "./fixtures.js";
import { become } from "./people.js";

test.describe.configure({ timeout: 180_000 });

test("a link on another site renews the proof, and an image or a fetch there does not", async ({ serveTLS, serveOther, openBrowser, allowed }) => {
  allowed.push(refused(421)); // the demo's key is not sent either
  const { site, pin } = await serveTLS();
  const user = site + "/api/user";
  const elsewhere = await serveOther((_, answer) => answer.setHeader("Content-Type", "text/html").end(`<a href="${user}">user</a>`));
  const browser = await openBrowser(site + "/healthz", { pins: [pin, elsewhere.pin] }); // a page that sends no requests of its own
  const { page, context, events, usages } = browser;
  await become(page, { email: "ada@example.com", name: "Ada Example" });
  await waitUntilBound(browser);
  await page.goto(elsewhere.other);
  await forgetProof(context);
  const before = refreshed(events).length;
  await page.evaluate(async (user) => {
    await fetch(user + "?fetch", { mode: "no-cors", credentials: "include" }).catch(() => {});
    const image = new Image();
    await new Promise((done) => {
      image.onerror = done;
      image.src = user + "?image";
    });
  }, user);
  await expect.poll(() => [...usages(user + "?fetch"), ...usages(user + "?image")]).toEqual(["InScopeRefreshNotYetNeeded", "InScopeRefreshNotYetNeeded"]);
  const earlier = usages(user).length;
  await page.getByRole("link", { name: "user" }).click();
  await expect(page.locator("body")).toContainText("ada@example.com");
  await expect.poll(() => usages(user).slice(earlier)).toEqual(["Deferred"]);
  await expect.poll(() => refreshed(events).slice(before)).toEqual(["Refreshed"]);
  expect(ended(events)).toEqual([]);
});

test("a sign-in by redirect binds the session, although the page of Google began the navigation", async ({ serveTLS, openBrowser }) => {
  const { site, pin } = await serveTLS();
  const browser = await openBrowser(site + "/login", { pins: [pin] });
  const { page, context, events } = browser;
  await page.goto(site + "/api/login/google?next=/customer");
  const outside = await request.newContext({ ignoreHTTPSErrors: true, storageState: await context.storageState() });
  const chosen = await outside.post(page.url(), { form: { email: "ada@example.com" }, maxRedirects: 0 });
  const callback = chosen.headers().location;
  await outside.dispose();
  expect(callback).toContain(site + "/api/login/google/callback?");
  await context.route("https://accounts.google.com/**", (route) =>
    route.fulfill({ contentType: "text/html", body: `<a href="${callback.replaceAll("&", "&amp;")}">continue</a>` }));
  await page.goto("https://accounts.google.com/");
  await page.getByRole("link", { name: "continue" }).click();
  await expect(heading(page, "Customers")).toBeVisible();
  await expect(page).toHaveURL(site + "/customer");
  await waitUntilBound(browser);
  expect(created(events)).toEqual(["Success"]);
  expect(await sessions(page)).toMatchObject([{ current: true, bound: true }]);
});

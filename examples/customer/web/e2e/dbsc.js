// Browsers that bind their sessions to a key (Device Bound Session Credentials), and a demo
// behind TLS, because browsers do not bind sessions over http.
import { once } from "node:events";
import { createServer } from "node:http";
import { join } from "node:path";

import { collectErrors, expectErrors, folder, freePort, expect as strict, temporary, test as base } from "./fixtures.js";
import { ask } from "./people.js";

export const expect = strict.configure({ timeout: 20_000 }); // a machine that is busy signs late

export const test = base.extend({
  // front puts TLS in front of a port of this machine. It returns the URL, and the hash of the
  // certificate's key for the browser.
  front: async ({ start }, use) => {
    await use(async (port) => {
      const { line } = await start(join(folder, "tls"), ["localhost:" + port]);
      const [https, pin] = line.split(" ");
      return { site: "https://localhost:" + https, pin };
    });
  },

  // serveTLS runs a demo behind TLS. Browsers send the demo's key also after a link on another site.
  serveTLS: async ({ front, start, keys }, use) => {
    await use(async (...args) => {
      const port = await freePort();
      const { site, pin } = await front(port);
      const { line } = await start(join(folder, "customer"), ["-addr", "localhost:" + port, "-db", "memory", "-bind", "offer", "-base-url", site, ...args], { env: {} });
      const key = new URL(line.replace("Open ", "")).searchParams.get("key");
      keys.push({ name: "demo-key-" + new URL(site).port, value: key, url: site, httpOnly: true, sameSite: "Lax" });
      return { site, pin };
    });
  },

  // serveOther runs a server of the test's own behind TLS, for pages of another site. At localhost
  // it belongs to the site of the demo, and at 127.0.0.1 it is another site.
  serveOther: async ({ front }, use) => {
    const servers = [];
    await use(async (handle) => {
      const server = createServer(handle).listen(0, "127.0.0.1");
      servers.push(server);
      await once(server, "listening");
      const { site, pin } = await front(server.address().port);
      return { sibling: site, other: site.replace("localhost", "127.0.0.1"), pin };
    });
    for (const server of servers) {
      server.closeAllConnections();
      server.close();
    }
  },

  // openBrowser opens a page in a browser with a profile of its own, because a profile has one
  // quota of signatures. The browser trusts the certificates by their hashes. A browser that
  // ignores their errors instead does not bind sessions. Without features it does not either.
  openBrowser: async ({ playwright, launchOptions, allowed, keys }, use) => {
    const contexts = [];
    const errors = [];
    await use(async (url, { pins, features = true }) => {
      const args = [...launchOptions.args, "--ignore-certificate-errors-spki-list=" + pins.join(",")];
      if (features) {
        args.push("--enable-features=DeviceBoundSessions,EnableBoundSessionCredentialsSoftwareKeysForManualTesting");
      }
      const context = await playwright.chromium.launchPersistentContext(temporary("profile-"), {
        ...launchOptions, args, reducedMotion: "reduce", ignoreHTTPSErrors: false,
      });
      contexts.push(context);
      collectErrors(context, errors);
      await context.addCookies(keys);
      const page = context.pages()[0];
      const watched = await watchBinding(page);
      await page.goto(url);
      return { context, page, ...watched };
    });
    await Promise.all(contexts.map((context) => context.close()));
    expectErrors(errors, allowed);
  },
});

// watchBinding returns the list events, to which it adds what the browser reports about its bound
// sessions, and the function usages, which returns what the requests of the page for a URL had to
// do with them. "Deferred" requests have waited for a refresh.
async function watchBinding(page) {
  const events = [];
  const urls = new Map(); // by the ID of the request
  const reports = [];
  const devTools = await page.context().newCDPSession(page);
  devTools.on("Network.deviceBoundSessionEventOccurred", (event) => events.push(event));
  devTools.on("Network.requestWillBeSent", ({ requestId, request }) => urls.set(requestId, request.url));
  devTools.on("Network.requestWillBeSentExtraInfo", (report) => reports.push(report));
  await devTools.send("Network.enable");
  await devTools.send("Network.enableDeviceBoundSessions", { enable: true });
  const usages = (url) =>
    reports.filter(({ requestId }) => urls.get(requestId) === url).flatMap(({ deviceBoundSessionUsages = [] }) => deviceBoundSessionUsages.map(({ usage }) => usage));
  return { events, usages };
}

const details = (events, member) => events.map((event) => event[member]).filter(Boolean);

// created are the results of the registrations, such as "Success".
export const created = (events) => details(events, "creationEventDetails").map(({ fetchResult }) => fetchResult);

// refreshed are the results of the refreshes, such as "Refreshed".
export const refreshed = (events) => details(events, "refreshEventDetails").map(({ refreshResult }) => refreshResult);

// ended are the reasons for which the browser has ended a bound session.
export const ended = (events) => details(events, "terminationEventDetails").map(({ deletionReason }) => deletionReason);

// signings returns how often the browser has signed. It signs to register, and for a new challenge.
export const signings = (events) => created(events).length + details(events, "challengeEventDetails").length;

// waitUntilBound waits until the browser has registered the key of its session, and has renewed
// its proof with another request.
export async function waitUntilBound({ page, events }, count = 1) {
  await expect.poll(() => created(events), "registrations").toEqual(Array(count).fill("Success"));
  const renewed = async () => {
    await status(page);
    return refreshed(events).filter((result) => result === "Refreshed").length;
  };
  await expect.poll(renewed, "refreshes").toBeGreaterThanOrEqual(count);
}

// status returns the status of a request of the page.
export const status = (page, path = "/api/user") => page.evaluate(async (path) => (await fetch(path, { cache: "no-store" })).status, path);

// sessions returns the sessions of the user, as the list of devices shows them.
export const sessions = async (page) => (await ask(page, "GET", "/sessions")).sessions;

// forgetProof deletes the bound cookie, as if its time were over.
export const forgetProof = (context) => context.clearCookies({ name: "__Host-bound" });

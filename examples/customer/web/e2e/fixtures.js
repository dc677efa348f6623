// The fixtures of the tests. Each test gets the program on a free port and separate
// browsers. A test fails if a browser's console has an error.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";

import { test as base, expect } from "@playwright/test";

export { expect };
export const folder = process.env.CUSTOMER_FOLDER; // setup.js

export const test = base.extend({
  // start runs a program until the test ends. It returns the first line of the program's
  // output and a function stop, which ends the program earlier.
  start: async ({}, use) => {
    await withPrograms(use);
  },

  // keys are the cookies that the demos of this test set when their addresses are opened.
  keys: async ({}, use) => {
    await use([]);
  },

  // serve runs the customer program and returns its URL. Browsers of this test get its key.
  serve: async ({ start, keys }, use) => {
    await use(async (...args) => {
      const { line } = await start(join(folder, "customer"), ["-addr", "localhost:0", ...args], { env: {} });
      const { origin, port, searchParams } = new URL(line.replace("Open ", ""));
      keys.push({ name: "demo-key-" + port, value: searchParams.get("key"), url: origin, httpOnly: true, sameSite: "Strict" });
      return origin;
    });
  },

  // serveGoogle runs the program with a client ID, as https://app.test, and a stand-in for
  // Google. intercept makes a browser use the stand-in in the place of Google.
  serveGoogle: async ({ start }, use) => {
    await use((...args) => serveCustomer(start, ...args));
  },

  // allowed are patterns of console errors that a test causes on purpose.
  allowed: async ({}, use) => {
    await use([]);
  },

  // visit opens a page in a new browser. The test fails if the console has an error or a
  // violation of the Content-Security-Policy. With noStream the page does not learn from
  // the event stream that its session has ended, but from the next request.
  visit: async ({ browser, allowed, keys }, use) => {
    const contexts = [];
    const errors = [];
    await use(async (url, { noStream = false, ...options } = {}) => {
      const context = await browser.newContext({ reducedMotion: "reduce", ignoreHTTPSErrors: true, ...options });
      contexts.push(context);
      await context.addCookies(keys);
      if (noStream) {
        await context.route("**/api/live", (route) => route.fulfill({ contentType: "text/event-stream", body: "retry: 1000000\n\n" }));
      }
      collectErrors(context, errors);
      const page = await context.newPage();
      if (url) {
        await page.goto(url);
      }
      return page;
    });
    await Promise.all(contexts.map((context) => context.close()));
    expectErrors(errors, allowed);
  },

  // site is a demo without further flags.
  site: async ({ serve }, use) => {
    await use(await serve("-db", "memory"));
  },
});

// collectErrors adds the errors and warnings of a browser's consoles to errors.
export function collectErrors(context, errors) {
  context.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") {
      errors.push(message.text());
    }
  });
  context.on("weberror", (error) => errors.push(String(error.error())));
}

export const expectErrors = (errors, allowed) => expect(errors.filter((text) => !allowed.some((pattern) => pattern.test(text)))).toEqual([]);

// withPrograms calls use with the function start, and ends the programs that it started.
export async function withPrograms(use) {
  const running = [];
  await use(async (program, args, options = {}) => {
    const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"], ...options });
    const log = [];
    child.stderr.on("data", (data) => log.push(data));
    const exited = once(child, "exit");
    const stop = async (signal = "SIGTERM") => {
      child.kill(signal);
      await exited;
    };
    running.push(stop);
    const line = await Promise.race([
      once(createInterface(child.stdout), "line").then(([line]) => line),
      exited.then(() => Promise.reject(new Error(`${program} ${args.join(" ")}: ${Buffer.concat(log)}`))),
    ]);
    return { line, stop };
  });
  await Promise.all(running.map((stop) => stop()));
}

// serveGoogle runs a program behind https://app.test, and a stand-in for Google. settings
// returns the program's arguments and environment for a port and for the stand-in's
// environment.
export async function serveGoogle(start, program, settings) {
  const port = await freePort();
  const roots = join(temporary("roots-"), "roots.pem");
  const { line } = await start(join(folder, "google"), ["-app", "http://127.0.0.1:" + port, "-roots", roots]);
  const { google, app, env: standIn } = JSON.parse(line);
  const [args, env] = settings(port, standIn, "https://app.test:" + new URL("http://" + app).port);
  await start(join(folder, program), args, { env });
  const host = (name) => "https://" + name + ":" + new URL("http://" + app).port;
  return {
    site: host("app.test"),
    sibling: host("evil.app.test"),
    other: host("other.test"),
    plain: "http://app.test:" + port, // without TLS
    intercept: (page) => intercept(page.context(), google),
  };
}

// serveCustomer runs the customer program with a client ID. Only the sign-in by redirect needs the
// client secret.
export const serveCustomer = (start, ...args) =>
  serveGoogle(start, "customer", (port, { CUSTOMER_CLIENT_SECRET, ...env }) => [["-addr", "127.0.0.1:" + port, "-db", "memory", ...args], env]);

const picture = Buffer.from("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==", "base64");

async function intercept(context, google) {
  await context.route("https://accounts.google.com/**", async (route) => {
    const { pathname, search } = new URL(route.request().url());
    const response = await route.fetch({ url: google + pathname + search, maxRedirects: 0 });
    await route.fulfill({ response, headers: { ...response.headers(), "access-control-allow-origin": "*" } });
  });
  await context.route("https://lh3.googleusercontent.com/**", (route) => route.fulfill({ contentType: "image/png", body: picture }));
}

// refused returns the pattern of the console error for a refused request.
export const refused = (status) => new RegExp(`status of ${status} `);

// signIn signs in by the button, from any page, and waits until the header shows the
// button to sign out.
export async function signIn(page, email) {
  if (new URL(page.url()).pathname !== "/login") {
    await page.getByRole("link", { name: "Login", exact: true }).click();
  }
  await chooseAccount(page, email);
  await expect(page.getByRole("button", { name: "Sign Out", exact: true })).toBeVisible();
}

// chooseAccount clicks the button and picks an account in the stand-in's chooser.
export async function chooseAccount(page, email) {
  await page.getByRole("button", { name: /^(Sign in with Google|Über Google anmelden)$/ }).click();
  const chooser = page.getByRole("dialog", { name: "Choose an account" });
  await chooser.getByLabel("E-mail").fill(email);
  await chooser.getByRole("button", { name: "Continue" }).click();
}

export const heading = (page, name) => page.getByRole("heading", { level: 1, name, exact: true });

export const cell = (page, name) => page.getByRole("cell", { name, exact: true });

export const temporary = (name) => mkdtempSync(join(folder, name));

export async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

// The fixtures of the tests of login.js. Each test writes its own login page.
import { expect, serveCustomer, serveGoogle, test as base, withPrograms } from "./fixtures.js";

export { expect };

// The strict policy of every page, with what Google's documentation asks for. A violation
// is an error in the console and fails the test.
export const policy = [
  "default-src 'none'", "script-src 'self' https://accounts.google.com/gsi/client",
  "connect-src 'self' https://accounts.google.com/gsi/", "base-uri 'none'", "form-action 'self'",
].join("; ");

export const script = (attributes = "") => `<script src="/api/login.js" ${attributes}></script>`;

// loginPage returns the text of a page. Without options it is the page that the README shows.
export const loginPage = (attributes, { head = "", before = "", after = script(attributes) } = {}) => `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Sign in</title><meta name="color-scheme" content="light dark">${head}</head>
<body><main><h1>Welcome</h1>${before}<div id="google-signin"></div>${after}</main></body></html>`;

export const test = base.extend({
  // app is a program behind https://app.test with a stand-in for Google. Tests share it,
  // because each test has browsers of its own.
  app: [
    async ({}, use) => {
      await withPrograms(async (start) => {
        await use(await serveCustomer(start));
      });
    },
    { scope: "worker" },
  ],

  // redirectApp is the program with sign-in by redirect.
  redirectApp: [
    async ({}, use) => {
      await withPrograms(async (start) => {
        await use(await serveGoogle(start, "customer", (port, { CUSTOMER_CLIENT_SECRET, ...env }, site) => [
          ["-addr", "127.0.0.1:" + port, "-db", "memory", "-base-url", site],
          { ...env, CUSTOMER_CLIENT_SECRET },
        ]));
      });
    },
    { scope: "worker" },
  ],

  // open opens a page of the given text in a new browser, at /page. show opens another text
  // in its place. calls returns the calls of Google's script, events holds the events of
  // login.js, and posts holds what was posted to the server, all since the last show.
  open: async ({ app, visit }, use) => {
    await use(async (text, { query = "", on = app, site = on.site, headers = {}, prepare = () => {}, ...options } = {}) => {
      const page = await visit(null, options);
      const context = page.context();
      await on.intercept(page);
      await context.route(
        (url) => url.origin === site && url.pathname === "/page",
        (route) => route.fulfill({ contentType: "text/html; charset=utf-8", headers: { "content-security-policy": policy, ...headers }, body: text }),
      );
      await context.exposeBinding("record", ({}, event) => void page.events.push(event));
      await context.addInitScript(watch);
      page.calls = (name) => page.evaluate(listCalls, name);
      page.on("request", (request) => request.method() === "POST" && request.url().includes("/api/") && page.posts.push(request));
      page.show = async (other, query = "") => {
        text = other;
        page.events = [];
        page.posts = [];
        await page.goto(site + "/page" + query);
      };
      await prepare(page);
      await page.show(text, query);
      return page;
    });
  },
});

// watch runs in every page. It records the calls of google.accounts.id and the events. The
// parameter languages of the address replaces the languages of the browser.
function watch() {
  const languages = new URLSearchParams(location.search).get("languages");
  if (languages) {
    Object.defineProperty(navigator, "languages", { value: languages.split(",") });
  }
  const calls = (globalThis.calls = []);
  let id;
  globalThis.google = {
    accounts: {
      get id() {
        return id;
      },
      set id(real) {
        id = {};
        for (const [name, f] of Object.entries(real)) {
          id[name] = (...args) => {
            calls.push([name, ...args]);
            return f(...args);
          };
        }
      },
    },
  };
  for (const name of ["ready", "busy", "signed-in", "error", "signed-out"]) {
    document.addEventListener("googlesession:" + name, (e) => globalThis.record({ name, target: e.target.id, ...e.detail }));
  }
}

// listCalls returns the arguments of the calls of a function, as far as JSON has them.
function listCalls(name) {
  const plain = (key, value) => (value instanceof Element ? "#" + value.id : value);
  return JSON.parse(JSON.stringify(globalThis.calls.filter((call) => call[0] === name).map((call) => call.slice(1)), plain));
}

export const status = (page) => page.getByRole("status");
export const alert = (page) => page.getByRole("alert");
export const button = (page) => page.getByRole("button", { name: "Sign in with Google" });

// isSignedIn reports whether the browser has a live session.
export async function isSignedIn(page, app) {
  const other = await page.context().newPage();
  const answer = await other.goto(app.site + "/api/user");
  const signedIn = answer.ok() && other.url() === app.site + "/api/user"; // and not the login page
  await other.close();
  return signedIn;
}

// answerOf returns the site's answer to a request that a route has intercepted. Only the
// browser knows that app.test is this machine.
export async function answerOf(route) {
  const request = route.request();
  const url = new URL(request.url());
  const headers = { cookie: "", ...(await request.allHeaders()), host: url.host }; // no cookies of 127.0.0.1
  return route.fetch({ url: url.href.replace(url.hostname, "127.0.0.1"), headers, maxRedirects: 0 });
}

// changeLogin makes the answer of GET login another one.
export const changeLogin = (page, change) =>
  page.route("**/api/login", async (route) => {
    if (route.request().method() !== "GET") return route.fallback();
    const response = await answerOf(route);
    await route.fulfill({ response, json: { ...(await response.json()), ...change } });
  });

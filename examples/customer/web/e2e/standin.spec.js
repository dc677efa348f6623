// Tests of googletest's stand-in for Google's script.
/* global answers, box, callback, initialize */
import { expect, test } from "./fixtures.js";

// open opens a page with the stand-in and defines the function initialize there, which adds the
// options that every page needs.
async function open(site, visit, { query = "", ...options } = {}) {
  const page = await visit(site + "/healthz", options); // a document without a script of its own
  const login = await (await page.request.get(site + "/api/login")).json();
  await page.addScriptTag({ url: login.script + query });
  await page.evaluate((login) => {
    globalThis.answers = [];
    globalThis.initialize = (options) =>
      google.accounts.id.initialize({ client_id: login.client_id, nonce: login.nonce, callback: (answer) => answers.push(answer), ...options });
    globalThis.box = document.body.appendChild(document.createElement("div"));
  }, login);
  return page;
}

// draw renders a button and returns its text, and what can be measured.
const draw = (page, options) =>
  page.evaluate((options) => {
    google.accounts.id.renderButton(box, options);
    const button = box.firstChild.shadowRoot.querySelector("button");
    const { width, height } = button.getBoundingClientRect();
    const { backgroundColor, borderRadius } = getComputedStyle(button);
    return { name: button.ariaLabel ?? button.querySelector(".text").textContent, width, height, backgroundColor, borderRadius, title: button.title };
  }, options);

test("the button looks as its options say", async ({ site, visit }) => {
  const page = await open(site, visit);
  await page.evaluate(() => initialize({}));
  const plain = await draw(page, {});
  expect(plain).toMatchObject({ name: "Sign in with Google", height: 40, backgroundColor: "rgb(255, 255, 255)", title: "Stand-in for Google" });
  for (const [options, want] of [
    [{ type: "icon" }, { width: 40, height: 40, name: "Sign in with Google" }],
    [{ type: "icon", shape: "circle" }, { borderRadius: "20px" }],
    [{ size: "medium" }, { height: 32 }],
    [{ size: "small" }, { height: 20 }],
    [{ type: "icon", size: "medium" }, { width: 32, height: 32 }],
    [{ width: 300 }, { width: 300 }],
    [{ width: "250" }, { width: 250 }],
    [{ width: 5000 }, { width: 400 }],
    [{ width: "wide" }, { width: plain.width }],
    [{ theme: "filled_black" }, { backgroundColor: "rgb(19, 19, 20)" }],
    [{ theme: "filled_blue" }, { backgroundColor: "rgb(11, 87, 208)" }],
    [{ theme: "pink" }, { backgroundColor: "rgb(255, 255, 255)" }],
    [{ shape: "pill" }, { borderRadius: "20px" }],
    [{ text: "continue_with" }, { name: "Continue with Google" }],
    [{ locale: "de" }, { name: "Über Google anmelden" }],
    [{ locale: "ja_JP", text: "signin" }, { name: "ログイン" }],
    [{ locale: "xx" }, { name: "Sign in with Google" }],
  ]) {
    expect(await draw(page, options), JSON.stringify(options)).toMatchObject(want);
  }
});

test("a second initialize counts for later calls, and warns if it changes nothing", async ({ site, visit, allowed }) => {
  allowed.push(/called again with the same options/);
  const page = await open(site, visit);
  const warnings = [];
  page.on("console", (message) => warnings.push(message.text()));
  await page.evaluate(() => {
    globalThis.callback = (answer) => answers.push(["old", answer]);
    initialize({ callback });
    initialize({ callback, itp_support: true });
    initialize({ callback: (answer) => answers.push(["new", answer]), itp_support: true });
  });
  expect(warnings).toEqual([]);
  await draw(page, {});
  await page.getByRole("button", { name: "Sign in with Google" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "ada@example.com" }).click();
  await expect.poll(() => page.evaluate(() => answers.map(([which]) => which))).toEqual(["new"]);
  await page.evaluate(() => {
    initialize({ callback });
    initialize({ callback });
  });
  expect(warnings).toEqual(["google.accounts.id.initialize: called again with the same options"]);
});

test("the answer has what Google's has", async ({ site, visit }) => {
  const page = await open(site, visit);
  await page.evaluate(() => initialize({}));
  await draw(page, { state: "x" });
  await page.getByRole("button", { name: "Sign in with Google" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "ada@example.com" }).click();
  await expect.poll(() => page.evaluate(() => answers.length)).toBe(1);
  await page.evaluate(() => google.accounts.id.prompt());
  await page.getByRole("dialog").getByRole("button", { name: "ada@example.com" }).click();
  await expect.poll(() => page.evaluate(() => answers.length)).toBe(2);
  const [button, oneTap] = await page.evaluate(() => answers);
  expect(button).toEqual({ credential: expect.any(String), select_by: "btn", state: "x", clientId: "demo.apps.googleusercontent.com" });
  expect(oneTap).toEqual({ credential: expect.any(String), select_by: "fedcm", clientId: "demo.apps.googleusercontent.com" });
});

// prompt shows One Tap and records its moments.
const prompt = (page, options = {}) =>
  page.evaluate((options) => {
    globalThis.moments = [];
    initialize(options);
    google.accounts.id.prompt((notification) => moments.push(notification));
  }, options);

const moments = (page) =>
  page.evaluate(() => moments.map((m) => [m.getMomentType(), m.isSkippedMoment(), m.isDismissedMoment(), m.getDismissedReason() ?? ""]));

test("One Tap closes on a click beside it, unless the page has switched that off", async ({ site, visit }) => {
  const page = await open(site, visit);
  const oneTap = page.getByRole("dialog");
  await prompt(page);
  await oneTap.getByRole("heading").click();
  await expect(oneTap).toBeVisible();
  await page.mouse.click(10, 300);
  await expect(oneTap).toHaveCount(0);
  expect(await moments(page)).toEqual([["skipped", true, false, ""]]);

  await prompt(page, { cancel_on_tap_outside: false, color_scheme: "dark" });
  await page.mouse.click(10, 300);
  await expect(oneTap).toBeVisible();
  await expect(oneTap).toHaveCSS("background-color", "rgb(19, 19, 20)");
  await page.evaluate(() => google.accounts.id.cancel());
  expect(await moments(page)).toEqual([["dismissed", false, true, "cancel_called"]]);
});

test("One Tap has the moments of FedCM only, and an error for each method that was withdrawn", async ({ site, visit }) => {
  const withdrawn = ["isDisplayMoment", "isDisplayed", "isNotDisplayed", "getNotDisplayedReason", "getSkippedReason"];
  const call = (page) =>
    page.evaluate((names) => {
      const result = (name) => {
        try {
          return String(moments.at(-1)[name]());
        } catch (error) {
          return error.message;
        }
      };
      return names.map(result);
    }, withdrawn);

  const page = await open(site, visit);
  await prompt(page);
  expect(await moments(page)).toEqual([]); // a display moment would be in the list
  await page.getByRole("dialog").getByRole("button", { name: "Cancel" }).click();
  expect(await moments(page)).toEqual([["skipped", true, false, ""]]);
  expect(await call(page)).toEqual(withdrawn.map((name) => `google.accounts.id.prompt: ${name} was withdrawn with FedCM`));

  const old = await open(site, visit, { query: "?moments=old" });
  await prompt(old);
  expect(await moments(old)).toEqual([["display", false, false, ""]]);
  expect(await call(old)).toEqual(["true", "true", "false", "undefined", "undefined"]);
  await old.getByRole("dialog").getByRole("button", { name: "Cancel" }).click();
  expect(await call(old)).toEqual(["false", "false", "false", "undefined", "user_cancel"]);
});

// Tests of the program with a client ID. Google's script, button and page are replaced by a
// stand-in. TLS, and fetching the keys through a proxy, are as in production.
import { expect, heading, signIn, test } from "./fixtures.js";

test("the policy admits Google's script and pictures and nothing else", async ({ serveGoogle, visit, allowed }) => {
  allowed.push(/Content Security Policy/);
  const { site, intercept } = await serveGoogle();
  const page = await visit();
  await intercept(page);
  const scripts = [];
  page.on("request", (request) => request.resourceType() === "script" && scripts.push(request.url()));
  const answer = await page.goto(site + "/login?next=/customer");
  await signIn(page, "ada@example.com");
  await expect(heading(page, "Customers")).toBeVisible();
  expect(scripts.filter((url) => !url.startsWith(site + "/assets/"))).toEqual(["https://accounts.google.com/gsi/client"]);
  expect(answer.headers()["content-security-policy"]).not.toContain("unsafe");
  await expect(page.getByText("Demo: every person")).toHaveCount(0);

  const picture = page.locator("header img.avatar");
  await expect(picture).toHaveAttribute("src", /^https:\/\/lh3\.googleusercontent\.com\//);
  await expect.poll(() => picture.evaluate((img) => img.naturalWidth)).toBeGreaterThan(0);

  // The page tries what an injected script would try.
  const blocked = await page.evaluate(async () => {
    const refusals = [];
    addEventListener("securitypolicyviolation", (e) => refusals.push(e.effectiveDirective));
    document.body.insertAdjacentHTML("beforeend", '<img src="https://other.test/pixel"><a onclick="1" style="color:red">x</a>');
    for (const [tag, properties] of [
      ["script", { textContent: "globalThis.injected = true" }],
      ["script", { src: "https://accounts.google.com/o/oauth2/revoke?callback=alert" }],
      ["iframe", { src: "https://other.test/" }],
      ["base", { href: "https://other.test/" }],
    ]) {
      document.head.append(Object.assign(document.createElement(tag), properties));
    }
    await fetch("https://other.test/").catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 200));
    return refusals;
  });
  expect(new Set(blocked)).toEqual(
    new Set(["img-src", "script-src-elem", "script-src-attr", "style-src-attr", "frame-src", "base-uri", "connect-src"]),
  );
  expect(await page.evaluate(() => globalThis.injected)).toBeUndefined();
});

test("a letter replaces a picture that cannot be loaded", async ({ serveGoogle, visit, allowed }) => {
  allowed.push(/ERR_FAILED/);
  const { site, intercept } = await serveGoogle();
  const page = await visit();
  await intercept(page);
  await page.route("https://lh3.googleusercontent.com/**", (route) => route.abort());
  await page.goto(site + "/login");
  await signIn(page, "ada@example.com");
  await expect(page.locator("header span.avatar")).toHaveText("A");
});

test("redirect mode: Google's page posts the form from its own site, and the browser returns", async ({ serveGoogle, visit }) => {
  const { site, intercept } = await serveGoogle("-redirect");
  const page = await visit();
  await intercept(page);
  await page.goto(site + "/customer");
  await expect(page.getByRole("button", { name: "Sign in with Google" })).toBeVisible();
  const login = (await page.context().cookies()).find(({ name }) => name === "__Host-Http-login");
  expect(login).toMatchObject({ sameSite: "None", secure: true, httpOnly: true });
  await expect(page.getByRole("dialog")).toHaveCount(0); // One Tap does not work with a redirect

  const posted = page.waitForRequest((request) => request.method() === "POST" && request.url() === site + "/api/login");
  await page.getByRole("button", { name: "Sign in with Google" }).click();
  await expect(page).toHaveURL(/^https:\/\/accounts\.google\.com\/gsi\/client\?page#/);
  const chooser = page.getByRole("dialog", { name: "Choose an account" });
  await chooser.getByRole("button", { name: "ada@example.com" }).click();

  const headers = await (await posted).allHeaders();
  expect(headers).toMatchObject({ origin: "https://accounts.google.com", "content-type": "application/x-www-form-urlencoded" });
  await expect(page).toHaveURL(site + "/customer");
  await expect(heading(page, "Customers")).toBeVisible();
  const session = (await page.context().cookies()).find(({ name }) => name === "__Host-Http-session");
  expect(session).toMatchObject({ sameSite: "Lax", secure: true, httpOnly: true });

  // Cancelling leads back to the login page, which still works.
  await page.getByRole("button", { name: "Sign Out", exact: true }).click();
  await page.getByRole("link", { name: "Login", exact: true }).click();
  await page.getByRole("button", { name: "Sign in with Google" }).click();
  await chooser.getByRole("button", { name: "Cancel" }).click();
  await expect(page).toHaveURL(site + "/login");
  await page.getByRole("button", { name: "Sign in with Google" }).click();
  await chooser.getByRole("button", { name: "ada@example.com" }).click();
  await expect(page.getByText("Hello, Ada Example.")).toBeVisible();
});

test("redirect mode: a refusal leads to the login page, which shows the reason", async ({ serveGoogle, visit }) => {
  const { site, intercept } = await serveGoogle("-redirect", "-invited-only");
  const page = await visit();
  await intercept(page);
  await page.goto(site + "/customer");
  await page.getByRole("button", { name: "Sign in with Google" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "ada@example.com" }).click();
  await expect(page).toHaveURL(site + "/login?code=not_admitted&next=%2Fcustomer");
  await expect(page.getByRole("alert")).toContainText("ask for an invitation");
});

test("redirect mode works with the stand-in", async ({ serve, visit }) => {
  const site = await serve("-db", "memory", "-redirect");
  const page = await visit(site + "/devices");
  await page.getByRole("button", { name: "Sign in with Google" }).click();
  await expect(page).toHaveURL(/\/demo\/gsi\.js\?page#/);
  await page.getByRole("dialog").getByRole("button", { name: "bob@example.com" }).click();
  await expect(heading(page, "Devices")).toBeVisible();
  await expect(page.locator("header")).toContainText("bob@example.com");
});

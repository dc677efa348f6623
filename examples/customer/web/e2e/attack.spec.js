// Attacks from other sites and from other hosts of this site.
import { cell, expect, refused, signIn, test } from "./fixtures.js";

const victim = async (serveGoogle, visit) => {
  const hosts = await serveGoogle();
  const page = await visit();
  await hosts.intercept(page);
  await page.goto(hosts.site + "/login?next=/customer");
  await signIn(page, "ada@example.com");
  await expect(cell(page, "Ada Lindqvist")).toBeVisible();
  return { page, ...hosts };
};

test("a sibling host cannot plant a session cookie or a nonce cookie", async ({ serveGoogle, visit }) => {
  const { page, site, sibling } = await victim(serveGoogle, visit);
  const before = await page.context().cookies(site);
  const evil = await page.context().newPage();
  await evil.goto(sibling);
  await evil.evaluate(() => {
    for (const name of ["__Host-Http-session", "__Host-Http-login", "__host-http-session", "__Host-session", "session"]) {
      for (const attributes of ["domain=app.test; path=/; secure", "domain=app.test; path=/api; secure", "domain=app.test; path=/"]) {
        document.cookie = name + "=evil; " + attributes;
      }
    }
  });
  const planted = (await page.context().cookies(site + "/api/user")).filter((cookie) => !before.some(({ name, value }) => name === cookie.name && value === cookie.value));
  expect(planted.map(({ name }) => name)).toEqual(["session", "session"]); // the server ignores this name
  await page.reload();
  await expect(cell(page, "Ada Lindqvist")).toBeVisible();
  await page.getByRole("button", { name: "Sign Out", exact: true }).click();
  await signIn(page, "ada@example.com");
});

test("forms of other sites change nothing and neither sign in nor sign out", async ({ serveGoogle, visit, allowed }) => {
  allowed.push(refused(403), refused(405), /CORS policy/, /ERR_FAILED/);
  const { page, site, sibling, other, intercept } = await victim(serveGoogle, visit);
  // The attacker has a valid token from his own visit.
  const attacker = await visit();
  await intercept(attacker);
  await attacker.goto(site + "/healthz");
  const credential = await attacker.evaluate(async () => {
    const { nonce } = await (await fetch("/api/login")).json();
    const body = JSON.stringify({ email: "mallory@evil.test", nonce });
    const answer = await fetch("https://accounts.google.com/gsi/token", { method: "POST", headers: { "Content-Type": "application/json" }, body });
    return (await answer.json()).credential;
  });

  for (const host of [other, sibling]) {
    for (const [path, fields, type] of [
      ["/api/logout", {}, undefined],
      ["/api/login", { credential, g_csrf_token: "x", state: "/" }, undefined],
      ["/api/customer", { '{"name":"evil","email":"evil@evil.test","x":"': '"}' }, "text/plain"],
    ]) {
      const evil = await page.context().newPage();
      await evil.goto(host);
      const answered = evil.waitForResponse(site + path);
      await evil.evaluate(
        ([action, fields, enctype]) => {
          document.cookie = "g_csrf_token=x; path=/; secure; samesite=none; domain=" + location.hostname.split(".").slice(-2).join(".");
          const form = Object.assign(document.createElement("form"), { method: "post", action, ...(enctype ? { enctype } : {}) });
          form.append(...Object.entries(fields).map(([name, value]) => Object.assign(document.createElement("input"), { name, value })));
          document.body.append(form);
          form.submit();
        },
        [site + path, fields, type],
      );
      const answer = await answered;
      // A refused sign-in form redirects to the login page with the reason.
      expect([answer.status(), await answer.headerValue("location")], host + path).toEqual(path === "/api/login" ? [303, "/login?code=cross_origin&next=%2F"] : [403, null]);
      expect(await answer.headerValue("set-cookie")).toBeNull();
      await evil.close();
    }

    const evil = await page.context().newPage();
    await evil.goto(host);
    for (const method of ["POST", "DELETE", "PATCH"]) { // POST needs no preflight request, the others do
      await evil.evaluate(
        ([url, method]) => fetch(url, { method, mode: method === "POST" ? "no-cors" : "cors", credentials: "include" }).catch(() => {}),
        [site + "/api/logout", method],
      );
    }
    const read = await evil.evaluate((url) => fetch(url, { credentials: "include" }).then(() => "read", () => "kept"), site + "/api/customer");
    expect(read).toBe("kept");
    await evil.close();
  }

  await page.reload();
  await expect(cell(page, "Ada Lindqvist")).toBeVisible();
  await expect(page.getByText("evil")).toHaveCount(0);
  await expect(page.locator("header")).toContainText("ada@example.com");
});

test("another site cannot frame a page", async ({ serveGoogle, visit, allowed }) => {
  allowed.push(/frame-ancestors|X-Frame-Options/);
  const { page, site, other } = await victim(serveGoogle, visit);
  await page.goto(other);
  const framed = await page.evaluate((src) => {
    const frame = Object.assign(document.createElement("iframe"), { src });
    document.body.append(frame);
    return new Promise((resolve) => (frame.onload = resolve)).then(() => frame.contentDocument === null);
  }, site + "/customer");
  expect(framed).toBe(true); // the frame has the browser's error page, whose origin differs
  await expect(page.frameLocator("iframe").getByText("Customers")).toHaveCount(0);
});

test("a token is refused in a browser that did not ask for it", async ({ site, visit, allowed }) => {
  allowed.push(refused(401));
  const thief = await visit(site + "/healthz");
  const page = await visit(site + "/login");
  const sent = page.waitForRequest((request) => request.method() === "POST" && request.url().endsWith("/api/login"));
  await page.route("**/api/login", (route) => (route.request().method() === "POST" ? route.abort() : route.continue())); // the token is stolen on its way
  allowed.push(/ERR_FAILED/);
  await page.getByRole("button", { name: "ada@example.com" }).click();
  const { credential } = (await sent).postDataJSON();
  const answer = await thief.evaluate(async (credential) => {
    await fetch("/api/login");
    const response = await fetch("/api/login", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ credential }) });
    return { status: response.status, code: (await response.json()).code };
  }, credential);
  expect(answer).toEqual({ status: 401, code: "nonce_mismatch" });
});

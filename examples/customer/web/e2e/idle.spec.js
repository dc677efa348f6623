// The warning before a session ends, what a person has typed when it has ended, and a lost
// network.
import { cell, expect, heading, refused, signIn, test } from "./fixtures.js";
import { ask } from "./people.js";

test("before an unused session ends, the page asks, and staying extends it", async ({ site, visit }) => {
  const page = await visit(site + "/login?next=/customer");
  await page.clock.install();
  await signIn(page, "ada@example.com");
  await expect(cell(page, "Ada Lindqvist")).toBeVisible();
  const question = page.getByRole("dialog", { name: "Are you still there?" });
  await page.clock.fastForward("27:00");
  await expect(question).toHaveCount(0);

  // The server's clock has not moved, so its answer is changed.
  let left = 100;
  await page.route("**/api/session", async (route) => {
    const response = await route.fetch();
    const answer = await response.json();
    expect(answer.seconds_left).toBeGreaterThan(1700); // of 30 minutes
    await route.fulfill({ response, json: { ...answer, ...(left ? { seconds_left: left } : {}) } });
  });
  await page.clock.fastForward("02:00");
  await expect(question).toBeVisible();
  await expect(question).toContainText("2 minutes");
  left = 0;
  const used = page.waitForRequest("**/api/user");
  await question.getByRole("button", { name: "Stay signed in" }).click();
  await used;
  await expect(question).toHaveCount(0);
  await expect(cell(page, "Ada Lindqvist")).toBeVisible();

  // The question can be answered with a sign-out, too.
  left = 30;
  await page.clock.fastForward("29:00");
  await expect(question).toContainText("less than a minute");
  await question.getByRole("button", { name: "Sign Out" }).click();
  await expect(page).toHaveURL(site + "/");
  await expect(page.getByRole("link", { name: "Login", exact: true })).toBeVisible();
});

test("a watch that finds that the session has ended asks no more", async ({ site, visit, allowed }) => {
  allowed.push(refused(401));
  const page = await visit(site + "/login?next=/customer");
  await page.clock.install();
  await signIn(page, "ada@example.com");
  await expect(cell(page, "Ada Lindqvist")).toBeVisible();
  let asked = 0;
  await page.route("**/api/session", (route) => {
    asked++;
    return route.fulfill({ status: 401, contentType: "application/problem+json", body: '{"status":401,"code":"session_expired"}' });
  });
  await page.clock.fastForward("29:00");
  await expect(page).toHaveURL(/\/login\?code=session_expired&/);
  await page.clock.fastForward("05:00");
  await expect(heading(page, "Login")).toBeVisible();
  expect(asked).toBe(1);
});

test("what a person was typing when the session ended is there after the sign-in, for that person only", async ({ site, visit, allowed }) => {
  allowed.push(refused(401));
  const here = await visit(site + "/login?next=/customer");
  await signIn(here, "ada@example.com");
  await here.getByRole("button", { name: "Add customer" }).click();
  await here.getByRole("dialog").getByLabel("Name").fill("Half a cust");
  const there = await visit(site + "/login");
  await signIn(there, "ada@example.com");
  const { sessions } = await ask(there, "GET", "/sessions");
  await ask(there, "DELETE", "/sessions/" + sessions.find(({ current }) => !current).id);
  await expect(here).toHaveURL(/\/login\?code=session_ended&next=%2Fcustomer/);
  await signIn(here, "bob@example.com");
  await expect(heading(here, "Customers")).toBeVisible();
  await here.getByRole("button", { name: "Add customer" }).click();
  await expect(here.getByRole("dialog").getByLabel("Name")).toHaveValue("");
  await here.keyboard.press("Escape");
  await ask(here, "DELETE", "/sessions/" + (await ask(here, "GET", "/sessions")).sessions[0].id);
  await expect(here).toHaveURL(/\/login\?code=/);
  await signIn(here, "ada@example.com");
  const name = here.getByRole("dialog").getByLabel("Name"); // the dialog is open again
  await expect(name).toHaveValue("Half a cust");
});

test("a page that was opened without a network has its data as soon as there is one", async ({ site, visit, allowed }) => {
  allowed.push(/ERR_INTERNET_DISCONNECTED|ERR_FAILED|ERR_NETWORK_CHANGED/);
  const page = await visit(site + "/login?next=/customer");
  await signIn(page, "ada@example.com");
  await expect(cell(page, "Ada Lindqvist")).toBeVisible();
  await page.getByRole("link", { name: "Devices", exact: true }).click();
  await expect(heading(page, "Devices")).toBeVisible();
  await page.getByRole("link", { name: "Customers", exact: true }).click();
  await expect(cell(page, "Ada Lindqvist")).toBeVisible();
  await page.context().setOffline(true);
  await page.getByRole("link", { name: "Devices", exact: true }).click();
  await expect(page.getByRole("main").getByRole("alert")).toBeVisible();
  await expect(page.getByRole("banner")).toContainText("ada@example.com"); // no user has been signed out
  await page.context().setOffline(false);
  await expect(page.getByText("this device")).toBeVisible();
  await expect(page.getByRole("main").getByRole("alert")).toHaveCount(0);
});

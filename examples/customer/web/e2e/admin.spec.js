import { chooseAccount, expect, heading, refused, signIn, temporary, test } from "./fixtures.js";

const admin = "admin@example.com";
const toast = (page) => page.locator(".toast").last();

test("a user whom an administrator signs out or disables gets to the login page, which leads back", async ({ serve, visit, allowed }) => {
  allowed.push(refused(401), refused(403));
  const site = await serve("-db", "sqlite:" + temporary("users-") + "/test.db");
  const ada = await visit(site + "/login?next=/customer", { noStream: true });
  await signIn(ada, "ada@example.com");
  const page = await visit(site + "/login");
  await signIn(page, admin);

  await page.getByRole("link", { name: "Admin", exact: true }).click();
  await expect(heading(page, "Users")).toBeVisible();
  const users = page.getByRole("main").locator("li", { has: page.getByRole("switch") });
  await expect(users).toHaveCount(2);
  await expect(users.filter({ hasText: admin })).toContainText("you");
  await expect(page.getByRole("switch", { name: "Admin: " + admin })).toBeChecked();
  await expect(page.getByRole("switch", { name: "Admin: ada@example.com" })).not.toBeChecked();

  // End one session of the user, then all.
  await page.getByRole("link", { name: "Ada Example" }).click();
  await expect(page.getByRole("heading", { name: "Ada Example" })).toBeVisible();
  await page.getByRole("button", { name: /^End Chrome \d+ on Linux/ }).click();
  await expect(page.getByText("This user is not signed in.")).toBeVisible();
  await ada.getByRole("link", { name: "Devices", exact: true }).click();
  await expect(ada).toHaveURL(site + "/login?code=session_revoked&next=%2Fdevices");
  await expect(ada.getByRole("alert")).toContainText("by an administrator");
  await chooseAccount(ada, "ada@example.com");
  await expect(heading(ada, "Devices")).toBeVisible();
  await page.reload();
  await page.getByRole("button", { name: "End all" }).click();
  await expect(toast(page)).toContainText("1 session of Ada Example has ended.");
  await ada.getByRole("link", { name: "Top", exact: true }).click();
  await ada.getByRole("link", { name: "Customers", exact: true }).first().click();
  await expect(ada).toHaveURL(site + "/login?code=session_revoked&next=%2Fcustomer");

  // A disabled user is signed out at once and cannot sign in again.
  await chooseAccount(ada, "ada@example.com");
  await expect(heading(ada, "Customers")).toBeVisible();
  await page.getByRole("switch", { name: "Disabled: ada@example.com" }).click();
  await expect(toast(page)).toContainText("ada@example.com is disabled and signed out.");
  await ada.getByRole("link", { name: "Devices", exact: true }).click();
  await expect(ada).toHaveURL(/\/login\?code=(user_disabled|session_revoked)&next=%2Fdevices/);
  await chooseAccount(ada, "ada@example.com");
  await expect(ada.getByRole("alert").last()).toContainText("This account is disabled.");

  await page.getByRole("switch", { name: "Disabled: ada@example.com" }).click();
  await expect(toast(page)).toContainText("ada@example.com may sign in again.");
  await chooseAccount(ada, "ada@example.com");
  await expect(heading(ada, "Devices")).toBeVisible();

  // The user becomes an administrator, and later is one no longer.
  await page.getByRole("link", { name: "Users", exact: true }).click();
  await page.getByRole("switch", { name: "Admin: ada@example.com" }).click();
  await expect(toast(page)).toContainText("ada@example.com is an administrator now.");
  await ada.reload();
  await ada.getByRole("link", { name: "Admin", exact: true }).click();
  await expect(heading(ada, "Users")).toBeVisible();
  await page.getByRole("switch", { name: "Admin: ada@example.com" }).click();
  await expect(toast(page)).toContainText("ada@example.com is not an administrator any more.");
  await ada.getByRole("link", { name: "Ada Example" }).click();
  await expect(ada.locator(".problem")).toHaveText("You are not an administrator any more, so this page is closed to you.");
  await ada.reload();
  await expect(ada.locator(".problem")).toHaveText("Only administrators may see this page.");

  // The user is deleted.
  await page.getByRole("link", { name: "Ada Example" }).click();
  await page.getByRole("button", { name: "Delete user" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete user" }).click();
  await expect(heading(page, "Users")).toBeVisible();
  await expect(users).toHaveCount(1);
  await ada.getByRole("link", { name: "Customers", exact: true }).click();
  await expect(ada).toHaveURL(/\/login/);
});

test("administrators cannot lock themselves out", async ({ site, visit, allowed }) => {
  allowed.push(refused(409));
  const page = await visit(site + "/login?next=/admin");
  await signIn(page, admin);
  for (const name of ["Admin: ", "Disabled: "]) {
    const box = page.getByRole("switch", { name: name + admin });
    const before = await box.isChecked();
    await box.click();
    await expect(toast(page)).toContainText("Administrators cannot lock themselves out.");
    await expect(box).toBeChecked({ checked: before });
  }
});

test("signing in again with an older token asks for one more click", async ({ site, visit, allowed }) => {
  allowed.push(refused(401));
  const page = await visit(site + "/login?next=/admin");
  const minted = page.waitForResponse("**/demo/token?*");
  await signIn(page, admin);
  const old = await (await minted).text();
  await page.waitForTimeout(1500); // a token of the present second counts as new enough
  await page.route("**/api/admin/sessions/revoke-all", (route) => route.fulfill({ status: 401, contentType: "application/problem+json", body: '{"status":401,"code":"reauth_needed"}' }), { times: 1 });
  await page.route("**/demo/token?*", (route) => route.fulfill({ contentType: "application/json", body: old }), { times: 1 });
  await page.getByRole("button", { name: "Sign all users out" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Sign all users out" }).click();
  const stepUp = page.getByRole("dialog", { name: "Is it you?" });
  await chooseAccount(page, admin);
  await expect(stepUp.getByRole("alert")).toHaveText("That sign-in was older than this session. Please click the button once more.");
  await chooseAccount(page, admin);
  await expect(stepUp).toBeHidden();
  await expect(page).toHaveURL(/code=everybody_signed_out/);
});

test("signing all users out needs a confirmation and a fresh sign-in", async ({ site, visit, allowed }) => {
  allowed.push(refused(401), refused(403));
  const ada = await visit(site + "/login?next=/customer");
  await signIn(ada, "ada@example.com");
  const page = await visit(site + "/login?next=/admin");
  await signIn(page, admin);

  // The server answers so ten minutes after the sign-in.
  const tooOld = (route) =>
    route.fulfill({ status: 401, contentType: "application/problem+json", body: '{"status":401,"code":"reauth_needed","detail":"Please sign in again to do this."}' });
  const revokeAll = "**/api/admin/sessions/revoke-all";
  const press = async () => {
    await page.getByRole("button", { name: "Sign all users out" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Sign all users out" }).click();
  };

  await page.route(revokeAll, tooOld, { times: 1 });
  await press();
  const stepUp = page.getByRole("dialog", { name: "Is it you?" });
  await expect(stepUp).toContainText(admin);
  await stepUp.getByRole("button", { name: "Cancel" }).click();
  await expect(stepUp).toBeHidden();
  await expect(toast(page)).toContainText("Please sign in again to do this.");

  await page.route(revokeAll, tooOld, { times: 1 });
  await press();
  await chooseAccount(page, "ada@example.com"); // another account
  await expect(stepUp.getByRole("alert")).toContainText("That was another account.");
  await expect(page.locator("header")).toContainText(admin);
  const signedIn = page.waitForRequest((request) => request.method() === "POST" && request.url() === site + "/api/login");
  await chooseAccount(page, admin);
  expect((await signedIn).postDataJSON()).toMatchObject({ reauth: true });

  await expect(page).toHaveURL(site + "/login?code=everybody_signed_out&next=%2Fadmin");
  await expect(page.getByText("All users have been signed out")).toBeVisible();
  await ada.reload();
  await expect(ada).toHaveURL(/\/login\?code=\w+&next=%2Fcustomer/);
  await chooseAccount(page, admin);
  await expect(heading(page, "Users")).toBeVisible();
});

test("a user who is not an administrator does not see the admin pages", async ({ site, visit }) => {
  const page = await visit(site + "/login?next=/admin");
  await signIn(page, "ada@example.com");
  await expect(page.locator(".problem")).toHaveText("Only administrators may see this page.");
  await expect(page.getByRole("link", { name: "Admin", exact: true })).toHaveCount(0);
});

test("the audit shows actor, action and target, the newest first", async ({ site, visit, allowed }) => {
  allowed.push(refused(401));
  const ada = await visit(site + "/login");
  await signIn(ada, "ada@example.com");
  const page = await visit(site + "/login?next=/admin");
  await signIn(page, admin);
  await page.getByRole("switch", { name: "Disabled: ada@example.com" }).click();
  await expect(toast(page)).toContainText("is disabled");
  await page.getByRole("link", { name: "Audit" }).click();
  await expect(heading(page, "Audit")).toBeVisible();
  const row = page.locator("tbody tr").filter({ hasText: "ada@example.com" }).filter({ hasText: admin });
  await expect(row.first()).toBeVisible();
  await expect(page.locator("tbody tr").first()).toContainText("ada@example.com");
});

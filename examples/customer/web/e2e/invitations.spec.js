import { chooseAccount, expect, heading, refused, signIn, test } from "./fixtures.js";

const row = (page, email) => page.getByRole("row").filter({ hasText: email });
const toast = (page, text) => page.getByText(text, { exact: true });

// open signs the administrator in and opens the page.
async function open(site, visit, options) {
  const page = await visit(site + "/login?next=/admin/invitations", options);
  await signIn(page, "admin@example.com");
  await expect(heading(page, "Invitations")).toBeVisible();
  return page;
}

async function invite(page, email, isAdmin = false) {
  await page.getByLabel("E-mail").fill(email);
  await page.getByRole("switch", { name: "Admin" }).setChecked(isAdmin);
  await page.getByRole("button", { name: "Invite", exact: true }).click();
}

test("an invitation can be made once, and its link copied", async ({ site, visit, allowed }) => {
  allowed.push(refused(409));
  const page = await open(site, visit, { permissions: ["clipboard-read", "clipboard-write"] });
  await page.getByRole("button", { name: "Invite a person" }).click(); // in the empty list
  await expect(page.getByLabel("E-mail")).toBeFocused();
  await invite(page, "ada@example.com");
  await expect(row(page, "ada@example.com")).toContainText("not yet, expires in 13 days");
  await expect(page.getByLabel("E-mail")).toBeFocused();
  await invite(page, "grace@example.com", true);
  await expect(row(page, "grace@example.com")).toContainText("Admin");
  await invite(page, "ada@example.com");
  await expect(toast(page, "This address has been invited already.")).toBeVisible();

  await page.getByRole("main").getByRole("button", { name: "Copy link" }).click();
  await expect(toast(page, "The link has been copied.")).toBeVisible();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(site + "/login");
});

test("only an invited person signs in, which accepts the invitation", async ({ serve, visit, allowed }) => {
  allowed.push(refused(403));
  const site = await serve("-db", "memory", "-invited-only");
  const page = await open(site, visit);
  await invite(page, "ada@example.com");
  await expect(row(page, "ada@example.com")).toContainText("not yet");
  await signIn(await visit(site + "/login"), "ada@example.com");
  const bob = await visit(site + "/login");
  await chooseAccount(bob, "bob@example.com");
  await expect(bob.getByRole("alert")).toContainText("ask for an invitation");
  await page.reload();
  await expect(row(page, "ada@example.com")).not.toContainText("not yet");
});

test("a withdrawal can be undone for a while", async ({ serve, visit, allowed }) => {
  allowed.push(refused(403));
  const site = await serve("-db", "memory", "-invited-only");
  const page = await open(site, visit);
  for (const email of ["ada@example.com", "bob@example.com", "grace@example.com"]) {
    await invite(page, email);
    await expect(row(page, email)).toBeVisible();
  }
  const withdraw = (email) => page.getByRole("button", { name: `Withdraw the invitation of ${email}` });
  const emails = () => page.getByRole("row").locator(".main").allTextContents();
  const before = await emails();
  await withdraw("bob@example.com").focus();
  await page.keyboard.press("Enter");
  await expect(row(page, "bob@example.com")).toHaveCount(0);
  await expect(withdraw("ada@example.com")).toBeFocused(); // the next row
  await page.getByRole("button", { name: "Undo" }).click();
  await expect(row(page, "bob@example.com")).toBeVisible();
  expect(await emails()).toEqual(before);

  await withdraw("grace@example.com").click();
  await expect(toast(page, "The invitation of grace@example.com has been withdrawn.")).toBeVisible();
  await page.getByRole("link", { name: "Top" }).first().click();
  await page.reload(); // what waits is sent when the page goes away
  const invited = async () => (await (await page.request.get(site + "/api/admin/invitations")).json()).invitations.map(({ email }) => email);
  await expect.poll(invited).toEqual(["ada@example.com", "bob@example.com"]);
  const grace = await visit(site + "/login");
  await chooseAccount(grace, "grace@example.com");
  await expect(grace.getByRole("alert")).toContainText("ask for an invitation");
});

test("an address of 89 characters fits into the page", async ({ site, visit }) => {
  const page = await open(site, visit);
  const long = "a".repeat(64) + "@" + "b".repeat(20) + ".com";
  expect(long.length).toBe(89);
  await invite(page, long, true);
  await expect(row(page, long)).toBeVisible();
  for (const width of [320, 360, 390, 450, 768, 1440]) {
    await page.setViewportSize({ width, height: 800 });
    const { document: wide, card, button } = await page.evaluate(() => ({
      document: document.documentElement.scrollWidth - innerWidth,
      card: document.querySelector(".card.table").getBoundingClientRect().right,
      button: document.querySelector("td.actions button").getBoundingClientRect().right,
    }));
    expect(wide, String(width)).toBeLessThanOrEqual(0);
    expect(button, String(width)).toBeLessThanOrEqual(card);
  }
});

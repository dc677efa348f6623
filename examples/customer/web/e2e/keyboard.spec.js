// Everything with the keyboard alone. The focus is never lost: after each action an element of
// the page has it, and not the document.
import { expect, heading, refused, signIn, test } from "./fixtures.js";

test("the keyboard is enough for every page, and the focus is never lost", async ({ site, visit, allowed }) => {
  allowed.push(refused(401)); // bob is disabled for a moment
  test.slow();
  await signIn(await visit(site + "/login", { userAgent: "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0" }), "admin@example.com");
  await signIn(await visit(site + "/login"), "bob@example.com");
  const page = await visit(site);
  const press = (key) => page.keyboard.press(key);
  const focused = page.locator(":focus").last(); // if it is inside a shadow tree, its host has the focus, too
  const hasFocus = async (name) => {
    await expect.poll(() => page.evaluate(() => document.activeElement.localName), { message: "focus after: " + name }).not.toMatch(/^(body|html)$/);
  };
  // walk presses Tab until the element has the focus. The focus is always in view.
  const walk = async (target) => {
    await expect(target).toBeVisible();
    for (let i = 0; i < 150; i++) {
      await press("Tab");
      if (await target.evaluate((e) => e === e.getRootNode().activeElement)) {
        await expect(target).toBeInViewport();
        return;
      }
    }
    throw new Error("Tab does not reach " + target);
  };
  const button = (name) => page.getByRole("button", { name });
  const command = async (text) => {
    await press("Control+k");
    await expect(page.getByRole("combobox", { name: "Search for a command" })).toBeFocused();
    await page.keyboard.type(text);
    await press("Enter");
    await expect(page.getByRole("combobox", { name: "Search for a command" })).toHaveCount(0);
  };

  // The first Tab leads past the header.
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  await press("Tab");
  await expect(focused).toHaveText("Skip to content");
  await expect(focused).toBeInViewport();
  await press("Enter");
  await expect(page.getByRole("main")).toBeFocused();
  await expect(page).toHaveURL(site + "/");

  // Sign in.
  await command("login");
  await expect(heading(page, "Login")).toBeFocused();
  await expect(button("Sign in with Google")).toBeVisible();
  await press("Escape"); // One Tap
  await walk(button("Sign in with Google"));
  await press("Enter");
  await expect(page.getByRole("dialog", { name: "Choose an account" })).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await expect(button("Sign in with Google")).toBeFocused();
  await press("Enter");
  await walk(page.getByRole("dialog").getByRole("button", { name: "admin@example.com" }));
  await press("Enter");
  await expect(button("Sign Out")).toBeVisible();
  await hasFocus("the sign-in");

  // Customers: search, edit, delete, undo.
  await command("customers");
  await expect(heading(page, "Customers")).toBeFocused();
  const row = (name) => page.getByRole("row").filter({ hasText: name });
  await walk(page.getByRole("searchbox"));
  await page.keyboard.type("lindqvist");
  await expect(row("Benoît Carré")).toHaveCount(0);
  await expect(page.getByRole("searchbox")).toBeFocused();
  await walk(button("Edit Ada Lindqvist"));
  await press("Enter");
  const name = page.getByRole("dialog").getByLabel("Name");
  await expect(name).toBeFocused();
  await press("End");
  await page.keyboard.type(" II");
  await press("Enter");
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await expect(row("Ada Lindqvist II")).toBeVisible();
  await hasFocus("a change");
  await walk(button("Edit Ada Lindqvist II"));
  await press("Enter");
  await expect(name).toBeFocused();
  for (const _ of Array(8)) {
    await press("Tab");
    await expect(page.locator("main :focus:not(dialog *), header :focus, footer.site :focus")).toHaveCount(0); // the dialog keeps the focus
  }
  await press("Escape");
  await expect(focused).toHaveAccessibleName("Edit Ada Lindqvist II"); // and returns it
  await page.reload();
  await walk(button("Delete Ada Lindqvist II"));
  await press("Enter");
  await expect(row("Ada Lindqvist II")).toHaveCount(0);
  await hasFocus("a deletion");
  await walk(button("Undo"));
  await press("Enter");
  await expect(row("Ada Lindqvist II")).toBeVisible();
  await hasFocus("an undo");

  // The focus shows an outline.
  await walk(button("Add customer"));
  const { style, width } = await focused.evaluate((e) => ({ style: getComputedStyle(e).outlineStyle, width: parseFloat(getComputedStyle(e).outlineWidth) }));
  expect(style).toBe("solid");
  expect(width).toBeGreaterThanOrEqual(2);

  // Devices: end one.
  await command("devices");
  await expect(heading(page, "Devices")).toBeFocused();
  await walk(button(/^End Firefox/));
  await press("Enter");
  await expect(button(/^End Firefox/)).toHaveCount(0);
  await hasFocus("the end of a session");

  // Users: a switch, there and back.
  await command("users");
  await expect(heading(page, "Users")).toBeFocused();
  const box = page.getByRole("switch", { name: "Disabled: bob@example.com" });
  await walk(box);
  for (const checked of [true, false]) {
    await press("Space");
    await expect(box).toBeChecked({ checked });
    await expect(box).toBeFocused();
  }

  // The palette closes without a command, and the focus is where it was.
  await press("Control+k");
  await page.keyboard.type("no such command");
  await expect(page.getByText("There is no such command.")).toBeVisible();
  await press("Escape");
  await expect(box).toBeFocused();

  // The shortcuts of the pages.
  await heading(page, "Users").focus();
  for (const [keys, title] of [["gc", "Customers"], ["gd", "Devices"], ["ga", "Audit"]]) {
    for (const key of keys) {
      await press(key);
    }
    await expect(heading(page, title)).toBeFocused();
  }

  await command("sign out");
  await expect(page.getByRole("link", { name: "Login", exact: true })).toBeVisible();
  await hasFocus("the sign-out");
});

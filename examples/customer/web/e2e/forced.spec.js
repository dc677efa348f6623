// Forced colours: the system replaces backgrounds and drops shadows, so what only these show
// is lost.
import { expect, refused, signIn, test } from "./fixtures.js";
import { settled } from "./people.js";

for (const colorScheme of ["light", "dark"]) {
  test("in forced colours, switches, the focus and the current page can be seen, " + colorScheme, async ({ site, visit, allowed }) => {
    allowed.push(refused(401)); // bob is disabled
    const bob = await visit(site + "/login");
    await signIn(bob, "bob@example.com");
    const page = await visit(site + "/login?next=/admin", { forcedColors: "active", colorScheme, viewport: { width: 1100, height: 800 } });
    await signIn(page, "admin@example.com");
    await settled(page);
    expect(await page.evaluate(() => matchMedia("(forced-colors: active)").matches)).toBe(true);

    // The same switch, off and then on, both times without the focus and the pointer.
    const box = page.getByRole("row").or(page.getByRole("listitem")).filter({ hasText: "bob@example.com" }).getByRole("switch").last();
    const heading = page.getByRole("heading", { level: 1 });
    const picture = async () => {
      await heading.focus();
      await page.mouse.move(0, 0);
      return box.screenshot();
    };
    await expect(box).not.toBeChecked();
    const off = await picture();
    await box.press("Space");
    await expect(box).toBeChecked();
    await expect(box).toBeFocused();
    const on = await picture();
    expect(await difference(page, off, on), "pixels that differ between off and on").toBeGreaterThan(40);

    // The focus is an outline, because a shadow is not drawn.
    await heading.focus();
    for (const kind of ["link", "button", "switch", "combobox"]) {
      const target = page.getByRole("main").or(page.getByRole("contentinfo")).getByRole(kind, { disabled: false }).first();
      await expect(target, kind).toBeVisible();
      await target.focus();
      await page.keyboard.press("Shift+Tab"); // a focus that a key has moved is shown
      await page.keyboard.press("Tab");
      await expect(target, kind).toBeFocused();
      const { style, width } = await target.evaluate((e) => ({ style: getComputedStyle(e).outlineStyle, width: parseFloat(getComputedStyle(e).outlineWidth) }));
      expect(style, kind).not.toBe("none");
      expect(width, kind).toBeGreaterThanOrEqual(2);
    }

    // Of the links of a navigation, the current one alone looks different.
    for (const navigation of await page.getByRole("navigation").all()) {
      const links = navigation.getByRole("link");
      if ((await links.count()) < 2) {
        continue;
      }
      const looks = await links.evaluateAll((all) =>
        all.map((e) => {
          const style = getComputedStyle(e);
          const look = [style.textDecorationLine, style.borderBlockEndStyle + style.borderBlockEndWidth + style.borderBlockEndColor, style.backgroundColor, style.fontWeight];
          return { current: e.getAttribute("aria-current") === "page", look: look.join(" ") };
        }),
      );
      const current = looks.filter((link) => link.current);
      expect(current).toHaveLength(1);
      expect(new Set(looks.filter((link) => !link.current).map(({ look }) => look)).size, "looks of the other links").toBe(1);
      expect(looks.find((link) => !link.current).look).not.toBe(current[0].look);
    }
  });
}

// difference returns how many pixels of two pictures of the same size differ.
async function difference(page, a, b) {
  const blank = await page.context().newPage();
  const pixels = await blank.evaluate(
    async (pictures) => {
      const [one, two] = await Promise.all(
        pictures.map(async (base64) => {
          const bitmap = await createImageBitmap(new Blob([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))], { type: "image/png" }));
          const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
          const context = canvas.getContext("2d");
          context.drawImage(bitmap, 0, 0);
          return context.getImageData(0, 0, bitmap.width, bitmap.height);
        }),
      );
      let differing = 0;
      for (let i = 0; i < one.data.length; i += 4) {
        differing += [0, 1, 2].some((k) => Math.abs(one.data[i + k] - two.data[i + k]) > 60) ? 1 : 0;
      }
      return one.width === two.width && one.height === two.height ? differing : -1;
    },
    [a.toString("base64"), b.toString("base64")],
  );
  await blank.close();
  return pixels;
}

// Every page at every width, from right to left, with large text, and with names that are hard
// on a layout. axe finds nothing on any page, in light or dark. With
// PICTURES=1 pictures of each page are in screenshots/.
import { expect, refused, test } from "./fixtures.js";
import { findFaults } from "./layout.js";
import { picture, violations } from "./look.js";
import { serveHard, states } from "./people.js";

const widths = [320, 360, 390, 450, 768, 1440];
const resize = (page, width) => page.setViewportSize({ width, height: width < 500 ? 800 : 900 });

test.describe.configure({ timeout: 300_000 });

test.beforeEach(({ allowed }) => {
  allowed.push(refused(401), refused(404), refused(503));
});

test("nothing is too wide, cut off or squeezed, whatever people are called", async ({ serve, visit }) => {
  const demo = await serveHard({ serve, visit });
  const page = await visit(demo.site);
  const faults = {};
  await states(page, demo, async (name) => {
    for (const width of widths) {
      await resize(page, width);
      note(faults, `${name} at ${width}`, await findFaults(page));
    }
    await resize(page, 1280); // WCAG 2.2, success criterion 1.4.4
    await page.evaluate(() => (document.documentElement.style.fontSize = "200%"));
    note(faults, `${name} with text at 200 %`, await findFaults(page));
    await page.evaluate(() => (document.documentElement.style.fontSize = ""));
  });
  expect(faults).toEqual({});
});

test("from right to left the pages are mirrored, and nothing is too wide or cut off", async ({ serve, visit }) => {
  const demo = await serveHard({ serve, visit });
  const page = await visit(demo.site, { locale: "ar-XB" });
  const faults = {};
  await states(page, demo, async (name) => {
    expect(await page.evaluate(() => document.documentElement.dir), name).toBe("rtl");
    for (const width of [390, 1440]) {
      await resize(page, width);
      note(faults, `${name} at ${width}`, await findFaults(page));
    }
    const { heading, first, last, middle } = await page.evaluate(() => {
      const box = (selector, at) => [...document.querySelectorAll(selector)].at(at)?.getBoundingClientRect();
      return { heading: box("h1", 0), first: box("header nav li", 0), last: box("header nav li", -1), middle: innerWidth / 2 };
    });
    expect(heading.right, name).toBeGreaterThan(middle);
    if (first) {
      expect(first.left, name).toBeGreaterThan(last.left);
    }
  });
  expect(faults).toEqual({});
});

// note lists a fault once, with the states that have it.
function note(faults, name, list) {
  for (const fault of list) {
    (faults[fault] ??= []).push(name);
  }
}

for (const colorScheme of ["light", "dark"]) {
  test(`axe finds nothing on any page, ${colorScheme}`, async ({ serve, visit }) => {
    const demo = await serveHard({ serve, visit });
    const page = await visit(demo.site, { colorScheme });
    const found = {};
    await states(page, demo, async (name) => {
      for (const width of [390, 1440]) {
        await resize(page, width);
        await picture(page, `${colorScheme}-${width}/${name}`);
        const problems = await violations(page);
        note(found, `${name} at ${width}`, problems.map(({ id, impact, nodes }) => `${id} (${impact}): ${nodes.map(({ html, failureSummary }) => html.slice(0, 200) + failureSummary).join("\n")}`));
      }
    });
    expect(found).toEqual({});
  });
}

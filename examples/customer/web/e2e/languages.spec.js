// The pages in each language: no text is missing, and times are as in the browser's locale.
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

import { expect, test } from "./fixtures.js";
import { become, open } from "./people.js";

const folder = join(import.meta.dirname, "../src/messages");
const texts = (locale, area) => JSON.parse(readFileSync(join(folder, locale, area + ".json"), "utf8"));
const areas = readdirSync(join(folder, "en")).map((file) => file.replace(".json", ""));
const keys = areas.flatMap((area) => Object.keys(texts("en", area)).map((name) => area + "." + name));

for (const [locale, language] of [["de-DE", "de"], ["es-MX", "es"], ["ja-JP", "ja"]]) {
  test(`every page in ${locale}`, async ({ site, visit }) => {
    test.slow();
    const page = await visit(site + "/login?code=signed_out", { locale });
    const look = async (path, title) => {
      await open(page, site + path);
      await expect(page.locator("html")).toHaveAttribute("lang", language);
      if (title) {
        await expect(page.getByRole("heading", { level: 1 })).toHaveText(title);
      }
      // No text is a key, or has a placeholder without its value. Code is not in any language.
      const shown = await page.locator("body :not(pre, code, script, style)").evaluateAll((all) => all.flatMap((e) => [...e.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE && !e.closest("pre, code")).map((node) => node.data.trim())));
      expect(shown.filter((text) => keys.includes(text) || /\{\w+\}/.test(text)), path).toEqual([]);
      // A time has its exact form as its text or as its tooltip.
      const times = await page.locator("time[datetime]").evaluateAll((all, locale) => {
        const format = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" });
        const relative = new Intl.RelativeTimeFormat(locale, { numeric: "auto" });
        return all.map((e) => ({ shown: [e.title, e.textContent.trim()], exactly: format.format(new Date(e.dateTime)), now: relative.format(0, "minute") }));
      }, locale);
      for (const { shown, exactly } of times) {
        expect(shown, path).toContain(exactly);
      }
      return times.length;
    };
    const pages = texts(language, "pages");
    await look("/login?code=signed_out", pages.login);
    await become(page, { email: "admin@example.com", name: "Admin Example" });
    await look("/");
    await look("/customer", pages.customers);
    expect(await look("/devices", pages.devices), "times on the page").toBeGreaterThan(0);
    await look("/admin/overview", pages.overview);
    expect(await look("/admin", pages.users)).toBeGreaterThan(0);
    await look("/admin/sessions", pages.sessions);
    await look("/admin/invitations", pages.invitations);
    expect(await look("/admin/audit", pages.audit)).toBeGreaterThan(0);

    // The choice in the footer wins over the browser, and is remembered.
    await page.getByRole("contentinfo").getByRole("combobox").first().selectOption("en");
    await expect(page.locator("html")).toHaveAttribute("lang", "en");
    await expect(page.getByRole("heading", { level: 1 })).toHaveText(texts("en", "pages").audit);
    await page.reload();
    await expect(page.locator("html")).toHaveAttribute("lang", "en");
  });
}

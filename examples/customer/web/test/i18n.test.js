// Texts, numbers and times in the person's language.
import assert from "node:assert/strict";
import { test } from "node:test";

import { load } from "./vite.js";

const i18n = await load("/src/lib/i18n.svelte.js");

const speak = async (...languages) => {
  navigator.languages = languages;
  await i18n.startLocale();
};

test("the first of the browser's languages that there is", async () => {
  for (const [languages, want] of [
    [["de-CH", "en"], "de"],
    [["fr", "ja-JP", "en"], "ja"],
    [["es-419"], "es"],
    [["fr", "pt"], "en"],
    [[], "en"],
    [["not a tag", "de"], "de"],
    [["ar-XB"], "ar-XB"],
  ]) {
    await speak(...languages);
    assert.equal(i18n.locale(), want, String(languages));
    assert.equal(document.documentElement.lang, want === "ar-XB" ? "en" : want);
    assert.equal(document.documentElement.dir, want === "ar-XB" ? "rtl" : "ltr");
  }
});

test("a text with placeholders", async () => {
  await speak("en");
  assert.equal(i18n.t("app.page", { n: 1234 }), "Page 1,234");
  assert.equal(i18n.t("app.authenticatedAs", { email: "{email} $& {n}" }), "Authenticated as {email} $& {n}", "a value is not a pattern");
  assert.equal(i18n.t("app.page"), "Page {n}");
  assert.throws(() => i18n.t("app.nothing"), /app\.nothing/);
  assert.equal(i18n.has("app.page"), true);
  assert.equal(i18n.has("app.toString"), false);
  assert.equal(i18n.has("toString"), false);
});

test("the number chooses the form", async () => {
  await speak("en");
  assert.equal(i18n.t("palette.count", { count: 1 }), "1 command");
  assert.equal(i18n.t("palette.count", { count: 0 }), "0 commands");
  await speak("ja");
  assert.match(i18n.t("palette.count", { count: 1 }), /1/);
});

test("a text in pieces keeps values apart from the places for links", async () => {
  await speak("en");
  assert.deepEqual(i18n.pieces("stepup.text"), [{ text: "This needs a sign-in within the last few minutes. Please sign in again as " }, { name: "email" }, { text: "." }]);
  const [, value] = i18n.pieces("stepup.text", { email: "{email}" });
  assert.deepEqual(value, { text: "{email}" });
});

test("numbers and times follow the browser's variant of the language", async () => {
  const noon = new Date(2026, 10, 29, 15, 5);
  await speak("en-GB");
  assert.match(i18n.exactly(noon), /29 Nov 2026, 15:05/);
  await speak("en-US");
  assert.match(i18n.exactly(noon), /Nov 29, 2026, 3:05\sPM/);
  await speak("de-DE");
  assert.match(i18n.exactly(noon), /29\.11\.2026, 15:05/);
  assert.equal(i18n.number(1234567.5), "1.234.567,5");
  assert.equal(i18n.list(["a", "b", "c"]), "a, b und c");
});

test("a time in words", async () => {
  await speak("en");
  const at = (seconds) => i18n.when(new Date(Date.now() + seconds * 1000).toISOString());
  for (const [seconds, want] of [
    [-5, "just now"],
    [20, "in less than a minute"],
    [-90, "1 minute ago"],
    [-2 * 3600 - 5, "2 hours ago"],
    [-25 * 3600, "yesterday"],
    [3 * 86400 + 60, "in 3 days"],
  ]) {
    assert.equal(at(seconds), want);
  }
});

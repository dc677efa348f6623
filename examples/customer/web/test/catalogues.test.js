// The catalogues of messages: every language has every text, and the source uses each.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { parse } from "svelte/compiler";

const src = join(import.meta.dirname, "../src");
const read = (...path) => readFileSync(join(src, ...path), "utf8");
const locales = readdirSync(join(src, "messages"), { withFileTypes: true }).filter((entry) => entry.isDirectory()).map(({ name }) => name).sort();

// catalogue returns the texts of a language by "area.name".
function catalogue(locale) {
  const texts = new Map();
  for (const file of readdirSync(join(src, "messages", locale))) {
    for (const [name, text] of Object.entries(JSON.parse(read("messages", locale, file)))) {
      texts.set(file.replace(/json$/, "") + name, text);
    }
  }
  return texts;
}

const english = catalogue("en");
const forms = (text) => (typeof text === "string" ? { other: text } : text);
const placeholders = (text) => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
const unique = (names) => [...new Set(names)].sort();

test("there are catalogues of four languages", () => {
  assert.deepEqual(locales, ["de", "en", "es", "ja"]);
});

for (const locale of locales) {
  const texts = catalogue(locale);

  test(`${locale} has the keys of en`, () => {
    assert.deepEqual([...english.keys()].filter((key) => !texts.has(key)), [], "missing");
    assert.deepEqual([...texts.keys()].filter((key) => !english.has(key)), [], "not in en");
  });

  test(`${locale} has no empty text, and no blank at the end of one`, () => {
    for (const [key, text] of texts) {
      for (const form of Object.values(forms(text))) {
        assert.equal(typeof form, "string", key);
        assert.equal(form, form.trim(), key);
        assert.notEqual(form, "", key);
      }
    }
  });

  // The form for one may say "one" instead of the number.
  test(`${locale} has the placeholders of en`, () => {
    for (const [key, text] of texts) {
      const want = unique(Object.values(forms(english.get(key) ?? "")).flatMap(placeholders));
      for (const [category, form] of Object.entries(forms(text))) {
        const got = unique(placeholders(form));
        assert.deepEqual(got.filter((name) => !want.includes(name)), [], `${key}.${category} has a placeholder that en lacks`);
        assert.deepEqual(want.filter((name) => name !== "count" && !got.includes(name)), [], `${key}.${category} lacks a placeholder of en`);
        assert.equal((form.replace(/\{\w+\}/g, "").match(/[{}]/g) ?? []).length, 0, `${key}.${category} has a stray brace`);
      }
      assert.ok(!want.includes("count") || forms(text).other.includes("{count}") || !forms(english.get(key)).other.includes("{count}"), `${key}.other lacks {count}`);
    }
  });

  // A text without an own form for the number one may be a string in a language such as
  // Japanese, which has one category. Numbers above 10,000 are not counted here.
  test(`${locale} has a text for each plural category`, () => {
    const rules = new Intl.PluralRules(locale);
    const known = rules.resolvedOptions().pluralCategories;
    const needed = unique(Array.from({ length: 10_001 }, (_, n) => rules.select(n)));
    for (const [key, text] of texts) {
      if (typeof english.get(key) === "string") {
        assert.equal(typeof text, "string", `${key} does not depend on a number in en`);
      } else if (typeof text === "object") {
        assert.deepEqual(Object.keys(text).filter((category) => !known.includes(category)), [], `${key} has a category that the language lacks`);
        assert.deepEqual(needed.filter((category) => !(category in text)), [], `${key} lacks a category`);
      } else {
        assert.deepEqual(needed, ["other"], `${key} needs a form for each category`);
      }
    }
  });

  test(`${locale} has no key as a text, and no text of another language by mistake`, () => {
    for (const [key, text] of texts) {
      for (const form of Object.values(forms(text))) {
        assert.doesNotMatch(form, /^\w+\.\w+$/, key);
        if (locale === "ja") {
          assert.ok(placeholders(form).length > 0 || /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]/u.test(form) || form === forms(english.get(key)).other, key);
        }
      }
    }
  });
}

const sources = readdirSync(src, { recursive: true, encoding: "utf8" }).filter((name) => /\.(js|svelte)$/.test(name));
const areas = unique([...english.keys()].map((key) => key.split(".")[0]));

// literals returns the texts in a source that have the form of a key or begin one: "area.name"
// or "area.begin" + code.
function literals(source) {
  const pattern = new RegExp(`["'\`>](${areas.join("|")})\\.([\\w.]*)(["'\`$])?`, "g");
  return [...source.matchAll(pattern)].map(([, area, name, end]) => ({ key: `${area}.${name}`, isBegin: end === "$" }));
}

test("every key in the source has a text", () => {
  for (const file of sources) {
    for (const { key, isBegin } of literals(read(file))) {
      const begins = () => [...english.keys()].some((known) => known.startsWith(key));
      assert.ok(english.has(key) || ((isBegin || /[_.]$/.test(key)) && begins()), `${file}: ${key} is not in messages/en`);
    }
  }
});

test("every text is used", () => {
  const used = sources.flatMap((file) => literals(read(file)));
  const exact = new Set(used.map(({ key }) => key));
  const begins = used.filter(({ key, isBegin }) => isBegin || /[_.]$/.test(key)).map(({ key }) => key);
  const unused = [...english.keys()].filter((key) => !exact.has(key) && !begins.some((begin) => key.startsWith(begin)));
  assert.deepEqual(unused, []);
});

// A component's own words would stay English in every language. Names are the exception.
const names = new Set(["API", "CSV", "ms", "Google", "×", "…"]);

test("components have their texts from the catalogues", () => {
  const found = [];
  for (const file of sources.filter((name) => name.endsWith(".svelte"))) {
    walk(parse(read(file), { modern: true }).fragment, (node) => {
      if (node.type === "Text" && /\p{L}{2,}/u.test(node.data) && !names.has(node.data.trim())) {
        found.push(`${file}: ${node.data.trim()}`);
      }
    });
  }
  assert.deepEqual(found, []);
});

const attributes = new Set(["alt", "aria-label", "aria-description", "placeholder", "title"]);

// walk calls visit for the texts of a template, and for those of attributes that people read.
// Code is typed as it is shown, so it is left out.
function walk(node, visit) {
  if (Array.isArray(node)) {
    node.forEach((child) => walk(child, visit));
    return;
  }
  if (node === null || typeof node !== "object" || ["code", "pre", "kbd", "style", "script"].includes(node.name)) {
    return;
  }
  if (node.type === "Attribute" && !attributes.has(node.name)) {
    return;
  }
  visit(node);
  for (const [name, child] of Object.entries(node)) {
    if (name !== "loc" && name !== "metadata" && typeof child === "object") {
      walk(child, visit);
    }
  }
}

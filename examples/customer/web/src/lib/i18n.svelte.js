// This file puts texts, times and numbers into the language of the person.
//
// The catalogues are messages/LOCALE/AREA.json. English is part of the first script, and
// the other languages are loaded when they are chosen. A text may have {placeholders}. A
// text that depends on a number is an object with a text for each plural category of the
// language (Unicode CLDR), which the value "count" chooses.

import { clock } from "./clock.svelte.js";
import { load, save } from "./storage.js";

// The English texts of pages that a visitor cannot open come with these pages (addTexts), and
// not with the first script.
const english = collect(
  import.meta.glob(["../messages/en/*.json", "!../messages/en/{admin,audit,customers,invitations}.json"], { eager: true, import: "default" }),
);
const others = import.meta.glob("../messages/*.js", { import: "default" });

// locales are the languages that a person can choose, each with its own name.
export const locales = { en: "English", de: "Deutsch", es: "Español", ja: "日本語" };

// The pseudo-locale ar-XB has English texts from right to left. It shows whether the
// layout works for such a language, and the tests choose it.
const rightToLeft = "ar-XB";

let state = $state.raw({ locale: "en", texts: english });
const words = $derived(wordsOf(state.locale));

export const locale = () => state.locale;

// startLocale loads the language that the person has chosen here, or else the first of the
// browser's languages that there is.
export function startLocale() {
  const wanted = [load("locale"), ...navigator.languages].filter(Boolean);
  return setLocale(wanted.map(known).find(Boolean) ?? "en");
}

const known = (tag) => (tag === rightToLeft ? tag : Object.keys(locales).find((name) => new Intl.Locale(name).language === languageOf(tag)));

function languageOf(tag) {
  try {
    return new Intl.Locale(tag).language;
  } catch {
    return ""; // not a language tag
  }
}

// chooseLocale changes the language and remembers it.
export async function chooseLocale(tag) {
  save("locale", tag);
  await setLocale(tag);
}

// setLocale keeps the present language if the texts of the other cannot be loaded.
async function setLocale(tag) {
  const texts = tag === "en" || tag === rightToLeft ? english : await loadTexts(tag).catch(() => null);
  if (texts) {
    Object.assign(document.documentElement, { lang: tag === rightToLeft ? "en" : tag, dir: tag === rightToLeft ? "rtl" : "ltr" });
    state = { locale: tag, texts: { ...english, ...texts } };
  }
}

async function loadTexts(tag) {
  return collect(await others[`../messages/${tag}.js`]());
}

// addTexts adds English texts. They take the place of texts that another language lacks.
export function addTexts(files) {
  Object.assign(english, collect(files));
  state = { ...state, texts: { ...english, ...state.texts } };
}

// collect makes one object with the keys "area.name" of the files of one language.
function collect(files) {
  const texts = {};
  for (const [path, content] of Object.entries(files)) {
    const area = path.slice(path.lastIndexOf("/") + 1, -".json".length);
    for (const [name, text] of Object.entries(content)) {
      texts[area + "." + name] = text;
    }
  }
  return texts;
}

// has reports whether there is a text for the key. Keys that are made of a code of the
// server have to be asked about first.
export const has = (key) => Object.hasOwn(state.texts, key);

// t returns the text for a key, with the placeholders filled in. A number is written as
// in the person's language.
export function t(key, values = {}) {
  return template(key, values).replace(/\{(\w+)\}/g, (all, name) => (name in values ? written(values[name]) : all));
}

// pieces returns the text for a key, split at the placeholders that values does not have, as
// {text} and {name} in turn. T.svelte puts links in the place of the names.
export function pieces(key, values = {}) {
  return template(key, values)
    .split(/\{(\w+)\}/)
    .map((part, i) => (i % 2 === 0 ? { text: part } : part in values ? { text: written(values[part]) } : { name: part }));
}

function template(key, values) {
  const text = state.texts[key];
  if (text === undefined) {
    throw new Error("There is no text " + key + ".");
  }
  return typeof text === "string" ? text : (text[words.plural.select(values.count)] ?? text.other);
}

const written = (value) => (typeof value === "number" ? number(value) : value);

function wordsOf(tag) {
  // The browser's own variant of the language, such as en-GB, decides how dates look.
  const name = tag === rightToLeft ? "en" : tag;
  const exact = navigator.languages.find((candidate) => languageOf(candidate) === name) ?? name;
  return {
    plural: new Intl.PluralRules(name),
    number: new Intl.NumberFormat(exact),
    date: new Intl.DateTimeFormat(exact, { dateStyle: "medium", timeStyle: "short" }),
    relative: new Intl.RelativeTimeFormat(exact, { numeric: "auto" }),
    list: new Intl.ListFormat(exact),
  };
}

export const number = (n) => words.number.format(n);
export const exactly = (time) => words.date.format(new Date(time));
export const list = (items) => words.list.format(items);

/** @type {[Intl.RelativeTimeFormatUnit, number][]} */
const units = [
  ["day", 86400],
  ["hour", 3600],
  ["minute", 60],
];

// when returns a time in words, such as "2 hours ago" or "in 3 days". The words follow the
// clock while the page shows them.
export function when(time) {
  const seconds = (new Date(time).getTime() - clock.now) / 1000;
  for (const [unit, size] of units) {
    if (Math.abs(seconds) >= size) {
      return words.relative.format(Math.trunc(seconds / size), unit);
    }
  }
  return seconds > 0 ? t("time.soon") : t("time.now");
}

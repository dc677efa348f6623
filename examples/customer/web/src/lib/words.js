// This file puts times, browsers and numbers into words.

const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const absolute = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeStyle: "short" });

const units = [
  ["day", 86400],
  ["hour", 3600],
  ["minute", 60],
];

// ago returns a time in words, such as "2 hours ago", "in 3 days" or "just now".
export function ago(time, now = Date.now()) {
  const seconds = (new Date(time) - now) / 1000;
  for (const [unit, size] of units) {
    if (Math.abs(seconds) >= size) {
      return relative.format(Math.trunc(seconds / size), unit);
    }
  }
  return seconds > 0 ? "in less than a minute" : "just now";
}

export const exactly = (time) => absolute.format(new Date(time));

// The first match counts, because browsers also send the names of other browsers.
const browsers = [
  ["Edge", /\bEdgA?(iOS)?\//],
  ["Opera", /\bOPR\//],
  ["Samsung Internet", /SamsungBrowser\//],
  ["Firefox", /\b(Firefox|FxiOS)\//],
  ["Chrome", /\b(Headless)?(Chrome|CriOS)\//],
  ["Safari", /Safari\//],
  ["curl", /^curl\//],
];
const systems = [
  ["iPhone", /iPhone/],
  ["iPad", /iPad/],
  ["Android", /Android/],
  ["Windows", /Windows/],
  ["macOS", /Mac OS X/],
  ["ChromeOS", /CrOS/],
  ["Linux", /Linux/],
];

// device returns the name of a browser and its system, such as "Chrome on Linux".
export function device(userAgent) {
  const find = (list) => list.find(([, pattern]) => pattern.test(userAgent))?.[0];
  const browser = find(browsers) ?? "Unknown browser";
  const system = find(systems);
  return system ? browser + " on " + system : browser;
}

export const count = (n, one, many = one + "s") => n + " " + (n === 1 ? one : many);

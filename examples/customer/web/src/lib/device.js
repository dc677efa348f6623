// This file reads user agents. A client may send any text, so the result is for people to
// recognise their devices, and no decision depends on it.

// The first match counts, because browsers also send the names of other browsers.
const browsers = [
  { browser: "Edge", pattern: /\bEdg(?:e|A|iOS)?\/(\d+)/ },
  { browser: "Opera", pattern: /\b(?:OPR|OPT|OPX)\/(\d+)/ },
  { browser: "Samsung Internet", pattern: /\bSamsungBrowser\/(\d+)/ },
  { browser: "Vivaldi", pattern: /\bVivaldi\/(\d+)/ },
  { browser: "Yandex Browser", pattern: /\bYaBrowser\/(\d+)/ },
  { browser: "DuckDuckGo", pattern: /\b(?:DuckDuckGo|Ddg)\/(\d+)/ },
  { browser: "Firefox", pattern: /\b(?:Firefox|FxiOS)\/(\d+)/ },
  { browser: "Chrome", pattern: /\b(?:Headless)?(?:Chrome|Chromium|CriOS)\/(\d+)/ },
  { browser: "Safari", pattern: /\bVersion\/(\d+)\S* (?:Mobile\/\S+ )?Safari\// },
];

// versionOf returns the version in a user agent, or "" if the text does not tell it.
const systems = [
  { system: "iOS", pattern: /\biP(?:hone|od)\b/, kind: "phone", versionOf: versionOfIOS },
  { system: "iPadOS", pattern: /\biPad\b/, kind: "tablet", versionOf: versionOfIOS },
  { system: "Android", pattern: /\bAndroid\b/, kind: "", versionOf: versionOfAndroid },
  { system: "Windows", pattern: /\bWindows\b/, kind: "desktop", versionOf: versionOfWindows },
  { system: "macOS", pattern: /\bMac OS X\b/, kind: "desktop", versionOf: versionOfMacOS },
  // Chromium sends the same number for every version of ChromeOS:
  // https://www.chromium.org/updates/ua-reduction/
  { system: "ChromeOS", pattern: /\bCrOS\b/, kind: "desktop", versionOf: () => "" },
  // Browsers on Linux send the kind of processor in the place of a version.
  { system: "Linux", pattern: /\bLinux\b|\bX11\b/, kind: "desktop", versionOf: () => "" },
];

// Safari 26 and later send the system's version of their predecessor:
// https://webkit.org/blog/17333/webkit-features-in-safari-26-0/
function versionOfIOS(text) {
  const [, major, minor] = /\bOS (\d+)_(\d+)/.exec(text) ?? [];
  const isFrozen = major === "18" && Number(/\bVersion\/(\d+)/.exec(text)?.[1]) >= 26;
  return major && !isFrozen ? `${major}.${minor}` : "";
}

// Chromium sends "Android 10; K" from every Android, as the page about ua-reduction says.
function versionOfAndroid(text) {
  const version = /\bAndroid (\d+)/.exec(text)?.[1] ?? "";
  return version === "10" ? "" : version;
}

// Windows 10 and 11 both send 10.0:
// https://learn.microsoft.com/en-us/microsoft-edge/web-platform/how-to-detect-win11
function versionOfWindows(text) {
  const names = { "6.1": "7", "6.2": "8", "6.3": "8.1" };
  return names[/\bWindows NT (\d+\.\d+)/.exec(text)?.[1]] ?? "";
}

// Chromium (ua-reduction) and Safari send 10_15_7, and Firefox sends 10.15, from every later
// macOS: https://bugzilla.mozilla.org/show_bug.cgi?id=1679929
function versionOfMacOS(text) {
  const [, major, minor] = /\bMac OS X (\d+)[._](\d+)/.exec(text) ?? [];
  if (!major || (major === "10" && Number(minor) >= 15)) {
    return "";
  }
  return major === "10" ? `${major}.${minor}` : major;
}

// readUserAgent returns what a user agent says about the device. The kind is desktop, phone,
// tablet, program, or "" if the text says nothing. Texts that are unknown are "".
export function readUserAgent(text) {
  if (!/^Mozilla\//.test(text)) {
    return readProgram(text);
  }
  const [browser, browserVersion] = findBrowser(text);
  const entry = systems.find(({ pattern }) => pattern.test(text));
  if (!entry) {
    return { kind: "", browser, browserVersion, system: "", systemVersion: "" };
  }
  const { system, kind, versionOf } = entry;
  return { kind: kind || kindOfAndroid(text), browser, browserVersion, system, systemVersion: versionOf(text) };
}

function findBrowser(text) {
  for (const { browser, pattern } of browsers) {
    const version = pattern.exec(text)?.[1];
    if (version) {
      return [browser, version];
    }
  }
  return ["", ""];
}

// A phone says Mobile, and a tablet does not:
// https://developer.chrome.com/docs/multidevice/user-agent
const kindOfAndroid = (text) => (/\bMobile\b/.test(text) ? "phone" : "tablet");

// readProgram reads a text such as "curl/8.5.0", with which programs name themselves.
function readProgram(text) {
  const [, name, version] = /^([\w.+-]{1,40})(?:\/v?(\d+(?:\.\d+)?))?/.exec(text) ?? [];
  if (!name) {
    return { kind: "", browser: "", browserVersion: "", system: "", systemVersion: "" };
  }
  return { kind: "program", browser: name, browserVersion: version ?? "", system: "", systemVersion: "" };
}

// groupSessions returns the sessions by device. The group with this device comes first, and then
// the one that was used most recently. In each group the order is the same.
export function groupSessions(sessions) {
  const groups = new Map();
  for (const session of [...sessions].sort(byUse)) {
    const { kind: said, system: named } = readUserAgent(session.user_agent);
    const kind = session.kind === "cookie" ? said : "program";
    const system = kind === "program" ? "" : named;
    const key = `${kind} ${system}`;
    if (!groups.has(key)) {
      groups.set(key, { key, kind, system, sessions: [] });
    }
    groups.get(key).sessions.push(session);
  }
  return [...groups.values()];
}

const byUse = (a, b) => Number(b.current) - Number(a.current) || Date.parse(b.seen_at) - Date.parse(a.seen_at);

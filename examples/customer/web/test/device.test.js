import assert from "node:assert/strict";
import { test } from "node:test";

import { groupSessions, readUserAgent } from "../src/lib/device.js";

const webKit = "AppleWebKit/537.36 (KHTML, like Gecko)";
const apple = "AppleWebKit/605.1.15 (KHTML, like Gecko)";
const android = `Mozilla/5.0 (Linux; Android 10; K) ${webKit} Chrome/140.0.0.0`;

// Each row has a user agent, and the kind, browser and system that it names.
const rows = [
  [`Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${webKit} Chrome/140.0.0.0 Safari/537.36`, "desktop", "Chrome 140", "Windows"],
  [`Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${webKit} Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0`, "desktop", "Edge 140", "Windows"],
  [`Mozilla/5.0 (Windows NT 10.0) ${webKit} Chrome/64.0.3282.140 Safari/537.36 Edge/18.17763`, "desktop", "Edge 18", "Windows"],
  [`Mozilla/5.0 (Windows NT 6.1; Win64; x64) ${webKit} Chrome/109.0.0.0 Safari/537.36`, "desktop", "Chrome 109", "Windows 7"],
  ["Mozilla/5.0 (Windows NT 6.3; Win64; x64; rv:115.0) Gecko/20100101 Firefox/115.0", "desktop", "Firefox 115", "Windows 8.1"],
  [`Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${webKit} Chrome/138.0.0.0 Safari/537.36 OPR/122.0.0.0`, "desktop", "Opera 122", "Windows"],
  [`Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${webKit} Chrome/138.0.0.0 Safari/537.36 Vivaldi/7.5.3735.64`, "desktop", "Vivaldi 7", "Windows"],
  [`Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${webKit} Chrome/136.0.0.0 YaBrowser/25.6.0.0 Safari/537.36`, "desktop", "Yandex Browser 25", "Windows"],
  [`Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) ${apple} Version/18.2 Safari/605.1.15`, "desktop", "Safari 18", "macOS"],
  [`Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) ${apple} Version/18.2 Safari/605.1.15 Ddg/18.2`, "desktop", "DuckDuckGo 18", "macOS"],
  [`Mozilla/5.0 (Macintosh; Intel Mac OS X 10_13_6) ${apple} Version/13.1.2 Safari/605.1.15`, "desktop", "Safari 13", "macOS 10.13"],
  [`Mozilla/5.0 (Macintosh; Intel Mac OS X 11_1_0) ${webKit} Chrome/87.0.4280.88 Safari/537.36`, "desktop", "Chrome 87", "macOS 11"],
  ["Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:140.0) Gecko/20100101 Firefox/140.0", "desktop", "Firefox 140", "macOS"],
  [`Mozilla/5.0 (X11; Linux x86_64) ${webKit} HeadlessChrome/140.0.0.0 Safari/537.36`, "desktop", "Chrome 140", "Linux"],
  ["Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "desktop", "Firefox 140", "Linux"],
  [`Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) ${webKit} Chrome/140.0.0.0 Safari/537.36`, "desktop", "Chrome 140", "ChromeOS"],
  [`Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) ${apple} Version/18.0 Mobile/15E148 Safari/604.1`, "phone", "Safari 18", "iOS 18.0"],
  [`Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) ${apple} Version/18.6 Mobile/15E148 Safari/604.1`, "phone", "Safari 18", "iOS 18.6"],
  [`Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) ${apple} Version/26.0 Mobile/15E148 Safari/604.1`, "phone", "Safari 26", "iOS"],
  [`Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) ${apple} CriOS/126.0.6478.54 Mobile/15E148 Safari/604.1`, "phone", "Chrome 126", "iOS 17.5"],
  [`Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) ${apple} FxiOS/127.0 Mobile/15E148 Safari/605.1.15`, "phone", "Firefox 127", "iOS 17.5"],
  [`Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) ${apple} Version/17.0 EdgiOS/126.0.2592.56 Mobile/15E148 Safari/605.1.15`, "phone", "Edge 126", "iOS 17.5"],
  [`Mozilla/5.0 (iPad; CPU OS 17_5 like Mac OS X) ${apple} Version/17.5 Mobile/15E148 Safari/604.1`, "tablet", "Safari 17", "iPadOS 17.5"],
  [`${android} Mobile Safari/537.36`, "phone", "Chrome 140", "Android"],
  [`${android} Safari/537.36`, "tablet", "Chrome 140", "Android"],
  [`${android} Mobile Safari/537.36 EdgA/140.0.0.0`, "phone", "Edge 140", "Android"],
  [`Mozilla/5.0 (Linux; Android 10; K) ${webKit} SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36`, "phone", "Samsung Internet 28", "Android"],
  ["Mozilla/5.0 (Android 14; Mobile; rv:127.0) Gecko/127.0 Firefox/127.0", "phone", "Firefox 127", "Android 14"],
  ["Mozilla/5.0 (Android 14; Tablet; rv:127.0) Gecko/127.0 Firefox/127.0", "tablet", "Firefox 127", "Android 14"],
  ["curl/8.5.0", "program", "curl 8.5", ""],
  ["Go-http-client/1.1", "program", "Go-http-client 1.1", ""],
  ["python-requests/2.31.0", "program", "python-requests 2.31", ""],
  ["backup/v2 (nightly)", "program", "backup 2", ""],
  ["node", "program", "node", ""],
  ["Mozilla/5.0", "", "", ""],
  ["Mozilla/5.0 (compatible)", "", "", ""],
  ["", "", "", ""],
  ["<b>x</b>", "", "", ""],
  ["/1.0", "", "", ""],
];

for (const [userAgent, kind, browser, system] of rows) {
  test(userAgent || "an empty user agent", () => {
    const device = readUserAgent(userAgent);
    assert.deepEqual(
      [device.kind, `${device.browser} ${device.browserVersion}`.trim(), `${device.system} ${device.systemVersion}`.trim()],
      [kind, browser, system],
    );
  });
}

test("sessions are grouped by device, this one first", () => {
  const phone = rows.find(([, kind]) => kind === "phone")[0];
  const [chrome, edge] = [rows[0][0], rows[1][0]];
  const session = (id, user_agent, seen, more) => ({ id, user_agent, seen_at: `2026-01-0${seen}T00:00:00Z`, kind: "cookie", current: false, ...more });
  const groups = groupSessions([
    session("a", chrome, 1),
    session("b", "curl/8", 9, { kind: "bearer" }),
    session("c", phone, 5),
    session("d", phone, 6),
    session("e", edge, 2, { current: true }),
    session("f", chrome, 3),
    session("g", chrome, 4, { kind: "issued" }), // a program may say anything
    session("h", "", 1),
  ]);
  assert.deepEqual(
    groups.map(({ kind, system, sessions }) => [kind, system, sessions.map(({ id }) => id).join("")]),
    [
      ["desktop", "Windows", "efa"],
      ["program", "", "bg"],
      ["phone", "iOS", "dc"],
      ["", "", "h"],
    ],
  );
});

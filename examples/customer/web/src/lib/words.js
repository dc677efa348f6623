// This file puts browsers and sessions into words.

import { readUserAgent } from "./device.js";
import { t } from "./i18n.svelte.js";

// device returns the name of a browser and its system, such as "Chrome 140 on Linux".
export function device(userAgent) {
  const { kind, browser, browserVersion, system, systemVersion } = readUserAgent(userAgent);
  const unknown = t(kind === "program" ? "devices.unknownProgram" : "devices.unknownBrowser");
  const name = browser ? `${browser} ${browserVersion}`.trim() : unknown;
  return system ? t("devices.name", { browser: name, system: `${system} ${systemVersion}`.trim() }) : name;
}

// sessionName returns the label that a program or a person has given to a session, or else the
// name of its device.
export const sessionName = (session) => session.label || device(session.user_agent);

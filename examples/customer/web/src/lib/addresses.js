// This file decides which paths a page may lead to. paths.js opens them.

import pages from "../pages.json" with { type: "json" };

// The server answers other paths with 404. A part such as :id is one part of any text.
const patterns = pages.map((page) => new RegExp("^" + page.replace(/:\w+/g, "[^/]+").replace(/\/$/, "") + "/?$"));

// isPage reports whether this application has a page at the path. The server has other
// pages, such as /docs.
export const isPage = (pathname) => patterns.some((pattern) => pattern.test(pathname)) && isDecodable(pathname);

// isDecodable is false for a path with a stray percent sign, or with bytes that are not
// UTF-8. The router cannot read such a path.
export function isDecodable(pathname) {
  try {
    return decodeURIComponent(pathname) !== ""; // the value is used, or the bundler leaves the call out
  } catch {
    return false;
  }
}

const maxNext = 2048; // bytes of a path to return to

// safePath returns the path, with an optional query and fragment, if it leads to a page of
// this site, and "/" otherwise. It has the rules of the server's safePath (path.go), and
// returns the same text. Browsers turn backslashes into slashes, drop tabs and line ends, and
// resolve dot segments, so a check that forgets these allows an open redirect.
export function safePath(path) {
  if (typeof path !== "string" || !path.startsWith("/") || isTooLong(path) || hasUnsafe(path)) {
    return "/";
  }
  const [, pathname, query, , fragment = ""] = path.match(/^([^?#]*)(\?[^#]*)?(#(.*))?$/s);
  if ([pathname, fragment].some((part) => /%(?![\da-f]{2})/i.test(part))) {
    return "/";
  }
  // A proxy or a router further on may decode the path before it uses it.
  const decoded = decode(bytes(pathname));
  if (hasUnsafe(decoded) || decoded.includes("//") || decoded.split("/").some((part) => part === "." || part === "..")) {
    return "/";
  }
  const safe =
    escape(pathname, /^[\w.~!$&'()*+,/:;=@[\]%-]*$/, /[^\w.~$&+,/:;=@-]/g) +
    bytes(query ?? "").replace(/[\x80-\xff]/g, percent) +
    (fragment && "#" + escape(fragment, /^[\w.~!$&'()*+,/:;=?@[\]%-]*$/, /[^\w.~!$&()*+,/:;=?@-]/g));
  return isTooLong(safe) ? "/" : safe;
}

const isTooLong = (text) => bytes(text).length > maxNext;

// hasUnsafe reports whether the text has a character that browsers change: a control
// character or a backslash.
const hasUnsafe = (text) => /[\\\x00-\x1f\x7f]/.test(text);

// escape returns the text if allowed matches it. Otherwise it decodes the text and escapes each
// byte that special matches. The server's net/url does the same.
function escape(text, allowed, special) {
  return allowed.test(text) ? text : decode(bytes(text)).replace(special, percent);
}

// bytes returns the text in UTF-8, with a character for each byte.
const bytes = (text) => Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join("");

const decode = (text) => text.replace(/%([\da-f]{2})/gi, (_, hex) => String.fromCharCode(parseInt(hex, 16)));

const percent = (byte) => "%" + byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0");

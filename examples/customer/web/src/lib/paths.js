// This file decides which paths a page may lead to.

import { router } from "../router.js";

// isPage reports whether this application has a page at the path. The server has other
// pages, such as /docs.
export const isPage = (pathname) => /^\/((login|customer|devices|admin(\/.*)?)\/?)?$/.test(pathname) && isDecodable(pathname);

// isDecodable is false for a path with a stray percent sign, or with bytes that are not
// UTF-8. The router cannot read such a path.
function isDecodable(pathname) {
  try {
    return decodeURIComponent(pathname) !== ""; // the value is used, or the bundler leaves the call out
  } catch {
    return false;
  }
}

// repairAddress changes a mistyped address to one that the router can read.
export function repairAddress() {
  if (!isDecodable(location.pathname)) {
    history.replaceState(null, "", location.pathname.replaceAll("%", "%25") + location.search + location.hash);
  }
}

// go opens a path of this site.
export async function go(path, { replace = false } = {}) {
  const url = new URL(safePath(path), location.origin);
  replace ||= url.href === location.href;
  if (!isPage(url.pathname)) {
    location[replace ? "replace" : "assign"](url);
    return;
  }
  await router.navigate(url.pathname, { search: url.search, hash: url.hash, replace });
}

// safePath returns the path if it stays on this site and can be decoded, and "/"
// otherwise. The server has the same rules. Browsers turn backslashes into slashes and
// drop tabs and line ends, so a check that forgets these allows an open redirect.
export function safePath(path) {
  if (typeof path !== "string" || !/^\/(?!\/)/.test(path) || /[\\\x00-\x1f\x7f]/.test(path)) {
    return "/";
  }
  const url = new URL(path, location.origin);
  if (url.origin !== location.origin || url.pathname.startsWith("//") || !isDecodable(url.pathname)) {
    return "/";
  }
  return url.pathname + url.search + url.hash;
}

// loginPath returns the path of the login page with the reason and the path of the present
// page, to which the login page leads back.
export function loginPath(code) {
  return "/login?" + new URLSearchParams({ code, next: location.pathname + location.search });
}

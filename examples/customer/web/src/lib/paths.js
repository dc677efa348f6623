// Where one can be sent to.

import { router } from "../router.js";

// isPage: of this application. The server has others, /docs for one.
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

// mendAddress makes a mistyped address one that the router can read.
export function mendAddress() {
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

// safePath returns what stays on this site and can be read, else "/". The server's rules are the
// same: browsers turn backslashes into slashes and drop tabs and line ends, each of
// which has made an open redirect out of a check that looked complete.
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

// loginPath is the login page, with the reason and the way back to the present page.
export function loginPath(code) {
  return "/login?" + new URLSearchParams({ code, next: location.pathname + location.search });
}

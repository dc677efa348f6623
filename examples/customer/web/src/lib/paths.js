// This file opens the pages of this site.

import { isDecodable, isPage, safePath } from "./addresses.js";
import { router } from "../router.js";

export { isPage, safePath };

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

// loginPath returns the path of the login page with the reason and the path of the present
// page, to which the login page leads back.
export function loginPath(code) {
  return "/login?" + new URLSearchParams({ code, next: location.pathname + location.search });
}

// Which paths a page may lead to.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import pages from "../src/pages.json" with { type: "json" };

globalThis.location = /** @type {any} */ (new URL("https://app.test/login"));

const { isPage, safePath } = await import("../src/lib/addresses.js");

// The server has the same cases, so that it and the pages return to the same paths.
const shared = JSON.parse(readFileSync(new URL("../../../../testdata/next_paths.json", import.meta.url), "utf8"));

test("safePath keeps the paths of this site, as the server does", () => {
  const long = [
    ["/" + "a".repeat(2047), "/" + "a".repeat(2047)],
    ["/" + "a".repeat(2048), "/"],
    ["/" + " ".repeat(1000), "/"], // 3001 bytes when it is escaped
    ["/a?q=" + "ä".repeat(400), "/"], // 2405 bytes when it is escaped
  ];
  for (const [path, want] of [...shared, ...long]) {
    assert.equal(safePath(path), want, JSON.stringify(path));
  }
});

test("safePath returns / for what is not a text", () => {
  for (const path of [null, undefined, 7, ["/customer"], { toString: () => "/customer" }]) {
    assert.equal(safePath(/** @type {any} */ (path)), "/");
  }
});

// The characters are those that a browser treats specially at the beginning of an address.
test("whatever safePath returns, the browser stays on the site", () => {
  const parts = ["/", "//", "\\", ".", "..", "%2f", "%5c", "%2e", "@", ":", "?", "#", "\t", " ", "a", "evil.example", "\u3000", "／", "[", "]"];
  for (const a of parts) {
    for (const b of parts) {
      for (const c of parts) {
        const path = safePath("/" + a + b + c);
        const url = new URL(path, location.origin);
        assert.equal(url.origin, location.origin, JSON.stringify(a + b + c));
        assert.match(path, /^\/(?!\/)[^\\]*$/, JSON.stringify(a + b + c));
        assert.equal(safePath(path), path, "idempotent: " + JSON.stringify(a + b + c));
      }
    }
  }
});

test("isPage knows the pages of this application and no other path", () => {
  for (const path of pages.map((page) => page.replace(/:\w+/g, "x"))) {
    assert.equal(isPage(path), true, path);
    assert.equal(isPage(path.replace(/\/?$/, "/")), true, path + "/");
  }
  for (const path of ["/admin/users/demo%3A1593", "/admin/users/%F0%9F%A6%8A"]) {
    assert.equal(isPage(path), true, path);
  }
  for (const path of [
    "",
    "//",
    "/docs",
    "/api/user",
    "/Customer",
    "/customers",
    "/customer/1",
    "/login/x",
    "/admin/nothing",
    "/admin/users/",
    "/admin/users/a/b",
    "/admin/users/%",
    "/admin/users/%ff",
    "/customer\n",
    "x/customer",
  ]) {
    assert.equal(isPage(path), false, JSON.stringify(path));
  }
});

// pages.json is the list for the server and for links, and router.js names the component of
// each page.
test("the router has the pages of pages.json", () => {
  const source = readFileSync(new URL("../src/router.js", import.meta.url), "utf8");
  const table = source.slice(source.indexOf("createRouter({"));
  const paths = [];
  let parent = "";
  for (const [, indent, name, nested] of table.matchAll(/^( +)"([^"]+)": (\{$)?/gm)) {
    if (nested) {
      parent = name;
    } else if (name !== "*") {
      paths.push(((indent.length > 2 ? parent : "") + name).replace(/(.)\/$/, "$1"));
    }
  }
  assert.deepEqual(paths.sort(), [...pages].sort());
});

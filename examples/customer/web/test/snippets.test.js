import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { body, commands } from "../src/lib/snippets.js";

const read = (name) => readFileSync(new URL("../../" + name, import.meta.url), "utf8");

test("body leaves out the package clause and the imports", () => {
  assert.equal(body('package p\n\nimport (\n\t"fmt"\n)\n\n// F prints.\nfunc F() {\n\tfmt.Println()\n}\n'), "// F prints.\nfunc F() {\n\tfmt.Println()\n}");
  assert.equal(body("// F does nothing.\nfunc F() {}\n"), "// F does nothing.\nfunc F() {}");
});

test("a snippet that the tour shows has at most fifteen lines", () => {
  for (const name of ["signin", "end", "stream", "outage", "hijack", "disable"]) {
    const text = body(read(`snippets/${name}.go`));
    assert.match(text, /^\/\/ [A-Z]/, name);
    assert.ok(text.split("\n").length <= 15, name);
  }
});

test("commands have the address of the server", () => {
  const text = commands(read("testdata/tour.sh"), "http://localhost:1234");
  assert.equal(text.split("\n")[0], "demo=http://localhost:1234/?key=AS-PRINTED");
  assert.match(text, /\$base\/api\/login/);
});

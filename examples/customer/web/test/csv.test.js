import assert from "node:assert/strict";
import { test } from "node:test";

import { csv } from "../src/lib/csv.js";

test("a table is written as RFC 4180 says, without formulas", () => {
  for (const [row, want] of [
    [["a", 1, ""], "a,1,"],
    [["a,b", 'say "hi"', "two\nlines"], '"a,b","say ""hi""","two\nlines"'],
    [["=1+1", "+49", "-1", "@SUM(x)", "\t=1", "\r=1"], "'=1+1,'+49,'-1,'@SUM(x),'\t=1,\"'\r=1\""],
    [[-1, "a=b", " =1"], "-1,a=b, =1"],
    [['=HYPERLINK("x","y")'], `"'=HYPERLINK(""x"",""y"")"`],
    [["ليلى", "山田", "👩🏽‍🚀"], "ليلى,山田,👩🏽‍🚀"],
  ]) {
    assert.equal(csv([row]), "\ufeff" + want + "\r\n");
  }
  assert.equal(csv([["ID"], [1]]), "\ufeffID\r\n1\r\n");
  assert.equal(csv([]), "\ufeff");
});

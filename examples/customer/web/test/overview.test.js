import assert from "node:assert/strict";
import { test } from "node:test";

import { byReason, ceiling, refusedOf, series, sum } from "../src/lib/overview.js";

test("reasons are ordered by number, and the rest is added up", () => {
  const minutes = [{ refused: { a: 1, b: 5 } }, { refused: {} }, { refused: { a: 1, c: 2, d: 1, other: 3 } }];
  assert.deepEqual(byReason(minutes), [
    { code: "b", n: 5 },
    { code: "other", n: 3 },
    { code: "a", n: 2 },
    { code: "c", n: 2 },
    { code: "d", n: 1 },
  ]);
  const short = byReason(minutes, 3);
  assert.deepEqual(short, [
    { code: "b", n: 5 },
    { code: "a", n: 2 },
    { code: "other", n: 6 },
  ]);
  const codes = short.map(({ code }) => code);
  assert.deepEqual(minutes.map((m) => codes.map((code) => refusedOf(m, code, codes))), [[5, 1, 0], [0, 0, 0], [0, 1, 6]]);
  assert.deepEqual(byReason([]), []);
});

test("an axis ends at a round number", () => {
  for (const [n, want] of [[0, 1], [1, 1], [2, 2], [3, 5], [6, 10], [11, 20], [50, 50], [51, 100], [1234, 2000]]) {
    assert.equal(ceiling(n), want, "ceiling(" + n + ")");
  }
});

test("a minute without a count has no value and adds nothing", () => {
  const bars = series([{ time: "t1", live: 3 }, { time: "t2" }], (m) => m.live);
  assert.deepEqual(bars, [{ time: "t1", value: 3 }, { time: "t2", value: undefined }]);
  assert.equal(sum(bars.map((b) => b.value)), 3);
});

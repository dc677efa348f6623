import assert from "node:assert/strict";
import test from "node:test";

import { dayRange, matches, merge, parameters, reasonParts } from "../src/lib/entries.js";

test("a day has a beginning and an end", () => {
  const { from, to } = dayRange("2026-01-31");
  assert.equal(new Date(from).getTime(), new Date(2026, 0, 31).getTime());
  assert.equal(new Date(to).getTime(), new Date(2026, 1, 1).getTime() - 1);
  for (const text of ["", "2026", "2026-02-30", "2026-13-01", "x", "2026-01-31T00:00"]) {
    assert.equal(dayRange(text), null, text);
  }
});

test("the query string has what is set", () => {
  assert.equal(parameters({}), "");
  assert.equal(parameters({ action: "", person: " ", from: "x", to: "" }), "");
  assert.equal(parameters({ action: "signed_in", person: " a+b@example.com " }), "?action=signed_in&person=a%2Bb%40example.com");
  assert.equal(parameters({ person: "7" }, { limit: 20 }), "?person=7&limit=20");
  assert.match(parameters({ from: "2026-01-31", to: "2026-01-31" }), /^\?from=2026-01-3\d.*&to=20/);
});

test("an entry matches by action, person and day", () => {
  const entry = {
    action: "access_changed", actor: "1", actor_user: { email: "root@example.com" }, target: "2",
    target_user: { email: "Ada@example.com" }, time: new Date(2026, 0, 31, 12).toISOString(),
  };
  const added = { action: "customer_added", actor: "1", target: "2", time: entry.time };
  const invited = { action: "invited", actor: "1", target: "eve@example.com", time: entry.time };
  for (const [filter, want, of = entry] of [
    [{}, true],
    [{ action: "access_changed" }, true],
    [{ action: "signed_in" }, false],
    [{ person: "1" }, true],
    [{ person: "2" }, true],
    [{ person: "3" }, false],
    [{ person: "ada@EXAMPLE.com" }, true],
    [{ person: "root@example.com" }, true],
    [{ person: "eve@example.com" }, false],
    [{ person: "eve@example.com" }, true, invited],
    [{ person: "2" }, false, added],
    [{ person: "1" }, true, added],
    [{ from: "2026-01-31", to: "2026-01-31" }, true],
    [{ from: "2026-02-01" }, false],
    [{ to: "2026-01-30" }, false],
    [{ person: "1", action: "signed_in" }, false],
  ]) {
    assert.equal(matches(of, filter), want, JSON.stringify(filter));
  }
});

test("fresh entries come first, each once, and never below the list", () => {
  const ids = (list) => list.map(({ id }) => id);
  const entries = (...list) => list.map((id) => ({ id }));
  assert.deepEqual(ids(merge([], [])), []);
  assert.deepEqual(ids(merge(entries(1, 3, 2), [])), [3, 2, 1]);
  assert.deepEqual(ids(merge(entries(6, 8, 7, 8, 5), entries(7, 6, 4))), [8, 7, 6, 5, 4]);
  assert.deepEqual(ids(merge(entries(3), entries(7, 4))), [7, 4]);
});

test("a reason is split into the server's words and those of a person", () => {
  for (const [reason, want] of [
    ["", []],
    ["administrator", [{ key: "administrator" }]],
    ["disabled: left: the company", [{ key: "disabled" }, { text: "left: the company" }]],
    ["not admin, disabled: administrator", [{ key: "notAdmin" }, { key: "disabled" }, { key: "administrator" }]],
    ["admin: invitation", [{ key: "admin" }, { key: "invitation" }]],
    ["she left", [{ text: "she left" }]],
    ["constructor", [{ text: "constructor" }]],
    ["account-disabled:hijacking", [{ text: "account-disabled:hijacking" }]],
  ]) {
    assert.deepEqual(reasonParts(reason), want, reason);
  }
});

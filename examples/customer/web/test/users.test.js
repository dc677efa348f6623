import assert from "node:assert/strict";
import { test } from "node:test";

import { forEachUser, nameOf, unique, userPath, withReason } from "../src/lib/users.js";

test("a task runs for one user after the other, and failures are named", async () => {
  const refused = new Error("refused");
  const running = [];
  const result = await forEachUser(["a", "b", "c"], async (user) => {
    running.push(user);
    await null;
    assert.equal(running.at(-1), user, "two tasks run at once");
    if (user === "b") {
      throw refused;
    }
  });
  assert.deepEqual(result, { done: ["a", "c"], failed: [{ user: "b", problem: refused }] });
});

test("the tasks stop if the session has ended", async () => {
  const ended = Object.assign(new Error("ended"), { isSignedOut: true });
  const tried = [];
  const run = forEachUser(["a", "b"], async (user) => {
    tried.push(user);
    throw ended;
  });
  await assert.rejects(run, ended);
  assert.deepEqual(tried, ["a"]);
});

test("a session that is listed twice is shown once, at its first place", () => {
  assert.deepEqual(unique([{ id: 1, n: 1 }, { id: 2, n: 2 }, { id: 1, n: 3 }]), [{ id: 1, n: 1 }, { id: 2, n: 2 }]);
});

test("paths are escaped, and a blank reason is left out", () => {
  assert.equal(userPath("demo:1/2"), "/admin/users/demo%3A1%2F2");
  assert.equal(withReason("/x", "  "), "/x");
  assert.equal(withReason("/x", " left & gone "), "/x?reason=left+%26+gone");
  assert.deepEqual([nameOf({ name: "", email: "", id: "1" }), nameOf({ name: "Ada", id: "1" })], ["1", "Ada"]);
});

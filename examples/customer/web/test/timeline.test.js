// What the page of a user says about an entry of the audit.
import assert from "node:assert/strict";
import { test } from "node:test";

import { load } from "./vite.js";

const { render } = await load("svelte/server");
await load("/src/messages/pages.js");
const { default: TimelineEntry } = await load("/src/parts/TimelineEntry.svelte");

const ada = { id: "ada-1", email: "ada@example.com", name: "Ada" };
const root = { id: "root 1", email: "root@example.com" };
const entry = { id: 1, time: "2026-01-31T12:00:00.000Z", actor: ada.id, actor_user: ada, target: "", action: "signed_in", reason: "" };
const html = (e, isNew) => render(TimelineEntry, { props: { entry: { ...entry, ...e }, person: ada.id, isNew } }).body.replace(/<!--.*?-->/g, "");
const text = (e) => html(e).replace(/<[^>]+>/g, " ").replace(/\s+/g, " ").trim();

for (const [name, e, want] of [
  ["the person alone", {}, /^signed in \d/],
  ["an action without a text", { action: "moved_house" }, /^moved house \d/],
  ["another person did it", { action: "access_changed", actor: root.id, actor_user: root, target: ada.id, target_user: ada }, /^access changed by root@example\.com \d/],
  ["Google did it", { action: "security_event", actor: "google", actor_user: undefined, target: ada.id }, /^report by Google by Google \d/],
  ["the person did it to another one", { action: "user_revoked", target: root.id, target_user: root }, /^user's sessions revoked about root@example\.com \d/],
  ["a deleted user", { action: "user_deleted", target: "gone-1", target_user: { id: "gone-1" } }, /^user deleted about gone-1 \d/],
  ["a customer", { action: "customer_added", target: "21", target_customer: { id: 21, name: "N" } }, /^customer added about N \d/],
  ["a deleted customer", { action: "customer_deleted", target: "21", target_customer: { id: 21 } }, /^customer deleted about Customer 21 \d/],
  ["an address that is not a user's", { action: "invited", target: "eve@example.com" }, /^invited about eve@example\.com \d/],
  ["a reason of the server and one of a person", { action: "access_changed", reason: "admin: <b>promoted</b>" }, /^access changed administrator from now on · &lt;b>promoted&lt;\/b> \d/],
  ["device, address and label", { user_agent: "curl/8.15.0", ip: "192.0.2.1", label: "<laptop>" }, / · curl 8\.15 · 192\.0\.2\.1 · &lt;laptop>$/],
]) {
  test(`an entry of the timeline: ${name}`, () => assert.match(text(e), want));
}

test("a user of the timeline is a link, but not the person whose page it is", () => {
  const other = html({ target: root.id, target_user: root });
  assert.match(other, /<a href="\/admin\/users\/root%201" title="root 1"/);
  assert.doesNotMatch(other, /ada-1/);
  assert.match(html({ target: "gone-1", target_user: { id: "gone-1" } }), /title="This user has been deleted."/);
});

test("an entry that has just come is marked", () => {
  const isMarked = (isNew) => /<li class="[^"]*\bnew\b/.test(html({}, isNew));
  assert.deepEqual([isMarked(true), isMarked(false)], [true, false]);
});

// When a Stream connects again. The server is real, and refuses as the test says.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { test } from "node:test";

import { Stream } from "../src/lib/stream.js";

// A page is visible until the test hides it.
const page = Object.assign(new EventTarget(), { visibilityState: "visible" });
globalThis.document = /** @type {any} */ (page);

function show(visibilityState) {
  page.visibilityState = visibilityState;
  page.dispatchEvent(new Event("visibilitychange"));
}

// serve answers the first requests with the statuses, and each later one with a stream. It
// calls asked for each request.
async function serve(t, statuses, asked = (_count) => {}) {
  let count = 0;
  const streams = [];
  const server = createServer((request, response) => {
    const status = statuses[count++] ?? 200;
    asked(count);
    if (status !== 200) {
      response.writeHead(status).end();
      return;
    }
    response.writeHead(200, { "Content-Type": "text/event-stream" });
    response.write('event: hello\ndata: {}\n\nevent: entry\ndata: {"id":7}\n\n');
    streams.push(response);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${server.address().port}/`, streams, requests: () => count };
}

// until returns a promise and the function that resolves it.
function until() {
  let done;
  const promise = new Promise((resolve) => (done = resolve));
  return { promise, done };
}

test("a refused stream is opened again, after longer and longer pauses", async (t) => {
  const times = [];
  const { url, requests } = await serve(t, [503, 429, 401, 503], () => times.push(performance.now()));
  const entry = until();
  let refusals = 0;
  const mayReconnect = async () => ++refusals > 0;
  const stream = new Stream(url, { entry: entry.done }, { mayReconnect, firstPause: 20 });
  t.after(() => stream.close());
  stream.open();
  assert.equal(await entry.promise, '{"id":7}');
  assert.equal(requests(), 5);
  assert.equal(refusals, 4);
  for (const [n, pause] of [20, 40, 80, 160].entries()) {
    assert.ok(times[n + 1] - times[n] >= pause - 1, `pause ${n}: ${times[n + 1] - times[n]} ms`);
  }
});

test("a refused stream stays closed if the session has ended", async (t) => {
  const { url, requests } = await serve(t, [401, ...Array(20).fill(204)]);
  const asked = until();
  const stream = new Stream(url, {}, {
    firstPause: 1,
    mayReconnect: async () => {
      stream.close();
      asked.done();
      return true;
    },
  });
  stream.open();
  await asked.promise;
  for (let n = 1; n <= 20; n++) { // requests that take longer than the pause
    await fetch(url);
    assert.equal(requests(), 1 + n, "the stream has asked, too");
  }
  assert.equal(stream.isOpen, false);
});

test("the stream is closed while the page is hidden", async (t) => {
  const { url, streams } = await serve(t, []);
  let hello = until();
  const stream = new Stream(url, { hello: () => hello.done() });
  t.after(() => stream.close());
  stream.open();
  await hello.promise;
  const closed = once(streams[0], "close");
  show("hidden");
  await closed;
  assert.equal(stream.isOpen, true);
  hello = until();
  show("visible");
  await hello.promise;
  assert.equal(streams.length, 2);

  const gone = once(streams[1], "close");
  stream.close();
  await gone;
  show("visible");
  assert.equal(stream.isOpen, false);
  assert.equal(streams.length, 2);
});

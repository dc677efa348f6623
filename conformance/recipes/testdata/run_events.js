// Runs events.js with an EventSource whose connection ends as the argument says, and prints
// what the page does: where it goes, and when it listens again.
"use strict";
const fs = require("node:fs");
const [script, readyState, status, message] = process.argv.slice(2);
const did = [];
let listeners = {};
globalThis.EventSource = class {
  static CONNECTING = 0;
  static CLOSED = 2;
  constructor(url) { did.push("open " + url); this.readyState = 1; listeners = {}; EventSource.last = this; }
  addEventListener(type, f) { listeners[type] = f; }
  close() { this.readyState = 2; did.push("close"); }
};
globalThis.location = { pathname: "/page", assign: (to) => did.push("go to " + to) };
globalThis.fetch = async (url) => { did.push("ask " + url); if (status === "0") throw new Error(); return { status: Number(status) }; };
globalThis.setTimeout = (f, ms) => did.push((f.name || "function") + " in " + ms + " ms");
new Function(fs.readFileSync(script, "utf8") + ";listen();")();
(async () => {
  if (message) listeners[message]();
  else { EventSource.last.readyState = Number(readyState); await listeners.error(); }
  console.log(JSON.stringify(did));
})();

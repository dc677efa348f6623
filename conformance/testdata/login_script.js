// Runs login.js in a page that is only as real as the script needs it, signs in, and
// prints for each query where the page went. Its arguments: the script, and the queries as
// JSON.
const { readFileSync } = require("node:fs");
const vm = require("node:vm");

const script = readFileSync(process.argv[2], "utf8");

async function signIn(search) {
  const went = [];
  const said = [];
  let callback;
  const element = () => ({ after() {}, setAttribute() {}, set textContent(text) { said.push(text); } });
  const google = { accounts: { id: { initialize: (c) => (callback = c.callback), renderButton() {} } } };
  const page = {
    URL,
    URLSearchParams,
    google,
    addEventListener() {},
    document: {
      currentScript: { src: "https://app.test/api/login.js", dataset: {} },
      getElementById: (id) => (id === "google-signin" ? element() : null),
      createElement: element,
    },
    location: { search, origin: "https://app.test", protocol: "https:", assign: (to) => went.push(to) },
    fetch: async () => ({ ok: true, json: async () => ({ client_id: "c", nonce: "n" }) }),
  };
  page.window = page;
  vm.runInNewContext(script, page);
  await new Promise(setImmediate);
  await callback({ credential: "x" });
  return { went, said };
}

(async () => {
  const results = [];
  for (const search of JSON.parse(process.argv[3])) {
    results.push(await signIn(search).catch((e) => ({ went: [], said: [String(e)] })));
  }
  console.log(JSON.stringify(results));
})();

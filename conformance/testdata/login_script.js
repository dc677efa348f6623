// Runs login.js in a page that is only as real as the script needs it, signs in, and
// prints for each page where it went. Its arguments are the script's file, and a list of
// objects with the query of the page's address and the attribute data-next, as JSON.
const { readFileSync } = require("node:fs");
const vm = require("node:vm");

const script = readFileSync(process.argv[2], "utf8");

async function signIn({ query, next }) {
  const went = [];
  const said = [];
  let callback;
  const element = () => ({
    after() {},
    append() {},
    contains: () => false,
    querySelector: () => null,
    querySelectorAll: () => [],
    replaceChildren() {},
    setAttribute() {},
    dispatchEvent: ({ type, detail }) => said.push(detail.code ?? type),
  });
  const tag = element();
  tag.src = "https://app.test/api/login.js";
  tag.getAttribute = (name) => (name === "data-next" ? next : null);
  const box = element();
  const google = { accounts: { id: { initialize: (c) => (callback = c.callback), renderButton() {} } } };
  const page = {
    AbortSignal,
    CustomEvent,
    URL,
    URLSearchParams,
    addEventListener() {},
    clearTimeout() {},
    console: { error: (...words) => said.push(words.join(" ")), warn() {} },
    document: {
      addEventListener() {},
      createElement: element,
      currentScript: tag,
      getElementById: (id) => (id === "google-signin" ? box : null),
      readyState: "complete",
      querySelector: () => null,
      scripts: [],
    },
    fetch: async () => ({ ok: true, status: 200, json: async () => ({ client_id: "c", nonce: "n" }) }),
    google,
    isSecureContext: true,
    location: { search: query, origin: "https://app.test", protocol: "https:", href: "https://app.test/login" + query, assign: (to) => went.push(to) },
    navigator: { languages: ["en"], userAgent: "" },
    setInterval() {},
    setTimeout() {},
  };
  page.window = page;
  vm.runInNewContext(script, page);
  while (!callback && said.every((word) => !/error|login.js/.test(word))) {
    await new Promise(setImmediate);
  }
  await callback({ credential: "x" });
  return { went, said };
}

(async () => {
  const results = [];
  for (const page of JSON.parse(process.argv[3])) {
    results.push(await signIn(page).catch((e) => ({ went: [], said: [String(e)] })));
  }
  console.log(JSON.stringify(results));
})();

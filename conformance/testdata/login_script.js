// Runs login.js in a page that is only as real as the script needs it, signs in, and
// prints for each page where it went. Its arguments are the script's file, and a list of
// objects with the query of the page's address and the attribute data-next, as JSON. If named
// is true, the page has elements with the names currentScript and googlesession.
const { readFileSync } = require("node:fs");
const vm = require("node:vm");

const script = readFileSync(process.argv[2], "utf8");

async function signIn({ query, next, named }) {
  const went = [];
  const asked = [];
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
  tag.localName = "script";
  tag.src = "https://app.test/api/login.js";
  tag.getAttributeNames = () => [];
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
      currentScript: named ? { ...tag, localName: "img", src: "https://evil.example/api/login.js" } : tag,
      ...(named && { googlesession: element() }),
      getElementById: (id) => (id === "google-signin" ? box : null),
      readyState: "complete",
      querySelector: (selector) => (selector.startsWith("script") ? tag : null),
      scripts: [],
    },
    fetch: async (url) => {
      asked.push(url);
      return { ok: true, status: 200, json: async () => ({ client_id: "c", nonce: "n" }) };
    },
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
  return { went, said, asked };
}

(async () => {
  const results = [];
  for (const page of JSON.parse(process.argv[3])) {
    results.push(await signIn(page).catch((e) => ({ went: [], said: [String(e)] })));
  }
  console.log(JSON.stringify(results));
})();

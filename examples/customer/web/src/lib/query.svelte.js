// This file keeps the state of a list, such as the search and the page, in the address. So
// a list can be bookmarked, and Back goes to the state before.

import { searchParams } from "sv-router";

import { router } from "../router.js";

// A Query has a value for each parameter in defaults. A parameter with its default value is
// not in the address. Values are texts, numbers or booleans, as the defaults are.
export class Query {
  #defaults;
  #path = router.route.pathname;
  #last;
  values = $derived.by(() => this.#read());

  constructor(defaults) {
    this.#defaults = this.#last = defaults;
  }

  // The address changes before the page goes away, so the query keeps its last values then.
  #read() {
    const params = searchParams.toURLSearchParams();
    if (router.route.pathname !== this.#path) {
      return this.#last;
    }
    const read = ([name, preset]) => [name, params.has(name) ? parse(params.get(name), preset) : preset];
    this.#last = Object.fromEntries(Object.entries(this.#defaults).map(read));
    return this.#last;
  }

  // set changes parameters. It adds an entry to the history, or replaces the present one,
  // which is right while a person types.
  async set(changes, { replace = false } = {}) {
    await router.navigate(this.#path, { search: this.search(changes), replace, scrollToTop: false });
  }

  // search returns the query string with these changes, with its question mark, or "".
  search(changes = {}) {
    const params = new URLSearchParams();
    for (const [name, value] of Object.entries({ ...this.values, ...changes })) {
      if (value !== this.#defaults[name]) {
        params.set(name, String(value));
      }
    }
    const text = params.toString();
    return text && "?" + text;
  }

  // href returns the path of the page with these changes, for a link.
  href(changes) {
    return this.#path + this.search(changes);
  }
}

function parse(text, preset) {
  switch (typeof preset) {
    case "number":
      return /^[1-9]\d{0,8}$/.test(text) ? Number(text) : preset;
    case "boolean":
      return text === "true";
    default:
      return text;
  }
}

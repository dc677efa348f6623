// What a page shows of its requests: whether they are under way, what came back,
// what went wrong.

import { get } from "./api.js";

// A Loader gets what a page shows, and gets it again. Load.svelte starts it, where
// it is shown.
export class Loader {
  data = $state.raw(undefined); // undefined: nothing yet
  problem = $state.raw(null);
  #load;

  constructor(load) {
    this.#load = load;
  }

  start() {
    this.data = undefined;
    this.reload();
  }

  reload = async () => {
    this.problem = null;
    try {
      this.data = await this.#load();
    } catch (problem) {
      this.problem = problem;
    }
  };
}

// A List is a Loader of a list that comes in parts, as {[name], next}.
export class List extends Loader {
  next = $state(undefined); // where the next part begins; undefined: this is all
  #path;
  #name;

  constructor(path, name) {
    super(() => this.#part());
    this.#path = path;
    this.#name = name;
  }

  more = async () => {
    this.data = [...this.data, ...(await this.#part(this.next))];
  };

  async #part(after) {
    const part = await get(this.#path + (after ? "?after=" + encodeURIComponent(after) : ""));
    this.next = part.next;
    return part[this.#name];
  }
}

// A Doer does what a person asks for: one thing at a time, with a way to try again.
export class Doer {
  busy = $state(false);
  problem = $state.raw(null);
  done = $state(""); // in words
  retry = $state.raw(null);

  // run reports whether it worked. If so, words say what has happened.
  async run(action, words = "") {
    if (this.busy) {
      return false;
    }
    this.busy = true;
    this.problem = this.retry = null;
    this.done = "";
    try {
      const said = await action();
      this.done = typeof said === "string" ? said : words;
      return true;
    } catch (problem) {
      this.problem = problem;
      this.retry = problem.isOutage ? () => this.run(action, words) : null;
      return false;
    } finally {
      this.busy = false;
    }
  }
}

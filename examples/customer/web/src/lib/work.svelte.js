// The classes in this file keep the state of requests for a page: whether a request is
// under way, its result, and its problem.

import { get } from "./api.js";

// A Loader loads the data of a page and can load it again. Load.svelte starts it.
export class Loader {
  data = $state.raw(undefined); // undefined while nothing has been loaded
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
  next = $state(undefined); // where the next part begins, or undefined after the last part
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

// An Action runs the tasks that a person starts, one at a time, and can try one again.
export class Action {
  busy = $state(false);
  problem = $state.raw(null);
  done = $state(""); // the result in words
  retry = $state.raw(null); // runs the task again, or null

  // run returns whether the task has succeeded. On success it sets done to the text that
  // the task returns, or to words.
  async run(task, words = "") {
    if (this.busy) {
      return false;
    }
    this.busy = true;
    this.problem = this.retry = null;
    this.done = "";
    try {
      const result = await task();
      this.done = typeof result === "string" ? result : words;
      return true;
    } catch (problem) {
      this.problem = problem;
      this.retry = problem.isOutage ? () => this.run(task, words) : null;
      return false;
    } finally {
      this.busy = false;
    }
  }
}

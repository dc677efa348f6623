// The classes in this file keep the state of requests for a page: whether a request is
// under way, its result, and its problem.

import { get } from "./api.js";
import { tick } from "./clock.svelte.js";
import { remember, remembered } from "./history.js";
import { t } from "./i18n.svelte.js";
import { toast } from "./toasts.svelte.js";

const pauses = [2_000, 4_000, 8_000, 15_000]; // milliseconds before a load is tried again after an outage

// A Loader loads the data of a page and can load it again. Load.svelte starts it. With a
// name, Back shows the data of before at once, and the Loader then looks for changes.
export class Loader {
  data = $state.raw(undefined); // undefined while nothing has been loaded
  problem = $state.raw(null);
  busy = $state(false);
  #load;
  #name;
  #runs = 0; // so that a late answer does not replace a newer one
  #timer = 0;

  constructor(load, { name = "" } = {}) {
    this.#load = load;
    this.#name = name;
    this.data = name ? remembered(name) : undefined;
  }

  // start returns a function that stops the Loader.
  start() {
    this.reload();
    const again = () => this.problem?.isOutage && this.reload();
    addEventListener("online", again);
    return () => {
      removeEventListener("online", again);
      clearTimeout(this.#timer);
      this.#runs++;
    };
  }

  // follow loads again whenever the value of read changes. Call it while a component is made.
  follow(read) {
    let first = true;
    $effect(() => {
      read();
      if (!first) {
        this.reload();
      }
      first = false;
    });
  }

  // set replaces the data, as after a change that the server has confirmed.
  set(data) {
    tick();
    this.data = data;
    if (this.#name) {
      remember(this.#name, data);
    }
  }

  reload = async (tries = 0) => {
    const run = ++this.#runs;
    const attempt = typeof tries === "number" ? tries : 0; // a click calls reload with an event
    clearTimeout(this.#timer);
    this.busy = true;
    try {
      const data = await this.#load();
      if (run === this.#runs) {
        this.problem = null;
        this.set(data);
      }
    } catch (problem) {
      if (run === this.#runs) {
        this.problem = problem;
        if (problem.isOutage) {
          this.#timer = setTimeout(() => this.reload(attempt + 1), pauses[Math.min(attempt, pauses.length - 1)]);
        }
      }
    } finally {
      if (run === this.#runs) {
        this.busy = false;
      }
    }
  };
}

// A List is a Loader of a list that comes in parts, as {[name], next}.
export class List extends Loader {
  next = $state(undefined); // where the next part begins, or undefined after the last part
  #path;
  #name;

  // path may be a function, if the list depends on filters.
  constructor(path, name, options) {
    super(() => this.#part(), options);
    this.#path = typeof path === "function" ? path : () => path;
    this.#name = name;
  }

  more = async () => {
    this.set([...this.data, ...(await this.#part(this.next))]);
  };

  async #part(after) {
    const url = new URL(this.#path(), location.origin);
    if (after) {
      url.searchParams.set("after", after);
    }
    const part = await get(url.pathname + url.search);
    this.next = part.next;
    return part[this.#name];
  }
}

// An Action runs the tasks that a person starts, one at a time. The result is a message over
// the page, unless the Action is inline: then Result.svelte shows a problem beside the form.
export class Action {
  busy = $state(false);
  problem = $state.raw(null);
  retry = $state.raw(null); // runs the task again, or null
  #inline;

  constructor({ inline = false } = {}) {
    this.#inline = inline;
  }

  // run returns whether the task has succeeded. The message is the text that the task
  // returns, or words, or none if both are empty.
  async run(task, words = "", options = {}) {
    if (this.busy) {
      return false;
    }
    this.busy = true;
    this.problem = this.retry = null;
    try {
      const result = await task();
      const text = typeof result === "string" ? result : words;
      if (text) {
        toast(text, options);
      }
      return true;
    } catch (problem) {
      this.#fail(problem, () => this.run(task, words, options));
      return false;
    } finally {
      this.busy = false;
    }
  }

  #fail(problem, again) {
    if (problem.isSignedOut) {
      return; // the login page opens
    }
    const retry = problem.isOutage ? again : null;
    if (this.#inline) {
      this.problem = problem;
      this.retry = retry;
    } else {
      toast(problem.message, { tone: "problem", action: retry && { text: t("app.tryAgain"), run: retry } });
    }
  }
}

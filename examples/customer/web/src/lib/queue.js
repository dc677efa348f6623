import { Action } from "./work.svelte.js";

// A Queue is an Action that drops no task. It is for switches, because a person may press
// another one, or the same one again, before the server has answered.
export class Queue extends Action {
  #last = Promise.resolve(false);

  run(task, words = "", options = {}) {
    this.#last = this.#last.then(() => super.run(task, words, options));
    return this.#last;
  }
}

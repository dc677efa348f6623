// This file keeps what a person has typed into a form when the session ends, so that the
// text is there again after the sign-in. A draft is kept in this tab, for the same user, and
// until the form is sent or given up, or the user signs out.

import { forget, load, save } from "./storage.js";

const names = new Set(JSON.parse(load("drafts", "sessionStorage") || "[]"));

// A Draft has the fields of one form, with their first values.
export class Draft {
  values = $state(/** @type {Record<string, any>} */ ({}));
  isRestored = false; // the form had text when the session ended
  #name;
  #fields;

  constructor(userID, name, fields) {
    this.#name = `draft:${userID}:${name}`;
    this.#fields = fields;
    const text = load(this.#name, "sessionStorage");
    this.isRestored = text !== "";
    this.values = { ...fields, ...(text ? JSON.parse(text) : {}) };
  }

  // keep saves the values. Call it when the form changes.
  keep() {
    names.add(this.#name);
    save("drafts", JSON.stringify([...names]), "sessionStorage");
    save(this.#name, JSON.stringify(this.values), "sessionStorage");
  }

  // drop forgets the values and begins again.
  drop(fields = this.#fields) {
    forget(this.#name, "sessionStorage");
    this.isRestored = false;
    this.values = { ...fields };
  }
}

// forgetDrafts is called when a user signs out.
export function forgetDrafts() {
  for (const name of names) {
    forget(name, "sessionStorage");
  }
  names.clear();
}

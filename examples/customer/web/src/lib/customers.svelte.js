// This file keeps the list of customers that the page shows, and what people do with it.

import { tick } from "svelte";
import { SvelteSet } from "svelte/reactivity";

import { del, get } from "./api.js";
import { csv } from "./csv.js";
import { t } from "./i18n.svelte.js";
import { Query } from "./query.svelte.js";
import { commitAll, postpone, toast } from "./toasts.svelte.js";
import { Loader } from "./work.svelte.js";

export const sorts = ["id", "-id", "name", "-name", "email", "-email"];

const pageSize = 50;
const largestPage = 200; // that the server answers with

export class Customers {
  query = new Query({ q: "", sort: "id", page: 1 });
  loader = new Loader(() => this.#load(), { name: "customers" });
  selected = new SvelteSet(); // IDs
  fresh = $state(0); // the ID of the customer that was added or changed last
  #leaving = new SvelteSet(); // IDs of customers whose deletion can be undone
  #added = $state.raw([]); // customers that were added since the list was chosen, the newest first
  #isShown = true;

  sort = $derived(sorts.includes(this.query.values.sort) ? this.query.values.sort : "id");
  rows = $derived(this.#all().filter(({ id }) => !this.#leaving.has(id)));
  total = $derived((this.loader.data?.total ?? 0) - this.#all().filter(({ id }) => this.#leaving.has(id)).length);
  chosen = $derived(this.rows.filter(({ id }) => this.selected.has(id)));

  // Call the constructor while a component is made.
  constructor() {
    this.loader.follow(() => this.query.values);
    let before = this.query.values;
    $effect(() => {
      if (before !== this.query.values) {
        before = this.query.values;
        this.#added = [];
        this.selected.clear();
      }
    });
    $effect(() => () => {
      this.#isShown = false;
      void commitAll(); // so that the page does not show the rows when it is opened again
    });
  }

  // A customer who was added stays at the top, wherever the order has the customer, because
  // people look for what they have just made.
  #all() {
    const list = this.loader.data?.results ?? [];
    const isListed = new Set(list.map(({ id }) => id));
    return [...this.#added.filter(({ id }) => !isListed.has(id)), ...list];
  }

  async #load() {
    const { page } = this.query.values;
    const list = await get(this.#path(page, pageSize));
    if (this.#isShown && page > list.pages) { // the last page has lost its only row
      await this.query.set({ page: list.pages }, { replace: true });
      return get(this.#path(list.pages, pageSize));
    }
    return list;
  }

  #path(page, limit) {
    const { q } = this.query.values;
    return "/customer?" + new URLSearchParams({ ...(q && { q }), sort: this.sort, page, limit });
  }

  // csv returns all customers of the list, with all pages, as a table.
  async csv(names) {
    const found = new Map(); // by ID, because a row may move to another page meanwhile
    for (let page = 1, pages = 1; page <= pages; page++) {
      const list = await get(this.#path(page, largestPage));
      list.results.forEach((customer) => found.set(customer.id, customer));
      pages = list.pages;
    }
    return csv([names, ...[...found.values()].map(({ id, name, email }) => [id, name, email])]);
  }

  added(customer) {
    this.#added = [customer, ...this.#added];
    this.fresh = customer.id;
    this.#replace((list) => list, 1);
  }

  changed(customer) {
    const swap = (list) => list.map((other) => (other.id === customer.id ? customer : other));
    this.#added = swap(this.#added);
    this.fresh = customer.id;
    this.#replace(swap, 0);
  }

  // gone takes customers from the list who do not exist any more.
  gone(customers) {
    const ids = new Set(customers.map(({ id }) => id));
    const keep = (list) => list.filter(({ id }) => !ids.has(id));
    const lost = this.#all().length - keep(this.#all()).length;
    this.#added = keep(this.#added);
    this.#replace(keep, -lost);
    for (const id of ids) {
      this.#leaving.delete(id);
      this.selected.delete(id);
    }
  }

  // remove takes the rows away at once. It deletes the customers when the time to undo is over.
  remove(customers, onundo) {
    for (const { id } of customers) {
      this.#leaving.add(id);
      this.selected.delete(id);
    }
    postpone(words("customers.deleted_", customers), {
      commit: (isLeaving) => this.#delete(customers, isLeaving),
      undo: async () => {
        customers.forEach(({ id }) => this.#leaving.delete(id));
        await tick();
        onundo(customers[0]);
      },
    });
  }

  async #delete(customers, keepalive) {
    const attempts = customers.map(({ id }) => del("/customer/" + id, { keepalive }).then(() => null, (problem) => problem));
    const problems = (await Promise.all(attempts)).map((problem) => (problem?.status === 404 ? null : problem)); // 404: deleted already
    const failed = customers.filter((_, i) => problems[i]);
    const problem = problems.find(Boolean);
    this.gone(customers.filter((customer) => !failed.includes(customer)));
    failed.forEach(({ id }) => this.#leaving.delete(id));
    if (problem && !problem.isSignedOut) {
      toast(words("customers.notDeleted_", failed, { reason: problem.message }), {
        tone: "problem",
        action: problem.isOutage ? { text: t("app.tryAgain"), run: () => this.#delete(failed, false) } : null,
      });
    }
    if (this.#isShown && failed.length < customers.length) {
      this.loader.reload(); // the rows of the next page move up
    }
  }

  // The page may be gone, and with it the entry of the history in which set keeps the data.
  #replace(change, more) {
    const { data } = this.loader;
    if (data && this.#isShown) {
      this.loader.set({ ...data, results: change(data.results), total: data.total + more });
    }
  }
}

// words returns a text about one customer by name, or about many by their number.
const words = (key, customers, values = {}) =>
  customers.length === 1 ? t(key + "one", { ...values, name: customers[0].name }) : t(key + "many", { ...values, count: customers.length });

// This file keeps the entries of the audit that a page shows, and those that the server
// sends meanwhile.

import { followServer } from "./adminstream.js";
import { get } from "./api.js";
import { matches, merge, parameters } from "./entries.js";
import { List } from "./work.svelte.js";

const maxFresh = 200; // entries from the stream after which the list is loaded again
const announceAfter = 2_000; // milliseconds for which entries are counted, so that they are announced together

// An AuditLog has the entries that a filter selects. filter is a function. follow makes the
// log live.
export class AuditLog {
  added = $state.raw({ count: 0, times: 0 }); // what to announce: how many entries have come

  #fresh = $state.raw([]); // entries that have come since the list was loaded
  #filter;
  #limit;
  #arrived = new Set(); // IDs of the entries to highlight
  #count = 0;
  #timer = 0;
  #follows = false;

  constructor(filter, { limit = 50 } = {}) {
    this.#filter = filter;
    this.#limit = limit;
    this.list = new List(() => this.path, "entries");
  }

  path = $derived.by(() => "/admin/audit" + parameters(this.#filter(), { limit: this.#limit }));

  // The newest first.
  rows = $derived.by(() => {
    const fresh = this.#fresh.filter((entry) => matches(entry, this.#filter()));
    return merge(fresh, this.list.data ?? []);
  });

  hasArrived = (entry) => this.#arrived.has(entry.id);

  // follow adds the entries that the server sends, until the function that it returns is
  // called.
  follow() {
    let isFirst = true;
    this.#follows = true;
    const stop = followServer({
      entry: (entry) => this.#add([entry]),
      hello: () => {
        this.#catchUp({ highlight: !isFirst });
        isFirst = false;
      },
    });
    return () => {
      stop();
      this.#follows = false;
      clearTimeout(this.#timer);
      this.#timer = this.#count = 0;
    };
  }

  // #catchUp reads what the stream did not have, because it had not begun or was interrupted.
  // If that is more than a page, the list begins anew.
  async #catchUp({ highlight }) {
    const path = this.path;
    const { entries } = await get(path).catch(() => ({ entries: [] })); // the page goes on with what it has
    if (!this.#follows || path !== this.path) {
      return; // the page has gone, or shows another list
    }
    const newest = this.list.data && this.rows[0]?.id;
    if (newest && entries.length && entries.at(-1).id > newest) {
      this.list.reload();
    } else {
      this.#add(entries, { highlight });
    }
  }

  #add(entries, { highlight = true } = {}) {
    const shown = new Set(this.rows.map(({ id }) => id));
    this.#fresh = [...entries, ...this.#fresh];
    const added = this.rows.filter(({ id }) => !shown.has(id));
    if (highlight && this.list.data && added.length) {
      added.forEach(({ id }) => this.#arrived.add(id));
      this.#announce(added.length);
    }
    if (this.#fresh.length > maxFresh) {
      this.list.reload();
      this.#fresh = this.#fresh.slice(0, maxFresh / 4); // the list has the others
    }
  }

  #announce(count) {
    this.#count += count;
    this.#timer ||= setTimeout(() => {
      this.added = { count: this.#count, times: this.added.times + 1 };
      this.#count = this.#timer = 0;
    }, announceAfter);
  }
}

// This file has what the audit's pages compute from entries and filters.

// actions are the actions of the audit, in the order in which a filter offers them.
export const actions = [
  "signed_in", "new_device", "bound", "issued", "signed_out", "revoked", "user_revoked", "all_revoked", "security_event",
  "user_created", "access_changed", "data_changed", "user_deleted", "user_exported", "invited", "invitation_accepted",
  "invitation_withdrawn", "customer_added", "customer_changed", "customer_deleted",
];

// dayRange returns the times at which a day such as "2026-01-31" begins and ends here, as the
// server takes them, or null for a text that is not a day.
export function dayRange(day) {
  const [, year, month, date] = (/^(\d{4})-(\d\d)-(\d\d)$/.exec(day) ?? []).map(Number);
  const begin = new Date(year, month - 1, date);
  if (begin.getDate() !== date || begin.getMonth() !== month - 1) {
    return null;
  }
  return { from: begin.toISOString(), to: new Date(new Date(year, month - 1, date + 1).getTime() - 1).toISOString() };
}

// parameters returns the query string of a filter, with its question mark, or "". Days that
// are not days are left out.
export function parameters({ action = "", person = "", from = "", to = "" }, more = {}) {
  const values = { action, person: person.trim(), from: dayRange(from)?.from, to: dayRange(to)?.to, ...more };
  const given = Object.entries(values).filter(([, value]) => value);
  return given.length ? "?" + new URLSearchParams(given) : "";
}

// matches reports whether the filter selects an entry that the server has just sent. The
// server has the same rules for the entries of a list.
export function matches(entry, { action = "", person = "", from = "", to = "" }) {
  const [begin, end] = [dayRange(from)?.from, dayRange(to)?.to];
  if ((action && entry.action !== action) || (begin && entry.time < begin) || (end && entry.time > end)) {
    return false;
  }
  const wanted = person.trim();
  if (!wanted) {
    return true;
  }
  const isWanted = (id, user) => (wanted.includes("@") ? [id, user?.email].some((text) => text?.toLowerCase() === wanted.toLowerCase()) : id === wanted);
  return isWanted(entry.actor, entry.actor_user) || (!entry.action.startsWith("customer_") && isWanted(entry.target, entry.target_user));
}

// merge returns the fresh entries and the listed ones, each once, the newest first. It leaves
// out fresh entries that are older than the listed ones, because the list goes on with those.
export function merge(fresh, listed) {
  const known = new Set(listed.map((entry) => entry.id));
  const oldest = listed.at(-1)?.id ?? 0;
  const added = new Map(fresh.filter(({ id }) => !known.has(id) && id > oldest).map((entry) => [entry.id, entry]));
  return [...added.values(), ...listed].sort((a, b) => b.id - a.id);
}

// The words that the server gives as a reason. Every other text is a person's.
const words = new Map([
  ["again", "again"],
  ["replaced", "replaced"],
  ["limit", "limit"],
  ["administrator", "administrator"],
  ["invitation", "invitation"],
  ["admin", "admin"],
  ["not admin", "notAdmin"],
  ["disabled", "disabled"],
  ["enabled", "enabled"],
  ["own session", "ownSession"],
  ["own other sessions", "ownOtherSessions"],
  ["own token", "ownToken"],
  ["own account", "ownAccount"],
  ["configured admin", "configured"],
  ["as an administrator", "asAdministrator"],
]);

// reasonParts splits a reason into the server's words, which have a key in the catalogue, and
// the words of a person: "disabled: left the company" is {key: "disabled"} and {text}.
export function reasonParts(reason) {
  if (!reason) {
    return [];
  }
  const [first, ...rest] = reason.split(": ");
  const keys = first.split(", ").map((word) => words.get(word));
  if (!keys.every(Boolean)) {
    return [{ text: reason }];
  }
  const more = rest.join(": ");
  const last = words.has(more) ? { key: words.get(more) } : { text: more };
  return [...keys.map((key) => ({ key })), ...(more ? [last] : [])];
}

// This file keeps the messages that appear over the page, where the person looks. Toasts.svelte
// shows them.

import { t } from "./i18n.svelte.js";

const shown = 6_000; // milliseconds for which a message without a problem is shown
let last = 0;

export const toasts = $state([]);

// toast shows a message. tone is "done", "note" or "problem". The button "Undo" calls undo,
// and the button with the text of action.text calls action.run. A problem is shown until
// it is closed.
export function toast(text, { tone = "done", undo = null, action = null, onexpire = () => {} } = {}) {
  const item = { id: ++last, text, tone, action: undo ? { text: t("toasts.undo"), run: undo } : action, onexpire, expires: tone !== "problem" };
  toasts.push(item);
  if (toasts.length > 3) {
    dismiss(toasts[0].id);
  }
  schedule(item.id);
  return item.id;
}

const timers = new Map();

// schedule begins the time of a message again, as when the pointer leaves it.
export function schedule(id) {
  hold(id);
  if (find(id)?.expires) {
    timers.set(id, setTimeout(dismiss, shown, id));
  }
}

// hold keeps a message while the pointer or the focus is on it (WCAG 2.2.1).
export function hold(id) {
  clearTimeout(timers.get(id));
  timers.delete(id);
}

// dismiss closes a message. Its action can no longer be used.
export function dismiss(id) {
  close(id)?.onexpire();
}

// act runs the action of a message and closes it.
export function act(id) {
  close(id)?.action.run();
}

function close(id) {
  hold(id);
  const item = find(id);
  if (item) {
    toasts.splice(toasts.indexOf(item), 1);
  }
  return item;
}

const find = (id) => toasts.find((item) => item.id === id);

const waiting = new Set(); // functions that send what can still be undone

// postpone shows a message with "Undo" and calls commit when the time to undo is over, when
// the message is closed, or when the person leaves the page or signs out. commit gets true
// if the document is going away, so that the request has to outlive it (fetch with keepalive).
export function postpone(text, { commit, undo }) {
  let over = false;
  const finish = (leaving) => {
    waiting.delete(finish);
    if (!over) {
      over = true;
      dismiss(id); // the button would not undo anything any more
      return commit(leaving);
    }
  };
  waiting.add(finish);
  const id = toast(text, {
    undo: () => {
      over = true;
      waiting.delete(finish);
      undo();
    },
    onexpire: () => finish(false),
  });
}

// commitAll sends everything that waits.
export const commitAll = (leaving = false) => Promise.all([...waiting].map((finish) => finish(leaving)));

addEventListener("pagehide", () => void commitAll(true));

// This file follows the server's stream for administrators, which has the entries of the
// audit as they happen (event "entry") and says when the overview has changed ("counts").

import { apiURL } from "./api.js";
import { Stream } from "./stream.js";

// followServer calls the handlers until the function that it returns is called. The handler
// hello is called whenever the stream has begun, also after an interruption, during which
// events may have been missed.
/** @param {{ hello?: () => void, entry?: (entry: any) => void, counts?: () => void }} handlers */
export function followServer({ hello = () => {}, entry = (_entry) => {}, counts = () => {} }) {
  const stream = new Stream(apiURL("/api/admin/live"), {
    hello: () => hello(),
    entry: (data) => entry(JSON.parse(data)),
    counts: () => counts(),
    ended: () => stream.close(), // the session has ended, or the user is not an administrator any more
  });
  stream.open();
  return () => stream.close();
}

// This file ends sessions of users for an administrator.

import { del } from "./api.js";
import { ended } from "./session.svelte.js";
import { userPath, withReason } from "./users.js";

// endSession ends a session. A session that has ended already is as the person wants it. The
// administrator's own session leads to the login page.
export async function endSession(userID, { id, current }, reason = "") {
  try {
    await del(withReason(`${userPath(userID)}/sessions/${id}`, reason));
  } catch (problem) {
    if (problem.status !== 404) {
      throw problem;
    }
  }
  if (current) {
    ended("signed_out");
  }
}

// This file has what several pages say and do about users.

export const nameOf = (user) => user.name || user.email || user.id;

// labelOf names a user for screen readers and in messages. Two users may have the same name.
export const labelOf = (user) => user.email || user.id;

export const userPath = (id) => "/admin/users/" + encodeURIComponent(id);

// withReason adds an administrator's reason to the path of a request. The audit shows it.
export const withReason = (path, reason) => (reason.trim() ? path + "?" + new URLSearchParams({ reason: reason.trim() }) : path);

// forEachUser runs the task for one user after the other and returns the users for whom it
// succeeded, and the others with their problems. It stops if the session of this page has
// ended, because every further request would be refused.
export async function forEachUser(users, task) {
  const done = [];
  const failed = [];
  for (const user of users) {
    try {
      await task(user);
      done.push(user);
    } catch (problem) {
      if (problem.isSignedOut) {
        throw problem;
      }
      failed.push({ user, problem });
    }
  }
  return { done, failed };
}

// unique drops later items with the id of an earlier one. The server may list a session on
// two pages.
export function unique(items) {
  const seen = new Set();
  return items.filter(({ id }) => !seen.has(id) && seen.add(id));
}

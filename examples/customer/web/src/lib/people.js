import { get } from "./api.js";
import { Loader } from "./work.svelte.js";

// people loads the addresses of the first 200 users by ID. Pages show an ID if it is not
// among them.
export function people() {
  const loader = new Loader(async () => {
    const { users } = await get("/admin/users?limit=200");
    return new Map(users.map((user) => [user.id, user.email || user.name]));
  });
  loader.start();
  return loader;
}

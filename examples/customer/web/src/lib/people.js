import { get } from "./api.js";
import { Loader } from "./work.svelte.js";

// people loads the addresses of users by ID, as far as one list of them goes. Pages
// work without.
export function people() {
  const loader = new Loader(async () => {
    const { users } = await get("/admin/users?limit=200");
    return new Map(users.map((user) => [user.id, user.email || user.name]));
  });
  loader.start();
  return loader;
}

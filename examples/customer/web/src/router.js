import { createRouter } from "sv-router";

import Administrator from "./parts/Administrator.svelte";
import SignedIn from "./parts/SignedIn.svelte";
import Unloaded from "./parts/Unloaded.svelte";

// unloaded takes the place of a page whose script does not load, as without a network, or
// after the server has got a new version.
const unloaded = () => ({ default: Unloaded });

// pages.json has the same paths, for the links of other pages and for the server. Each page
// is loaded when it is opened. The router's own types take no path that is made at run time.
/** @type {any} */
export const router = createRouter({
  "/": () => import("./pages/Top.svelte").catch(unloaded),
  "/login": () => import("./pages/Login.svelte").catch(unloaded),
  "/customer": { "/": () => import("./pages/Customer.svelte").catch(unloaded), layout: SignedIn },
  "/devices": { "/": () => import("./pages/Devices.svelte").catch(unloaded), layout: SignedIn },
  "/admin": {
    "/": () => import("./pages/Admin.svelte").catch(unloaded),
    "/users/:id": () => import("./pages/AdminUser.svelte").catch(unloaded),
    "/sessions": () => import("./pages/AdminSessions.svelte").catch(unloaded),
    "/overview": () => import("./pages/Overview.svelte").catch(unloaded),
    "/invitations": () => import("./pages/Invitations.svelte").catch(unloaded),
    "/audit": () => import("./pages/Audit.svelte").catch(unloaded),
    layout: Administrator,
  },
  "*": () => import("./pages/NotFound.svelte").catch(unloaded),
});

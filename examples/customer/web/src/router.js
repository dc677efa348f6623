import { createRouter } from "sv-router";

import Admin from "./pages/Admin.svelte";
import AdminUser from "./pages/AdminUser.svelte";
import Audit from "./pages/Audit.svelte";
import Customer from "./pages/Customer.svelte";
import Devices from "./pages/Devices.svelte";
import Invitations from "./pages/Invitations.svelte";
import Login from "./pages/Login.svelte";
import NotFound from "./pages/NotFound.svelte";
import Top from "./pages/Top.svelte";
import Administrator from "./parts/Administrator.svelte";
import SignedIn from "./parts/SignedIn.svelte";

// The server has the same list (isPage in web.go) and answers other paths with 404.
export const router = createRouter({
  "/": Top,
  "/login": Login,
  "/customer": { "/": Customer, layout: SignedIn },
  "/devices": { "/": Devices, layout: SignedIn },
  "/admin": {
    "/": Admin,
    "/users/:id": AdminUser,
    "/invitations": Invitations,
    "/audit": Audit,
    layout: Administrator,
  },
  "*": NotFound,
});

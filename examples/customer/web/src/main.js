// A later style sheet overrides an earlier one.
import "@picocss/pico/css/pico.min.css";
import "./styles/theme.css";
import "./styles/frame.css";
import "./styles/pages.css";
import "./styles/lists.css";
import "./styles/toasts.css";
import "./styles/phone.css";

import { mount } from "svelte";

import App from "./App.svelte";
import { startHistory } from "./lib/history.js";
import { startLocale } from "./lib/i18n.svelte.js";
import { repairAddress } from "./lib/paths.js";
import { start } from "./lib/session.svelte.js";
import { router } from "./router.js";

repairAddress();
startHistory();
// The texts, the session and the page are asked for at the same time.
start();
router.preload(location.pathname).catch(() => {}); // the router loads it again, and shows the error
await startLocale();
mount(App, { target: document.body });

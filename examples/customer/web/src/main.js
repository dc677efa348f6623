// A later style sheet overrides an earlier one.
import "@picocss/pico/css/pico.min.css";
import "./styles/theme.css";
import "./styles/frame.css";
import "./styles/pages.css";
import "./styles/lists.css";
import "./styles/phone.css";

import { mount } from "svelte";

import App from "./App.svelte";
import { repairAddress } from "./lib/paths.js";

repairAddress();
mount(App, { target: document.body });

// Later ones win.
import "@picocss/pico/css/pico.min.css";
import "./styles/theme.css";
import "./styles/frame.css";
import "./styles/pages.css";
import "./styles/lists.css";
import "./styles/phone.css";

import { mount } from "svelte";

import App from "./App.svelte";
import { mendAddress } from "./lib/paths.js";

mendAddress();
mount(App, { target: document.body });

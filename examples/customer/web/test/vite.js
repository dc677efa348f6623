// Vite loads the modules and components that have runes or find their files as Vite does.
import { after } from "node:test";

import { svelte } from "@sveltejs/vite-plugin-svelte";
import { createServer } from "vite";

Object.defineProperty(globalThis, "navigator", { value: { languages: ["en-GB"] }, configurable: true });
globalThis.document = /** @type {any} */ ({ documentElement: {}, visibilityState: "hidden", addEventListener() {} });

const vite = await createServer({ configFile: false, root: `${import.meta.dirname}/..`, plugins: [svelte({ configFile: false })], server: { middlewareMode: true, ws: false, watch: null }, appType: "custom", logLevel: "error" });
after(() => vite.close());

export const load = (path) => vite.ssrLoadModule(path);

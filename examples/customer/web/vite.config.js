import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";

// What dist is made from. A test of the Go program reads sources.sha256, in the
// format of sha256sum, and fails if one of them has changed since.
const sources = [".env.development", "index.html", "package.json", "package-lock.json", "vite.config.js", "public", "src"];

const read = (name) => readFileSync(join(import.meta.dirname, name));

function files(name) {
  const path = join(import.meta.dirname, name);
  return statSync(path).isDirectory() ? readdirSync(path).flatMap((entry) => files(`${name}/${entry}`)) : [name];
}

function writeSourceHashes() {
  return {
    name: "source-hashes",
    apply: "build",
    generateBundle() {
      const lines = sources.flatMap(files).sort().map((name) => `${createHash("sha256").update(read(name)).digest("hex")}  ${name}\n`);
      this.emitFile({ type: "asset", fileName: "sources.sha256", source: lines.join("") });
    },
  };
}

// A warning of the compiler, about accessibility say, is a mistake.
const strict = {
  configFile: false,
  onwarn(warning) {
    throw new Error(`${warning.filename}:${warning.start?.line}: ${warning.message}`);
  },
};

export default defineConfig({
  plugins: [svelte(strict), writeSourceHashes()],
  build: {
    modulePreload: false, // one chunk: there is nothing to load early
    reportCompressedSize: false,
    license: { fileName: "licenses.md" },
    rolldownOptions: { output: { codeSplitting: false }, checks: { pluginTimings: false } },
  },
  server: { port: 5173, strictPort: true },
});

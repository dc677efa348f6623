import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";

// sources are the files from which dist is made. The build writes their hashes to
// sources.sha256, in the format of sha256sum. A test of the Go program reads them and
// fails if a file has changed since the build.
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

// The build fails on every warning of the compiler, such as one about accessibility.
const strict = {
  configFile: false,
  onwarn(warning) {
    throw new Error(`${warning.filename}:${warning.start?.line}: ${warning.message}`);
  },
};

export default defineConfig({
  plugins: [svelte(strict), writeSourceHashes()],
  build: {
    modulePreload: false, // there is one chunk, so there is nothing to preload
    reportCompressedSize: false,
    license: { fileName: "licenses.md" },
    rolldownOptions: { output: { codeSplitting: false }, checks: { pluginTimings: false } },
  },
  server: { port: 5173, strictPort: true },
});

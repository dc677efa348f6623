import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative } from "node:path";

import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";

import { compressBundle } from "./build/compressed.js";
import { textFirst } from "./build/page.js";

// sources are the files from which dist is made. The build writes their hashes to
// sources.sha256, in the format of sha256sum. A test of the Go program reads them and
// fails if a file has changed since the build.
const sources = [
  ...[".env.development", "index.html", "package.json", "package-lock.json", "vite.config.js", "build", "public", "src"],
  ...["../snippets", "../testdata/tour.sh", "../../minimal/main.go"], // code that the tour shows
];

const read = (name) => readFileSync(join(import.meta.dirname, name));

function files(name) {
  const path = join(import.meta.dirname, name);
  if (statSync(path).isDirectory()) {
    return readdirSync(path).flatMap((entry) => files(`${name}/${entry}`));
  }
  return name.endsWith("_test.go") ? [] : [name]; // a Go test is not part of dist
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

// groupOf returns the script to which a module belongs that several scripts need.
function groupOf(id, context) {
  const needed = importersOf(id, context, new Set());
  if (needed.has("main.js")) {
    return "first";
  }
  return [...needed].some((name) => name === "pages/Top.svelte" || name.startsWith("parts/tour/")) ? "top" : "shared";
}

// importersOf returns the names of all modules that need a module at once.
function importersOf(id, context, found) {
  const info = context.getModuleInfo(id);
  const name = info && relative(join(import.meta.dirname, "src"), id);
  if (info && !found.has(name)) {
    found.add(name);
    info.importers.forEach((importer) => importersOf(importer, context, found));
  }
  return found;
}

// The build fails on every warning of the compiler, such as one about accessibility.
const strict = {
  configFile: false,
  onwarn(warning) {
    throw new Error(`${warning.filename}:${warning.start?.line}: ${warning.message}`);
  },
};

export default defineConfig({
  plugins: [svelte(strict), textFirst(), writeSourceHashes(), compressBundle()],
  build: {
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    license: { fileName: "licenses.md" },
    rolldownOptions: {
      // What several pages use is one script, so that a page needs a few scripts and not ten.
      // What the first page needs does not wait for the rest.
      output: { codeSplitting: { groups: [{ name: groupOf, minShareCount: 2 }] } },
      checks: { pluginTimings: false },
    },
  },
  server: { port: 5173, strictPort: true, fs: { allow: [".", "../snippets", "../testdata", "../../minimal"] } },
});

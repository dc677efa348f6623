import { execFileSync } from "node:child_process";

import { defineConfig } from "@playwright/test";

// The tests use the system's browser, because Playwright would have to download its own.
const chromium = process.env.CHROMIUM || execFileSync("sh", ["-c", "command -v chromium || command -v google-chrome"]).toString().trim();

export default defineConfig({
  testDir: "e2e",
  testIgnore: process.env.DBSC_LONG ? [] : "**/dbsc_long.spec.js",
  globalSetup: "./e2e/setup.js",
  outputDir: "test-results",
  fullyParallel: true,
  forbidOnly: Boolean(process.env.CI),
  workers: 2,
  retries: process.env.CI ? 2 : 0, // a machine that stalls is not a fault of the pages; the report names what needed a retry
  timeout: 60_000, // a test takes a few seconds, but longer on a busy machine
  expect: { timeout: 10_000 },
  reporter: "list",
  use: {
    launchOptions: {
      executablePath: chromium,
      ignoreDefaultArgs: ["--disable-back-forward-cache"], // people use browsers with the cache
      args: [
        "--no-sandbox",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--no-first-run",
        "--host-resolver-rules=MAP *.test 127.0.0.1", // app.test and the attackers' hosts
      ],
    },
  },
});

// Builds the programs once and creates the folder for all files of this run.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export default function setup() {
  const folder = mkdtempSync(join(tmpdir(), "customer-"));
  const customer = join(import.meta.dirname, "../..");
  execFileSync("go", ["build", "-o", folder + "/", ".", "./web/e2e/google", "./web/e2e/tls", "../htmx"], { cwd: customer, stdio: "inherit" });
  process.env.CUSTOMER_FOLDER = folder;
  return () => rmSync(folder, { recursive: true });
}

// Usage: node build/check.js FOLDER [OTHER]
// Compares two builds, or checks the compressed files of one folder.
import { differences, faults } from "./compressed.js";

const [folder, other] = process.argv.slice(2);
const found = other ? differences(folder, other) : faults(folder);
for (const text of found) {
  console.error(text);
}
process.exitCode = found.length > 0 ? 1 : 0;

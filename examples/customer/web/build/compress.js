// Usage: node build/compress.js FOLDER
// Writes the compressed versions of the files in a folder.
import { compressFolder } from "./compressed.js";

compressFolder(process.argv[2]);

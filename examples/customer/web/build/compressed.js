// The compressed versions of files that the Go program serves. "npm run build" makes them
// for dist, and "npm run compress-docs" for the documentation's files.
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, brotliDecompressSync, constants, gunzipSync, gzipSync } from "node:zlib";

// isCompressed is true for the files of which there are compressed versions. The program
// compresses the page itself, because it changes the page.
const isCompressed = (name) => /\.(css|js|md|svg|txt)$/.test(name);

const codings = {
  ".br": {
    compress: (content) =>
      brotliCompressSync(content, {
        params: { [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT, [constants.BROTLI_PARAM_SIZE_HINT]: content.length },
      }),
    decompress: brotliDecompressSync,
  },
  ".gz": { compress: (content) => gzipSync(content, { level: 9 }), decompress: gunzipSync },
};

// compressBundle is a plugin that adds the compressed versions to the bundle.
export function compressBundle() {
  return {
    name: "compress",
    apply: "build",
    writeBundle({ dir }) {
      compressFolder(dir);
    },
  };
}

// compressFolder writes the compressed versions beside the files of a folder. It leaves a
// file that holds the right content as it is.
export function compressFolder(folder) {
  for (const name of list(folder).filter(isCompressed)) {
    const content = readFileSync(join(folder, name));
    for (const [extension, { compress }] of Object.entries(codings)) {
      if (!existsSync(join(folder, name + extension)) || !plain(folder, name + extension).equals(content)) {
        writeFileSync(join(folder, name + extension), compress(content));
      }
    }
  }
}

// differences compares two folders. It compares what is in the compressed files, because
// versions of Node and processors compress differently. Each compressed file has to hold
// what the file beside it holds.
export function differences(folder, other) {
  const found = [];
  const [here, there] = [list(folder), list(other)];
  for (const name of new Set([...here, ...there])) {
    if (!here.includes(name) || !there.includes(name)) {
      found.push(`${name} is missing in ${here.includes(name) ? other : folder}`);
    } else if (!plain(folder, name).equals(plain(other, name))) {
      found.push(`${name} differs`);
    }
  }
  return [...found, ...faults(folder), ...faults(other)];
}

// faults returns what is wrong with the compressed files of a folder.
export function faults(folder) {
  const found = [];
  const names = list(folder);
  for (const name of names.filter(isCompressed)) {
    for (const extension of Object.keys(codings)) {
      if (!names.includes(name + extension)) {
        found.push(`${name}${extension} is missing in ${folder}`);
      } else if (!plain(folder, name + extension).equals(readFileSync(join(folder, name)))) {
        found.push(`${name}${extension} does not hold the content of ${name} in ${folder}`);
      }
    }
  }
  return found;
}

// plain returns the content of a file, decompressed. A file that cannot be decompressed
// is returned as it is, and so differs from every other.
function plain(folder, name) {
  const content = readFileSync(join(folder, name));
  try {
    return codings[name.slice(-3)]?.decompress(content) ?? content;
  } catch {
    return content;
  }
}

const list = (folder) => readdirSync(folder, { recursive: true }).filter((name) => statSync(join(folder, name)).isFile()).sort();

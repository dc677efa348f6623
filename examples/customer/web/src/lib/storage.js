// This file reads and writes the browser's storage. A browser may refuse it, as in some
// private windows. Then nothing is remembered.

const prefix = "customer:";

export const load = (name, storage = "localStorage") => quietly(() => globalThis[storage].getItem(prefix + name)) ?? "";

export const save = (name, text, storage = "localStorage") => quietly(() => globalThis[storage].setItem(prefix + name, text));

export const forget = (name, storage = "localStorage") => quietly(() => globalThis[storage].removeItem(prefix + name));

function quietly(use) {
  try {
    return use();
  } catch {
    return undefined;
  }
}

// This file prepares the source text that the tour shows.

// body returns a Go file without the package clause and the imports.
export function body(text) {
  const end = text.search(/^\)$/m); // of the imports
  return text.slice(end < 0 ? 0 : end + 1).trim();
}

// commands returns the shell commands of a script for a server at the origin.
export const commands = (text, origin) => text.replace(/\$\{1:-[^}]*\}/, `${origin}/?key=AS-PRINTED`).trim();

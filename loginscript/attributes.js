// Mistakes in the tag that would do nothing without a word.

const ownNames = ["container", "next", "one-tap", "redirect", "remember", "reauth", "lang", "script"];
const redirectModes = ["auto", "always", "never"];

// Google's options without an attribute, because the server and login.js decide on them.
const decided = ["client_id", "callback", "login_uri", "ux_mode", "essential_claims"];

// Attributes that others give to a tag, and that look like login.js's own: next/script adds
// data-nscript, and tests look for data-test.
const foreign = ["nscript", "test"];

// checkTag reports what is wrong in the tag. A framework, a proxy or a consent manager adds
// attributes of its own, so checkTag reports an unknown name only if it looks like a known one.
const checkTag = () => {
  const options = [...Object.keys(buttonOptions), ...Object.keys(clientOptions)];
  const accepted = new Set([...ownNames, ...options, ...options.map((name) => name.replaceAll("_", "-")), ...foreign]);
  for (const attribute of tag.getAttributeNames()) {
    const name = attribute.startsWith("data-") ? attribute.slice(5) : "";
    if (!name || accepted.has(name) || name.startsWith("msg-")) continue;
    const meant = [...decided, ...ownNames, ...options].find((other) => isAlmost(letters(name), letters(other)));
    if (decided.includes(meant)) {
      console.error(`login.js: ${attribute} does nothing, because the server decides on ${meant}.`);
    } else if (meant || letters(name).startsWith("msg")) {
      console.error(`login.js: ${attribute} is unknown and does nothing. Is data-${meant ?? "msg-KEY"} meant?`);
    }
  }
  const mode = attr("redirect");
  if (mode !== null && !redirectModes.includes(mode)) {
    console.error(`login.js: data-redirect="${mode}" is left out. The values are ${redirectModes.join(", ")}.`);
  }
};

const letters = (name) => name.replace(/[-_]/g, "");

// isAlmost reports whether two names differ in one place only, by at most two letters, or by
// one if the known name is short. Of names with two or three letters, many are almost others.
const isAlmost = (name, other) => {
  const shorter = Math.min(name.length, other.length);
  let start = 0;
  while (start < shorter && name[start] === other[start]) start++;
  let end = 0;
  while (end < shorter - start && name.at(-1 - end) === other.at(-1 - end)) end++;
  const different = Math.max(name.length, other.length) - start - end;
  return different <= (other.length < 4 ? 0 : other.length < 6 ? 1 : 2);
};

// checkRemember reports once that data-remember selects no checkbox. It is called when a
// sign-in begins, because a page may add the checkbox late.
let rememberReported = false;
const checkRemember = () => {
  const selected = selectRemember();
  if (rememberReported || (selected ? "checked" in selected : attr("remember") === null)) return;
  rememberReported = true;
  console.error(`login.js: data-remember="${attr("remember") ?? ""}" selects ${selected ? "an element that is not a checkbox" : "nothing"}, so no sign-in is remembered.`);
};

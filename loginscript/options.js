// Google's options, as documented in
// https://developers.google.com/identity/gsi/web/reference/js-reference
// A page cannot set client_id, nonce, callback, login_uri and ux_mode, because the server and
// login.js decide on these.

const flag = (value) => (value === "" || value === "true" ? true : value === "false" ? false : undefined);
const text = (value) => value || undefined;
const list = (value) => value.split(/[\s,]+/).filter(Boolean);
const pixels = (value) => (/^[1-9]\d{0,2}$/.test(value) && Number(value) <= 400 ? Number(value) : undefined);
const oneOf = (...values) => (value) => (values.includes(value) ? value : undefined);

// The options of the button (GsiButtonConfiguration).
const buttonOptions = {
  type: oneOf("standard", "icon"),
  theme: oneOf("outline", "filled_blue", "filled_black"),
  size: oneOf("large", "medium", "small"),
  text: oneOf("signin_with", "signup_with", "continue_with", "signin"),
  shape: oneOf("rectangular", "pill", "circle", "square"),
  logo_alignment: oneOf("left", "center"),
  width: pixels,
  locale: text,
};

// The options of the client (IdConfiguration).
const clientOptions = {
  auto_select: flag,
  button_auto_select: flag,
  cancel_on_tap_outside: flag,
  itp_support: flag,
  use_fedcm_for_button: flag,
  use_fedcm_for_prompt: flag,
  color_scheme: oneOf("default", "light", "dark"),
  context: oneOf("signin", "signup", "use"),
  prompt_parent_id: text,
  state_cookie_domain: text,
  allowed_parent_origin: list,
  login_hint: text,
  hd: text,
};

// readOptions returns the options that the tag has. It leaves a wrong value out and reports
// it in the console, because Google's script ignores wrong values silently.
const readOptions = (options) => {
  const values = {};
  for (const [name, parse] of Object.entries(options)) {
    const given = attr(name);
    const value = given === null ? undefined : parse(given);
    if (value !== undefined) values[name] = value;
    else if (given !== null) console.error(`login.js: data-${name}="${given}" is left out, because Google's script does not know this value.`);
  }
  return values;
};

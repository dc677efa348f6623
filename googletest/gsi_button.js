// The button of the stand-in. Its options, their values and their defaults are Google's:
// https://developers.google.com/identity/gsi/web/reference/js-reference#GsiButtonConfiguration
// Like Google's script, it ignores a value that it does not know.

const heights = { large: 40, medium: 32, small: 20 }; // in pixels
const themes = ["outline", "filled_blue", "filled_black"];
const maxWidth = 400; // in pixels

// The texts that Google's branding guidelines allow, by language:
// https://developers.google.com/identity/branding-guidelines
const buttonTexts = {
  en: { signin_with: "Sign in with Google", signup_with: "Sign up with Google", continue_with: "Continue with Google", signin: "Sign in" },
  de: { signin_with: "Über Google anmelden", signup_with: "Über Google registrieren", continue_with: "Weiter mit Google", signin: "Anmelden" },
  es: { signin_with: "Iniciar sesión con Google", signup_with: "Registrarse con Google", continue_with: "Continuar con Google", signin: "Iniciar sesión" },
  ja: { signin_with: "Google でログイン", signup_with: "Google で登録", continue_with: "Google で続行", signin: "ログイン" },
};

// makeButton returns a button that says what Google's says. Its mark is a plain letter,
// because Google's logo belongs on Google's button only.
function makeButton(options) {
  const text = textOf(options);
  const isIcon = options?.type === "icon";
  const button = element("button", { type: "button", className: classesOf(options), title: "Stand-in for Google" },
    element("span", { className: "mark", ariaHidden: "true", textContent: "G" }),
    ...(isIcon ? [] : [element("span", { className: "text", textContent: text })]));
  if (isIcon) {
    button.ariaLabel = text;
  } else if (Number(options?.width) > 0) {
    button.style.minWidth = Math.min(Number(options.width), maxWidth) + "px"; // the text may need more
  }
  button.style.height = (heights[options?.size] ?? heights.large) + "px";
  return button;
}

function textOf(options) {
  const language = (options?.locale ?? navigator.language).split(/[-_]/)[0].toLowerCase();
  const texts = buttonTexts[language] ?? buttonTexts.en;
  return texts[options?.text] ?? texts.signin_with;
}

function classesOf({ type, theme, shape, size, logo_alignment } = {}) {
  return [
    "sign-in",
    themes.includes(theme) ? theme : "outline",
    type === "icon" ? "icon" : "standard",
    shape === "pill" || shape === "circle" ? "round" : "square", // each shape has a name for standard and one for icon
    size === "small" ? "small" : "",
    logo_alignment === "center" ? "center" : "",
  ].join(" ");
}

// The rules find faults. They do not ask for a style.
import js from "@eslint/js";
import svelte from "eslint-plugin-svelte";
import globals from "globals";

const faults = {
  "array-callback-return": "error",
  eqeqeq: "error",
  "no-constructor-return": "error",
  "no-control-regex": "off", // safePath refuses control characters
  "no-duplicate-imports": "error",
  "no-implicit-globals": "error",
  "no-self-compare": "error",
  "no-template-curly-in-string": "error",
  "no-unmodified-loop-condition": "error",
  "no-unreachable-loop": "error",
  "no-unused-expressions": ["error", { allowTernary: true, allowShortCircuit: true }],
  "no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_", ignoreRestSiblings: true }],
  "no-var": "error",
  "prefer-const": ["error", { destructuring: "all" }],
  radix: "error",
};

// The Content-Security-Policy refuses what would be parsed from a string.
const policy = {
  "no-eval": "error",
  "no-implied-eval": "error",
  "no-new-func": "error",
  "no-script-url": "error",
  "no-restricted-properties": [
    "error",
    ...["innerHTML", "outerHTML", "insertAdjacentHTML"].map((property) => ({ property, message: "Markup belongs in a component." })),
  ],
};

// Some of the runes' modules keep dates, maps and sets that no template reads.
const runes = { "svelte/prefer-svelte-reactivity": "off" };

const components = {
  "prefer-const": "off", // svelte/prefer-const knows runes
  "svelte/prefer-const": ["error", { destructuring: "all", excludedRunes: ["$props", "$state", "$derived", "$bindable"] }],
  "svelte/button-has-type": "error",
  "svelte/derived-has-same-inputs-outputs": "error",
  "svelte/no-add-event-listener": "error",
  "svelte/no-ignored-unsubscribe": "error",
  "no-restricted-syntax": ["error", { selector: "SvelteAttribute[key.name=style]", message: "The Content-Security-Policy refuses it. Use a directive: style:--x." }],
  "svelte/no-navigation-without-resolve": "off", // it is for SvelteKit
  "svelte/no-target-blank": "error",
  "svelte/require-optimized-style-attribute": "error",
};

export default [
  { ignores: ["dist/", "node_modules/", "screenshots/", "test-results/"] },
  { linterOptions: { reportUnusedDisableDirectives: "error" } },
  js.configs.recommended,
  ...svelte.configs.recommended,
  { rules: { ...faults, ...runes } },
  { files: ["src/**"], languageOptions: { globals: { ...globals.browser, google: "readonly" } }, rules: policy },
  { files: ["**/*.svelte"], rules: components },
  { files: ["*.js", "build/**", "test/**"], languageOptions: { globals: { ...globals.node, document: "readonly", location: "readonly" } } },
  {
    // The functions that a test sends to the page run in the browser. Fixtures of Playwright
    // have an empty pattern as their first parameter.
    files: ["e2e/**"],
    languageOptions: { globals: { ...globals.node, ...globals.browser, google: "readonly" } },
    rules: { "no-empty-pattern": "off" },
  },
];

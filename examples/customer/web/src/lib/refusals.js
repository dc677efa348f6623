import { has, t } from "./i18n.svelte.js";

// refusal returns the text for the code of a refusal, or "" if the code is unknown. The code
// may come from the address bar, so the login page shows these texts only.
export const refusal = (code) => (has("refusals." + code) ? t("refusals." + code) : "");

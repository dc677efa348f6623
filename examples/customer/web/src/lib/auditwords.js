// This file puts the audit into the person's language.

import { has, t } from "./i18n.svelte.js";

// actionName returns an action in words. A newer server may have actions without a text.
export const actionName = (action) => (has("audit.action_" + action) ? t("audit.action_" + action) : action.replaceAll("_", " "));

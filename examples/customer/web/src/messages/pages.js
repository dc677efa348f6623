// The English texts of the pages for users. Each of these pages imports this file.
import { addTexts } from "../lib/i18n.svelte.js";

addTexts(import.meta.glob("./en/{admin,audit,customers,invitations}.json", { eager: true, import: "default" }));

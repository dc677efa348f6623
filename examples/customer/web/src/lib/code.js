// This file has the code that the first page shows. It is loaded when a person wants to see it.

import { body } from "./snippets.js";

import minimal from "../../../../minimal/main.go?raw";
import disable from "../../../snippets/disable.go?raw";
import end from "../../../snippets/end.go?raw";
import hijack from "../../../snippets/hijack.go?raw";
import login from "../../../snippets/login.html?raw";
import outage from "../../../snippets/outage.go?raw";
import signIn from "../../../snippets/signin.go?raw";
import stream from "../../../snippets/stream.go?raw";
import script from "../../../testdata/tour.sh?raw";

// steps has the code behind each step of the tour.
export const steps = {
  signIn: body(signIn),
  end: body(end),
  thief: body(signIn), // RequireUser asks the store about every request
  outage: body(outage),
  hijack: body(hijack),
  disable: body(disable) + "\n\n" + body(stream),
};

export { login, minimal, script };

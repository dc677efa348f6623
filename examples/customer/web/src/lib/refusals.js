// Why one is on the login page, by the code of the refusal. The code may come from
// the address bar, so only what is known here is shown.
const words = new Map([
  ["no_session", "Please sign in to see this page."],
  ["session_expired", "Your session has expired. Please sign in again."],
  ["session_revoked", "Your session was ended: from another device, or by an administrator. Please sign in again."],
  ["session_ended", "Your session has ended. Please sign in again."],
  ["signed_out", "You have signed out."],
  ["everybody_signed_out", "Everybody has been signed out, you included."],
  ["user_disabled", "This account is disabled. Please ask an administrator, or use another account."],
  ["not_admitted", "This account may not sign in here. Use another account, or ask for an invitation."],
  ["too_many_sessions", "This account is signed in on too many devices. Please sign out on one of them first."],
  ["token_refused", "The sign-in was not accepted. Please try again."],
  ["nonce_mismatch", "The sign-in was not accepted. Please try again."],
  ["cross_origin", "The sign-in was not accepted. Please try again."],
  ["wrong_account", "That was another account. Please choose the one that you are signed in with."],
  ["unavailable", "The service cannot answer right now. Please try again."],
]);

export const refusal = (code) => words.get(code) ?? "";

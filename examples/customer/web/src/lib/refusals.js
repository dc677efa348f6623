// texts has the reason that the login page shows for each code of a refusal. The code may
// come from the address bar, so the page shows these texts only.
const texts = new Map([
  ["no_session", "Please sign in to see this page."],
  ["session_expired", "Your session has expired. Please sign in again."],
  ["session_revoked", "Your session was ended from another device or by an administrator. Please sign in again."],
  ["session_ended", "Your session has ended. Please sign in again."],
  ["signed_out", "You have signed out."],
  ["everybody_signed_out", "All users have been signed out, including you."],
  ["user_disabled", "This account is disabled. Please ask an administrator, or use another account."],
  ["not_admitted", "This account may not sign in here. Use another account, or ask for an invitation."],
  ["too_many_sessions", "This account is signed in on too many devices. Please sign out on one of them first."],
  ["token_refused", "The sign-in was not accepted. Please try again."],
  ["nonce_mismatch", "The sign-in was not accepted. Please try again."],
  ["sign_in_cancelled", "You have cancelled the sign-in."],
  ["cross_origin", "The sign-in was not accepted. Please try again."],
  ["wrong_account", "That was another account. Please choose the one that you are signed in with."],
  ["reauth_needed", "Please sign in again to do this."],
  ["bad_request", "The request could not be read. Please try again."],
  ["too_slow", "The request arrived too slowly. Please try again."],
  ["body_too_large", "The request was too large."],
  ["unsupported_media_type", "The request was in a format that the server does not accept."],
  ["method_not_allowed", "This address does not accept such a request."],
  ["misdirected_request", "The server does not answer at this address. Please open the site by its usual address."],
  ["not_found", "There is nothing at this address."],
  ["forbidden", "This account may not do this."],
  ["not_admin", "Only administrators may do this."],
  ["last_admin", "At least one administrator has to be left."],
  ["own_account", "Administrators cannot lock themselves out. Another administrator has to do this."],
  ["configured_admin", "The server's settings make this user an administrator. It has to be changed there."],
  ["too_many_streams", "This account has too many pages open. Please close some of them."],
  ["unavailable", "The service cannot answer right now. Please try again."],
]);

// refusal returns the text for a code, or "" if the code is unknown.
export const refusal = (code) => texts.get(code) ?? "";

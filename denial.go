package googlesession

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
)

// A Code names the reason of a refusal. It is the member code of a problem+json answer, and
// a front end may depend on it.
type Code string

// The codes, in the order of their HTTP statuses.
const (
	CodeBadRequest           Code = "bad_request"            // 400
	CodeNoSession            Code = "no_session"             // 401; the request has no cookie, or its session is not live
	CodeSessionExpired       Code = "session_expired"        // 401; in place of no_session, if the store knows that the session expired
	CodeSessionRevoked       Code = "session_revoked"        // 401; in place of no_session, if the store knows that the session was revoked
	CodeTokenRefused         Code = "token_refused"          // 401; the Google token is not acceptable
	CodeNonceMismatch        Code = "nonce_mismatch"         // 401; this browser did not ask for the token; GET login again
	CodeCancelled            Code = "sign_in_cancelled"      // 401; the person cancelled the sign-in on Google's page
	CodeReauthNeeded         Code = "reauth_needed"          // 401; the user signed in too long ago and has to sign in again
	CodeProofMissing         Code = "proof_missing"          // 401; the session is bound to a browser, and the request does not prove that it comes from there
	CodeUserDisabled         Code = "user_disabled"          // 403
	CodeBindingNeeded        Code = "binding_needed"         // 403; the session has to be bound to its browser, and is not
	CodeForbidden            Code = "forbidden"              // 403; the condition of Manager.Require refuses the user
	CodeNotAdmin             Code = "not_admin"              // 403
	CodeNotAdmitted          Code = "not_admitted"           // 403; Config.HostedDomains or Config.Admit refuses the person
	CodeWrongAccount         Code = "wrong_account"          // 403; the token of a re-authentication is for another account
	CodeTooManySessions      Code = "too_many_sessions"      // 403; the user is at the limit, and Config.RefuseOverMax is set
	CodeCrossOrigin          Code = "cross_origin"           // 403
	CodeNotForBrowsers       Code = "not_for_browsers"       // 403; a browser asks for a bearer token, which only programs get
	CodeNotFound             Code = "not_found"              // 404
	CodeMethodNotAllowed     Code = "method_not_allowed"     // 405
	CodeTooSlow              Code = "too_slow"               // 408; the body did not arrive in time
	CodeLastAdmin            Code = "last_admin"             // 409; no enabled administrator would be left
	CodeOwnAccount           Code = "own_account"            // 409; administrators cannot lock themselves out
	CodeConfiguredAdmin      Code = "configured_admin"       // 409; the user's address is in Config.Admins
	CodeBodyTooLarge         Code = "body_too_large"         // 413
	CodeUnsupportedMediaType Code = "unsupported_media_type" // 415
	CodeMisdirectedRequest   Code = "misdirected_request"    // 421; Config.DangerouslyAllowHTTP is set, and the Host is not localhost
	CodeTooManyStreams       Code = "too_many_streams"       // 429; the user has Config.MaxStreams open streams
	CodeUnavailable          Code = "unavailable"            // 503; a store or Google does not answer; try again
)

// A Denial is a refusal. [Config.Deny] gets one, and [Manager.SignIn],
// [Manager.Reauthenticate], [Manager.SignOut] and [Manager.BeginSignIn] return one as their
// error. Status, Code and Detail may be shown to the browser.
//
// An application may make one for [Manager.WriteDenial] and for the condition of
// [Manager.Require]. Its Code is one of the library's or the application's own, and an empty
// Code means [CodeForbidden]. A zero Status and an empty Detail are filled in if the Code is
// one of the library's. A Denial whose Status is still not between 400 and 599 answers 503.
type Denial struct {
	Status int    // the HTTP status
	Code   Code   // the reason
	Detail string // a sentence for a person
	Err    error  // the cause, for logs and never for the browser; may be nil
}

// Error returns the code and the cause.
func (d Denial) Error() string {
	if d.Err == nil {
		return "googlesession: " + string(d.Code)
	}
	return "googlesession: " + string(d.Code) + ": " + d.Err.Error()
}

// Unwrap returns Err, so that [errors.Is] finds the store's error.
func (d Denial) Unwrap() error { return d.Err }

// Detail returns the English sentence that the library shows for the code. It is for a
// login page that the server renders, which finds the code in the parameter code of its
// address. It returns "" for a code that is not one of the library's.
func (c Code) Detail() string { return denials[c].detail }

// denials maps each code to its status and its sentence. The sentences are constants, so
// that no token, claim or text of a store can reach the browser.
var denials = map[Code]struct {
	status int
	detail string
}{
	CodeBadRequest:           {http.StatusBadRequest, "The request is malformed."},
	CodeNoSession:            {http.StatusUnauthorized, "Please sign in."},
	CodeSessionExpired:       {http.StatusUnauthorized, "The session has expired. Please sign in again."},
	CodeSessionRevoked:       {http.StatusUnauthorized, "The session was ended. Please sign in again."},
	CodeTokenRefused:         {http.StatusUnauthorized, "The sign-in was not accepted. Please try again."},
	CodeNonceMismatch:        {http.StatusUnauthorized, "The sign-in was not accepted. Please try again."},
	CodeCancelled:            {http.StatusUnauthorized, "The sign-in was cancelled."},
	CodeReauthNeeded:         {http.StatusUnauthorized, "Please sign in again to do this."},
	CodeProofMissing:         {http.StatusUnauthorized, "This browser cannot prove that the session is its own. Please sign in again."},
	CodeUserDisabled:         {http.StatusForbidden, "This account is disabled."},
	CodeBindingNeeded:        {http.StatusForbidden, "This needs a browser that binds the session to this device."},
	CodeForbidden:            {http.StatusForbidden, "This account may not do this."},
	CodeNotAdmin:             {http.StatusForbidden, "Only administrators may do this."},
	CodeNotAdmitted:          {http.StatusForbidden, "This account may not sign in here."},
	CodeWrongAccount:         {http.StatusForbidden, "Please sign in with the account that you are using."},
	CodeTooManySessions:      {http.StatusForbidden, "This account is signed in on too many devices. Please sign out on one of them."},
	CodeCrossOrigin:          {http.StatusForbidden, "The request came from another site."},
	CodeNotForBrowsers:       {http.StatusForbidden, "Browsers do not get bearer tokens."},
	CodeNotFound:             {http.StatusNotFound, "There is nothing here."},
	CodeMethodNotAllowed:     {http.StatusMethodNotAllowed, "This method is not allowed here."},
	CodeTooSlow:              {http.StatusRequestTimeout, "The request took too long to arrive. Please try again."},
	CodeLastAdmin:            {http.StatusConflict, "There is no other administrator."},
	CodeOwnAccount:           {http.StatusConflict, "You cannot do this to your own account."},
	CodeConfiguredAdmin:      {http.StatusConflict, "The configuration makes this account an administrator."},
	CodeBodyTooLarge:         {http.StatusRequestEntityTooLarge, "The request is too large."},
	CodeUnsupportedMediaType: {http.StatusUnsupportedMediaType, "Send application/json."},
	CodeMisdirectedRequest:   {http.StatusMisdirectedRequest, "This server answers requests for localhost only."},
	CodeTooManyStreams:       {http.StatusTooManyRequests, "This account has too many open connections. Please close one of them."},
	CodeUnavailable:          {http.StatusServiceUnavailable, "The service cannot answer right now. Please try again."},
}

// denial returns the Denial of a code, with err as its cause.
func denial(code Code, err error) Denial {
	d := denials[code]
	return Denial{Status: d.status, Code: code, Detail: d.detail, Err: err}
}

// complete fills in a zero Status and an empty Detail of a Denial that an application has
// made. If the Status is still not that of a refusal, the application has made a mistake.
// The Denial then becomes an outage, because a status such as 200 would tell the browser
// that the request was admitted.
func complete(d Denial) Denial {
	known := denials[d.Code]
	if d.Status == 0 {
		d.Status = known.status
	}
	if d.Status < 400 || d.Status > 599 {
		err := fmt.Errorf("googlesession: a Denial has the status %d, which is not a refusal: %w", d.Status, d)
		return denial(CodeUnavailable, unavailable("completing a Denial", err))
	}
	if d.Code == "" { // the application has set the Status only, and scripts need a code
		d.Code = CodeForbidden
	}
	if d.Detail == "" {
		d.Detail = known.detail
	}
	if d.Detail == "" {
		d.Detail = "The request was refused."
	}
	return d
}

// hookDenialFor returns the Denial of an error from the condition of [Manager.Require] or
// from [Config.SignedIn]. The argument doing describes the call. The hook may have asked a store about something else and pass on
// its error, such as ErrNoSession for another session. That error says nothing about the
// session of the request, so it is an outage and never a 401.
func hookDenialFor(doing string, err error) Denial {
	d, ok := asDenial(err)
	outage := errors.Is(err, ErrUnavailable)
	switch {
	case ok && (!outage || errors.Is(d, ErrUnavailable)): // an outage that is joined with a Denial wins; an outage in Denial.Err is only its cause
		return complete(d)
	case !outage && errors.Is(err, ErrForbidden):
		return denial(CodeForbidden, err)
	default:
		return denial(CodeUnavailable, unavailable(doing, err))
	}
}

// asDenial returns the Denial that err is or wraps. It also accepts a *Denial, because that
// is an error too.
func asDenial(err error) (Denial, bool) {
	if d, ok := errors.AsType[Denial](err); ok {
		return d, true
	}
	if p, ok := errors.AsType[*Denial](err); ok {
		return *p, true
	}
	return Denial{}, false
}

// denialFor returns the Denial of an error from a store, or from a function that calls a
// store. A sign-in has rules of its own. An error that does not say anything about the
// session is an outage and never a 401, because a failing store must not sign users out.
func denialFor(err error) Denial {
	if d, ok := errors.AsType[Denial](err); ok {
		return d
	}
	switch {
	case errors.Is(err, ErrUnavailable): // tested first, because the error may match other cases too
		return denial(CodeUnavailable, err)
	case errors.Is(err, ErrSessionExpired):
		return denial(CodeSessionExpired, err)
	case errors.Is(err, ErrSessionRevoked):
		return denial(CodeSessionRevoked, err)
	case errors.Is(err, ErrNoSession):
		return denial(CodeNoSession, err)
	case errors.Is(err, ErrUserDisabled):
		return denial(CodeUserDisabled, err)
	default:
		return denial(CodeUnavailable, err)
	}
}

// userDenialFor returns the Denial of an error from the methods that read and change users.
func userDenialFor(err error) Denial {
	switch {
	case errors.Is(err, ErrUnavailable): // tested first, because the error may match other cases too
		return denialFor(err)
	case errors.Is(err, ErrNotFound):
		return denial(CodeNotFound, err)
	case errors.Is(err, ErrLastAdmin):
		return denial(CodeLastAdmin, err)
	case errors.Is(err, ErrConfiguredAdmin):
		return denial(CodeConfiguredAdmin, err)
	default:
		return denialFor(err)
	}
}

// unavailable returns an error that wraps [ErrUnavailable] and err, with doing, the
// description of the failed action, in front.
func unavailable(doing string, err error) error { return &outageError{doing, err} }

// describeOutage returns the log level of a 503 and the Reason of its event. An outage that
// a stranger can invent is only a warning. A stranger can invent the key ID of a token, and
// the error in the address of the callback.
func describeOutage(err error) (level slog.Level, reason string) {
	if errors.Is(err, ErrUnknownKey) {
		return slog.LevelWarn, string(CodeUnavailable) + ":unknown_key"
	}
	if errors.Is(err, errAtGoogle) {
		return slog.LevelWarn, string(CodeUnavailable)
	}
	return slog.LevelError, string(CodeUnavailable)
}

package googlesession

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
)

// A Code says why a request was refused. It is the code member of a problem+json answer,
// and part of the contract: a front end may depend on it.
type Code string

// The codes, by HTTP status.
const (
	CodeBadRequest           Code = "bad_request"            // 400
	CodeNoSession            Code = "no_session"             // 401: no cookie, or no live session of it
	CodeSessionExpired       Code = "session_expired"        // 401: as no_session, where a store still knows
	CodeSessionRevoked       Code = "session_revoked"        // 401: likewise
	CodeTokenRefused         Code = "token_refused"          // 401: the Google token is not acceptable
	CodeNonceMismatch        Code = "nonce_mismatch"         // 401: the token was not asked for by this browser: GET login again
	CodeReauthNeeded         Code = "reauth_needed"          // 401: signed in too long ago for this: sign in again, as the same user
	CodeUserDisabled         Code = "user_disabled"          // 403
	CodeNotAdmin             Code = "not_admin"              // 403
	CodeNotAdmitted          Code = "not_admitted"           // 403: HostedDomains or Admit
	CodeWrongAccount         Code = "wrong_account"          // 403: signed in again as somebody else
	CodeTooManySessions      Code = "too_many_sessions"      // 403: RefuseOverMax
	CodeCrossOrigin          Code = "cross_origin"           // 403
	CodeNotFound             Code = "not_found"              // 404
	CodeMethodNotAllowed     Code = "method_not_allowed"     // 405
	CodeTooSlow              Code = "too_slow"               // 408: the request's body did not arrive in time
	CodeLastAdmin            Code = "last_admin"             // 409: no enabled administrator would be left
	CodeOwnAccount           Code = "own_account"            // 409: administrators do not lock themselves out
	CodeConfiguredAdmin      Code = "configured_admin"       // 409: the user's address is in Config.Admins
	CodeBodyTooLarge         Code = "body_too_large"         // 413
	CodeUnsupportedMediaType Code = "unsupported_media_type" // 415
	CodeMisdirectedRequest   Code = "misdirected_request"    // 421: DangerouslyAllowHTTP on a host that is not this machine
	CodeTooManyStreams       Code = "too_many_streams"       // 429: MaxStreams
	CodeUnavailable          Code = "unavailable"            // 503: store or Google's keys; try again
)

// ErrConfiguredAdmin refuses to demote a user whose address is listed in
// [Config.Admins]: the next sign-in would undo it, if Google vouches for the address
// then, which the user's record does not tell. Disabling works.
var ErrConfiguredAdmin = errors.New("googlesession: the configuration makes this user an administrator")

// A Denial is a refusal, as [Config.Deny] sees it and as [Manager.SignIn],
// [Manager.SignOut] and [Manager.BeginSignIn] return it (find it with
// [errors.As]). Status, Code and Detail are fit for the browser.
type Denial struct {
	Status int    // HTTP status
	Code   Code   // why
	Detail string // a sentence for a person
	Err    error  // for logs, never for the client; may be nil
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

// retryAfter is what a 503 asks for, in seconds.
const retryAfter = "5"

// details are the sentences that the browser gets: one for each code, so that no
// store's text, token or claim can slip in.
var details = map[Code]struct {
	status int
	text   string
}{
	CodeBadRequest:           {http.StatusBadRequest, "The request is malformed."},
	CodeNoSession:            {http.StatusUnauthorized, "Please sign in."},
	CodeSessionExpired:       {http.StatusUnauthorized, "The session has expired. Please sign in again."},
	CodeSessionRevoked:       {http.StatusUnauthorized, "The session was ended. Please sign in again."},
	CodeTokenRefused:         {http.StatusUnauthorized, "The sign-in was not accepted. Please try again."},
	CodeNonceMismatch:        {http.StatusUnauthorized, "The sign-in was not accepted. Please try again."},
	CodeReauthNeeded:         {http.StatusUnauthorized, "Please sign in again to do this."},
	CodeUserDisabled:         {http.StatusForbidden, "This account is disabled."},
	CodeNotAdmin:             {http.StatusForbidden, "Only administrators may do this."},
	CodeNotAdmitted:          {http.StatusForbidden, "This account may not sign in here."},
	CodeWrongAccount:         {http.StatusForbidden, "Please sign in with the account that you are using."},
	CodeTooManySessions:      {http.StatusForbidden, "This account is signed in on too many devices. Please sign out on one of them."},
	CodeCrossOrigin:          {http.StatusForbidden, "The request came from another site."},
	CodeNotFound:             {http.StatusNotFound, "There is nothing here."},
	CodeMethodNotAllowed:     {http.StatusMethodNotAllowed, "This method is not allowed here."},
	CodeTooSlow:              {http.StatusRequestTimeout, "The request took too long to arrive. Please try again."},
	CodeLastAdmin:            {http.StatusConflict, "Nobody else is an administrator."},
	CodeOwnAccount:           {http.StatusConflict, "This cannot be done to one's own account."},
	CodeConfiguredAdmin:      {http.StatusConflict, "The configuration makes this account an administrator."},
	CodeBodyTooLarge:         {http.StatusRequestEntityTooLarge, "The request is too large."},
	CodeUnsupportedMediaType: {http.StatusUnsupportedMediaType, "Send application/json."},
	CodeMisdirectedRequest:   {http.StatusMisdirectedRequest, "This server answers requests for localhost only."},
	CodeTooManyStreams:       {http.StatusTooManyRequests, "This account has too many open connections. Please close one of them."},
	CodeUnavailable:          {http.StatusServiceUnavailable, "The service cannot answer right now. Please try again."},
}

// denial makes the refusal of a code.
func denial(code Code, err error) Denial {
	d := details[code]
	return Denial{Status: d.status, Code: code, Detail: d.text, Err: err}
}

// classify turns what a store said into a refusal. It is the one place that does:
// whatever is not known to be about the session is an outage, never a 401.
func classify(err error) Denial {
	if d, ok := errors.AsType[Denial](err); ok {
		return d
	}
	switch {
	case errors.Is(err, ErrUnavailable): // first: an outage throws nobody out, whatever else it says
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

// unavailable says that a store did not answer, and which.
func unavailable(what string, err error) error {
	if errors.Is(err, ErrUnavailable) {
		return fmt.Errorf("googlesession: %s: %w", what, err)
	}
	return fmt.Errorf("%w: %s: %w", ErrUnavailable, what, err)
}

// refuse records a refusal and answers it.
func (m *Manager) refuse(w http.ResponseWriter, r *http.Request, d Denial) {
	m.record(r, d)
	m.answer(w, r, d)
}

func (m *Manager) answer(w http.ResponseWriter, r *http.Request, d Denial) {
	r = m.limitBody(w, r) // of an application's route, which will not read it
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	varyCookie(h)
	if d.Status == http.StatusServiceUnavailable {
		h.Set("Retry-After", retryAfter)
	}
	switch {
	case m.cfg.Deny != nil:
		m.cfg.Deny(w, r, d)
	case m.toLoginPage(r, d):
		m.redirectToLogin(w, r, d, requested(r))
	default:
		writeProblem(w, d)
	}
}

// record tells the operator. A client that has gone is neither an outage nor a
// refusal.
func (m *Manager) record(r *http.Request, d Denial) {
	ctx := r.Context()
	if errors.Is(ctx.Err(), context.Canceled) {
		return
	}
	e := Event{Kind: EventDenied, Reason: string(d.Code), Device: m.device(r), Err: d.Err}
	if s, ok := SessionFrom(ctx); ok { // somebody is signed in, who may not do this
		e.Actor, e.UserID, e.Ref = s.User.ID, s.User.ID, s.Ref
	}
	if d.Status == http.StatusServiceUnavailable {
		var level slog.Level
		e.Kind = EventUnavailable
		level, e.Reason = outage(d.Err)
		m.cfg.Logger.LogAttrs(ctx, level, "googlesession: unavailable", slog.Any("error", d.Err))
	}
	m.emit(ctx, e)
}

// outage returns how a 503 is logged, and the reason of its event. A token with an
// invented key ID is not a failure of the server.
func outage(err error) (level slog.Level, reason string) {
	if errors.Is(err, ErrUnknownKey) {
		return slog.LevelWarn, string(CodeUnavailable) + ":unknown_key"
	}
	return slog.LevelError, string(CodeUnavailable)
}

// problem is an RFC 9457 body. The type is about:blank, its default, so the title
// is the status' text (section 4.2.1).
type problem struct {
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
	Code   Code   `json:"code"`
}

func writeProblem(w http.ResponseWriter, d Denial) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(d.Status)
	// The browser has gone if this fails; nothing is left to tell it.
	_ = json.NewEncoder(w).Encode(problem{
		Title:  http.StatusText(d.Status),
		Status: d.Status,
		Detail: d.Detail,
		Code:   d.Code,
	})
}

func writeJSON(w http.ResponseWriter, v any) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	varyCookie(h)
	_ = json.NewEncoder(w).Encode(v) // as in writeProblem
}

// varyCookie says that the answer depends on who asks.
func varyCookie(h http.Header) {
	if !slices.Contains(h["Vary"], "Cookie") {
		h.Add("Vary", "Cookie")
	}
}

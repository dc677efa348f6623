package googlesession

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"
)

// The messages of the notices. An operator may search for them, so they do not change.
const (
	msgRefused        = "googlesession: request refused"
	msgSignInRefused  = "googlesession: sign-in refused"
	msgEventRefused   = "googlesession: security event refused"
	msgUnavailable    = "googlesession: unavailable"
	msgLateWithoutUse = "googlesession: Manager.WithoutUse is inside a guard"
	msgBeginPath      = "googlesession: sign-in by redirect begins at another path than that of Config.BaseURL"
)

// reportDenial emits the event of a refusal. It logs an outage, and a refusal that needs
// the operator. If the browser has gone, it does neither, because the browser may have
// caused the refusal by going.
func (m *Manager) reportDenial(r *http.Request, d Denial) {
	ctx := r.Context()
	if errors.Is(ctx.Err(), context.Canceled) {
		return
	}
	e := Event{Kind: EventDenied, Reason: string(d.Code), Device: m.device(r), Err: d.Err}
	if d.Status == http.StatusUnauthorized && m.cfg.LoginPage != "" && m.isLoginPath(requestedURL(r)) {
		e.Err = errGuardedLoginPage
	}
	if p, ok := errors.AsType[*proofError](d.Err); ok { // the session is live, and a thief may have its cookie
		e.UserID, e.Ref, e.PublicID = p.session.User.ID, p.session.Ref, p.session.PublicID
	}
	if s, ok := SessionFrom(ctx); ok { // the user is signed in, but may not do this
		e.Actor, e.UserID, e.Ref, e.PublicID = s.User.ID, s.User.ID, s.Ref, s.PublicID
		if d.Code == CodeReauthNeeded {
			if err := tooOldAtOnce(&s, time.Now()); err != nil {
				e.Err = err
			}
		}
	}
	if d.Status == http.StatusServiceUnavailable {
		e.Kind = EventUnavailable
		_, e.Reason = describeOutage(e.Err)
	}
	m.report(r, msgRefused, d.Code, e)
}

// reportRefusedSignIn logs why a sign-in was refused and emits the event, with the subject
// of the token if the token was verified. It returns the Denial.
func (m *Manager) reportRefusedSignIn(r *http.Request, subject string, err error) Denial {
	d := denialFor(err)
	if errors.Is(r.Context().Err(), context.Canceled) {
		return d
	}
	e := Event{Kind: EventSignInRefused, UserID: subject, Reason: string(d.Code), Device: m.device(r), Err: d.Err}
	if t, ok := errors.AsType[*TokenError](d.Err); ok {
		e.Reason += ":" + string(t.Reason)
	}
	if d.Code == CodeUnavailable {
		e.Kind = EventUnavailable
		_, e.Reason = describeOutage(d.Err)
	}
	m.report(r, msgSignInRefused, d.Code, e)
	return d
}

// report logs a refusal if the operator should see it, and emits its event. The event
// remembers the Logger, so that LogEvents does not log the refusal there again.
func (m *Manager) report(r *http.Request, message string, code Code, e Event) {
	hint := operatorHint(e.Err, e.UserID != "")
	level := e.level()
	kind := noticeKind{message: message, code: code, cause: hint}
	switch {
	case e.Kind == EventUnavailable:
		kind.message = msgUnavailable
		kind.cause = failedCall(e.Err)
	case e.Kind == EventDenied && hint == "": // an ordinary refusal is an event and does not concern the operator
		m.emit(r.Context(), e)
		return
	}
	if e.Reason != string(code) {
		kind.reason = e.Reason
	}
	e.loggedBy = m.notify(r.Context(), level, kind, func() []slog.Attr { return requestAttrs(r, code, hint, e) })
	m.emit(r.Context(), e)
}

// maxLogged is how many bytes of a text from a request are logged.
const maxLogged = 256

// requestAttrs returns the attributes of a refusal. None has a part of a query, of a cookie
// or of a body.
func requestAttrs(r *http.Request, code Code, hint string, e Event) []slog.Attr {
	var attrs []slog.Attr
	text := func(key, value string) {
		if value != "" {
			attrs = append(attrs, slog.String(key, cleanText(value, maxLogged)))
		}
	}
	text("code", string(code))
	if e.Reason != string(code) {
		text("reason", e.Reason)
	}
	text("method", r.Method)
	text("path", requestedURL(r).EscapedPath()) // without the query, which may hold a secret
	if hint != "" {
		text("origin", r.Header.Get("Origin"))
		text("host", r.Host)
		text("sec_fetch_site", r.Header.Get("Sec-Fetch-Site"))
	}
	text("user", e.UserID)
	if e.Ref != (Ref{}) {
		text("session", e.Ref.String())
	}
	if e.PublicID != (PublicID{}) {
		text("public_id", e.PublicID.String())
	}
	text("ip", e.Device.IP)
	text("user_agent", e.Device.UserAgent)
	if e.Err != nil {
		attrs = append(attrs, slog.Any("error", e.Err))
	}
	if hint != "" {
		attrs = append(attrs, slog.String("hint", hint))
	}
	return attrs
}

// tooOldAtOnce returns an error if RequireFresh refuses a session that has just begun. The
// cause is then a wrong clock, or a page that keeps a token before it posts it. It returns
// nil for every other session.
func tooOldAtOnce(s *Session, now time.Time) error {
	const atOnce = 10 * time.Second
	age, issued := now.Sub(s.CreatedAt), now.Sub(s.TokenIssuedAt)
	if s.TokenIssuedAt.IsZero() || age >= atOnce || issued < atOnce {
		return nil
	}
	return fmt.Errorf("%w (the session is %v old, and Google issued its token %v ago by this server's clock)",
		errTooOldAtOnce, max(0, age).Round(time.Second), issued.Round(time.Second))
}

var errGuardedLoginPage error = &operatorError{
	"googlesession: login page is behind a guard",
	"Serve Config.LoginPage by a handler without a guard. Visitors who are not signed in do not see it, so they cannot sign in.",
}

var errTooOldAtOnce = &operatorError{
	"googlesession: session is new and already too old for RequireFresh",
	"If it happens again and again, this server's clock is ahead of Google's, so synchronize it (NTP), or the page keeps a token before it posts it.",
}

// reportRefusedEvent logs a security event token that was refused, and emits the event.
func (m *Manager) reportRefusedEvent(r *http.Request, err *TokenError) {
	e := Event{Kind: EventDenied, Reason: eventRefused + string(err.Reason), Device: m.device(r), Err: err}
	hint := ""
	switch err.Reason {
	case ReasonAudience:
		hint = "Google posts the events of all clients of a project to one address. List every client ID of the project in googletoken.Config.ClientIDs."
	case ReasonTime:
		hint = tokenHints[ReasonTime]
	}
	kind := noticeKind{message: msgEventRefused, reason: e.Reason}
	e.loggedBy = m.notify(r.Context(), slog.LevelWarn, kind, func() []slog.Attr { return requestAttrs(r, "", hint, e) })
	m.emit(r.Context(), e)
}

// reportLateWithoutUse logs a request that reaches WithoutUse inside a guard.
func (m *Manager) reportLateWithoutUse(r *http.Request) {
	const hint = "Put Manager.WithoutUse around the guards. The guard outside of it has decided already, and may have recorded a use of the session."
	m.notify(r.Context(), slog.LevelWarn, noticeKind{message: msgLateWithoutUse}, func() []slog.Attr {
		return requestAttrs(r, "", hint, Event{Device: m.device(r)})
	})
}

// reportMissingRoute logs a request for which Handler has no route, if Handler has a route
// for the end of the path. Then http.StripPrefix is missing, or a stranger has sent the
// request.
func (m *Manager) reportMissingRoute(r *http.Request, hasRoute func(path string) bool) {
	path := r.URL.EscapedPath()
	if path != requestedURL(r).EscapedPath() {
		return // a prefix was removed
	}
	for i := 1; i < min(len(path), maxLogged); i++ {
		if path[i] != '/' || !hasRoute(path[i:]) {
			continue
		}
		const hint = "If the path is yours, Handler is mounted without http.StripPrefix, or at another prefix than the page uses."
		m.notify(r.Context(), slog.LevelInfo, noticeKind{message: msgRefused, code: CodeNotFound}, func() []slog.Attr {
			return requestAttrs(r, CodeNotFound, hint, Event{Device: m.device(r)})
		})
		return
	}
}

// reportBeginPath logs a sign-in by redirect that begins at another path than that of
// Config.BaseURL. Google would send the browser back to a path that is not a route. A proxy
// may have removed the beginning of the path.
func (m *Manager) reportBeginPath(r *http.Request) {
	begun := strings.TrimSuffix(requestedURL(r).EscapedPath(), "/")
	if strings.HasSuffix(m.basePath+beginPath, begun) {
		return
	}
	const hint = "Set Config.BaseURL to the address at which browsers reach Handler, with the prefix that http.StripPrefix removes. Google sends the browser back to that address, followed by " + callbackPath + "."
	m.notify(r.Context(), slog.LevelWarn, noticeKind{message: msgBeginPath}, func() []slog.Attr {
		return append(requestAttrs(r, "", hint, Event{Device: m.device(r)}), slog.String("base_url", m.cfg.BaseURL))
	})
}

// reportProxy logs once that the sessions have a proxy's address instead of the client's,
// because Config.ClientIP is nil or does not list the proxy. A peer with a local address that
// sends X-Forwarded-For is taken to be a proxy. Any other peer may be a client that has forged
// the header.
func (m *Manager) reportProxy(r *http.Request) {
	if r.Header["X-Forwarded-For"] == nil {
		return
	}
	peer, ok := parsePeer(r.RemoteAddr)
	if !ok || peer.IsValid() && !peer.IsLoopback() && !peer.IsPrivate() || m.cfg.ClientIP(r).Unmap() != peer || m.proxyReported.Swap(true) {
		return
	}
	m.cfg.Logger.LogAttrs(r.Context(), slog.LevelWarn, "googlesession: sessions have the address of a proxy instead of the client's",
		slog.String("ip", m.clientIP(r)),
		slog.String("hint", "Set Config.ClientIP to ClientIPBehind with the addresses of your proxies, and this address among them."))
}

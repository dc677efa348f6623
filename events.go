package googlesession

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"time"
	"unicode/utf8"
)

// An EventKind says what happened.
type EventKind string

// The kinds. Others may be added: ignore what you do not know.
const (
	EventSignedIn      EventKind = "signed_in"
	EventSignInRefused EventKind = "sign_in_refused" // Reason is the Denial's code, or the token's Reason after a colon
	EventSignedOut     EventKind = "signed_out"
	EventRevoked       EventKind = "revoked"        // one session, Ref
	EventUserRevoked   EventKind = "user_revoked"   // sessions of UserID, Count of them
	EventAccessChanged EventKind = "access_changed" // UserID's flags; Reason names them
	EventUserDeleted   EventKind = "user_deleted"
	EventDenied        EventKind = "denied"      // a guarded request; Reason is the Denial's code
	EventUnavailable   EventKind = "unavailable" // a store, or Google's keys; Err
)

// An Event is something that happened, for audit and metrics. It never holds a
// cookie's value, a token or a claim. Fields that do not apply are zero.
type Event struct {
	Kind   EventKind
	Time   time.Time
	Actor  string // who did it: a user's ID, or what WithActor said; "system" without either
	UserID string // whom it was done to
	Reason string
	Ref    Ref
	Count  int // of sessions ended
	Device Device
	Err    error
}

type actorKey struct{}

type actor struct{ name, reason string }

// WithActor says in whose name, and why, the Manager's methods act, for
// [Config.Events]. The handlers set it from the session; without it the actor is
// "system".
func WithActor(ctx context.Context, name, reason string) context.Context {
	return context.WithValue(ctx, actorKey{}, actor{name, reason})
}

// emit fills in what the context knows and calls Events. What has happened has
// happened: a panic in an audit hook must not turn a sign-in into an error with a
// live session behind it.
func (m *Manager) emit(ctx context.Context, e Event) {
	if m.cfg.Events == nil {
		return
	}
	defer func() {
		if v := recover(); v != nil {
			m.cfg.Logger.LogAttrs(ctx, slog.LevelError, "googlesession: Config.Events panicked",
				slog.String("event", string(e.Kind)), slog.Any("panic", v))
		}
	}()
	by, _ := ctx.Value(actorKey{}).(actor)
	if e.Actor == "" {
		e.Actor = by.name
	}
	if e.Actor == "" {
		e.Actor = "system"
	}
	switch {
	case e.Reason == "":
		e.Reason = by.reason
	case by.reason != "":
		e.Reason += ": " + by.reason
	}
	e.Time = time.Now()
	m.cfg.Events(ctx, e)
}

const maxUserAgent = 512

// device describes the browser of a request, within the bounds that stores rely
// on.
func (m *Manager) device(r *http.Request) Device {
	return Device{IP: m.clientIP(r), UserAgent: cleanText(r.UserAgent(), maxUserAgent)}
}

func (m *Manager) clientIP(r *http.Request) string {
	if m.cfg.ClientIP != nil {
		if ip := m.cfg.ClientIP(r); ip.IsValid() {
			return ip.Unmap().WithZone("").String()
		}
		return ""
	}
	addr, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return "" // a Unix socket, or a test
	}
	return addr.Addr().Unmap().WithZone("").String()
}

// cleanText makes text from outside fit to store and show: valid UTF-8 without
// control characters, at most size bytes, cut between characters.
func cleanText(s string, size int) string {
	s = strings.Map(func(c rune) rune {
		if c < ' ' || 0x7f <= c && c < 0xa0 || c == utf8.RuneError {
			return -1
		}
		return c
	}, s)
	if len(s) <= size {
		return s
	}
	for size > 0 && !utf8.RuneStart(s[size]) {
		size--
	}
	return s[:size]
}

package googlesession

import (
	"context"
	"log/slog"
	"strings"
	"time"
)

// An EventKind says what happened.
type EventKind string

// The kinds. Others may be added: ignore what you do not know.
const (
	EventSignedIn       EventKind = "signed_in"       // Reason "again": re-authenticated
	EventNewDevice      EventKind = "new_device"      // after signed_in, if no live session of the user had this user agent
	EventSignInRefused  EventKind = "sign_in_refused" // Reason is the Denial's code, or the token's Reason after a colon
	EventSignedOut      EventKind = "signed_out"
	EventRevoked        EventKind = "revoked"        // one session, Ref; Reason "replaced": by a sign-in of its browser
	EventUserRevoked    EventKind = "user_revoked"   // sessions of UserID, Count of them
	EventAllRevoked     EventKind = "all_revoked"    // sessions of everybody, Count of them; Err if it stopped half way
	EventAccessChanged  EventKind = "access_changed" // UserID's flags; Reason names them
	EventUserDeleted    EventKind = "user_deleted"
	EventSecurityReport EventKind = "security_event" // Google's, about UserID; Reason is the change's kind, or kind:reason; Count of sessions ended
	EventTouched        EventKind = "touched"        // a session's use was recorded
	EventDenied         EventKind = "denied"         // a guarded request; Reason is the Denial's code
	EventUnavailable    EventKind = "unavailable"    // a store, or Google's keys; Err; Reason "unavailable:unknown_key" is ErrUnknownKey
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

	// IssuedAt is when Google issued the token of an EventSecurityReport. Tokens come late and
	// more than once: what an application does about one must not undo what is newer.
	IssuedAt time.Time
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

// LogEvents returns a [Config.Events] that writes each event to l: outages as errors,
// refusals and [ErrUnknownKey] as warnings, touches and visitors who are not signed in for debugging, the
// rest as information. Nil means slog.Default(). An application with an Events of its
// own calls both.
func LogEvents(l *slog.Logger) func(context.Context, Event) {
	if l == nil {
		l = slog.Default()
	}
	return func(ctx context.Context, e Event) {
		l.LogAttrs(ctx, e.level(), "googlesession: "+string(e.Kind), e.attrs()...)
	}
}

func (e Event) level() slog.Level {
	switch e.Kind {
	case EventUnavailable:
		level, _ := outage(e.Err)
		return level
	case EventTouched:
		return slog.LevelDebug
	case EventDenied, EventSignInRefused:
		if e.Reason == string(CodeNoSession) || e.Reason == string(CodeSessionExpired) {
			return slog.LevelDebug
		}
		return slog.LevelWarn
	default:
		return slog.LevelInfo
	}
}

// attrs are the fields that apply.
func (e Event) attrs() []slog.Attr {
	attrs := []slog.Attr{slog.String("actor", e.Actor)}
	text := func(key, value string) {
		if value != "" {
			attrs = append(attrs, slog.String(key, value))
		}
	}
	text("user", e.UserID)
	text("reason", e.Reason)
	if e.Ref != (Ref{}) {
		text("session", e.Ref.String())
	}
	if e.Count > 0 {
		attrs = append(attrs, slog.Int("count", e.Count))
	}
	text("ip", e.Device.IP)
	text("user_agent", e.Device.UserAgent)
	if e.Err != nil {
		attrs = append(attrs, slog.Any("error", e.Err))
	}
	return attrs
}

// describe names the flags that a change sets, for the audit.
func describe(a AccessChange) string {
	var words []string
	if a.Admin != nil {
		words = append(words, map[bool]string{true: "admin", false: "not admin"}[*a.Admin])
	}
	if a.Disabled != nil {
		words = append(words, map[bool]string{true: "disabled", false: "enabled"}[*a.Disabled])
	}
	return strings.Join(words, ", ")
}

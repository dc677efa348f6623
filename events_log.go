package googlesession

import (
	"context"
	"log/slog"
	"strings"
)

// eventRefused begins the Reason of an event about a refused security event token.
const eventRefused = "security_event:"

// LogEvents returns a function for [Config.Events] that writes each event to l. A nil l
// means slog.Default() at the time of the call. An application that has its own function
// for events calls both.
//
// If l is [Config.Logger] or has its handler, LogEvents does not write an event that the
// Manager has logged there already. Of a burst of such events the Manager logs the first
// and the number of the others. If l is another Logger, LogEvents writes each of them.
//
// The level is Error for an outage. It is Warn for a refusal that needs the operator, for a
// refused security event, for [ErrUnknownKey], and for an outage that a browser reports when
// it comes back from Google. It is Debug for a recorded use, and for the refusal of a request
// without a session or with an expired session. It is Info for everything else.
func LogEvents(l *slog.Logger) func(context.Context, Event) {
	if l == nil {
		l = slog.Default()
	}
	return func(ctx context.Context, e Event) {
		if e.loggedBy != nil && sameHandler(e.loggedBy, l) {
			return
		}
		l.LogAttrs(ctx, e.level(), "googlesession: "+string(e.Kind), e.attrs()...)
	}
}

// sameHandler reports whether a and b write to one handler. It returns false if the type of
// their handlers cannot be compared.
func sameHandler(a, b *slog.Logger) (same bool) {
	defer func() {
		if recover() != nil {
			same = false
		}
	}()
	return a == b || a.Handler() == b.Handler()
}

// level returns the level at which the event is logged. A refusal without a session is
// Debug, because every first visit and every expired session makes such a refusal.
func (e Event) level() slog.Level {
	switch e.Kind {
	case EventUnavailable:
		level, _ := describeOutage(e.Err)
		return level
	case EventTouched:
		return slog.LevelDebug
	case EventDenied, EventSignInRefused:
		switch {
		case operatorHint(e.Err, e.UserID != "") != "", strings.HasPrefix(e.Reason, eventRefused):
			return slog.LevelWarn
		case e.Reason == string(CodeNoSession), e.Reason == string(CodeSessionExpired):
			return slog.LevelDebug
		}
		return slog.LevelInfo
	default:
		return slog.LevelInfo
	}
}

// attrs returns the fields of the event that are set, as log attributes.
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
	if e.PublicID != (PublicID{}) {
		text("public_id", e.PublicID.String())
	}
	if len(e.PublicIDs) > 0 {
		texts := make([]string, len(e.PublicIDs))
		for i, id := range e.PublicIDs {
			texts[i] = id.String()
		}
		attrs = append(attrs, slog.Any("public_ids", texts))
	}
	if e.Count > 0 {
		attrs = append(attrs, slog.Int("count", e.Count))
	}
	text("label", e.Label)
	text("ip", e.Device.IP)
	text("user_agent", e.Device.UserAgent)
	if e.Err != nil {
		attrs = append(attrs, slog.Any("error", e.Err))
	}
	return attrs
}

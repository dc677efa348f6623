package googlesession

import (
	"context"
	"log/slog"
)

// LogEvents returns a function for [Config.Events] that writes each event to l. The level
// is Error for an outage, and Warn for a refusal and for [ErrUnknownKey]. The level is
// Debug for a recorded use, and for the refusal of a visitor who has no session or an
// expired one. It is Info for everything else. A nil l means slog.Default(). An
// application that has its own function for events calls both.
func LogEvents(l *slog.Logger) func(context.Context, Event) {
	if l == nil {
		l = slog.Default()
	}
	return func(ctx context.Context, e Event) {
		l.LogAttrs(ctx, e.level(), "googlesession: "+string(e.Kind), e.attrs()...)
	}
}

// level returns the level at which the event is logged. A visitor who is not signed in does
// not deserve a warning, because every first visit and every expired session makes one.
func (e Event) level() slog.Level {
	switch e.Kind {
	case EventUnavailable:
		level, _ := describeOutage(e.Err)
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

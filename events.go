package googlesession

import (
	"context"
	"log/slog"
	"time"
)

// An EventKind says what has happened.
type EventKind string

// The kinds of events. Later versions may add kinds, so ignore those that you do not know.
const (
	EventSignedIn       EventKind = "signed_in"       // Reason is "again" after a re-authentication
	EventNewDevice      EventKind = "new_device"      // follows signed_in if the user has signed in before, but not from this browser; see Config.NoDeviceCookie
	EventIssued         EventKind = "issued"          // Manager.Issue or POST tokens has made a bearer token; Label names it
	EventSignInRefused  EventKind = "sign_in_refused" // Reason is the Denial's code, followed by a colon and the token's reason if it has one
	EventSignedOut      EventKind = "signed_out"
	EventRevoked        EventKind = "revoked"        // Reason is "replaced" if a sign-in of the same browser ended the session, and "limit" if a sign-in over Config.MaxSessions did
	EventUserRevoked    EventKind = "user_revoked"   // Count is how many sessions of UserID have ended
	EventAllRevoked     EventKind = "all_revoked"    // Count is how many sessions of all users have ended; Err is set if RevokeAll stopped half way
	EventUserCreated    EventKind = "user_created"   // a sign-in has created the user, who need not get a session
	EventDataChanged    EventKind = "data_changed"   // User.Data of UserID was set; the event does not hold it
	EventAccessChanged  EventKind = "access_changed" // flags of UserID were set; Reason names them
	EventUserDeleted    EventKind = "user_deleted"
	EventSecurityReport EventKind = "security_event" // Google reported a change of the account UserID, if it named one; Reason is the change's kind, or kind:reason; Count is how many sessions have ended
	EventBound          EventKind = "bound"          // a browser has bound its session to a key of its own; Reason is "registered" when the browser sends the key, and empty when it has shown that it keeps it, which two proofs of the same millisecond report twice
	EventBindRefused    EventKind = "bind_refused"   // the proof of a browser was refused; Reason is shape, algorithm, key, signature, offer or twice
	EventTouched        EventKind = "touched"        // the use of a session was recorded
	EventDenied         EventKind = "denied"         // a guard or a route refused a request; Reason is the Denial's code; if POST /security-events refused a token, it is security_event:, followed by the TokenReason
	EventUnavailable    EventKind = "unavailable"    // a store or Google does not answer; Err is the cause; Reason is "unavailable:unknown_key" for ErrUnknownKey
)

// An Event is something that has happened, for audits and metrics. It never holds a
// cookie's value or a token. Of the claims of an ID token it holds only the user's ID.
// Fields that do not apply are zero.
//
// An application that keeps data under a [PublicID] deletes the data of [Event.PublicID] at
// EventSignedOut and EventRevoked, and the data of [Event.PublicIDs] at every event. It deletes
// the rest by age, because some ends of sessions are missing in the events: a session that
// expires makes no event, EventAllRevoked names no session, and a session may be missing that
// was created while the call ran, or that a call has ended which then returned an error.
type Event struct {
	Kind   EventKind
	Time   time.Time
	Actor  string // the user ID of the user who did it, or the name from WithActor, or "system"
	UserID string // the user who was affected
	Reason string // the reason that the comment on the EventKind describes, then the reason from WithActor; a colon and a space separate the two
	Ref    Ref    // the session that the event is about, if it is about one
	Count  int    // how many sessions have ended
	Device Device
	Label  string // the label of the session, if it has one
	Err    error

	// loggedBy is the Logger to which the Manager has logged or counted the event, so that
	// LogEvents does not log it there again. It is nil if the Manager has not logged it.
	loggedBy *slog.Logger

	// PublicID is that of the session in Ref. It is zero if a re-authentication has replaced
	// the session, because the ID then names the session that goes on, and if the store did
	// not answer.
	PublicID PublicID

	// PublicIDs names sessions that ended with their user: in EventUserRevoked,
	// EventUserDeleted, EventSecurityReport, and an EventAccessChanged that has disabled the
	// user. The IDs are read before the sessions end, so there may be fewer than Count, or
	// more if one of these sessions expires at that moment.
	PublicIDs []PublicID

	// IssuedAt is when Google issued the token of an EventSecurityReport. Google may
	// deliver a token late and more than once, so an application must not let an old
	// event undo a newer change.
	IssuedAt time.Time
}

// sessionEvent returns an event about what the user of s does with the session.
func sessionEvent(kind EventKind, s Session) Event {
	return Event{Kind: kind, Actor: s.User.ID, UserID: s.User.ID, Ref: s.Ref, PublicID: s.PublicID, Device: s.Device, Label: s.Label}
}

type actorKey struct{}

type actor struct{ name, reason string }

// WithActor returns a context in which the Manager's methods report name as [Event.Actor]
// and reason as [Event.Reason]. If an event has a Reason of its own, they append reason
// to it, after a colon and a space. The library's handlers set both from the session. If
// neither the event nor the context names an actor, it is "system".
func WithActor(ctx context.Context, name, reason string) context.Context {
	return context.WithValue(ctx, actorKey{}, actor{name, reason})
}

// emit completes the event from the context and calls [Config.Events]. It recovers from a
// panic of that function, because the event has already happened. A sign-in that answered
// with an error would leave a live session behind.
func (m *Manager) emit(ctx context.Context, e Event) {
	if m.cfg.Events == nil {
		return
	}
	defer func() {
		if v := recover(); v != nil {
			kind := noticeKind{message: "googlesession: Config.Events panicked", cause: string(e.Kind)}
			m.notify(ctx, slog.LevelError, kind, func() []slog.Attr {
				return []slog.Attr{slog.String("event", string(e.Kind)), slog.Any("panic", v)}
			})
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

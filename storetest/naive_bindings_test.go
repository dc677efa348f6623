package storetest_test

import (
	"context"
	"strings"
	"time"

	"github.com/googlesession/googlesession"
)

// A bindingCopy names a session as one handle knows it.
type bindingCopy struct {
	second bool
	id     [32]byte
}

func (s *naive) SwapBinding(ctx context.Context, r googlesession.Ref, old, next string) (bool, error) {
	if err := s.checkSwap(ctx, r, old, next); err != nil {
		return false, err
	}
	s.mu.Lock()
	defer s.changed()
	session := s.findToSwap(r, next)
	switch {
	case session == nil:
		return s.swapUnknown(r, old, next)
	case s.alive(session, s.now()), s.ended[r.ID] == session:
	case s.has("swap revives an expired session"):
		session.created, session.seen = s.now(), s.now()
	case !s.has("swap of an expired session"):
		return false, googlesession.ErrSessionExpired
	}
	has := s.bindingToCompare(session)
	user, seen := s.users[session.owner], session.seen
	s.pauseSwap()
	switch {
	case s.has("overtaken swap fails") && session.binding != has:
		return false, unavailable("overtaken")
	case s.equalBindings(has, next) && !s.has("swap is false if next is there"):
		return !s.has("swap is always false"), nil
	case !s.equalBindings(has, old) && !s.has("swap ignores old"):
		return s.has("swap is always true"), nil
	}
	session.binding = s.storedBinding(next)
	s.swapWrongly(session, user, seen)
	return !s.has("swap is always false"), nil
}

// checkSwap refuses a binding that is too long, and a done context.
func (s *naive) checkSwap(ctx context.Context, r googlesession.Ref, old, next string) error {
	if s.has("swap ignores a done context") {
		ctx = context.WithoutCancel(ctx)
	}
	if err := s.done(ctx); err != nil {
		return err
	}
	const limit = googlesession.MaxBinding
	switch {
	case s.has("bindings of any length"):
	case len(next) > limit && !s.has("long bindings cut"),
		len(old) > limit && !s.has("old of any length"),
		len(next) == limit && s.has("bindings of 63 bytes"):
		return unavailable("long binding" + s.leakOfSwap(r, old, next))
	}
	return nil
}

func (s *naive) leakOfSwap(r googlesession.Ref, old, next string) string {
	return s.leak(old, "errors hold old") + s.leak(next, "errors hold next") + s.leak(r.String(), "errors of swaps hold the Ref")
}

// findToSwap returns the session that r names, or nil.
func (s *naive) findToSwap(r googlesession.Ref, next string) *naiveSession {
	session, ended := s.find(r), s.ended[r.ID]
	switch {
	case session != nil:
	case s.has("swap ignores the tag"):
		return s.sessions[r.ID]
	case ended == nil || ended.Ref != r:
	case s.has("swap revives"):
		s.sessions[r.ID] = ended
		return ended
	case s.has("swap of an ended session"),
		s.has("swap of an ended session if next is there") && ended.binding == next,
		s.has("swap of a disabled user's session") && s.users[ended.owner].Disabled:
		return ended
	}
	return session
}

// swapUnknown returns what SwapBinding returns for a Ref that names no session.
func (s *naive) swapUnknown(r googlesession.Ref, old, next string) (bool, error) {
	switch {
	case s.has("swap of an unknown Ref uses the Ref"):
		s.used[r.ID] = s.ended[r.ID] == nil
	case s.has("swap of an unknown Ref creates a session"):
		for owner := range s.users {
			if googlesession.UserTag(owner) == r.Tag && s.ended[r.ID] == nil {
				s.insert(googlesession.NewSession{Ref: r, MaxLifetime: time.Hour, IdleTimeout: time.Hour}, owner)
			}
		}
	case s.has("swap of an unknown Ref is false"), s.has("swap of an unknown Ref is true"):
		return s.has("swap of an unknown Ref is true"), nil
	case s.has("swap of an unknown Ref is an outage"):
		return false, unavailable("unknown Ref")
	}
	if leak := s.leakOfSwap(r, old, next); leak != "" {
		return false, &swapError{leak}
	}
	return false, googlesession.ErrNoSession
}

// A swapError is an ErrNoSession that holds arguments of the call, which is a mistake.
type swapError struct{ leak string }

func (e *swapError) Error() string { return "no session" + e.leak }
func (e *swapError) Unwrap() error { return googlesession.ErrNoSession }

// bindingToCompare returns the Binding that SwapBinding compares with its arguments.
func (s *naive) bindingToCompare(session *naiveSession) string {
	if s.has("swap compares with an old copy") {
		return s.copied(session)
	}
	return session.binding
}

// copied returns the Binding that this handle saw first.
func (s *naive) copied(session *naiveSession) string {
	key := bindingCopy{s.second, session.Ref.ID}
	if _, ok := s.copies[key]; !ok {
		s.copies[key] = session.binding
	}
	return s.copies[key]
}

// pauseSwap splits SwapBinding into two steps.
func (s *naive) pauseSwap() {
	for _, bug := range []string{
		"swap looks first", "swap writes the session back", "swap writes the last use back", "swap writes the User back", "overtaken swap fails",
	} {
		s.pause(bug)
	}
}

// equalBindings reports whether the Binding has is the argument.
func (s *naive) equalBindings(has, argument string) bool {
	switch {
	case s.has("bindings compared without case"):
		return strings.EqualFold(has, argument)
	case s.has("bindings compared without blanks"):
		return strings.TrimRight(has, " ") == strings.TrimRight(argument, " ")
	case s.has("bindings compared up to a zero byte"):
		return untilZero(has) == untilZero(argument)
	case s.has("only the beginnings of bindings compared"):
		return strings.HasPrefix(has, argument) && (argument != "" || has == "")
	case s.has("old is a pattern"):
		return has == argument || argument == "%"
	case s.has("empty old means any"):
		return has == argument || argument == ""
	}
	return has == s.storedBinding(argument)
}

func untilZero(binding string) string {
	before, _, _ := strings.Cut(binding, "\x00")
	return before
}

// storedBinding returns the Binding that the store keeps.
func (s *naive) storedBinding(binding string) string {
	switch {
	case s.has("bindings cut at a zero byte"):
		return untilZero(binding)
	case s.has("bindings are UTF-8"):
		return strings.ToValidUTF8(binding, "\uFFFD")
	case s.has("bindings trimmed"):
		return strings.TrimSpace(binding)
	case s.has("long bindings cut"):
		return binding[:min(googlesession.MaxBinding, len(binding))]
	case s.has("bindings have 7 bits"):
		return strings.Map(func(r rune) rune { return r & 127 }, binding)
	}
	return binding
}

// swapWrongly changes more than the Binding, in a store with such a bug. user and seen are
// from before the swap.
func (s *naive) swapWrongly(session *naiveSession, user googlesession.User, seen time.Time) {
	switch {
	case s.has("swap writes the session back"):
		s.sessions[session.Ref.ID] = session
	case s.has("swap writes the last use back"):
		session.seen = seen
	case s.has("swap writes the User back"):
		s.users[session.owner] = user
	case s.has("swap touches"):
		session.seen = s.now()
	case s.has("swap moves the deadline"):
		session.IdleTimeout += time.Hour
	case s.has("swap postpones the end"):
		session.postponed = true
	case s.has("bindings are of users"):
		for _, other := range s.of(session.owner) {
			other.binding = session.binding
		}
	}
	s.unmark(session, "swap resets the marks")
}

// bindWrongly gives a new session a Binding, in a store with such a bug.
func (s *naive) bindWrongly(session *naiveSession) {
	replaced := &naiveSession{}
	if session.Replaces != nil && s.sessions[session.Replaces.ID] != nil {
		replaced = s.sessions[session.Replaces.ID]
	}
	switch ended := s.ended[session.Ref.ID]; {
	case s.has("new session is bound"):
		session.binding = "new"
	case s.has("binding inherited by Replaces"):
		session.binding = replaced.binding
	case s.has("binding moved by Replaces"):
		session.binding, replaced.binding = replaced.binding, ""
	case s.has("binding of the last ended session kept"):
		session.binding = s.freed
	case s.has("binding of an ended Ref kept") && ended != nil:
		session.binding = ended.binding
	case s.has("bindings are of PublicIDs"):
		for _, other := range s.of(session.owner) {
			if s.publicID(other) == s.publicID(session) {
				session.binding = other.binding
			}
		}
	case s.has("sign-in forgets the Bindings"):
		s.unbindAll(session.owner, s.bug)
	}
}

// bindingInCheck returns the Binding that CheckSession returns.
func (s *naive) bindingInCheck(session *naiveSession) string {
	switch {
	case s.has("CheckSession without Binding"):
		return ""
	case s.has("Binding from an old copy"):
		return s.copied(session)
	}
	return session.binding
}

// inSessions returns the session as Sessions returns it.
func (s *naive) inSessions(session *naiveSession) googlesession.Session {
	found := s.session(session)
	switch {
	case s.has("Sessions without Binding"):
		found.Binding = ""
	case s.has("Sessions with an old Binding"):
		found.Binding = s.copied(session)
	}
	return found
}

// unbind forgets the Binding, in a store with that bug.
func (s *naive) unbind(session *naiveSession, bug string) {
	if s.has(bug) {
		session.binding = ""
	}
}

// unbindAll forgets the Bindings of a user's sessions, in a store with that bug.
func (s *naive) unbindAll(owner, bug string) {
	for _, session := range s.of(owner) {
		s.unbind(session, bug)
	}
}

// writeBindingsBack lets other calls pass, and undoes their swaps.
func (s *naive) writeBindingsBack(sessions []*naiveSession) {
	var before []string
	for _, session := range sessions {
		before = append(before, session.binding)
	}
	s.pause(s.bug)
	for i, session := range sessions {
		session.binding = before[i]
	}
}

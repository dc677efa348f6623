package redisstore

// This file holds CheckSession and its protocol, in which Redis sends a user record only to
// a process that has not cached it.
//
// A process caches the records of some users. It sends check.lua the session's ID,
// touchAfter in milliseconds, and the flags of the cached record (user_record.go), which
// contain a digest of the record, or "" if no record is cached. The answer is a text:
//
//	0                                     there is no such session
//	2                                     the user is disabled
//	3<seen> <seconds> <micros> <session>  the session is there
//	4<seen> <seconds> <micros> <session>  the session is there, and its use was recorded
//
// seen is the last recorded use, seconds and micros are the server's clock, and session is
// the session's record (session_record.go). If the session is bound, the answer is a list of
// two texts: the text that begins with 3 or 4, and the binding. If Redis holds a user record
// that the process has not cached, the answer is a list of four texts: the same two, of which
// the binding may be empty, the flags of that user record, and the user record. So a cached
// record is used only if Redis confirms, in the step that looks up the session, that it still
// holds the record.
//
// The script leaves it to Go to find out whether the session has expired and whether its
// token is too old, because Redis serves no other client while a script runs. For the same
// reason the script does not compare the idle timeout with touchAfter, which would make
// every check a tenth slower. If the idle timeout is so short that a use has to be recorded
// before touchAfter has passed, Go finds that in the answer and calls the script again.

import (
	"context"
	"encoding/binary"
	"errors"
	"sync/atomic"
	"time"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/storekit"
)

// CheckSession implements [googlesession.SessionStore].
func (s *Store) CheckSession(ctx context.Context, r googlesession.Ref, touchAfter time.Duration) (googlesession.Session, error) {
	session, err := s.check(ctx, r, touchAfter)
	return session, contractError(ctx, "checking a session", err)
}

// check sends one command. It sends a second command if the use has to be recorded before
// touchAfter has passed, because half of the session's idle timeout is less.
func (s *Store) check(ctx context.Context, r googlesession.Ref, touchAfter time.Duration) (googlesession.Session, error) {
	after := max(0, touchAfter.Milliseconds())
	session, t, err := s.ask(ctx, r, after)
	if err != nil {
		return session, err
	}
	half := storekit.TouchAfter(touchAfter, time.Duration(t.idle)*time.Millisecond).Milliseconds()
	if age := t.now - t.seen; half >= after || age < half || age >= after {
		return session, nil
	}
	again, _, err := s.ask(ctx, r, half)
	switch {
	case err == nil, errors.Is(err, errReplica), errors.Is(err, googlesession.ErrNoSession), errors.Is(err, googlesession.ErrUserDisabled):
		return again, err
	default:
		return session, nil // the check succeeds although its use is not recorded
	}
}

// ask runs check.lua, which records a use if the last recorded one is after milliseconds
// ago. It returns the session and its times.
func (s *Store) ask(ctx context.Context, r googlesession.Ref, after int64) (session googlesession.Session, t times, err error) {
	cached := s.users.find(r.Tag)
	value, err := s.run(ctx, opCheck, r.Tag, r.ID[:], after, cached.flags)
	if err != nil {
		return session, t, err
	}
	answer, binding, sent, err := parseCheck(r.Tag, value)
	if err != nil {
		return session, t, err
	}
	if sent != nil {
		cached = sent
		s.users.put(sent)
	}
	t, m, touched, err := parseAnswer(answer)
	if err != nil {
		return session, t, err
	}
	if sent == nil && cached.flags == "" {
		return session, t, errReply // no record was cached, so Redis should have sent one
	}
	// A process of an earlier version creates sessions without comparing the token's time
	// with TokensAfter, and may use the same database.
	if storekit.IsStaleToken(storekit.TokenTime(t.token), cached.user) {
		return session, t, googlesession.ErrSessionRevoked
	}
	session = newSession(cached.user, t, m, r)
	session.Touched, session.Binding = touched, binding
	return session, t, nil
}

// parseCheck reads what check.lua has returned. The user is nil if Redis has sent no user
// record. parseCheck returns ErrNoSession if the record is of a user with another tag.
func parseCheck(tag [12]byte, value any) (answer, binding string, user *cachedUser, err error) {
	if text, ok := value.(string); ok {
		return text, "", nil, nil
	}
	reply := newReply(value)
	answer, binding = reply.text(0), reply.text(1)
	if len(reply.values) == 2 {
		return answer, binding, nil, reply.err
	}
	flags, record := reply.text(2), reply.text(3)
	if reply.err != nil || len(reply.values) != 4 {
		return "", "", nil, errReply
	}
	if len(flags) != flagsLen {
		flags = "" // flags without a digest do not say which record they belong to
	}
	u, err := decodeUser(record)
	if err == nil && googlesession.UserTag(u.ID) != tag {
		err = googlesession.ErrNoSession // a Ref with the tag of another user names no session
	}
	return answer, binding, &cachedUser{tag, flags, u}, err
}

// parseAnswer reads the text of check.lua's answer. It returns the session's times and
// members and whether the use was recorded, or ErrNoSession, ErrUserDisabled or
// ErrSessionExpired.
func parseAnswer(answer string) (t times, m members, touched bool, err error) {
	switch {
	case answer == "0":
		return t, m, false, googlesession.ErrNoSession
	case answer == "2":
		return t, m, false, googlesession.ErrUserDisabled
	case answer == "" || answer[0] != '3' && answer[0] != '4':
		return t, m, false, errReply
	}
	var seen, seconds, micros int64
	record, err := cutNumbers(answer[1:], &seen, &seconds, &micros)
	if err != nil {
		return t, m, false, errReply
	}
	t, m = parseSession(record)
	t.seen = seen
	// A server's clock that has stepped back does not prolong the session, because now is
	// never before the last recorded use.
	if t.now = max(seconds*1000+micros/1000, seen); t.now >= t.expires() {
		return t, m, false, googlesession.ErrSessionExpired
	}
	return t, m, answer[0] == '4', nil
}

// A userCache holds users that checks have returned, each in the one place that the user's
// tag selects. A user who is put there replaces the user who was there. A deleted user
// stays until replaced. A full cache takes about 8 MB if the records are of the usual size,
// 25 MB if each has 1 KiB of Data, and 60 MB if each is as long as a store accepts. The zero
// value is an empty cache. A userCache is safe for concurrent use.
type userCache [1 << 14]atomic.Pointer[cachedUser]

// A cachedUser is a user with the flags of the user's record. It is never changed.
type cachedUser struct {
	tag   [12]byte
	flags string // a check sends them to Redis, and if they are "", Redis sends the record
	user  googlesession.User
}

// unknownUser stands for a user who is not cached.
var unknownUser = &cachedUser{flags: ""}

// find returns the cached user with this tag, or unknownUser if there is none.
func (c *userCache) find(tag [12]byte) *cachedUser {
	if user := c.place(tag).Load(); user != nil && user.tag == tag {
		return user
	}
	return unknownUser
}

func (c *userCache) put(user *cachedUser) { c.place(user.tag).Store(user) }

// place returns the place of users with this tag. It spreads users evenly, because a tag
// is part of a hash.
func (c *userCache) place(tag [12]byte) *atomic.Pointer[cachedUser] {
	return &c[binary.LittleEndian.Uint32(tag[:])%uint32(len(c))]
}

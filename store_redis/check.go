package redisstore

// CheckSession, and the protocol by which Redis does not send a user record twice.
//
// A process caches the records of some users. It sends check.lua the session's ID,
// touchAfter in milliseconds, and the flags of the cached record (user_record.go), which
// contain a digest of it, or "" if no record is cached. The answer is a text:
//
//	0                                     there is no such session
//	2                                     the user is disabled
//	3<seen> <seconds> <micros> <session>  the session is there
//	4<seen> <seconds> <micros> <session>  the session is there, and its use was recorded
//
// seen is the last recorded use, seconds and micros are the server's clock, and session is
// the session's record (session_record.go). If Redis holds another user record than the
// cached one, the answer is a list of such a text, which begins with 3 or 4, the flags and
// the record. So a cached record is used only if Redis, in the step that looked up the
// session, said that it holds that record.
//
// Redis serves no other client while a script runs. So the script leaves it to Go to find
// out whether the session has expired and whether its token is too old.

import (
	"context"
	"encoding/binary"
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

func (s *Store) check(ctx context.Context, r googlesession.Ref, touchAfter time.Duration) (googlesession.Session, error) {
	cached := s.users.find(r.Tag)
	value, err := s.run(ctx, opCheck, r.Tag, r.ID[:], max(0, touchAfter.Milliseconds()), cached.flags)
	if err != nil {
		return googlesession.Session{}, err
	}
	answer, isText := value.(string)
	if !isText {
		if cached, answer, err = parseWithUser(r.Tag, newReply(value)); err != nil {
			return googlesession.Session{}, err
		}
		s.users.put(cached)
	}
	t, touched, err := parseAnswer(answer)
	if err != nil {
		return googlesession.Session{}, err
	}
	if isText && cached.flags == "" {
		return googlesession.Session{}, errReply // no record is cached, so Redis had to send one
	}
	session := newSession(cached.user, t, r, googlesession.Device{})
	session.Touched = touched
	// A process of an earlier version signs users in without comparing the token's time.
	if storekit.IsStaleToken(session.TokenIssuedAt, cached.user) {
		return googlesession.Session{}, googlesession.ErrSessionRevoked
	}
	return session, nil
}

// parseWithUser reads an answer that brings a user record, for a user with this tag.
func parseWithUser(tag [12]byte, reply *reply) (user *cachedUser, answer string, err error) {
	answer, flags, record := reply.text(0), reply.text(1), reply.text(2)
	if reply.err != nil || len(reply.values) != 3 {
		return nil, "", errReply
	}
	if len(flags) != flagsLen {
		flags = "" // without a digest they do not say which record they belong to
	}
	u, err := decodeUser(record)
	if err == nil && googlesession.UserTag(u.ID) != tag {
		err = googlesession.ErrNoSession // a Ref with the tag of another user names no session
	}
	return &cachedUser{tag, flags, u}, answer, err
}

// parseAnswer reads a text. It returns ErrSessionExpired if the session has expired.
func parseAnswer(answer string) (t times, touched bool, err error) {
	switch {
	case answer == "0":
		return t, false, googlesession.ErrNoSession
	case answer == "2":
		return t, false, googlesession.ErrUserDisabled
	case answer == "" || answer[0] != '3' && answer[0] != '4':
		return t, false, errReply
	}
	var seen, seconds, micros int64
	record, err := cutNumbers(answer[1:], &seen, &seconds, &micros)
	if err != nil {
		return t, false, errReply
	}
	t, _ = parseSession(record)
	t.seen = seen
	// A server's clock that has stepped back does not prolong the session.
	if now := max(seconds*1000+micros/1000, seen); now >= t.expires() {
		return t, false, googlesession.ErrSessionExpired
	}
	return t, answer[0] == '4', nil
}

// A userCache holds users that checks have returned. The tag of a user selects the one
// place where the user can be, and a later user with the same place takes it. If every
// place is taken, the cache is about 8 MB. A deleted user stays until the place is taken.
// The zero value is empty. It is safe for concurrent use.
type userCache [1 << 14]atomic.Pointer[cachedUser]

// A cachedUser does not change.
type cachedUser struct {
	tag   [12]byte
	flags string // the flags of the user's record, which a check sends; "" makes Redis send the record
	user  googlesession.User
}

// unknownUser stands for a user who is not cached.
var unknownUser = &cachedUser{flags: ""}

// find returns the user with this tag, or unknownUser.
func (c *userCache) find(tag [12]byte) *cachedUser {
	if user := c.place(tag).Load(); user != nil && user.tag == tag {
		return user
	}
	return unknownUser
}

func (c *userCache) put(user *cachedUser) { c.place(user.tag).Store(user) }

// place spreads users evenly, because a tag is part of a hash.
func (c *userCache) place(tag [12]byte) *atomic.Pointer[cachedUser] {
	return &c[binary.LittleEndian.Uint32(tag[:])%uint32(len(c))]
}

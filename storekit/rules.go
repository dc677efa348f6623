package storekit

import (
	"errors"
	"time"

	"github.com/googlesession/googlesession"
)

// SessionLimit returns how many live sessions the user of n may have, including n. It is
// the smaller of n.Max and perUser, or perUser if n.Max is zero. perUser is the store's own
// cap and must be positive.
func SessionLimit(n googlesession.NewSession, perUser int) int {
	if n.Max == 0 {
		return perUser
	}
	return min(n.Max, perUser)
}

// ReplacedID returns the ID of the session that n replaces. The session with this ID does
// not count towards the limit and is not ended to make room.
//
// It returns nil if n.Replaces is nil or has the tag of another user. If no live
// session has the ID, n replaces nothing. The slice shares the memory of *n.Replaces.
func ReplacedID(n googlesession.NewSession) []byte {
	if n.Replaces == nil || n.Replaces.Tag != n.Ref.Tag {
		return nil
	}
	return n.Replaces.ID[:]
}

// TouchAfter returns how long after the last recorded use CheckSession records the next
// use, if it is called with touchAfter for a session with this idle timeout. It returns
// touchAfter, but at most half of idleTimeout, and returns [googlesession.NeverTouch]
// unchanged. Half is enough to keep a session live that is used again and again. A use that
// comes too early to be recorded leaves the session half of its idle timeout for the next
// use.
func TouchAfter(touchAfter, idleTimeout time.Duration) time.Duration {
	if touchAfter == googlesession.NeverTouch {
		return touchAfter
	}
	return min(touchAfter, idleTimeout/2)
}

// IsStaleToken reports whether a token that Google issued at issuedAt is too old to sign
// u in, because issuedAt is not after u.TokensAfter. CreateSession and SignIn then return
// [googlesession.ErrStaleToken], and a session of such a token is not live. The zero
// issuedAt is earlier than any TokensAfter. The zero TokensAfter makes no token stale.
func IsStaleToken(issuedAt time.Time, u googlesession.User) bool {
	return !u.TokensAfter.IsZero() && !issuedAt.After(u.TokensAfter)
}

// TokenUnixMilli returns a time that passed [CheckTokenTime] as Unix milliseconds, rounded
// up. The zero time is 0.
//
// A TokensAfter that was rounded down would accept a token issued within the same
// millisecond.
func TokenUnixMilli(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Add(time.Millisecond - 1).UnixMilli()
}

// TokenTime is the inverse of [TokenUnixMilli]. It returns ms, in Unix milliseconds, as a
// time in UTC, and 0 as the zero time.
func TokenTime(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// NextVersion returns the Version for the next record of a user, which is the greater of
// version+1 and now. The argument version is that of the record that the store holds, or
// 0 if the store does not hold a record. The argument now is the store's clock in Unix
// milliseconds.
//
// It returns an error if that version would be 2^53 or more. No clock has produced such a
// version, so an application gave the store a wrong one. The store changes nothing and
// returns the error wrapped in [googlesession.ErrUnavailable].
func NextVersion(version, now int64) (int64, error) {
	if next := max(version+1, now); next < endOfVersions {
		return next, nil
	}
	return 0, errors.New("next user version would be out of range")
}

package storekit

import (
	"errors"
	"strings"
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

// PublicID returns the PublicID of the session that CreateSession makes from n. It is
// n.PublicID, or the one of n.Ref if that is zero. A store need not keep a PublicID that
// equals that of the Ref.
func PublicID(n googlesession.NewSession) googlesession.PublicID {
	if n.PublicID == (googlesession.PublicID{}) {
		return n.Ref.PublicID()
	}
	return n.PublicID
}

// SeenBrowsers returns the browsers that a store keeps after Browsers was called with seen. It
// is seen, then the others of known in their order, [googlesession.MaxBrowsers] at most. It does
// not change known, and the result shares no memory with it.
func SeenBrowsers(known []googlesession.BrowserID, seen googlesession.BrowserID) []googlesession.BrowserID {
	now := append(make([]googlesession.BrowserID, 0, googlesession.MaxBrowsers), seen)
	for _, b := range known {
		if b != seen && len(now) < googlesession.MaxBrowsers {
			now = append(now, b)
		}
	}
	return now
}

// MatchesQuery reports whether u is one of the users whom q selects, whatever q.After and
// q.Limit are.
func MatchesQuery(u googlesession.User, q googlesession.UserQuery) bool {
	return (q.Admin == nil || u.Admin == *q.Admin) &&
		(q.Disabled == nil || u.Disabled == *q.Disabled) &&
		hasPrefix(u.Email, q.EmailPrefix) && hasPrefix(u.Name, q.NamePrefix)
}

// hasPrefix reports whether s begins with prefix, if ASCII letters are compared without
// case. No letter is folded to more bytes, so the length of the prefix stays the same.
func hasPrefix(s, prefix string) bool {
	return len(s) >= len(prefix) && FoldCase(s[:len(prefix)]) == FoldCase(prefix)
}

// FoldCase returns s with ASCII letters in lower case and all other bytes as they are, also
// where s is not valid UTF-8. Two texts that a [googlesession.UserQuery] takes for equal have
// the same result.
func FoldCase(s string) string {
	if !strings.ContainsFunc(s, isUpper) {
		return s
	}
	folded := []byte(s)
	for i, b := range folded {
		if isUpper(rune(b)) {
			folded[i] = b + 'a' - 'A'
		}
	}
	return string(folded)
}

func isUpper(r rune) bool { return 'A' <= r && r <= 'Z' }

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

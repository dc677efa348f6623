// Package storekit validates the arguments of store methods and computes what every
// store computes in the same way. It is for authors of stores. A program that only uses a
// store does not need it.
//
// A method that is given a [googlesession.NewSession], [googlesession.User],
// [googlesession.Identity] or [googlesession.UserQuery], data of a user or a time of a token,
// checks the argument before it changes anything:
//
//	func (s *Store) PutUser(ctx context.Context, u googlesession.User) (bool, error) {
//		if err := storekit.CheckUser(u); err != nil {
//			return false, fmt.Errorf("%w: mystore: %w", googlesession.ErrUnavailable, err)
//		}
//		// ...
//	}
//
// The Check functions return plain errors. The store wraps them in
// [googlesession.ErrUnavailable], as the contract of [googlesession.SessionStore] says.
// The texts of these errors name the rule and never hold the value, so the store may
// return and log them as they are.
//
// All functions are pure and safe for concurrent use. Package storetest has the suites
// that a store must pass.
package storekit

import (
	"errors"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/googlesession/googlesession"
)

const (
	maxUserID    = 255     // bytes
	maxUserText  = 2 << 10 // bytes of ID, Email, Name and Picture together
	maxIP        = 64      // bytes, enough for an IPv6 address with a zone
	maxUserAgent = 512     // bytes
	maxData      = 1 << 10 // bytes
	maxLabel     = 100     // bytes
	maxPrefix    = 100     // bytes of UserQuery.EmailPrefix and NamePrefix

	// endOfVersions is the first version that is refused. Every smaller version is exact
	// in a double, which is the type of all numbers in Redis's Lua.
	endOfVersions = 1 << 53
)

// endOfTime is the first token time that is refused. The Unix milliseconds of an earlier
// time fit into every column type and do not overflow in sums.
var endOfTime = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)

// CheckNewSession returns an error if CreateSession must refuse n, because
//
//   - Ref has the tag of another user,
//   - MaxLifetime or IdleTimeout is less than a millisecond,
//   - Max is negative,
//   - the IP of Device is longer than 64 bytes, or its UserAgent longer than 512 bytes,
//   - IP or UserAgent is not valid UTF-8 or contains NUL,
//   - Label is longer than 100 bytes, is not valid UTF-8 or contains NUL,
//   - TokenIssuedAt fails [CheckTokenTime], or
//   - User fails [CheckUser].
//
// It does not check Replaces, which may have any value; see [ReplacedID].
func CheckNewSession(n googlesession.NewSession) error {
	if n.Ref.Tag != googlesession.UserTag(n.User.ID) {
		return errors.New("session reference has the tag of another user")
	}
	if n.MaxLifetime < time.Millisecond || n.IdleTimeout < time.Millisecond {
		return errors.New("session lifetime or idle timeout is less than a millisecond")
	}
	if n.Max < 0 {
		return errors.New("session limit is negative")
	}
	if err := CheckTokenTime(n.TokenIssuedAt); err != nil {
		return err
	}
	if err := checkDevice(n.Device); err != nil {
		return err
	}
	if len(n.Label) > maxLabel || !isText(n.Label) {
		return errors.New("session label is too long, is not valid UTF-8 or contains NUL")
	}
	return CheckUser(n.User)
}

// CheckUser returns an error if PutUser and CreateSession must refuse u, because
//
//   - ID is not a [ValidUserID],
//   - Version is not greater than 0 and less than 2^53,
//   - ID, Email, Name and Picture take more than 2048 bytes together,
//   - Email, Name or Picture is not valid UTF-8 or contains NUL,
//   - Data fails [CheckData], or
//   - TokensAfter fails [CheckTokenTime].
//
// The flags, CreatedAt and SeenAt may have any value. A store keeps CreatedAt and SeenAt
// to the millisecond.
func CheckUser(u googlesession.User) error {
	if u.Version <= 0 || u.Version >= endOfVersions {
		return errors.New("user version is out of range")
	}
	if err := CheckTokenTime(u.TokensAfter); err != nil {
		return err
	}
	if err := CheckData(u.Data); err != nil {
		return err
	}
	return checkProfile(u.ID, u.Email, u.Name, u.Picture)
}

// CheckData returns an error if data is longer than 1024 bytes, is not valid UTF-8 or
// contains NUL. A store's SetData calls it.
func CheckData(data string) error {
	if len(data) > maxData || !isText(data) {
		return errors.New("user data is too long, is not valid UTF-8 or contains NUL")
	}
	return nil
}

// CheckBinding returns an error if one of the two bindings is longer than
// [googlesession.MaxBinding]. A store's SwapBinding calls it. A binding need not be UTF-8.
func CheckBinding(old, next string) error {
	if len(old) > googlesession.MaxBinding || len(next) > googlesession.MaxBinding {
		return errors.New("session binding is too long")
	}
	return nil
}

// CheckUserQuery returns an error if Users must refuse q, because both prefixes are set, or
// because one is longer than 100 bytes, is not valid UTF-8 or contains NUL.
func CheckUserQuery(q googlesession.UserQuery) error {
	switch {
	case q.EmailPrefix != "" && q.NamePrefix != "":
		return errors.New("user query has two prefixes")
	case len(q.EmailPrefix) > maxPrefix || len(q.NamePrefix) > maxPrefix:
		return errors.New("prefix of a user query is too long")
	case !isText(q.EmailPrefix) || !isText(q.NamePrefix):
		return errors.New("prefix of a user query is not valid UTF-8 or contains NUL")
	}
	return nil
}

// CheckIdentity returns an error if SignIn must refuse id. The rules for Subject, Email,
// Name and Picture are those of [CheckUser] for ID, Email, Name and Picture. It also
// returns the error of [CheckTokenTime] for IssuedAt. The other fields are not kept by a
// store and not checked.
func CheckIdentity(id googlesession.Identity) error {
	if err := checkProfile(id.Subject, id.Email, id.Name, id.Picture); err != nil {
		return err
	}
	return CheckTokenTime(id.IssuedAt)
}

// CheckTokenTime returns an error if t is less than a millisecond after the beginning of
// 1970 or not before the year 10000. No token has such a time. The zero time passes,
// because it is an unknown TokenIssuedAt, or a TokensAfter that refuses no token.
//
// [CheckNewSession], [CheckUser] and [CheckIdentity] call it. A store's RefuseTokens
// calls it for the argument t.
func CheckTokenTime(t time.Time) error {
	if !t.IsZero() && (t.UnixMilli() <= 0 || !t.Before(endOfTime)) {
		return errors.New("token time is out of range")
	}
	return nil
}

// ValidUserID reports whether id is 1 to 255 bytes of valid UTF-8 without NUL. A store has
// no user with any other ID, so User, SetAccess, SetData, RefuseTokens, DeleteUser and
// Browsers return [googlesession.ErrNotFound] for it, RevokeUser returns 0 and Sessions an
// empty slice. A store tests the ID before it queries a database, because databases differ
// in what they do with such a text.
func ValidUserID(id string) bool {
	return id != "" && len(id) <= maxUserID && isText(id)
}

func checkProfile(id, email, name, picture string) error {
	if !ValidUserID(id) {
		return errors.New("user ID is invalid")
	}
	if len(id)+len(email)+len(name)+len(picture) > maxUserText {
		return errors.New("user record is too long")
	}
	if !isText(email) || !isText(name) || !isText(picture) {
		return errors.New("user record is not valid UTF-8 or contains NUL")
	}
	return nil
}

func checkDevice(d googlesession.Device) error {
	switch {
	case len(d.IP) > maxIP || len(d.UserAgent) > maxUserAgent:
		return errors.New("device is too long")
	case !isText(d.IP) || !isText(d.UserAgent):
		return errors.New("device is not valid UTF-8 or contains NUL")
	}
	return nil
}

// isText reports whether every database can keep s as it is. PostgreSQL refuses NUL and
// invalid UTF-8.
func isText(s string) bool { return utf8.ValidString(s) && !strings.ContainsRune(s, 0) }

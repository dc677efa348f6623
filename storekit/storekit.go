// Package storekit has what every store checks of what it is given, so that all
// stores refuse the same.
package storekit

import (
	"errors"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/googlesession/googlesession"
)

const (
	maxID        = 255     // bytes
	maxUserText  = 2 << 10 // bytes of ID, Email, Name and Picture
	maxVersion   = 1 << 53 // not reached: Lua's numbers end there
	maxIP        = 64      // bytes, with an IPv6 zone
	maxUserAgent = 512     // bytes
)

// maxTime bounds what a caller may give, so that milliseconds do not overflow.
var maxTime = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)

// CheckSession reports what is wrong with a new session. No text holds a value.
func CheckSession(n googlesession.NewSession) error {
	if n.Ref.Tag != googlesession.UserTag(n.User.ID) {
		return errors.New("session reference of another user")
	}
	if n.MaxLifetime < time.Millisecond || n.IdleTimeout < time.Millisecond {
		return errors.New("session without a lifetime")
	}
	if n.Max < 0 {
		return errors.New("negative limit of sessions")
	}
	if err := CheckTime(n.TokenIssuedAt); err != nil {
		return err
	}
	if err := checkDevice(n.Device); err != nil {
		return err
	}
	return CheckUser(n.User)
}

// CheckTime reports a time that no token has. The zero time is none, and is let through.
func CheckTime(t time.Time) error {
	if !t.IsZero() && (t.UnixMilli() <= 0 || !t.Before(maxTime)) {
		return errors.New("time out of range")
	}
	return nil
}

func checkDevice(d googlesession.Device) error {
	switch {
	case len(d.IP) > maxIP || len(d.UserAgent) > maxUserAgent:
		return errors.New("device too long")
	case !isText(d.IP) || !isText(d.UserAgent):
		return errors.New("device is not valid UTF-8, or contains NUL")
	}
	return nil
}

// IsStale reports whether a token that Google issued then is too old to sign u in.
func IsStale(issued time.Time, u googlesession.User) bool {
	return !u.TokensAfter.IsZero() && !issued.After(u.TokensAfter)
}

// Milliseconds returns t as stores keep it, rounded up; the zero time is 0.
func Milliseconds(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Add(time.Millisecond - 1).UnixMilli()
}

// Instant is the inverse of [Milliseconds]: 0 is the zero time.
func Instant(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// NextVersion returns the version of a user's next record, or an error if there is none
// left. A version that high never came from a clock.
func NextVersion(version, now int64) (int64, error) {
	if next := max(version+1, now); next < maxVersion {
		return next, nil
	}
	return 0, errors.New("user has no next version")
}

// Limit returns how many live sessions the user of a new one may have, it included,
// where the store allows perUser.
func Limit(n googlesession.NewSession, perUser int) int {
	if n.Max == 0 {
		return perUser
	}
	return min(n.Max, perUser)
}

// Replaced returns the ID of the session that a new one replaces, if it can be one of
// the user's; nil: none.
func Replaced(n googlesession.NewSession) []byte {
	if n.Replaces == nil || n.Replaces.Tag != n.Ref.Tag {
		return nil
	}
	return n.Replaces.ID[:]
}

// CheckUser reports what is wrong with a user's record.
func CheckUser(u googlesession.User) error {
	if u.Version <= 0 || u.Version >= maxVersion {
		return errors.New("invalid user version")
	}
	if err := CheckTime(u.TokensAfter); err != nil {
		return err
	}
	return CheckIdentity(googlesession.Identity{Subject: u.ID, Email: u.Email, Name: u.Name, Picture: u.Picture})
}

// CheckIdentity reports what is wrong with the texts of who signs in.
func CheckIdentity(id googlesession.Identity) error {
	if !IsUserID(id.Subject) {
		return errors.New("invalid user ID")
	}
	if len(id.Subject)+len(id.Email)+len(id.Name)+len(id.Picture) > maxUserText {
		return errors.New("user record too long")
	}
	if !isText(id.Email) || !isText(id.Name) || !isText(id.Picture) {
		return errors.New("user record is not valid UTF-8, or contains NUL")
	}
	return CheckTime(id.IssuedAt)
}

func isText(s string) bool { return utf8.ValidString(s) && !strings.ContainsRune(s, 0) }

// IsUserID reports whether a user can have this ID. Databases differ in what they say
// when they are asked for another one.
func IsUserID(id string) bool {
	return id != "" && len(id) <= maxID && isText(id)
}

// EncodeDevice returns the device as stores keep it, in at most 600 bytes: its
// address, a zero byte, which no address has, and the user agent.
func EncodeDevice(d googlesession.Device) []byte { return []byte(d.IP + "\x00" + d.UserAgent) }

// DecodeDevice is the inverse of [EncodeDevice].
func DecodeDevice(b []byte) googlesession.Device {
	ip, userAgent, _ := strings.Cut(string(b), "\x00")
	return googlesession.Device{IP: ip, UserAgent: userAgent}
}

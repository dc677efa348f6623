// Package contract has what every store checks of what it is given, so that all
// stores refuse the same.
package contract

import (
	"errors"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/googlesession/googlesession"
)

const (
	maxID       = 255     // bytes
	maxUserText = 2 << 10 // bytes of ID, Email, Name and Picture
	maxVersion  = 1 << 53 // not reached: Lua's numbers end there
)

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
	return CheckUser(n.User)
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
	return nil
}

// IsUserID reports whether a user can have this ID. Databases differ in what they say
// when they are asked for another one.
func IsUserID(id string) bool {
	return id != "" && len(id) <= maxID && utf8.ValidString(id) && !strings.ContainsRune(id, 0)
}

// EncodeDevice returns the device as stores keep it, in at most 600 bytes: its
// address, a zero byte, which no address has, and the user agent.
func EncodeDevice(d googlesession.Device) []byte { return []byte(d.IP + "\x00" + d.UserAgent) }

// DecodeDevice is the inverse of [EncodeDevice].
func DecodeDevice(b []byte) googlesession.Device {
	ip, userAgent, _ := strings.Cut(string(b), "\x00")
	return googlesession.Device{IP: ip, UserAgent: userAgent}
}

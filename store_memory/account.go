package memstore

import (
	"strings"
	"time"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/storekit"
)

// An account is a user's record, with what decides how long the store keeps the record. It
// takes half the memory of a [googlesession.User]. Its times are in Unix milliseconds.
type account struct {
	profile
	version     int64
	tokensAfter int64 // as storekit.TokenUnixMilli returns it
	createdAt   int64
	seenAt      int64

	// owned says that the user came by SignIn, so the user belongs to the UserStore. A user
	// who is not owned came by PutUser or CreateSession, or is a tombstone.
	owned bool

	// tombstone says that the user was deleted, or had never signed in when RefuseTokens was
	// called. The store remembers tokensAfter of a tombstone for TokenWindow, and PutUser
	// cannot make it earlier.
	tombstone bool

	queued        bool  // forgetQueue has an entry for the user
	rememberUntil int64 // the user is not forgotten before this time
}

// set makes u the newest version of the record. If the texts of u are those of the record,
// the record keeps its own copy of them.
func (a *account) set(u googlesession.User) {
	if a.hasTexts(&u) {
		a.class = classOf(&u)
	} else {
		a.profile = newProfile(u)
	}
	a.version = u.Version
	a.tokensAfter = storekit.TokenUnixMilli(u.TokensAfter)
	a.createdAt, a.seenAt = u.CreatedAt.UnixMilli(), u.SeenAt.UnixMilli()
}

// user returns the newest version of the record.
func (a *account) user() (u googlesession.User) {
	a.describe(&u)
	return u
}

// describe sets all fields of u.
func (a *account) describe(u *googlesession.User) {
	u.ID, u.Email, u.Name, u.Picture, u.Data = a.id(), a.email(), a.name(), a.picture(), a.data()
	u.Admin, u.Disabled = a.class&adminClass != 0, a.disabled()
	u.Version = a.version
	u.TokensAfter = storekit.TokenTime(a.tokensAfter)
	u.CreatedAt, u.SeenAt = fromUnixMilli(a.createdAt), fromUnixMilli(a.seenAt)
}

func (a *account) disabled() bool { return a.class&disabledClass != 0 }

// isAdmin reports whether the user is an enabled administrator of the UserStore.
func (a *account) isAdmin() bool { return a.owned && a.class == adminClass }

// isStale reports whether a token that Google issued at this time is too old to sign the
// user in.
func (a *account) isStale(issuedAt time.Time) bool {
	return storekit.IsStaleToken(issuedAt, googlesession.User{TokensAfter: storekit.TokenTime(a.tokensAfter)})
}

// A profile holds the texts and flags of a user's record. Nothing changes a profile's text,
// so the directory may have a copy of the profile without holding the shard's lock.
//
// All texts are parts of one text, so that the garbage collector has one text to look at
// instead of five. The text is the store's own, so the store does not keep a request in
// memory that contains one of the texts.
type profile struct {
	text  string // ID, Email, Name, Picture and Data
	idEnd uint8  // where ID ends in text; an ID has at most 255 bytes
	class class

	// Where Email, Name and Picture end in text. They have at most 2048 bytes with ID.
	emailEnd, nameEnd, pictureEnd uint16
}

// newProfile returns the profile of u, which has passed storekit.CheckUser.
func newProfile(u googlesession.User) profile {
	return profile{
		// Join always copies, but + returns u.ID itself if all other texts are empty.
		text:       strings.Join([]string{u.ID, u.Email, u.Name, u.Picture, u.Data}, ""),
		idEnd:      uint8(len(u.ID)), //nolint:gosec // at most 255, as the comments of profile say
		class:      classOf(&u),
		emailEnd:   uint16(len(u.ID) + len(u.Email)),                                //nolint:gosec // at most 2048
		nameEnd:    uint16(len(u.ID) + len(u.Email) + len(u.Name)),                  //nolint:gosec // at most 2048
		pictureEnd: uint16(len(u.ID) + len(u.Email) + len(u.Name) + len(u.Picture)), //nolint:gosec // at most 2048
	}
}

func (p *profile) id() string      { return p.text[:p.idEnd] }
func (p *profile) email() string   { return p.text[p.idEnd:p.emailEnd] }
func (p *profile) name() string    { return p.text[p.emailEnd:p.nameEnd] }
func (p *profile) picture() string { return p.text[p.nameEnd:p.pictureEnd] }
func (p *profile) data() string    { return p.text[p.pictureEnd:] }

// hasTexts reports whether the texts of the profile are those of u.
func (p *profile) hasTexts(u *googlesession.User) bool {
	return p.id() == u.ID && p.email() == u.Email && p.name() == u.Name && p.picture() == u.Picture && p.data() == u.Data
}

// A class is one of the four combinations of the flags Admin and Disabled.
type class uint8

const (
	adminClass class = 1 << iota
	disabledClass
	classCount
)

func classOf(u *googlesession.User) (c class) {
	if u.Admin {
		c |= adminClass
	}
	if u.Disabled {
		c |= disabledClass
	}
	return c
}

// fromUnixMilli returns ms, in Unix milliseconds, as a time in UTC.
func fromUnixMilli(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

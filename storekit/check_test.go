package storekit_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/storekit"
)

// secret is a part of every text in the arguments. It must not appear in an error.
const secret = "SECRET"

// requireRefused requires an error whose text holds no part of the arguments. The error is
// not ErrUnavailable yet, because the store wraps it.
func requireRefused(t *testing.T, err error) {
	t.Helper()
	require.Error(t, err)
	require.NotContains(t, err.Error(), secret)
	require.Regexp(t, `^[a-z][ -~]*$`, err.Error(), "the text is printable and in lower case")
	require.NotErrorIs(t, err, googlesession.ErrUnavailable)
}

func validUser() googlesession.User {
	return googlesession.User{ID: secret, Email: secret, Name: secret, Picture: secret, Version: 1}
}

func validSession() googlesession.NewSession {
	n := googlesession.NewSession{
		User:        validUser(),
		MaxLifetime: time.Hour,
		IdleTimeout: time.Minute,
		Device:      googlesession.Device{IP: secret, UserAgent: secret},
	}
	n.Ref.Tag = googlesession.UserTag(n.User.ID)
	return n
}

// text returns a text of this many bytes.
func text(bytes int) string { return secret + strings.Repeat("x", bytes-len(secret)) }

// badTexts are texts that no field may hold, keyed by what is wrong with each.
var badTexts = map[string]string{
	"NUL":               secret + "\x00",
	"not UTF-8":         secret + "\xff",
	"a surrogate":       secret + "\xed\xa0\x80",
	"a cut rune at end": secret + "\xe2\x82",
}

func TestCheckNewSession(t *testing.T) {
	type edit = func(n *googlesession.NewSession)
	for _, tt := range []struct {
		name      string
		good, bad edit
	}{
		{
			"tag of the user",
			func(*googlesession.NewSession) {},
			func(n *googlesession.NewSession) { n.Ref.Tag[11]++ },
		},
		{
			"MaxLifetime",
			func(n *googlesession.NewSession) { n.MaxLifetime = time.Millisecond },
			func(n *googlesession.NewSession) { n.MaxLifetime = time.Millisecond - 1 },
		},
		{
			"MaxLifetime, zero",
			func(n *googlesession.NewSession) { n.MaxLifetime = math.MaxInt64 },
			func(n *googlesession.NewSession) { n.MaxLifetime = 0 },
		},
		{
			"IdleTimeout",
			func(n *googlesession.NewSession) { n.IdleTimeout = time.Millisecond },
			func(n *googlesession.NewSession) { n.IdleTimeout = time.Millisecond - 1 },
		},
		{
			"IdleTimeout, negative",
			func(n *googlesession.NewSession) { n.IdleTimeout = math.MaxInt64 },
			func(n *googlesession.NewSession) { n.IdleTimeout = -time.Hour },
		},
		{
			"Max",
			func(n *googlesession.NewSession) { n.Max = 0 },
			func(n *googlesession.NewSession) { n.Max = -1 },
		},
		{
			"length of IP",
			func(n *googlesession.NewSession) { n.Device.IP = text(64) },
			func(n *googlesession.NewSession) { n.Device.IP = text(65) },
		},
		{
			"length of UserAgent",
			func(n *googlesession.NewSession) { n.Device.UserAgent = text(512) },
			func(n *googlesession.NewSession) { n.Device.UserAgent = text(513) },
		},
		{
			"TokenIssuedAt",
			func(n *googlesession.NewSession) { n.TokenIssuedAt = time.UnixMilli(1) },
			func(n *googlesession.NewSession) { n.TokenIssuedAt = time.UnixMilli(0) },
		},
		{
			"User",
			func(n *googlesession.NewSession) { n.User.Version = 1 },
			func(n *googlesession.NewSession) { n.User.Version = 0 },
		},
		{
			"Replaces, of which any is allowed",
			func(n *googlesession.NewSession) { n.Replaces = &googlesession.Ref{Tag: [12]byte{1}} },
			func(n *googlesession.NewSession) { n.Replaces, n.Max = &n.Ref, -1 },
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n := validSession()
			tt.good(&n)
			require.NoError(t, storekit.CheckNewSession(n))
			n = validSession()
			tt.bad(&n)
			requireRefused(t, storekit.CheckNewSession(n))
		})
	}
	for name, bad := range badTexts {
		n := validSession()
		n.Device.IP = bad
		requireRefusedNamed(t, "IP with "+name, storekit.CheckNewSession(n))
		n = validSession()
		n.Device.UserAgent = bad
		requireRefusedNamed(t, "UserAgent with "+name, storekit.CheckNewSession(n))
	}
}

func requireRefusedNamed(t *testing.T, name string, err error) {
	t.Helper()
	t.Run(name, func(t *testing.T) { requireRefused(t, err) })
}

func TestCheckUser(t *testing.T) {
	rest := 2048 - len(secret)*3 // bytes left for the fourth text
	for _, tt := range []struct {
		name      string
		good, bad func(u *googlesession.User)
	}{
		{
			"Version, lowest",
			func(u *googlesession.User) { u.Version = 1 },
			func(u *googlesession.User) { u.Version = 0 },
		},
		{
			"Version, highest",
			func(u *googlesession.User) { u.Version = 1<<53 - 1 },
			func(u *googlesession.User) { u.Version = 1 << 53 },
		},
		{
			"Version, negative",
			func(u *googlesession.User) { u.Version = 1 },
			func(u *googlesession.User) { u.Version = -1 },
		},
		{
			"length of ID",
			func(u *googlesession.User) { u.ID = text(255) },
			func(u *googlesession.User) { u.ID = text(256) },
		},
		{
			"ID, empty",
			func(u *googlesession.User) { u.ID = "x" },
			func(u *googlesession.User) { u.ID = "" },
		},
		{
			"length of all texts, by Email",
			func(u *googlesession.User) { u.Email = text(rest) },
			func(u *googlesession.User) { u.Email = text(rest + 1) },
		},
		{
			"length of all texts, by Name",
			func(u *googlesession.User) { u.Name = text(rest) },
			func(u *googlesession.User) { u.Name = text(rest + 1) },
		},
		{
			"length of all texts, by Picture",
			func(u *googlesession.User) { u.Picture = text(rest) },
			func(u *googlesession.User) { u.Picture = text(rest + 1) },
		},
		{
			"TokensAfter",
			func(u *googlesession.User) { u.TokensAfter = time.UnixMilli(1) },
			func(u *googlesession.User) { u.TokensAfter = time.UnixMilli(0) },
		},
		{
			"what is not checked",
			func(u *googlesession.User) {
				*u = googlesession.User{
					ID: secret, Version: 1, Admin: true, Disabled: true,
					CreatedAt: time.UnixMilli(-1), SeenAt: time.UnixMilli(0),
				}
			},
			func(u *googlesession.User) { *u = googlesession.User{} },
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			u := validUser()
			tt.good(&u)
			require.NoError(t, storekit.CheckUser(u))
			u = validUser()
			tt.bad(&u)
			requireRefused(t, storekit.CheckUser(u))
		})
	}
	for name, bad := range badTexts {
		for field, set := range map[string]func(u *googlesession.User){
			"ID":      func(u *googlesession.User) { u.ID = bad },
			"Email":   func(u *googlesession.User) { u.Email = bad },
			"Name":    func(u *googlesession.User) { u.Name = bad },
			"Picture": func(u *googlesession.User) { u.Picture = bad },
		} {
			u := validUser()
			set(&u)
			requireRefusedNamed(t, field+" with "+name, storekit.CheckUser(u))
		}
	}
}

func TestCheckIdentity(t *testing.T) {
	rest := 2048 - len(secret)*3
	for _, tt := range []struct {
		name      string
		good, bad func(id *googlesession.Identity)
	}{
		{
			"length of Subject",
			func(id *googlesession.Identity) { id.Subject = text(255) },
			func(id *googlesession.Identity) { id.Subject = text(256) },
		},
		{
			"Subject, empty",
			func(id *googlesession.Identity) { id.Subject = "x" },
			func(id *googlesession.Identity) { id.Subject = "" },
		},
		{
			"length of all texts",
			func(id *googlesession.Identity) { id.Name = text(rest) },
			func(id *googlesession.Identity) { id.Name = text(rest + 1) },
		},
		{
			"IssuedAt",
			func(id *googlesession.Identity) { id.IssuedAt = time.UnixMilli(1) },
			func(id *googlesession.Identity) { id.IssuedAt = time.UnixMilli(0) },
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			id := googlesession.Identity{Subject: secret, Email: secret, Name: secret, Picture: secret}
			tt.good(&id)
			require.NoError(t, storekit.CheckIdentity(id))
			id = googlesession.Identity{Subject: secret, Email: secret, Name: secret, Picture: secret}
			tt.bad(&id)
			requireRefused(t, storekit.CheckIdentity(id))
		})
	}
	for name, bad := range badTexts {
		requireRefusedNamed(t, "Subject with "+name, storekit.CheckIdentity(googlesession.Identity{Subject: bad}))
		requireRefusedNamed(t, "Email with "+name, storekit.CheckIdentity(googlesession.Identity{Subject: "1", Email: bad}))
		requireRefusedNamed(t, "Name with "+name, storekit.CheckIdentity(googlesession.Identity{Subject: "1", Name: bad}))
		requireRefusedNamed(t, "Picture with "+name, storekit.CheckIdentity(googlesession.Identity{Subject: "1", Picture: bad}))
	}
}

func TestCheckTokenTime(t *testing.T) {
	year10000 := time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)
	east := time.FixedZone("", 14*60*60)
	for _, tt := range []struct {
		name string
		t    time.Time
		ok   bool
	}{
		{"zero", time.Time{}, true},
		{"zero in another zone", time.Time{}.In(east), true},
		{"before 1970", time.UnixMilli(-1), false},
		{"beginning of 1970", time.UnixMilli(0), false},
		{"less than a millisecond later", time.Unix(0, 999_999), false},
		{"a millisecond later", time.UnixMilli(1), true},
		{"last nanosecond of 9999", year10000.Add(-1), true},
		{"beginning of 10000", year10000, false},
		{"year 9999 in UTC, 10000 in its own zone", year10000.Add(-1).In(east), true},
		{"largest", time.UnixMilli(math.MaxInt64), false},
		{"smallest", time.UnixMilli(math.MinInt64), false},
	} {
		err := storekit.CheckTokenTime(tt.t)
		if tt.ok {
			require.NoError(t, err, tt.name)
		} else {
			requireRefusedNamed(t, tt.name, err)
		}
	}
}

func TestValidUserID(t *testing.T) {
	for _, tt := range []struct {
		name, id string
		want     bool
	}{
		{"empty", "", false},
		{"a byte", "1", true},
		{"a blank", " ", true},
		{"255 bytes", text(255), true},
		{"256 bytes", text(256), false},
		{"255 bytes in fewer runes", strings.Repeat("€", 85), true},
		{"256 bytes in fewer runes", strings.Repeat("é", 128), false},
		{"replacement character", "�", true},
	} {
		require.Equal(t, tt.want, storekit.ValidUserID(tt.id), tt.name)
	}
	for name, bad := range badTexts {
		require.False(t, storekit.ValidUserID(bad), name)
	}
}

package storekit_test

import (
	"maps"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/storekit"
)

func TestCheckData(t *testing.T) {
	for _, good := range []string{"", text(1024), "\U0001F600", "\n\t\x7f"} {
		require.NoError(t, storekit.CheckData(good))
		u := validUser()
		u.Data = good
		require.NoError(t, storekit.CheckUser(u), "Data of %d bytes is not a part of the profile", len(good))
	}
	refused := maps.Clone(badTexts)
	refused["1025 bytes"] = text(1025)
	for name, bad := range refused {
		requireRefusedNamed(t, name, storekit.CheckData(bad))
		u := validUser()
		u.Data = bad
		requireRefusedNamed(t, "CheckUser of "+name, storekit.CheckUser(u))
	}
}

func TestCheckNewSessionLabel(t *testing.T) {
	check := func(label string) error {
		n := validSession()
		n.Label, n.Kind, n.PublicID = label, googlesession.KindIssued, googlesession.PublicID{1}
		return storekit.CheckNewSession(n)
	}
	for _, good := range []string{"", "ci", text(100), strings.Repeat("\U0001F600", 25)} {
		require.NoError(t, check(good))
	}
	requireRefusedNamed(t, "101 bytes", check(text(101)))
	for name, bad := range badTexts {
		requireRefusedNamed(t, name, check(bad))
	}
}

func TestCheckUserQuery(t *testing.T) {
	yes := true
	for name, q := range map[string]googlesession.UserQuery{
		"zero":           {},
		"negative Limit": {Limit: -1},
		"e-mail":         {EmailPrefix: text(100)},
		"name":           {NamePrefix: text(100)},
		"flags":          {EmailPrefix: "a", Admin: &yes, Disabled: &yes},
		"any After":      {After: &googlesession.User{ID: "\xff", Email: strings.Repeat("x", 5000)}},
		"four-byte rune": {NamePrefix: "\U0001F600"},
	} {
		require.NoError(t, storekit.CheckUserQuery(q), name)
	}
	refused := map[string]googlesession.UserQuery{
		"both prefixes":   {EmailPrefix: secret, NamePrefix: secret},
		"e-mail too long": {EmailPrefix: text(101)},
		"name too long":   {NamePrefix: text(101)},
	}
	for name, bad := range badTexts {
		refused["e-mail with "+name] = googlesession.UserQuery{EmailPrefix: bad}
		refused["name with "+name] = googlesession.UserQuery{NamePrefix: bad}
	}
	for name, q := range refused {
		requireRefusedNamed(t, name, storekit.CheckUserQuery(q))
	}
}

func TestPublicID(t *testing.T) {
	n := validSession()
	for i := range n.Ref.ID {
		n.Ref.ID[i] = byte(i + 1)
	}
	require.Equal(t, googlesession.PublicID(n.Ref.ID[:16]), storekit.PublicID(n), "the zero PublicID means that of the Ref")
	n.PublicID = googlesession.PublicID{15: 1}
	require.Equal(t, n.PublicID, storekit.PublicID(n))
}

func TestMatchesQuery(t *testing.T) {
	yes, no := true, false
	ada := googlesession.User{Email: "Ada@Example.COM", Name: "Ádá LOVELACE", Admin: true}
	for _, tt := range []struct {
		name string
		q    googlesession.UserQuery
		want bool
	}{
		{"everybody", googlesession.UserQuery{}, true},
		{"e-mail in another case", googlesession.UserQuery{EmailPrefix: "aDA@eXAMPLE"}, true},
		{"whole e-mail", googlesession.UserQuery{EmailPrefix: "ada@example.com"}, true},
		{"more than the e-mail", googlesession.UserQuery{EmailPrefix: "ada@example.com."}, false},
		{"inside the e-mail", googlesession.UserQuery{EmailPrefix: "example"}, false},
		{"punctuation is not folded", googlesession.UserQuery{EmailPrefix: "ada`"}, false},
		{"name is not the e-mail", googlesession.UserQuery{EmailPrefix: "Ádá"}, false},
		{"name", googlesession.UserQuery{NamePrefix: "Ádá lovelace"}, true},
		{"letters beyond ASCII are not folded", googlesession.UserQuery{NamePrefix: "ádÁ"}, false},
		{"administrator", googlesession.UserQuery{Admin: &yes}, true},
		{"not an administrator", googlesession.UserQuery{Admin: &no}, false},
		{"enabled", googlesession.UserQuery{Disabled: &no}, true},
		{"disabled", googlesession.UserQuery{Disabled: &yes}, false},
		{"all at once", googlesession.UserQuery{NamePrefix: "Á", Admin: &yes, Disabled: &no}, true},
		{"a flag differs", googlesession.UserQuery{NamePrefix: "Á", Admin: &yes, Disabled: &yes}, false},
		{"After and Limit do not matter", googlesession.UserQuery{After: &googlesession.User{ID: "\xff"}, Limit: -1}, true},
	} {
		require.Equal(t, tt.want, storekit.MatchesQuery(ada, tt.q), tt.name)
	}
}

func TestFoldCase(t *testing.T) {
	for s, want := range map[string]string{
		"":                        "",
		"@AZ[`az{09":              "@az[`az{09",
		"Ünï \u0130\u212aK":       "Ünï \u0130\u212ak", // the dotted I and the Kelvin sign are not ASCII
		"A\xffB\xc3(\xed\xa0\x80": "a\xffb\xc3(\xed\xa0\x80",
		"A\ufffd":                 "a\ufffd",
	} {
		require.Equal(t, want, storekit.FoldCase(s), "FoldCase(%q)", s)
	}
}

// FuzzMatchesQuery compares FoldCase and MatchesQuery with a model that looks at one byte
// after the other.
func FuzzMatchesQuery(f *testing.F) {
	f.Add("Ada@Example.com", "aDA@")
	f.Add("Ünï", "ü")
	f.Add("A\xff", "a\xff")
	f.Add("ab", "abc")
	f.Add("@[`{", "@[`{")
	f.Fuzz(func(t *testing.T, s, prefix string) {
		want := make([]byte, len(s))
		for i := range len(s) {
			want[i] = lower(s[i])
		}
		folded := storekit.FoldCase(s)
		require.Equal(t, string(want), folded, "FoldCase(%q)", s)
		require.Equal(t, folded, storekit.FoldCase(folded), "folding again changes nothing")
		require.Equal(t, utf8.ValidString(s), utf8.ValidString(folded))

		matches := len(s) >= len(prefix)
		for i := 0; matches && i < len(prefix); i++ {
			matches = lower(s[i]) == lower(prefix[i])
		}
		require.Equal(t, matches, storekit.MatchesQuery(googlesession.User{Email: s}, googlesession.UserQuery{EmailPrefix: prefix}))
		require.Equal(t, matches, storekit.MatchesQuery(googlesession.User{Name: s}, googlesession.UserQuery{NamePrefix: prefix}))
	})
}

func lower(b byte) byte {
	if strings.IndexByte("ABCDEFGHIJKLMNOPQRSTUVWXYZ", b) >= 0 {
		return b | 0x20
	}
	return b
}

package storekit_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/storekit"
)

func TestSessionLimit(t *testing.T) {
	for _, tt := range []struct{ max, perUser, want int }{
		{0, 100, 100},
		{1, 100, 1},
		{99, 100, 99},
		{100, 100, 100},
		{101, 100, 100},
		{2, 1, 1},
	} {
		got := storekit.SessionLimit(googlesession.NewSession{Max: tt.max}, tt.perUser)
		require.Equal(t, tt.want, got, "SessionLimit with Max %d of %d", tt.max, tt.perUser)
	}
}

func TestReplacedID(t *testing.T) {
	n := validSession()
	require.Nil(t, storekit.ReplacedID(n), "without Replaces")
	n.Replaces = &googlesession.Ref{Tag: n.Ref.Tag, ID: [32]byte{1, 31: 2}}
	require.Equal(t, n.Replaces.ID[:], storekit.ReplacedID(n), "a session of the user")
	n.Replaces = &googlesession.Ref{Tag: googlesession.UserTag("other"), ID: [32]byte{1, 31: 2}}
	require.Nil(t, storekit.ReplacedID(n), "a session of another user")
	n.Replaces = &googlesession.Ref{}
	require.Nil(t, storekit.ReplacedID(n), "the zero Ref")
}

func TestIsStaleToken(t *testing.T) {
	after := time.UnixMilli(1_700_000_000_000)
	for _, tt := range []struct {
		name          string
		issued, after time.Time
		want          bool
	}{
		{"no TokensAfter", after, time.Time{}, false},
		{"no TokensAfter, no time", time.Time{}, time.Time{}, false},
		{"no time", time.Time{}, after, true},
		{"before", after.Add(-1), after, true},
		{"at the same time", after, after, true},
		{"at the same time in another zone", after.In(time.FixedZone("", 3600)), after.UTC(), true},
		{"after", after.Add(1), after, false},
	} {
		got := storekit.IsStaleToken(tt.issued, googlesession.User{TokensAfter: tt.after})
		require.Equal(t, tt.want, got, tt.name)
	}
}

func TestTouchAfter(t *testing.T) {
	const century = 100 * 365 * 24 * time.Hour
	for _, tt := range []struct{ touchAfter, idle, want time.Duration }{
		{time.Minute, 30 * time.Minute, time.Minute},
		{time.Minute, 2 * time.Minute, time.Minute},
		{time.Minute, 2*time.Minute - 2, time.Minute - 1},
		{time.Minute, time.Minute, 30 * time.Second},
		{century, century, century / 2},
		{time.Minute, time.Millisecond, time.Millisecond / 2},
		{0, time.Minute, 0},
		{-1, time.Minute, -1},
		{googlesession.NeverTouch - 1, time.Minute, 30 * time.Second},
		{googlesession.NeverTouch, time.Minute, googlesession.NeverTouch},
		{googlesession.NeverTouch, century, googlesession.NeverTouch},
	} {
		require.Equal(t, tt.want, storekit.TouchAfter(tt.touchAfter, tt.idle), "TouchAfter(%v, %v)", tt.touchAfter, tt.idle)
	}
}

func TestTokenTime(t *testing.T) {
	east := time.FixedZone("", 3600)
	for _, tt := range []struct {
		name string
		t    time.Time
		ms   int64
	}{
		{"zero", time.Time{}, 0},
		{"zero in another zone", time.Time{}.In(east), 0},
		{"first", time.UnixMilli(1), 1},
		{"whole", time.UnixMilli(1_700_000_000_000).In(east), 1_700_000_000_000},
		{"a nanosecond more", time.Unix(1_700_000_000, 1), 1_700_000_000_001},
		{"a nanosecond less", time.Unix(1_700_000_000, -1), 1_700_000_000_000},
		{"last", time.Date(9999, 12, 31, 23, 59, 59, 999_999_999, time.UTC), 253_402_300_800_000},
	} {
		require.NoError(t, storekit.CheckTokenTime(tt.t), tt.name)
		require.Equal(t, tt.ms, storekit.TokenUnixMilli(tt.t), "TokenUnixMilli: %s", tt.name)
		back := storekit.TokenTime(tt.ms)
		require.Equal(t, time.UTC, back.Location(), tt.name)
		require.Equal(t, tt.ms, storekit.TokenUnixMilli(back), "TokenTime: %s", tt.name)
		require.Equal(t, tt.t.IsZero(), back.IsZero(), "TokenTime: %s", tt.name)
		require.False(t, back.Before(tt.t), "TokenTime: %s", tt.name)
	}
}

func TestNextVersion(t *testing.T) {
	const now = 1_700_000_000_000
	for _, tt := range []struct {
		name         string
		version, now int64
		want         int64
	}{
		{"no record", 0, now, now},
		{"earlier record", now - 1, now, now},
		{"record of this millisecond", now, now, now + 1},
		{"clock behind the record", now + 1000, now, now + 1001},
		{"last", 1<<53 - 2, now, 1<<53 - 1},
	} {
		got, err := storekit.NextVersion(tt.version, tt.now)
		require.NoError(t, err, tt.name)
		require.Equal(t, tt.want, got, tt.name)
	}
	_, err := storekit.NextVersion(1<<53-1, now)
	requireRefused(t, err)
	_, err = storekit.NextVersion(1, 1<<53)
	requireRefused(t, err)
}

// The browser that was seen comes first, once, and the least recent ones are forgotten.
func TestSeenBrowsers(t *testing.T) {
	id := func(n int) googlesession.BrowserID { return googlesession.BrowserID{byte(n)} } //nolint:gosec // the tests have few browsers
	list := func(from, to int) (all []googlesession.BrowserID) {
		for n := from; n < to; n++ {
			all = append(all, id(n))
		}
		return all
	}
	for _, tt := range []struct {
		name        string
		known, want []googlesession.BrowserID
		seen        int
	}{
		{"first", nil, list(7, 8), 7},
		{"new", list(1, 3), append(list(7, 8), list(1, 3)...), 7},
		{"again", list(1, 4), []googlesession.BrowserID{id(3), id(1), id(2)}, 3},
		{"most recent", list(1, 4), list(1, 4), 1},
		{"one too many", list(1, 11), append(list(99, 100), list(1, 10)...), 99},
		{"full, seen again", list(1, 11), append(list(10, 11), list(1, 10)...), 10},
		{"far too many", list(1, 31), append(list(99, 100), list(1, 10)...), 99},
	} {
		before := slices.Clone(tt.known)
		got := storekit.SeenBrowsers(tt.known, id(tt.seen))
		require.Equal(t, tt.want, got, tt.name)
		got[0] = id(200)
		require.Equal(t, before, tt.known, tt.name)
	}
}

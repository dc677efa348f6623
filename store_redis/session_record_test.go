package redisstore_test

import (
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	redisstore "github.com/googlesession/googlesession/store_redis"
)

var publicID = googlesession.PublicID{1, 2, 3, 0xff}

// times begins the records of these tests.
const times = "1000 9000 500 "

// record returns what Redis keeps of n, as create.lua composes it, if the session begins at
// 1000 and its token was issued age milliseconds earlier.
func record(n googlesession.NewSession, age int64) string {
	return times + redisstore.EncodeMembers(n) + "\x1e" + strconv.FormatInt(age, 10)
}

// A session of a browser with the PublicID of its Ref takes no more bytes than before there
// were members. All other members are read as they were written.
func TestSessionRecord(t *testing.T) {
	ref := googlesession.Ref{Tag: [12]byte{1}, ID: [32]byte{2}}
	browser := devices[1].device
	device := redisstore.EncodeDevice(browser)
	for name, tt := range map[string]struct {
		session googlesession.NewSession
		kept    string // after the device
	}{
		"ordinary":         {googlesession.NewSession{}, ""},
		"its own ID":       {googlesession.NewSession{PublicID: ref.PublicID()}, ""},
		"re-authenticated": {googlesession.NewSession{PublicID: publicID}, "\x1epAQID_wAAAAAAAAAAAAAAAA"},
		"bearer":           {googlesession.NewSession{Kind: googlesession.KindBearer}, "\x1ek1"},
		"issued":           {googlesession.NewSession{Kind: googlesession.KindIssued, Label: "backup"}, "\x1ek2\x1elbackup"},
		"a later kind":     {googlesession.NewSession{Kind: math.MaxUint8}, "\x1ek255"},
		"odd label":        {googlesession.NewSession{Label: " k1 \x1e7\x1f\n😀"}, "\x1el k1 \x1f^7\x1f_\x1fJ😀"},
		"all": {
			googlesession.NewSession{Kind: 2, PublicID: publicID, Label: "7"},
			"\x1ek2\x1epAQID_wAAAAAAAAAAAAAAAA\x1el7",
		},
	} {
		n := tt.session
		n.Ref, n.Device = ref, browser
		require.Equal(t, device+tt.kept, redisstore.EncodeMembers(n), name)
		want := redisstore.Record{Created: 1000, Abs: 9000, Idle: 500, Device: device, Kind: n.Kind, Label: n.Label}
		if n.PublicID != ref.PublicID() {
			want.PublicID = n.PublicID
		}
		require.Equal(t, want, redisstore.ParseSession(times+device+tt.kept), name)
		want.Token = 700
		require.Equal(t, want, redisstore.ParseSession(record(n, 300)), name)
	}
}

// The age of the token is the last member. A member that this version does not know is
// skipped, and a damaged one makes the record that of no live session.
func TestParseSession(t *testing.T) {
	live := func(device string, token int64) redisstore.Record {
		return redisstore.Record{Created: 1000, Abs: 9000, Idle: 500, Device: device, Token: token}
	}
	for name, tt := range map[string]struct {
		kept string
		want redisstore.Record
	}{
		"no member":                        {"a\x01b", live("a\x01b", 0)},
		"before the session":               {"a\x01b\x1e300", live("a\x01b", 700)},
		"after the session":                {"a\x01b\x1e-300", live("a\x01b", 1300)},
		"damaged age":                      {"a\x01b\x1e3oo", live("a\x01b", 0)},
		"too long an age":                  {"a\x01b\x1e99999999999999999999", live("a\x01b", 0)},
		"empty member":                     {"\x01\x1e", live("\x01", 0)},
		"member of a later version":        {"a\x01b\x1ezoo\x1e300", live("a\x01b", 700)},
		"user agent of an earlier version": {"a\x00b\x1e300", live("a\x00b\x1e300", 0)},
		"kind without a number":            {"a\x01b\x1ek\x1e300", redisstore.Record{}},
		"kind over a byte":                 {"a\x01b\x1ek256\x1e300", redisstore.Record{}},
		"kind with a sign":                 {"a\x01b\x1ek-1", redisstore.Record{}},
		"short public ID":                  {"a\x01b\x1epAQID", redisstore.Record{}},
	} {
		require.Equal(t, tt.want, redisstore.ParseSession(times+tt.kept), name)
	}
}

// earlierDevice returns the device and the token's issue time as the version without other
// members reads them.
func earlierDevice(kept string, created int64) (device string, token int64) {
	i := strings.LastIndexByte(kept, 30)
	if i < 0 || strings.IndexByte(kept, 0) >= 0 {
		return kept, 0
	}
	age, err := strconv.ParseInt(kept[i+1:], 10, 64)
	if err != nil {
		return kept[:i], 0
	}
	return kept[:i], created - age
}

// Every kind, public ID and label is read as it was written, and does not change what an
// earlier version reads of the device and the token.
func FuzzSessionRecord(f *testing.F) {
	f.Add("192.0.2.1", "curl/8.5.0", uint8(2), []byte("0123456789abcdef"), "backup", int64(300), true)
	f.Add("a\x1e1", "b\x1fA\x1e2", uint8(0), []byte(nil), "", int64(-300), false)
	f.Add("", "", uint8(255), []byte("x"), "\x1e5\x1fA\x00l\x1ek1", int64(0), true)
	f.Fuzz(func(t *testing.T, ip, userAgent string, kind uint8, id []byte, label string, age int64, known bool) {
		const longest = int64(200 * 365 * 24 * time.Hour / time.Millisecond)
		if age < -longest || age > longest {
			t.Skip("no token has such an age")
		}
		n := googlesession.NewSession{
			Device: googlesession.Device{IP: ip, UserAgent: userAgent}, Kind: googlesession.SessionKind(kind), Label: label,
		}
		copy(n.PublicID[:], id)
		want := redisstore.Record{
			Created: 1000, Abs: 9000, Idle: 500, Device: redisstore.EncodeDevice(n.Device),
			Kind: n.Kind, PublicID: n.PublicID, Label: label,
		}
		text := times + redisstore.EncodeMembers(n)
		if known {
			text, want.Token = record(n, age), 1000-age
		}
		require.Equal(t, want, redisstore.ParseSession(text))

		device, token := earlierDevice(strings.TrimPrefix(text, times), 1000)
		require.Equal(t, want.Token, token)
		got := redisstore.DecodeDevice(device)
		require.Equal(t, ip, got.IP)
		require.True(t, strings.HasPrefix(got.UserAgent, userAgent))
		if n.Kind == 0 && n.PublicID == (googlesession.PublicID{}) && label == "" {
			require.Equal(t, userAgent, got.UserAgent)
		}
	})
}

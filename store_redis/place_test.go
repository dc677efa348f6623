package redisstore_test

import (
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	redisstore "github.com/googlesession/googlesession/store_redis"
)

var (
	nodeA = strings.Repeat("a", 40)
	nodeB = strings.Repeat("b", 40)
)

var foreignPlaces = []string{
	"x", "1", "0", "-", "-----", "1-0---", "0-0----5", "3-0----5", "1-2----5", "01-0----5", "1-----5", "1-0----05", "1-0----+5", "1-0----",
	"1-0----18446744073709551616", "1-0----5-", "1-0-ab---5", "1-0--ab--5", "1-0-x-y--5", "1-0---G-5", "1-0---A-5",
	"1-0---" + strings.Repeat("a", 41) + "-5", "1-0---é-5", " 1-0----5", "1-0----5\n",
}

func TestPlace(t *testing.T) {
	for _, text := range []string{
		"1-0----5", "2-1----18446744073709551615", "1-0---0123456789abcdef-0", "2-0-0123456789abcdef-" + nodeA + "-0123456789abcdef-7",
	} {
		got, err := redisstore.Place(text)
		require.NoError(t, err, text)
		require.Equal(t, text, got)
	}
	for _, text := range foreignPlaces {
		_, err := redisstore.Place(text)
		require.ErrorIs(t, err, googlesession.ErrNotFound, text)
	}
}

// A page begins where the page before ended, or at the next master if that one has gone.
func TestPlaceOfAMasterThatIsGone(t *testing.T) {
	const slots = "0123456789abcdef"
	for name, tt := range map[string]struct {
		text string
		ids  []string
		want string // "" if there are no more pages
	}{
		"still there":                 {"1-0-" + slots + "-b-1f-7", []string{"a", "b", "c"}, "1-0-" + slots + "-b-1f-7"},
		"others are gone":             {"1-0-" + slots + "-b-1f-7", []string{"b"}, "1-0-" + slots + "-b-1f-7"},
		"gone":                        {"1-0-" + slots + "-b-1f-7", []string{"a", "c", "d"}, "1-1-" + slots + "-c--0"},
		"gone, and the first":         {"1-0-" + slots + "-a-1f-7", []string{"b"}, "1-1-" + slots + "-b--0"},
		"gone in the second round":    {"2-0-" + slots + "-b-1f-7", []string{"a", "c"}, "2-1-" + slots + "-c--0"},
		"gone, and the last of round": {"2-0-" + slots + "-b-1f-7", []string{"a"}, ""},
		"without a cluster":           {"1-0---1f-7", []string{""}, "1-0---1f-7"},
	} {
		got, err := redisstore.EnterPlace(tt.text, tt.ids...)
		require.NoError(t, err, name)
		require.Equal(t, tt.want, got, name)
	}
	for text, id := range map[string]string{"1-0-" + slots + "-b-1f-7": "", "1-0---1f-7": "a"} {
		_, err := redisstore.EnterPlace(text, id)
		require.ErrorIs(t, err, googlesession.ErrNotFound, text)
	}
}

// A text is refused, or it is the text of a place. No text is a panic.
func FuzzPlace(f *testing.F) {
	for _, text := range foreignPlaces {
		f.Add(text)
	}
	f.Add("2-1-0123456789abcdef-" + nodeA + "-0123456789abcdef-7")
	f.Fuzz(func(t *testing.T, text string) {
		got, err := redisstore.Place(text)
		if text == "" {
			return
		}
		if err != nil {
			require.ErrorIs(t, err, googlesession.ErrNotFound)
			return
		}
		require.Equal(t, text, got)
		require.LessOrEqual(t, len(got), 512)
		require.False(t, strings.ContainsFunc(got, func(r rune) bool { return r <= ' ' || r > '~' }))
	})
}

// The digest changes if a slot has moved or a server has taken over, and with nothing else.
func TestSlots(t *testing.T) {
	const (
		first  = " 127.0.0.1:7000@17000,host myself,master - 0 1764000000000 1 connected 0-8191"
		second = " 127.0.0.1:7001@17001 master - 0 1764000000001 2 connected 8192-16383"
	)
	replica := strings.Repeat("c", 40) + " 127.0.0.1:7002@17002 slave " + nodeA + " 0 1764000000000 1 connected"
	digest := func(lines ...string) (digest string, moving bool) {
		digest, moving, err := redisstore.Slots(strings.Join(lines, "\n")+"\n", nodeA, nodeB)
		require.NoError(t, err)
		require.Len(t, digest, 16)
		return digest, moving
	}
	a, b := nodeA+first, nodeB+second
	usual, moving := digest(a, b, replica)
	require.False(t, moving)
	for name, lines := range map[string][]string{
		"another order":       {replica, b, a},
		"another view":        {strings.Replace(a, "myself,", "", 1), strings.Replace(b, "master", "myself,master", 1), replica},
		"another address":     {strings.Replace(a, "7000", "7009", 1), b},
		"a later pong":        {strings.Replace(a, "1764000000000", "1764000000009", 1), b, replica},
		"a master without":    {a, b, strings.Repeat("d", 40) + " 127.0.0.1:7003@17003 master - 0 1764000000000 3 connected"},
		"an unavailable link": {a, strings.Replace(b, " connected", " disconnected", 1)},
	} {
		got, moving := digest(lines...)
		require.Equal(t, usual, got, name)
		require.False(t, moving, name)
	}
	for name, lines := range map[string][]string{
		"a slot moved":            {strings.Replace(a, "8191", "8190", 1), strings.Replace(b, "8192", "8191", 1)},
		"a slot moved and back":   {strings.Replace(a, " 1 conn", " 3 conn", 1), b},
		"the other one took over": {nodeA + second, nodeB + first},
		"a slot has no master":    {a, strings.Replace(b, "8192", "8193", 1)},
	} {
		got, moving := digest(lines...)
		require.NotEqual(t, usual, got, name)
		require.False(t, moving, name)
	}
	for name, marker := range map[string]string{"leaving": " [5->-" + nodeB + "]", "arriving": " [9000-<-" + nodeB + "]"} {
		got, moving := digest(a+marker, b)
		require.Equal(t, usual, got, name)
		require.True(t, moving, name)
	}
	for name, text := range map[string]string{
		"nothing":                   "",
		"no slots":                  replica,
		"unknown master":            a + "\n" + b + "\n" + strings.Repeat("d", 40) + " 127.0.0.1:7003@17003 master - 0 1764000000000 3 connected 5",
		"moving to an empty master": a + " [5->-" + strings.Repeat("d", 40) + "]\n" + b,
		"not a list":                "x",
	} {
		_, _, err := redisstore.Slots(text, nodeA, nodeB)
		require.Error(t, err, name)
	}
}

// A key belongs to a user only if the store would make it for this user.
func FuzzTagOf(f *testing.F) {
	client := redis.NewClient(&redis.Options{Addr: "192.0.2.1:6379"})
	f.Cleanup(func() { _ = client.Close() })
	store, err := redisstore.New(client, &redisstore.Options{Prefix: "a*:"})
	require.NoError(f, err)
	for _, key := range []string{
		"a*:{AAAAAAAAAAAAAAAA}", "a*:{AAAAAAAAAAAAAAA}", "a*:{AAAAAAAAAAAAAAA=}", "ab:{AAAAAAAAAAAAAAAA}", "a*:{AAAA\nAAAAAAAAAAAA}", "a*:AAAAAAAAAAAAAAAA", "",
	} {
		f.Add(key)
	}
	f.Fuzz(func(t *testing.T, key string) {
		if tag, ok := redisstore.TagOf(store, key); ok {
			require.Equal(t, key, redisstore.KeyOf(store, tag))
		}
		var tag [12]byte
		copy(tag[:], key)
		got, ok := redisstore.TagOf(store, redisstore.KeyOf(store, tag))
		require.True(t, ok)
		require.Equal(t, tag, got)
	})
}

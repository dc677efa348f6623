package redisstore_test

import (
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	redisstore "github.com/googlesession/googlesession/store_redis"
)

func TestNew(t *testing.T) {
	client := redis.NewClient(&redis.Options{Addr: "192.0.2.1:6379", ReadTimeout: time.Second})
	t.Cleanup(func() { _ = client.Close() })
	ring := redis.NewRing(&redis.RingOptions{})
	t.Cleanup(func() { _ = ring.Close() })
	piped, err := client.AutoPipeline()
	require.NoError(t, err)
	t.Cleanup(func() { _ = piped.Close() })
	var typedNil *redis.Client

	for name, client := range map[string]redis.UniversalClient{"ring": ring, "autopipeliner": piped, "nil": nil, "typed nil": typedNil} {
		_, err := redisstore.New(client, nil)
		require.ErrorIs(t, err, redisstore.ErrUnsafeClient, name)
	}
	for _, prefix := range []string{"a b", "{x}", "é", "a\n", strings.Repeat("x", 65)} {
		_, err := redisstore.New(client, &redisstore.Options{Prefix: prefix})
		require.ErrorContains(t, err, "prefix", prefix)
	}
	_, err = redisstore.New(ring, &redisstore.Options{Prefix: "{", PerUser: -1, Replicas: -1, ReplicasTimeout: time.Microsecond})
	for _, want := range []string{"Ring", "prefix", "PerUser", "Replicas -1", "ReplicasTimeout"} {
		require.ErrorContains(t, err, want, "the error joins all of them")
	}
	_, err = redisstore.New(client, &redisstore.Options{Replicas: 1, ReplicasTimeout: time.Second})
	require.ErrorContains(t, err, "ReadTimeout")
	_, err = redisstore.New(client, &redisstore.Options{Replicas: 1})
	require.NoError(t, err)
}

func TestOpen(t *testing.T) {
	for url, want := range map[string]string{
		"redis://127.0.0.1:1/2":                                               "*redis.Client",
		"rediss://user:p%2Fw@127.0.0.1:1":                                     "*redis.Client",
		"unix:///run/redis.sock":                                              "*redis.Client",
		"redis+cluster://127.0.0.1:1?addr=127.0.0.1:2":                        "*redis.ClusterClient",
		"redis://127.0.0.1:1?addr=127.0.0.1:2":                                "*redis.ClusterClient",
		"redis+sentinel://127.0.0.1:1?addr=127.0.0.1:2&master_name=main":      "*redis.Client",
		"rediss+cluster://127.0.0.1:1?read_timeout=3s&max_retries=2&addr=h:2": "*redis.ClusterClient",
	} {
		client, err := redisstore.Open(url)
		require.NoError(t, err, url)
		require.Equal(t, want, typeName(client), url)
		require.NoError(t, client.Close(), url)
	}
}

func typeName(client redis.UniversalClient) string {
	switch client.(type) {
	case *redis.Client:
		return "*redis.Client"
	case *redis.ClusterClient:
		return "*redis.ClusterClient"
	default:
		return "another"
	}
}

func TestOpenSafeSettings(t *testing.T) {
	client, err := redisstore.Open("redis://127.0.0.1:1")
	require.NoError(t, err)
	o := client.(*redis.Client).Options()
	require.True(t, o.ContextTimeoutEnabled)
	require.Equal(t, time.Second, o.ReadTimeout)
	require.Equal(t, 1, o.MaxRetries)
	require.NoError(t, client.Close())

	client, err = redisstore.Open("redis://127.0.0.1:1?read_timeout=3s&max_retries=2")
	require.NoError(t, err)
	o = client.(*redis.Client).Options()
	require.Equal(t, 3*time.Second, o.ReadTimeout, "the URL overrules the default")
	require.Equal(t, 2, o.MaxRetries, "the URL overrules the default")
	require.NoError(t, client.Close())

	client, err = redisstore.Open("redis+cluster://127.0.0.1:1")
	require.NoError(t, err)
	c := client.(*redis.ClusterClient).Options()
	require.True(t, c.ContextTimeoutEnabled)
	require.Equal(t, time.Second, c.ReadTimeout)
	require.NoError(t, client.Close())
}

// An error may be logged, so it must not contain a password.
func TestOpenKeepsPasswords(t *testing.T) {
	for _, url := range []string{
		"", "host:6379", "http://u:secret@h", "redis+x://u:secret@h", "redis://u:sec/ret@h", "redis://u:6379/secret@h",
		"redis://u:6379?secret@h", "redis://u:6379#secret@h", "redis://u:secret%zz@h", "redis://u:secret@h:x",
		"redis://u:secret@h/x", "redis://u:secret@h?x=1", "redis+sentinel://u:secret@h", "redis://u:secret@h?db=x", "redis://u:secret@h\x00",
	} {
		_, err := redisstore.Open(url)
		require.Error(t, err, url)
		require.NotContains(t, err.Error(), "secret", url)
		require.NotContains(t, err.Error(), "ret@", url)
	}
}

func TestUserRecord(t *testing.T) {
	at := time.UnixMilli(1_700_000_000_123).UTC()
	u := googlesession.User{
		ID: "10769150350006150715113082367", Email: "ada@example.com", Name: "Ada 😀", Picture: "https://example.com/a.png",
		Admin: true, Disabled: true, Version: 1<<53 - 1, CreatedAt: at, SeenAt: at.Add(time.Hour),
		TokensAfter: at.Add(time.Minute), Data: `{"plan":"\U0001F4BC"}`,
	}
	for name, change := range map[string]func(*googlesession.User){
		"everything": func(*googlesession.User) {},
		"least": func(u *googlesession.User) {
			*u = googlesession.User{ID: "x", Version: 1, CreatedAt: time.UnixMilli(0).UTC(), SeenAt: time.UnixMilli(-1).UTC()}
		},
		"long":    func(u *googlesession.User) { u.Name = strings.Repeat("é", 900) },
		"no data": func(u *googlesession.User) { u.Data = "" },
		"data":    func(u *googlesession.User) { u.Data = strings.Repeat("\x01é\x1e", 256) },
	} {
		u := u
		change(&u)
		got, err := redisstore.DecodeUser(string(redisstore.EncodeUser(u)))
		require.NoError(t, err, name)
		require.Equal(t, u, got, name)
	}

	rounded := u
	rounded.TokensAfter = u.TokensAfter.Add(-time.Nanosecond)
	require.Equal(t, redisstore.EncodeUser(u), redisstore.EncodeUser(rounded), "TokensAfter is kept in whole milliseconds, rounded up")
	record := string(redisstore.EncodeUser(u))
	got, err := redisstore.DecodeUser(record + "z\x03new" + "Z\x08")
	require.NoError(t, err, "members of a later version")
	require.Equal(t, u, got, "members of a later version are ignored")
	_, err = redisstore.DecodeUser("\x02" + record[1:])
	require.ErrorContains(t, err, "newer")
	for i := range record {
		got, err := redisstore.DecodeUser(record[:i])
		require.True(t, err != nil || got.ID == u.ID, "cut at %d", i)
	}
}

// A damaged record is an error. It is never a user without an ID, and never a panic.
func FuzzDecodeUser(f *testing.F) {
	f.Add(string(redisstore.EncodeUser(googlesession.User{ID: "a", Email: "e", Data: "d", Version: 1})))
	f.Add("\x01i\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")
	f.Add("")
	f.Fuzz(func(t *testing.T, record string) {
		u, err := redisstore.DecodeUser(record)
		if err != nil {
			require.Zero(t, u)
			return
		}
		require.NotEmpty(t, u.ID)
		again, err := redisstore.DecodeUser(string(redisstore.EncodeUser(u)))
		require.NoError(t, err)
		require.Equal(t, u, again)
	})
}

// A number in a record is digits and a blank: at most 18 digits and no sign.
func TestCutNumbers(t *testing.T) {
	most := strings.Repeat("9", 18)
	for _, tt := range []struct {
		text string
		want int64
		rest string
		ok   bool
	}{
		{"0 ", 0, "", true},
		{"1 2", 1, "2", true},
		{"1  2", 1, " 2", true},
		{"007 x", 7, "x", true},
		{most + " ", 999_999_999_999_999_999, "", true},
		{"", 0, "", false},
		{" ", 0, "", false},
		{" 1 ", 0, "", false},
		{"12", 0, "", false},
		{"-1 ", 0, "", false},
		{"+1 ", 0, "", false},
		{"1_0 ", 0, "", false},
		{"0x1 ", 0, "", false},
		{"1.0 ", 0, "", false},
		{"1\t2 ", 0, "", false},
		{"soon ", 0, "", false},
		{"\u0661 ", 0, "", false},
		{"1" + most + " ", 0, "", false},
		{strings.Repeat("0", 19) + " ", 0, "", false},
		{strings.Repeat("0", 600) + " ", 0, "", false},
	} {
		var got int64
		rest, err := redisstore.CutNumbers(tt.text, &got)
		require.Equal(t, tt.ok, err == nil, "CutNumbers(%q) = %v", tt.text, err)
		require.Equal(t, tt.want, got, "CutNumbers(%q)", tt.text)
		require.Equal(t, tt.rest, rest, "CutNumbers(%q)", tt.text)
	}

	var first, second int64
	rest, err := redisstore.CutNumbers("1 2 x y", &first, &second)
	require.NoError(t, err)
	require.Equal(t, []any{int64(1), int64(2), "x y"}, []any{first, second, rest})
	_, err = redisstore.CutNumbers("1 x", &first, &second)
	require.Error(t, err)
}

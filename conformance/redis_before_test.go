package conformance_test

import (
	"crypto/rand"
	"embed"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	redisstore "github.com/googlesession/googlesession/store_redis"
	"github.com/googlesession/googlesession/storekit"
)

// scriptsBefore are those of two earlier versions. In the version redis-before, sessions had
// no time of their token, and users no TokensAfter. In the version redis-tokens they had
// both, and sessions had no kind, public ID and label, and users no Data.
//
//go:embed testdata/redis-before/*.lua testdata/redis-tokens/*.lua
var scriptsBefore embed.FS

// An earlierVersion runs scriptsBefore, as a process of that version does, on the data that
// all processes share.
type earlierVersion struct {
	t       *testing.T
	client  *redis.Client
	own     string // prefix of its scratch keys
	version string // folder of its scripts
}

func (b *earlierVersion) eval(name, userID string, args ...any) any {
	b.t.Helper()
	file, err := scriptsBefore.ReadFile("testdata/" + b.version + "/" + name + ".lua")
	require.NoError(b.t, err)
	shared, err := scriptsBefore.ReadFile("testdata/" + b.version + "/shared.lua")
	require.NoError(b.t, err)
	declaration, text, _ := strings.Cut(string(file), "\n")
	if name != "check" {
		text = string(shared) + text
	}
	value, err := b.client.Eval(b.t.Context(), declaration+"\n"+text, []string{redisKey(userID)}, args...).Result()
	require.NoError(b.t, err, name)
	return value
}

// user returns what that version stores of a user. No record had Data, and in redis-before
// none had TokensAfter.
func (b *earlierVersion) user(u googlesession.User) []any {
	b.t.Helper()
	u.Data = ""
	if b.version == "redis-before" {
		u.TokensAfter = time.Time{}
	}
	scratch := newRedisStore(b.t, b.client, &redisstore.Options{Prefix: b.own + rand.Text()})
	_, err := scratch.PutUser(b.t.Context(), u)
	require.NoError(b.t, err)
	keys, err := b.client.Keys(b.t.Context(), b.own+"*").Result()
	require.NoError(b.t, err)
	require.Len(b.t, keys, 1)
	kept := b.client.HMGet(b.t.Context(), keys[0], "f", "p").Val()
	require.NoError(b.t, b.client.Del(b.t.Context(), keys[0]).Err())
	args := []any{u.ID, kept[0], u.Version, kept[1]}
	if b.version != "redis-before" {
		args = append(args, storekit.TokenUnixMilli(u.TokensAfter))
	}
	return args
}

func (b *earlierVersion) put(u googlesession.User) any {
	return b.eval("put_user", u.ID, append(b.user(u), googlesession.SignInWindow.Milliseconds())...)
}

// create signs in. limit is how many sessions may live.
func (b *earlierVersion) create(n googlesession.NewSession, limit int, device string) []any {
	args := append(b.user(n.User), n.Ref.ID[:])
	if b.version != "redis-before" {
		args = append(args, storekit.TokenUnixMilli(n.TokenIssuedAt))
	}
	return b.eval("create", n.User.ID, append(args, n.MaxLifetime.Milliseconds(), n.IdleTimeout.Milliseconds(),
		googlesession.SignInWindow.Milliseconds(), limit, 0, "", device)...).([]any)
}

// check returns the verdict, and the numbers and the device of the session.
func (b *earlierVersion) check(n googlesession.NewSession, touchAfter time.Duration) (verdict byte, fields []string) {
	reply := b.eval("check", n.User.ID, n.Ref.ID[:], touchAfter.Milliseconds(), "")
	if text, ok := reply.(string); ok {
		return text[0], nil
	}
	answer := reply.([]any)[0].(string)
	return answer[0], strings.SplitN(answer[1:], " ", 7)
}

// Processes of both versions work on the same data. Each reads what the other one writes,
// and ends sessions that the other one has created.
func TestRedisBesideEarlierVersion(t *testing.T) {
	s := privateRedis(t)
	url := "redis://" + s.Addr
	store, b := openRedis(t, url, nil), &earlierVersion{t: t, client: redisClient(t, url), own: "scratch:", version: "redis-before"}
	at := time.UnixMilli(1_764_000_000_000).UTC() // when a token was issued
	newer := func(browser string) googlesession.NewSession {
		n := anySession(anyUser())
		n.User.TokensAfter, n.TokenIssuedAt = at.Add(-time.Minute), at
		n.Device = googlesession.Device{IP: "192.0.2.1", UserAgent: browser}
		return n
	}

	t.Run("the earlier version reads new sessions", func(t *testing.T) {
		for _, browser := range []string{"", "curl/8.5.0", "odd\x1e5", "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"} {
			n := newer(browser)
			want := mustCreate(t, store, n)
			verdict, fields := b.check(n, time.Hour)
			require.Equal(t, byte('3'), verdict, browser)
			numbers := []string{fields[0], fields[3], fields[4], fields[5]}
			created := strconv.FormatInt(want.CreatedAt.UnixMilli(), 10)
			require.Equal(t, []string{created, created, strconv.FormatInt(want.CreatedAt.Add(n.MaxLifetime).UnixMilli(), 10), "3600000"}, numbers)
			require.True(t, strings.HasPrefix(fields[6], n.Device.IP+"\x01"), "the address has not changed its format")
			time.Sleep(2 * time.Millisecond) //nolint:forbidigo // a real server's clock
			verdict, fields = b.check(n, 0)
			require.Equal(t, byte('4'), verdict, "its use is recorded")
			got, err := store.CheckSession(t.Context(), n.Ref, time.Hour)
			require.NoError(t, err)
			require.Equal(t, fields[0], strconv.FormatInt(got.SeenAt.UnixMilli(), 10))
			require.Equal(t, at, got.TokenIssuedAt, "recording a use keeps the time of the token")
			require.Equal(t, n.User, got.User)
			list, err := store.Sessions(t.Context(), n.User.ID)
			require.NoError(t, err)
			require.Len(t, list, 1)
			require.Equal(t, n.Device, list[0].Device)
			require.Equal(t, at, list[0].TokenIssuedAt)
			require.Equal(t, int64(1), b.eval("revoke", n.User.ID, n.Ref.ID[:]))
			_, err = store.CheckSession(t.Context(), n.Ref, 0)
			require.ErrorIs(t, err, googlesession.ErrNoSession)
		}
	})

	t.Run("the earlier version ends new sessions", func(t *testing.T) {
		first, second, third := newer("a"), newer("b"), newer("c")
		first.User.TokensAfter = time.Time{}
		second.User, third.User = first.User, first.User
		for _, n := range []*googlesession.NewSession{&first, &second, &third} {
			n.Ref.Tag = googlesession.UserTag(first.User.ID)
			mustCreate(t, store, *n)
		}
		fourth := anySession(first.User)
		require.Equal(t, int64(9), b.create(fourth, 2, "\x01")[0])
		list, err := store.Sessions(t.Context(), first.User.ID)
		require.NoError(t, err)
		require.Len(t, list, 2, "the oldest session was ended to make room")
		require.Equal(t, int64(2), b.eval("revoke_user", first.User.ID, ""))
		list, err = store.Sessions(t.Context(), first.User.ID)
		require.NoError(t, err)
		require.Empty(t, list)
	})

	t.Run("sessions of the earlier version have no time of a token", func(t *testing.T) {
		for name, kept := range map[string]string{
			"usual":                          "192.0.2.1\x01curl/8.5.0",
			"with control characters":        "192.0.2.1\x00od\x02d",
			"with text that looks like time": "192.0.2.1\x00odd\x1e-99999999999999",
		} {
			n := anySession(anyUser())
			require.Equal(t, int64(9), b.create(n, 100, kept)[0], name)
			got, err := store.CheckSession(t.Context(), n.Ref, 0)
			require.NoError(t, err, name)
			require.Zero(t, got.TokenIssuedAt, name)
			list, err := store.Sessions(t.Context(), n.User.ID)
			require.NoError(t, err, name)
			require.Equal(t, "192.0.2.1", list[0].Device.IP, name)
			require.NotEmpty(t, list[0].Device.UserAgent, name)

			mine := newer("mine")
			mine.User, mine.Ref.Tag = n.User, n.Ref.Tag
			mustCreate(t, store, mine)
			mine.User.Version++
			mine.User.TokensAfter = at.Add(-time.Hour)
			applied, err := store.PutUser(t.Context(), mine.User)
			require.NoError(t, err, name)
			require.True(t, applied, name)
			_, err = store.CheckSession(t.Context(), n.Ref, 0)
			require.ErrorIs(t, err, googlesession.ErrNoSession, name)
			_, err = store.CheckSession(t.Context(), mine.Ref, 0)
			require.NoError(t, err, name)
			verdict, _ := b.check(n, time.Hour)
			require.Equal(t, byte('0'), verdict, "%s: ended for both", name)
		}
	})

	t.Run("the earlier version signs in with any token", func(t *testing.T) {
		stale, u := anySession(anyUser()), anyUser()
		stale.Ref.Tag, stale.User = googlesession.UserTag(u.ID), u
		u.TokensAfter = at
		_, err := store.PutUser(t.Context(), u)
		require.NoError(t, err)
		require.Equal(t, int64(9), b.create(stale, 100, "\x01")[0])
		_, err = store.CheckSession(t.Context(), stale.Ref, 0)
		require.ErrorIs(t, err, googlesession.ErrNoSession, "the new version refuses the session")
		list, err := store.Sessions(t.Context(), u.ID)
		require.NoError(t, err)
		require.Empty(t, list)
	})

	t.Run("the earlier version does not know TokensAfter", func(t *testing.T) {
		n := newer("a")
		n.User.TokensAfter = at
		_, err := store.PutUser(t.Context(), n.User)
		require.NoError(t, err)
		n.User.Version++
		require.Equal(t, int64(1), b.put(n.User), "it applies a newer record without TokensAfter")
		n.User.TokensAfter = time.Time{}
		_, err = store.CreateSession(t.Context(), n)
		require.ErrorIs(t, err, googlesession.ErrStaleToken, "the new version still refuses earlier tokens")
		n.TokenIssuedAt = at.Add(time.Second)
		mustCreate(t, store, n)
	})
}

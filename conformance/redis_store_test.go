package conformance_test

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	redisstore "github.com/googlesession/googlesession/store_redis"
)

// redisClient returns a client for looking behind a store's back.
func redisClient(tb testing.TB, url string) *redis.Client {
	tb.Helper()
	o, err := redis.ParseURL(url)
	require.NoError(tb, err)
	client := redis.NewClient(o)
	tb.Cleanup(func() { _ = client.Close() })
	return client
}

// anyUser returns a user that no store has seen.
func anyUser() googlesession.User {
	now := time.Now().Truncate(time.Millisecond).UTC()
	return googlesession.User{ID: "user-" + rand.Text(), Email: "ada@example.com", Name: "Ada", Version: 1, CreatedAt: now, SeenAt: now}
}

// anySession returns a sign-in of the user.
func anySession(u googlesession.User) googlesession.NewSession {
	ref := googlesession.Ref{Tag: googlesession.UserTag(u.ID)}
	_, _ = rand.Read(ref.ID[:]) // it never fails
	return googlesession.NewSession{Ref: ref, User: u, MaxLifetime: 2 * time.Hour, IdleTimeout: time.Hour}
}

func mustCreate(tb testing.TB, store googlesession.SessionStore, n googlesession.NewSession) googlesession.Session {
	tb.Helper()
	session, err := store.CreateSession(tb.Context(), n)
	require.NoError(tb, err)
	return session
}

func redisKey(userID string) string {
	tag := googlesession.UserTag(userID)
	return "gs:{" + base64.RawURLEncoding.EncodeToString(tag[:]) + "}"
}

// storeCalls are the methods of a store on one session and its user.
func storeCalls(store googlesession.SessionStore, n googlesession.NewSession) map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"CreateSession": func(ctx context.Context) error { _, err := store.CreateSession(ctx, anySession(n.User)); return err },
		"CheckSession":  func(ctx context.Context) error { _, err := store.CheckSession(ctx, n.Ref, 0); return err },
		"RevokeSession": func(ctx context.Context) error { _, err := store.RevokeSession(ctx, n.Ref); return err },
		"RevokeUser":    func(ctx context.Context) error { _, err := store.RevokeUser(ctx, n.User.ID, nil); return err },
		"PutUser":       func(ctx context.Context) error { _, err := store.PutUser(ctx, n.User); return err },
		"Sessions":      func(ctx context.Context) error { _, err := store.Sessions(ctx, n.User.ID); return err },
	}
}

// Somebody else's key under our name is an outage, not "no session".
func TestRedisKeyOfAnotherType(t *testing.T) {
	url := redisURL(t)
	store, n := openRedis(t, url, nil), anySession(anyUser())
	key, client := redisKey(n.User.ID), redisClient(t, url)
	require.NoError(t, client.Set(t.Context(), key, "x", time.Minute).Err())
	for name, call := range storeCalls(store, n) {
		require.ErrorIs(t, call(t.Context()), googlesession.ErrUnavailable, name)
	}
	require.Equal(t, "x", client.Get(t.Context(), key).Val(), "left alone")
}

// What a newer version of this package may write is not understood by half.
func TestRedisRecords(t *testing.T) {
	url := redisURL(t)
	client := redisClient(t, url)
	for name, tt := range map[string]struct {
		field, value string
		want         error
	}{
		"newer format of a user": {"p", "\x02", googlesession.ErrUnavailable},
		"damaged user":           {"p", "\x01i", googlesession.ErrUnavailable},
		"empty user":             {"p", "", googlesession.ErrUnavailable},
		"session":                {"s", "soon", googlesession.ErrNoSession},
		"last use":               {"t", "soon", googlesession.ErrUnavailable},
		"unknown flag":           {"f", "x-", googlesession.ErrUserDisabled},
		"empty flags":            {"f", "", googlesession.ErrUserDisabled},
		"longer flags":           {"f", "e-x", nil},
		"field nobody knows":     {"x", "x", nil},
	} {
		store, n := openRedis(t, url, nil), anySession(anyUser())
		mustCreate(t, store, n)
		field := tt.field
		if field == "s" || field == "t" {
			field += string(n.Ref.ID[:])
		}
		require.NoError(t, client.HSet(t.Context(), redisKey(n.User.ID), field, tt.value).Err())
		_, err := store.CheckSession(t.Context(), n.Ref, 0)
		require.ErrorIs(t, err, tt.want, name)
		ended, err := store.RevokeSession(t.Context(), n.Ref)
		require.NoError(t, err, name)
		require.True(t, ended, name)
	}
}

// The servers lose their scripts in a restart, and then get them again.
func TestRedisForgetsScripts(t *testing.T) {
	url := redisURL(t)
	client := redisClient(t, url)
	store, n := openRedis(t, url, nil), anySession(anyUser())
	mustCreate(t, store, n)
	for name, call := range storeCalls(store, n) {
		require.NoError(t, client.ScriptFlush(t.Context()).Err())
		err := call(t.Context())
		if name == "CheckSession" {
			require.True(t, err == nil || errors.Is(err, googlesession.ErrNoSession), "%s: %v", name, err) // it may run after a revocation
			continue
		}
		require.NoError(t, err, name)
	}
}

// Keys go with the last session, and not before the login window has passed.
func TestRedisTimeToLive(t *testing.T) {
	url := redisURL(t)
	client, store := redisClient(t, url), openRedis(t, url, nil)
	ttl := func(n googlesession.NewSession) time.Duration {
		return client.PTTL(t.Context(), redisKey(n.User.ID)).Val().Round(time.Minute)
	}
	n := anySession(anyUser())
	mustCreate(t, store, n)
	require.Equal(t, time.Hour, ttl(n), "until the session is idle for too long")

	short := anySession(n.User)
	short.MaxLifetime = time.Minute
	mustCreate(t, store, short)
	require.Equal(t, time.Hour, ttl(n), "never shorter")
	_, err := store.CheckSession(t.Context(), short.Ref, 0)
	require.NoError(t, err)
	require.Equal(t, time.Hour, ttl(n), "a use does not shorten it")

	_, err = store.RevokeUser(t.Context(), n.User.ID, nil)
	require.NoError(t, err)
	require.Equal(t, time.Hour, ttl(n), "nor does a revocation")

	put := anySession(anyUser())
	put.User.Disabled = true
	_, err = store.PutUser(t.Context(), put.User)
	require.NoError(t, err)
	require.Equal(t, googlesession.SignInWindow, ttl(put))

	refused := anySession(anyUser())
	refused.User.Disabled = true
	_, err = store.CreateSession(t.Context(), refused)
	require.ErrorIs(t, err, googlesession.ErrUserDisabled)
	require.Equal(t, googlesession.SignInWindow, ttl(refused))
}

// A lint is a hook that fails on a command which a store must not send: a plain read
// may be answered by a replica or a cache.
type lint struct {
	mu   sync.Mutex
	seen []string
}

var redisCommands = []string{"evalsha", "eval", "script", "wait", "hello", "client", "ping", "select"}

func (l *lint) note(cmds ...redis.Cmder) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, cmd := range cmds {
		l.seen = append(l.seen, cmd.Name())
	}
}

func (l *lint) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) { return next(ctx, network, addr) }
}

func (l *lint) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		l.note(cmd)
		return next(ctx, cmd)
	}
}

func (l *lint) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		l.note(cmds...)
		return next(ctx, cmds)
	}
}

func TestRedisCommands(t *testing.T) {
	for name, o := range map[string]*redisstore.Options{"defaults": nil, "waiting for replicas": {Replicas: 1, ReplicasTimeout: time.Millisecond}} {
		l := &lint{}
		n := anySession(anyUser())
		for _, call := range storeCalls(openRedis(t, redisURL(t), o, l), n) {
			_ = call(t.Context())
		}
		slices.Sort(l.seen)
		seen := slices.Compact(l.seen)
		require.Contains(t, seen, "evalsha", name)
		for _, command := range seen {
			require.Contains(t, redisCommands, command, name)
		}
	}
}

// Nobody confirms on a server without replicas: the revocation is in force, and said
// to be unconfirmed, each time.
func TestRedisUnconfirmed(t *testing.T) {
	url := redisURL(t)
	store, plain := openRedis(t, url, &redisstore.Options{Replicas: 1, ReplicasTimeout: 10 * time.Millisecond}), openRedis(t, url, nil)
	n := anySession(anyUser())
	mustCreate(t, store, n)
	for range 2 {
		_, err := store.RevokeSession(t.Context(), n.Ref)
		require.ErrorIs(t, err, redisstore.ErrUnconfirmed)
		require.ErrorIs(t, err, googlesession.ErrUnavailable)
		_, err = plain.CheckSession(t.Context(), n.Ref, 0)
		require.ErrorIs(t, err, googlesession.ErrNoSession)
	}
	_, err := store.RevokeUser(t.Context(), n.User.ID, nil)
	require.ErrorIs(t, err, redisstore.ErrUnconfirmed)
	n.User.Version++
	_, err = store.PutUser(t.Context(), n.User)
	require.ErrorIs(t, err, redisstore.ErrUnconfirmed)
	_, err = store.Sessions(t.Context(), n.User.ID)
	require.NoError(t, err, "reading waits for nobody")
}

// Errors name no user, whatever the server says.
func TestRedisErrorsNameNobody(t *testing.T) {
	u := anyUser()
	u.Email = "marker@example.com"
	client := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1", MaxRetries: -1})
	t.Cleanup(func() { _ = client.Close() })
	for name, call := range storeCalls(newRedisStore(t, client, nil), anySession(u)) {
		err := call(t.Context())
		require.ErrorIs(t, err, googlesession.ErrUnavailable, name)
		require.False(t, strings.Contains(err.Error(), u.ID) || strings.Contains(err.Error(), "marker"), name)
	}
}

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

// redisClient returns a client with which a test looks at the data itself.
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

// storeCalls returns a call of each method of a store, with one session and its user.
func storeCalls(store googlesession.SessionStore, n googlesession.NewSession) map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"CreateSession": func(ctx context.Context) error { _, err := store.CreateSession(ctx, anySession(n.User)); return err },
		"CheckSession":  func(ctx context.Context) error { _, err := store.CheckSession(ctx, n.Ref, 0); return err },
		"RevokeSession": func(ctx context.Context) error { _, err := store.RevokeSession(ctx, n.Ref); return err },
		"SwapBinding": func(ctx context.Context) error {
			_, err := store.(googlesession.BindingStore).SwapBinding(ctx, n.Ref, "", "marker of a binding")
			return err
		},
		"RevokeUser":  func(ctx context.Context) error { _, err := store.RevokeUser(ctx, n.User.ID, nil); return err },
		"PutUser":     func(ctx context.Context) error { _, err := store.PutUser(ctx, n.User); return err },
		"Sessions":    func(ctx context.Context) error { _, err := store.Sessions(ctx, n.User.ID); return err },
		"AllSessions": func(ctx context.Context) error { _, _, err := store.AllSessions(ctx, "", 10); return err },
	}
}

// findsSession reports whether the method returns ErrNoSession if the session has ended, as
// it has when a call of RevokeSession or RevokeUser came before.
func findsSession(method string) bool { return method == "CheckSession" || method == "SwapBinding" }

// A key of another type under the store's name is an outage, not "no session".
func TestRedisKeyOfAnotherType(t *testing.T) {
	url := redisURL(t)
	store, n := openRedis(t, url, nil), anySession(anyUser())
	key, client := redisKey(n.User.ID), redisClient(t, url)
	require.NoError(t, client.Set(t.Context(), key, "x", time.Minute).Err())
	calls := storeCalls(store, n)
	delete(calls, "AllSessions") // it does not look at keys of another type
	for name, call := range calls {
		require.ErrorIs(t, call(t.Context()), googlesession.ErrUnavailable, name)
	}
	require.Equal(t, "x", client.Get(t.Context(), key).Val(), "left alone")
}

// Data in an unknown format, as a newer version of this package may write it, does not
// admit a session by mistake.
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
		"unknown field":          {"x", "x", nil},
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
		if tt.field != "p" { // which SwapBinding does not read
			_, err := store.SwapBinding(t.Context(), n.Ref, "", "bound")
			require.ErrorIs(t, err, tt.want, name)
		}
		ended, err := store.RevokeSession(t.Context(), n.Ref)
		require.NoError(t, err, name)
		require.True(t, ended, name)
	}
}

// A server without the scripts, as after a restart, gets them again.
func TestRedisForgetsScripts(t *testing.T) {
	url := redisURL(t)
	client := redisClient(t, url)
	store, n := openRedis(t, url, nil), anySession(anyUser())
	mustCreate(t, store, n)
	for name, call := range storeCalls(store, n) {
		require.NoError(t, client.ScriptFlush(t.Context()).Err())
		err := call(t.Context())
		if findsSession(name) {
			require.True(t, err == nil || errors.Is(err, googlesession.ErrNoSession), "%s: %v", name, err)
			continue
		}
		require.NoError(t, err, name)
	}
}

// A key expires with the last session of the user, but not before SignInWindow has passed.
func TestRedisTimeToLive(t *testing.T) {
	url := redisURL(t)
	client, store := redisClient(t, url), openRedis(t, url, nil)
	ttl := func(n googlesession.NewSession) time.Duration {
		return client.PTTL(t.Context(), redisKey(n.User.ID)).Val().Round(time.Minute)
	}
	n := anySession(anyUser())
	mustCreate(t, store, n)
	require.Equal(t, time.Hour, ttl(n), "the idle timeout of the session")

	short := anySession(n.User)
	short.MaxLifetime = time.Minute
	mustCreate(t, store, short)
	require.Equal(t, time.Hour, ttl(n), "a shorter session does not shorten it")
	_, err := store.CheckSession(t.Context(), short.Ref, 0)
	require.NoError(t, err)
	require.Equal(t, time.Hour, ttl(n), "a use does not shorten it")

	_, err = store.RevokeUser(t.Context(), n.User.ID, nil)
	require.NoError(t, err)
	require.Equal(t, time.Hour, ttl(n), "a revocation does not shorten it")

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

// A commandRecorder is a hook that notes the names of the commands that a store sends.
type commandRecorder struct {
	mu   sync.Mutex
	seen []string
}

// redisCommands are all commands that a store may send. A plain read is not among them,
// because a replica or a cache might answer it.
var redisCommands = []string{"evalsha", "eval", "script", "wait", "hello", "client", "ping", "select"}

func (l *commandRecorder) note(cmds ...redis.Cmder) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, cmd := range cmds {
		l.seen = append(l.seen, cmd.Name())
	}
}

func (l *commandRecorder) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) { return next(ctx, network, addr) }
}

func (l *commandRecorder) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		l.note(cmd)
		return next(ctx, cmd)
	}
}

func (l *commandRecorder) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		l.note(cmds...)
		return next(ctx, cmds)
	}
}

// The store sends no other commands than redisCommands.
func TestRedisCommands(t *testing.T) {
	for name, o := range map[string]*redisstore.Options{"defaults": nil, "waiting for replicas": {Replicas: 1, ReplicasTimeout: time.Millisecond}} {
		l := &commandRecorder{}
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

// On a server without replicas no replica confirms a revocation. It is in force, and each
// call reports that it is unconfirmed.
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
	bound := anySession(n.User)
	mustCreate(t, store, bound)
	for range 2 {
		_, err = store.SwapBinding(t.Context(), bound.Ref, "", "bound")
		require.ErrorIs(t, err, redisstore.ErrUnconfirmed)
		session, err := plain.CheckSession(t.Context(), bound.Ref, 0)
		require.NoError(t, err)
		require.Equal(t, "bound", session.Binding)
	}
	_, err = store.Sessions(t.Context(), n.User.ID)
	require.NoError(t, err, "reading does not wait for replicas")
}

// The text of an error contains neither the ID nor the address of a user.
func TestRedisErrorsNameNoUser(t *testing.T) {
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

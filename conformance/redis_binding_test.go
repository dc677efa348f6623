package conformance_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	redisstore "github.com/googlesession/googlesession/store_redis"
)

// The field of a binding goes with its session, whatever ends the session.
func TestRedisBindingGoesWithSession(t *testing.T) {
	put := func(t *testing.T, store *redisstore.Store, u googlesession.User) {
		t.Helper()
		u.Version++
		applied, err := store.PutUser(t.Context(), u)
		require.NoError(t, err)
		require.True(t, applied)
	}
	for name, end := range map[string]func(*testing.T, *redisstore.Store, googlesession.NewSession){
		"unbound": func(t *testing.T, store *redisstore.Store, n googlesession.NewSession) {
			t.Helper()
			swapped, err := store.SwapBinding(t.Context(), n.Ref, "bound", "")
			require.NoError(t, err)
			require.True(t, swapped)
		},
		"revoked": func(t *testing.T, store *redisstore.Store, n googlesession.NewSession) {
			t.Helper()
			ended, err := store.RevokeSession(t.Context(), n.Ref)
			require.NoError(t, err)
			require.True(t, ended)
		},
		"revoked with its user": func(t *testing.T, store *redisstore.Store, n googlesession.NewSession) {
			t.Helper()
			_, err := store.RevokeUser(t.Context(), n.User.ID, nil)
			require.NoError(t, err)
		},
		"user disabled": func(t *testing.T, store *redisstore.Store, n googlesession.NewSession) {
			t.Helper()
			n.User.Disabled = true
			put(t, store, n.User)
		},
		"token refused": func(t *testing.T, store *redisstore.Store, n googlesession.NewSession) {
			t.Helper()
			n.User.TokensAfter = time.Now().Truncate(time.Second).UTC()
			put(t, store, n.User)
		},
		"over the limit": func(t *testing.T, store *redisstore.Store, n googlesession.NewSession) {
			t.Helper()
			other := anySession(n.User)
			other.Max = 1
			mustCreate(t, store, other)
		},
		"expired, and cleared by a sign-in": func(t *testing.T, store *redisstore.Store, n googlesession.NewSession) {
			t.Helper()
			time.Sleep(n.IdleTimeout) //nolint:forbidigo // in a bubble
			mustCreate(t, store, anySession(n.User))
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				mini := newMini()
				defer mini.Close()
				store, n := openMini(t, mini, nil), anySession(anyUser())
				longer := anySession(n.User) // so that Redis keeps the hash
				longer.IdleTimeout = longer.MaxLifetime
				mustCreate(t, store, longer)
				mustCreate(t, store, n)
				mustBind(t, store, n.Ref, "bound")
				bindings := func() []string {
					fields, err := mini.HKeys(redisKey(n.User.ID))
					require.NoError(t, err)
					return slices.DeleteFunc(fields, func(field string) bool { return field[0] != 'b' })
				}
				require.Equal(t, []string{"b" + string(n.Ref.ID[:])}, bindings())
				end(t, store, n)
				require.Empty(t, bindings())
			})
		})
	}
}

// A session is bound in its last millisecond, and not in the one after it.
func TestRedisBindingAtTheEnd(t *testing.T) {
	for name, limit := range map[string]func(*googlesession.NewSession){
		"absolute end": func(n *googlesession.NewSession) { n.MaxLifetime = time.Minute },
		"idle timeout": func(n *googlesession.NewSession) { n.IdleTimeout = time.Minute },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				mini := newMini()
				defer mini.Close()
				store, n := openMini(t, mini, nil), anySession(anyUser())
				mustCreate(t, store, anySession(n.User)) // so that Redis keeps the hash
				limit(&n)
				mustCreate(t, store, n)
				time.Sleep(time.Minute - time.Millisecond) //nolint:forbidigo // in a bubble
				mustBind(t, store, n.Ref, "bound")
				time.Sleep(time.Millisecond) //nolint:forbidigo // in a bubble
				_, err := store.SwapBinding(t.Context(), n.Ref, "bound", "next")
				require.ErrorIs(t, err, googlesession.ErrSessionExpired)
			})
		})
	}
}

// Processes of a version that does not know bindings may run beside newer ones. They admit
// and end bound sessions, and leave the binding alone. What they leave behind of a session
// that they end makes no session and binds none.
func TestRedisBindingBesideEarlierVersion(t *testing.T) {
	s := privateRedis(t)
	url := "redis://" + s.Addr
	store := openRedis(t, url, nil)
	b := &earlierVersion{t: t, client: redisClient(t, url), own: "scratch:", version: "redis-tokens"}
	n := anySession(anyUser())
	mustCreate(t, store, n)
	binding := strings.Repeat("\x00\xff \x1e", 16)
	mustBind(t, store, n.Ref, binding)

	verdict, _ := b.check(n, time.Hour)
	require.Equal(t, byte('3'), verdict)
	time.Sleep(2 * time.Millisecond) //nolint:forbidigo // a real server's clock
	verdict, _ = b.check(n, 0)
	require.Equal(t, byte('4'), verdict, "its use is recorded")
	n.User.Version++
	require.Equal(t, int64(1), b.put(n.User))
	require.Equal(t, int64(9), b.create(anySession(n.User), 100, "\x01")[0])
	session, err := store.CheckSession(t.Context(), n.Ref, time.Hour)
	require.NoError(t, err)
	require.Equal(t, binding, session.Binding)
	list, err := store.Sessions(t.Context(), n.User.ID)
	require.NoError(t, err)
	require.Len(t, list, 2, "the field of a binding is not a session")

	require.Equal(t, int64(1), b.eval("revoke", n.User.ID, n.Ref.ID[:]))
	_, err = store.CheckSession(t.Context(), n.Ref, 0)
	require.ErrorIs(t, err, googlesession.ErrNoSession)
	_, err = store.SwapBinding(t.Context(), n.Ref, binding, "next")
	require.ErrorIs(t, err, googlesession.ErrNoSession)
	list, err = store.Sessions(t.Context(), n.User.ID)
	require.NoError(t, err)
	require.Len(t, list, 1)
	require.Empty(t, list[0].Binding)
	ended, err := store.RevokeUser(t.Context(), n.User.ID, nil)
	require.NoError(t, err)
	require.Equal(t, 1, ended)
}

// A session that a process of the version without TokensAfter has created with a refused
// token is not bound, because no check admits it.
func TestRedisBindingOfRefusedToken(t *testing.T) {
	s := privateRedis(t)
	url := "redis://" + s.Addr
	store := openRedis(t, url, nil)
	b := &earlierVersion{t: t, client: redisClient(t, url), own: "scratch:", version: "redis-before"}
	n := anySession(anyUser())
	n.User.TokensAfter = time.UnixMilli(1_764_000_000_000).UTC()
	_, err := store.PutUser(t.Context(), n.User)
	require.NoError(t, err)
	require.Equal(t, int64(9), b.create(n, 100, "\x01")[0])
	_, err = store.SwapBinding(t.Context(), n.Ref, "", "bound")
	require.ErrorIs(t, err, googlesession.ErrNoSession)
	require.False(t, b.client.HExists(t.Context(), redisKey(n.User.ID), "b"+string(n.Ref.ID[:])).Val())
}

package redisstore_test

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	redisstore "github.com/googlesession/googlesession/store_redis"
)

// A lyingServer answers each script with the same value, and each script in a pipeline with
// another one. It is a hook of the client, so no connection is made.
type lyingServer struct{ value, piped any }

func (*lyingServer) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) { return next(ctx, network, addr) }
}

func (l *lyingServer) ProcessHook(redis.ProcessHook) redis.ProcessHook {
	return func(_ context.Context, cmd redis.Cmder) error {
		cmd.(interface{ SetVal(any) }).SetVal(l.value)
		return nil
	}
}

func (l *lyingServer) ProcessPipelineHook(redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(_ context.Context, cmds []redis.Cmder) error {
		for _, cmd := range cmds {
			cmd.(interface{ SetVal(any) }).SetVal(l.piped)
		}
		return nil
	}
}

func newLiar(t *testing.T) (*lyingServer, *redisstore.Store) {
	t.Helper()
	client := redis.NewClient(&redis.Options{Addr: "192.0.2.1:6379"})
	t.Cleanup(func() { _ = client.Close() })
	l := &lyingServer{}
	client.AddHook(l)
	store, err := redisstore.New(client, nil)
	require.NoError(t, err)
	return l, store
}

// malformedLists are values that list.lua never replies.
func malformedLists() []any {
	other := string(redisstore.EncodeUser(googlesession.User{ID: "eve", Version: 1}))
	return []any{
		int64(0), int64(1), "1",
		[]any{"1"},
		[]any{"x", []any{}},
		[]any{"1", "x"},
		[]any{"1", nil},
		[]any{"1", []any{"p"}},
		[]any{"1", []any{"p", int64(1)}},
		[]any{"1", []any{"s\x01" + strings.Repeat("\x00", 31), "1 9 9 ", "p", other}},
	}
}

// A reply that no script gives is an outage. It does not mean that a session exists or has
// ended, or that there was nothing to revoke.
func TestMalformedReplies(t *testing.T) {
	u := googlesession.User{ID: "ada", Version: 1}
	ref := googlesession.Ref{Tag: googlesession.UserTag(u.ID), ID: [32]byte{1}}
	n := googlesession.NewSession{Ref: ref, User: u, MaxLifetime: time.Hour, IdleTimeout: time.Hour}
	record, one := string(redisstore.EncodeUser(u)), int64(1)
	other := string(redisstore.EncodeUser(googlesession.User{ID: "eve", Version: 1}))
	never := []any{
		nil, "", "x", "00", "22", "0 1", "3", "3x", "31 2 3", int64(-1), 1.5, true,
		[]any{},
		[]any{nil},
		[]any{""},
		[]any{int64(0)},
		[]any{"0"},
		[]any{one, one},
		[]any{int64(9)},
		[]any{int64(10)},
		[]any{true},
		map[any]any{"a": "b"},
		[]any{[]any{one}},
		"replica",
	}
	for name, method := range map[string]struct {
		call   func(*redisstore.Store) error
		others []any // replies that only other methods give
	}{
		"CreateSession": {func(s *redisstore.Store) error { _, err := s.CreateSession(t.Context(), n); return err }, []any{
			int64(0), one, int64(2), "0", "2",
			[]any{int64(9), record, "1", ""},
			[]any{int64(9), record, "1"},
			[]any{int64(9), "", "1", "2"},
			[]any{int64(9), record, one, int64(2)},
			[]any{int64(9), other, "1", "2"},
			[]any{int64(6)},
			[]any{one, ""},
		}},
		"CheckSession": {func(s *redisstore.Store) error { _, err := s.CheckSession(t.Context(), ref, 0); return err }, []any{
			int64(0), one, "31 0 2 1 9999999999999 9 ",
			[]any{"31 9 0 1 9999999999999 9 ", "", "e-", "x"},
			[]any{"31 9 0 1 9999999999999 9 ", "", "e-"},
			[]any{"31 0 2 1 9999999999999 9 ", "", "e-", record, ""},
			[]any{"31 0 2 1 9999999999999 9 ", one, "e-", record},
			[]any{"31 0 2 1 9999999999999 9 ", "bound"}, // without the user, of whom no record is cached
			[]any{"31 0 2 1 9999999999999 9 ", nil},
		}},
		"RevokeSession": {func(s *redisstore.Store) error { _, err := s.RevokeSession(t.Context(), ref); return err }, []any{
			int64(2), "0", "1", []any{one},
		}},
		"RevokeUser": {func(s *redisstore.Store) error { _, err := s.RevokeUser(t.Context(), u.ID, nil); return err }, []any{
			int64(1) << 40, "0", "1", []any{one},
		}},
		"PutUser": {func(s *redisstore.Store) error { _, err := s.PutUser(t.Context(), u); return err }, []any{
			int64(3), "0", "1", []any{one},
		}},
		"SwapBinding": {func(s *redisstore.Store) error { _, err := s.SwapBinding(t.Context(), ref, "", "bound"); return err }, []any{
			int64(6), "0", "1", []any{one},
		}},
		"Sessions": {func(s *redisstore.Store) error { _, err := s.Sessions(t.Context(), u.ID); return err }, malformedLists()},
		"AllSessions": {func(s *redisstore.Store) error { _, _, err := s.AllSessions(t.Context(), "", 10); return err }, []any{
			int64(0), one, "0",
			[]any{"0", "", ""},
			[]any{"0", "", "", nil},
			[]any{"0", "", "", "x"},
			[]any{"0", "", "", []any{one}},
			[]any{"0", "-", "", []any{}},
			[]any{"-1", "", "", []any{}},
			[]any{"1x", "", "", []any{}},
			[]any{"", "", "", []any{}},
			[]any{int64(0), "", "", []any{}},
			[]any{"0", "", "cluster", []any{}}, // of a server to which only a cluster's client may connect
		}},
	} {
		l, store := newLiar(t)
		for _, value := range append(never, method.others...) {
			l.value = int64(1) // the server understands flags
			_ = method.call(store)
			l.value = value
			err := method.call(store)
			require.ErrorIs(t, err, googlesession.ErrUnavailable, "%s: %#v", name, value)
			for _, verdict := range []error{googlesession.ErrExists, googlesession.ErrNoSession, googlesession.ErrStaleToken, googlesession.ErrTooManySessions} {
				require.NotErrorIs(t, err, verdict, "%s: %#v", name, value)
			}
		}
	}
}

// The same holds for the lists of single users, of which a page of all sessions consists.
func TestMalformedListsOfAPage(t *testing.T) {
	u := googlesession.User{ID: "ada", Version: 1}
	l, store := newLiar(t)
	_, err := store.PutUser(t.Context(), u) // so that the scripts are loaded
	require.Error(t, err)
	key := redisstore.KeyOf(store, googlesession.UserTag(u.ID))
	l.value = []any{"0", "ab", "standalone", []any{key, "gs:{x}", key}}
	for _, value := range append(malformedLists(), nil, "", []any{}, "replica") {
		l.piped = value
		page, next, err := store.AllSessions(t.Context(), "", 10)
		require.ErrorIs(t, err, googlesession.ErrUnavailable, "%#v", value)
		require.Empty(t, page)
		require.Empty(t, next)
	}
	ref := googlesession.Ref{Tag: googlesession.UserTag(u.ID), ID: [32]byte{1}}
	l.piped = []any{"1", []any{"s" + string(ref.ID[:]), "1 9 9 ", "p", string(redisstore.EncodeUser(u))}}
	page, next, err := store.AllSessions(t.Context(), "", 10)
	require.NoError(t, err)
	require.Len(t, page, 1, "a key that SCAN returns twice is listed once, and a foreign key is not listed")
	require.Equal(t, ref, page[0].Ref)
	require.Empty(t, next)
}

// A check of a hash that holds another user's record finds no session.
func TestRecordOfAnotherUser(t *testing.T) {
	l, store := newLiar(t)
	ref := googlesession.Ref{Tag: googlesession.UserTag("ada"), ID: [32]byte{1}}
	for id, want := range map[string]error{"ada": nil, "eve": googlesession.ErrNoSession} {
		record := string(redisstore.EncodeUser(googlesession.User{ID: id, Version: 1}))
		l.value = []any{"31 0 2 1 9999999999999 9 ", "", "e-", record}
		session, err := store.CheckSession(t.Context(), ref, 0)
		require.ErrorIs(t, err, want, id)
		require.Equal(t, want == nil, session.User.ID == "ada", id)
	}
}

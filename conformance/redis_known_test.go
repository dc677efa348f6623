package conformance_test

import (
	"context"
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
)

// A listener is a hook that notes how many scripts have run, and whether the last one
// sent a record.
type listener struct {
	lint

	ran    int
	record bool
}

func (l *listener) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		err := next(ctx, cmd)
		if generic, ok := cmd.(*redis.Cmd); ok && cmd.Name() == "evalsha" {
			l.ran++
			_, l.record = generic.Val().([]any)
		}
		return err
	}
}

// A check is not sent a record that this process knows, and never misses another one.
func TestRedisKnownUsers(t *testing.T) {
	url := redisURL(t)
	behind, other := redisClient(t, url), openRedis(t, url, nil)
	heard := &listener{}
	store := openRedis(t, url, nil, heard)

	check := func(n googlesession.NewSession, sent bool, why string) {
		t.Helper()
		ran := heard.ran
		session, err := store.CheckSession(t.Context(), n.Ref, 0)
		require.NoError(t, err, why)
		require.Equal(t, n.User, session.User, why)
		require.Equal(t, sent, heard.record, why)
		require.Equal(t, ran+1, heard.ran, why)
	}
	n := anySession(anyUser())
	mustCreate(t, other, n)
	check(n, true, "unknown")
	check(n, false, "known")

	change := func(what string, change func(*googlesession.User)) {
		t.Helper()
		n.User.Version++
		change(&n.User)
		applied, err := other.PutUser(t.Context(), n.User)
		require.NoError(t, err)
		require.True(t, applied)
		check(n, true, what)
		check(n, false, what+", known")
	}
	change("promoted elsewhere", func(u *googlesession.User) { u.Admin = true })
	change("demoted elsewhere", func(u *googlesession.User) { u.Admin = false })
	change("only the version", func(*googlesession.User) {})

	again := anySession(n.User)
	again.User.Version++
	again.User.Name = "Ada Lovelace"
	mustCreate(t, other, again)
	check(again, true, "a sign-in elsewhere")
	n.User = again.User
	check(n, false, "another session of the user")

	require.NoError(t, behind.Del(t.Context(), redisKey(n.User.ID)).Err())
	n.User.Name = "Augusta"
	n.Ref = anySession(n.User).Ref
	mustCreate(t, other, n)
	check(n, true, "lost, and written again with the same version")

	require.NoError(t, behind.HSet(t.Context(), redisKey(n.User.ID), "f", "e-").Err())
	check(n, true, "flags that do not say whose they are")
	check(n, true, "and are not relied on")

	n.User.Version++
	n.User.Disabled = true
	_, err := other.PutUser(t.Context(), n.User)
	require.NoError(t, err)
	_, err = store.CheckSession(t.Context(), n.Ref, 0)
	require.True(t, errors.Is(err, googlesession.ErrNoSession) || errors.Is(err, googlesession.ErrUserDisabled), "%v", err)

	first := anySession(anyUser())
	second := anySession(anyUser())
	for placeOf(first) != placeOf(second) {
		second = anySession(anyUser())
	}
	mustCreate(t, other, first)
	mustCreate(t, other, second)
	for range 2 {
		check(first, true, "two in one place")
		check(second, true, "two in one place")
	}
	check(second, false, "the last one")
}

// placeOf is where a process keeps what it knows of a user.
func placeOf(n googlesession.NewSession) uint32 {
	return binary.LittleEndian.Uint32(n.Ref.Tag[:]) % (1 << 14)
}

// A server that sends no record although none is known signs nobody in.
func TestRedisSendsNoRecord(t *testing.T) {
	silent := newRewriter(func(text string) string {
		return strings.Replace(text, "return record and {answer, f, record} or answer", "return answer", 1)
	})
	store, n := openRedis(t, redisURL(t), nil, silent), anySession(anyUser())
	mustCreate(t, store, n)
	session, err := store.CheckSession(t.Context(), n.Ref, 0)
	require.ErrorIs(t, err, googlesession.ErrUnavailable)
	require.Zero(t, session)
}

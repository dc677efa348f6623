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

// A replyRecorder is a hook that notes how many scripts have run, and whether the last
// reply contained a user record.
type replyRecorder struct {
	commandRecorder

	ran    int
	record bool
}

func (l *replyRecorder) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		err := next(ctx, cmd)
		if generic, ok := cmd.(*redis.Cmd); ok && cmd.Name() == "evalsha" {
			l.ran++
			_, l.record = generic.Val().([]any)
		}
		return err
	}
}

// The reply to a check contains the user record only if this process does not know it yet.
// Each change of the record arrives with the next check.
func TestRedisKnownUsers(t *testing.T) {
	url := redisURL(t)
	direct, other := redisClient(t, url), openRedis(t, url, nil)
	replies := &replyRecorder{}
	store := openRedis(t, url, nil, replies)

	check := func(n googlesession.NewSession, sent bool, why string) {
		t.Helper()
		ran := replies.ran
		session, err := store.CheckSession(t.Context(), n.Ref, 0)
		require.NoError(t, err, why)
		require.Equal(t, n.User, session.User, why)
		require.Equal(t, sent, replies.record, why)
		require.Equal(t, ran+1, replies.ran, why)
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
	change("data elsewhere", func(u *googlesession.User) { u.Data = `{"plan":"pro"}` })
	change("no data again", func(u *googlesession.User) { u.Data = "" })
	change("only the version", func(*googlesession.User) {})

	again := anySession(n.User)
	again.User.Version++
	again.User.Name = "Ada Lovelace"
	mustCreate(t, other, again)
	check(again, true, "a sign-in elsewhere")
	n.User = again.User
	check(n, false, "another session of the user")

	require.NoError(t, direct.Del(t.Context(), redisKey(n.User.ID)).Err())
	n.User.Name = "Augusta"
	n.Ref = anySession(n.User).Ref
	mustCreate(t, other, n)
	check(n, true, "lost, and written again with the same version")

	require.NoError(t, direct.HSet(t.Context(), redisKey(n.User.ID), "f", "e-").Err())
	check(n, true, "flags without a hash of the record")
	check(n, true, "flags without a hash of the record, again")

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
		check(first, true, "two users share a place")
		check(second, true, "two users share a place")
	}
	check(second, false, "the user who was checked last")
}

// placeOf returns the index at which a process stores what it knows of a user.
func placeOf(n googlesession.NewSession) uint32 {
	return binary.LittleEndian.Uint32(n.Ref.Tag[:]) % (1 << 14)
}

// A check is an outage if the reply contains no user record and the process does not know
// one.
func TestRedisSendsNoRecord(t *testing.T) {
	dropsRecord := newRewriter(func(text string) string {
		return strings.Replace(text, "if record then return", "if false then return", 1)
	})
	store, n := openRedis(t, redisURL(t), nil, dropsRecord), anySession(anyUser())
	mustCreate(t, store, n)
	session, err := store.CheckSession(t.Context(), n.Ref, 0)
	require.ErrorIs(t, err, googlesession.ErrUnavailable)
	require.Zero(t, session)
}

package memstore_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	memstore "github.com/googlesession/googlesession/store_memory"
)

var (
	_ googlesession.BindingStore = (*memstore.Store)(nil)
	_ googlesession.UserStore    = (*memstore.Store)(nil)
)

func user(id string) googlesession.User {
	return googlesession.User{ID: id, Email: id + "@example.com", Version: 1}
}

func newSession(u googlesession.User) googlesession.NewSession {
	n := googlesession.NewSession{
		User:        u,
		MaxLifetime: time.Hour,
		IdleTimeout: time.Minute,
		Device:      googlesession.Device{IP: "192.0.2.1", UserAgent: "test"},
	}
	n.Ref.Tag = googlesession.UserTag(u.ID)
	_, _ = rand.Read(n.Ref.ID[:])
	return n
}

// create opens a session and returns its Ref.
func create(t testing.TB, s *memstore.Store, u googlesession.User) googlesession.Ref {
	t.Helper()
	n := newSession(u)
	_, err := s.CreateSession(t.Context(), n)
	require.NoError(t, err)
	return n.Ref
}

func TestFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memstore.New(&memstore.Options{MaxSessions: 100})
		for i := range 100 {
			create(t, s, user(fmt.Sprint(i)))
		}
		_, err := s.CreateSession(t.Context(), newSession(user("late")))
		require.ErrorIs(t, err, memstore.ErrFull)
		require.ErrorIs(t, err, googlesession.ErrUnavailable)

		time.Sleep(time.Minute) //nolint:forbidigo // synctest
		for i := range 100 {    // all earlier sessions have expired, which makes room
			create(t, s, user(fmt.Sprint("new", i)))
		}
		_, err = s.CreateSession(t.Context(), newSession(user("late")))
		require.ErrorIs(t, err, memstore.ErrFull)
		s.RequireConsistent(t)
	})
}

// One user cannot fill the store, because the limit per user is applied before MaxSessions.
func TestPerUserBeforeMaxSessions(t *testing.T) {
	s := memstore.New(&memstore.Options{MaxSessions: 10, PerUser: 10})
	for range 50 {
		create(t, s, user("a"))
	}
	list, err := s.Sessions(t.Context(), "a")
	require.NoError(t, err)
	require.Len(t, list, 10)
}

// A Ref with another user's tag names nothing, also if both users are in the same shard,
// where the ID alone would find the session.
func TestTagOfAnotherUserInSameShard(t *testing.T) {
	s := memstore.New(nil)
	mine := user("mine")
	tag := googlesession.UserTag(mine.ID)
	var theirs googlesession.User
	for i := 0; ; i++ {
		theirs = user(fmt.Sprint(i))
		if other := googlesession.UserTag(theirs.ID); other[0]%64 == tag[0]%64 {
			break
		}
	}
	create(t, s, mine)
	ref := create(t, s, theirs)
	forged := googlesession.Ref{Tag: tag, ID: ref.ID}
	_, err := s.CheckSession(t.Context(), forged, time.Hour)
	require.ErrorIs(t, err, googlesession.ErrNoSession)
	ended, err := s.RevokeSession(t.Context(), forged)
	require.NoError(t, err)
	require.False(t, ended)
	_, err = s.CheckSession(t.Context(), ref, time.Hour)
	require.NoError(t, err)

	for _, replaces := range []googlesession.Ref{ref, forged} {
		n := newSession(mine)
		n.Max, n.RefuseOverMax, n.Replaces = 1, true, &replaces
		_, err = s.CreateSession(t.Context(), n)
		require.ErrorIs(t, err, googlesession.ErrTooManySessions, "Replaces names no session of the user")
	}
}

// A Ref of a revoked session does not find the session that uses its slot afterwards.
func TestReusedSlots(t *testing.T) {
	s := memstore.New(nil)
	var revoked []googlesession.Ref
	for range 1000 {
		ref := create(t, s, user("a"))
		ended, err := s.RevokeSession(t.Context(), ref)
		require.NoError(t, err)
		require.True(t, ended)
		revoked = append(revoked, ref)
	}
	create(t, s, user("a"))
	for _, ref := range revoked {
		_, err := s.CheckSession(t.Context(), ref, 0)
		require.ErrorIs(t, err, googlesession.ErrNoSession)
	}
}

// A user who came by PutUser only is forgotten SignInWindow after the last session.
func TestCopiedUsersAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memstore.New(nil)
		u := user("a")
		u.Version = 5
		_, err := s.PutUser(t.Context(), u)
		require.NoError(t, err)
		older := user("a")
		applied, err := s.PutUser(t.Context(), older)
		require.NoError(t, err)
		require.False(t, applied)
		_, err = s.User(t.Context(), "a")
		require.ErrorIs(t, err, googlesession.ErrNotFound, "PutUser makes no user of the UserStore")

		time.Sleep(googlesession.SignInWindow - time.Second) //nolint:forbidigo // synctest
		sweep(t, s)
		applied, err = s.PutUser(t.Context(), older)
		require.NoError(t, err)
		require.False(t, applied, "still remembered")
		for range 3 {
			time.Sleep(googlesession.SignInWindow + time.Second) //nolint:forbidigo // synctest
			sweep(t, s)
		}
		applied, err = s.PutUser(t.Context(), older)
		require.NoError(t, err)
		require.True(t, applied, "forgotten")
	})
}

// A user who came by a refused sign-in only is forgotten too.
func TestRefusedUsersAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memstore.New(nil)
		for range 3 {
			for i := range 1000 {
				u := user(fmt.Sprint("refused", i))
				u.Version, u.Disabled = 5, true
				_, err := s.CreateSession(t.Context(), newSession(u))
				require.ErrorIs(t, err, googlesession.ErrUserDisabled)
			}
			time.Sleep(googlesession.SignInWindow + time.Second) //nolint:forbidigo // synctest
		}
		sweep(t, s)
		applied, err := s.PutUser(t.Context(), user("refused0"))
		require.NoError(t, err)
		require.True(t, applied, "forgotten")
	})
}

// A deleted user does not come back by a sign-in in flight or by an earlier token, but by a
// new sign-in, and is not forgotten after that.
func TestDeletedUser(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memstore.New(nil)
		u, err := s.SignIn(t.Context(), googlesession.Identity{Subject: "a"})
		require.NoError(t, err)
		require.NoError(t, s.DeleteUser(t.Context(), "a"))
		_, err = s.CreateSession(t.Context(), newSession(u))
		require.ErrorIs(t, err, googlesession.ErrUserDisabled, "a sign-in in flight")
		_, err = s.SignIn(t.Context(), googlesession.Identity{Subject: "a", IssuedAt: time.Now()})
		require.ErrorIs(t, err, googlesession.ErrStaleToken, "a token from before the deletion")
		time.Sleep(time.Millisecond) //nolint:forbidigo // synctest
		again, err := s.SignIn(t.Context(), googlesession.Identity{Subject: "a", IssuedAt: time.Now()})
		require.NoError(t, err)
		require.Greater(t, again.Version, u.Version)
		require.False(t, again.Disabled)
		n := newSession(again)
		n.TokenIssuedAt = time.Now()
		_, err = s.CreateSession(t.Context(), n)
		require.NoError(t, err)
		for range 3 { // the queue to forget users still has the deleted user
			time.Sleep(googlesession.SignInWindow) //nolint:forbidigo // synctest
			sweep(t, s)
		}
		_, err = s.User(t.Context(), "a")
		require.NoError(t, err)
	})
}

func TestInvalidArguments(t *testing.T) {
	s := memstore.New(nil)
	for name, edit := range map[string]func(*googlesession.NewSession){
		"no ID":        func(n *googlesession.NewSession) { n.User.ID = "" },
		"NUL":          func(n *googlesession.NewSession) { n.User.ID = "a\x00" },
		"bad UTF-8":    func(n *googlesession.NewSession) { n.User.ID = "\xff" },
		"version 0":    func(n *googlesession.NewSession) { n.User.Version = 0 },
		"version 2^53": func(n *googlesession.NewSession) { n.User.Version = 1 << 53 },
		"other tag":    func(n *googlesession.NewSession) { n.Ref.Tag[0]++ },
		"no lifetime":  func(n *googlesession.NewSession) { n.MaxLifetime = 0 },
		"no timeout":   func(n *googlesession.NewSession) { n.IdleTimeout = 0 },
	} {
		n := newSession(user("a"))
		edit(&n)
		_, err := s.CreateSession(t.Context(), n)
		require.ErrorIs(t, err, googlesession.ErrUnavailable, name)
	}
	list, err := s.Sessions(t.Context(), "a")
	require.NoError(t, err)
	require.Empty(t, list)
}

func TestDoneContext(t *testing.T) {
	s := memstore.New(nil)
	ref := create(t, s, user("a"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for name, call := range map[string]func() error{
		"CreateSession": func() error { _, err := s.CreateSession(ctx, newSession(user("a"))); return err },
		"CheckSession":  func() error { _, err := s.CheckSession(ctx, ref, 0); return err },
		"SwapBinding":   func() error { _, err := s.SwapBinding(ctx, ref, "", "next"); return err },
		"RevokeSession": func() error { _, err := s.RevokeSession(ctx, ref); return err },
		"RevokeUser":    func() error { _, err := s.RevokeUser(ctx, "a", nil); return err },
		"PutUser":       func() error { _, err := s.PutUser(ctx, user("b")); return err },
		"Sessions":      func() error { _, err := s.Sessions(ctx, "a"); return err },
		"SignIn":        func() error { _, err := s.SignIn(ctx, googlesession.Identity{Subject: "c"}); return err },
		"User":          func() error { _, err := s.User(ctx, "a"); return err },
		"AllSessions":   func() error { _, _, err := s.AllSessions(ctx, "", 1); return err },
		"Users":         func() error { _, err := s.Users(ctx, googlesession.UserQuery{Limit: 1}); return err },
		"SetAccess":     func() error { _, err := s.SetAccess(ctx, "a", googlesession.AccessChange{}); return err },
		"SetData":       func() error { _, err := s.SetData(ctx, "a", "", nil); return err },
		"Browsers":      func() error { _, err := s.Browsers(ctx, "a", nil); return err },
		"RefuseTokens":  func() error { _, err := s.RefuseTokens(ctx, "d", time.Now()); return err },
		"DeleteUser":    func() error { return s.DeleteUser(ctx, "a") },
	} {
		err := call()
		require.ErrorIs(t, err, context.Canceled, name)
		require.ErrorIs(t, err, googlesession.ErrUnavailable, name)
	}
	_, err := s.CheckSession(t.Context(), ref, 0)
	require.NoError(t, err)
}

// Many calls at once give the race detector something to find, and leave a consistent
// table.
func TestConcurrentCalls(t *testing.T) {
	s := memstore.New(&memstore.Options{PerUser: 5})
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for i := range 2000 {
				u := user(fmt.Sprint((w + i) % 20))
				n := newSession(u)
				if i%3 == 0 {
					n.Label, n.Kind = "label", googlesession.KindBearer
				}
				_, _ = s.CreateSession(t.Context(), n)
				_, _ = s.CheckSession(t.Context(), n.Ref, 0)
				_, _ = s.SwapBinding(t.Context(), n.Ref, "", "binding")
				_, _, _ = s.AllSessions(t.Context(), "", 10)
				_, _ = s.Sessions(t.Context(), u.ID)
				switch i % 5 {
				case 0:
					_, _ = s.RevokeSession(t.Context(), n.Ref)
				case 1:
					_, _ = s.RevokeUser(t.Context(), u.ID, &n.Ref)
				}
			}
		})
	}
	wg.Wait()
	s.RequireConsistent(t)
	for i := range 20 {
		_, err := s.RevokeUser(t.Context(), fmt.Sprint(i), nil)
		require.NoError(t, err)
	}
	require.Zero(t, s.Held())
	s.RequireConsistent(t)
}

// CheckSession does not allocate, whatever the session has.
func TestCheckSessionAllocs(t *testing.T) {
	s := memstore.New(nil)
	u := user("a")
	u.Data = "data"
	plain, extra := newSession(u), newSession(u)
	extra.Label, extra.Kind, extra.PublicID = "label", googlesession.KindBearer, googlesession.PublicID{1}
	ctx := t.Context()
	for _, n := range []googlesession.NewSession{plain, extra} {
		_, err := s.CreateSession(ctx, n)
		require.NoError(t, err)
		require.Zero(t, testing.AllocsPerRun(100, func() { _, _ = s.CheckSession(ctx, n.Ref, 0) }))
		bind(t, s, n.Ref, "binding")
		require.Zero(t, testing.AllocsPerRun(100, func() { _, _ = s.CheckSession(ctx, n.Ref, 0) }))
	}
}

func BenchmarkCheckSession(b *testing.B) {
	s := memstore.New(nil)
	ref := create(b, s, user("a"))
	for b.Loop() {
		_, _ = s.CheckSession(b.Context(), ref, time.Hour)
	}
}

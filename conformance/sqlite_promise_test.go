package conformance_test

import (
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	sqlstore "github.com/googlesession/googlesession/store_sql"
)

// newSession returns a sign-in of u. The session lives for two days, or for one day without
// use.
func newSession(u googlesession.User) googlesession.NewSession {
	n := googlesession.NewSession{
		Ref: googlesession.Ref{Tag: googlesession.UserTag(u.ID)}, User: u,
		MaxLifetime: 48 * time.Hour, IdleTimeout: 24 * time.Hour,
	}
	rand.Read(n.Ref.ID[:])
	return n
}

// signIn signs in a new user and returns the user and the session.
func signIn(tb testing.TB, s *sqlstore.Store) (googlesession.User, googlesession.Ref) {
	tb.Helper()
	u, err := s.SignIn(tb.Context(), googlesession.Identity{Subject: rand.Text(), Email: "ada@example.com", Name: "Ada"})
	require.NoError(tb, err)
	return u, create(tb, s, u)
}

func create(tb testing.TB, s *sqlstore.Store, u googlesession.User) googlesession.Ref {
	tb.Helper()
	session, err := s.CreateSession(tb.Context(), newSession(u))
	require.NoError(tb, err)
	return session.Ref
}

func check(tb testing.TB, s *sqlstore.Store, r googlesession.Ref, touchAfter time.Duration) error {
	tb.Helper()
	_, err := s.CheckSession(tb.Context(), r, touchAfter)
	return err
}

// A check is one query, and one write if its use is to be recorded.
func TestOneQueryPerCheck(t *testing.T) {
	db, count := openCounted(t, newFile(t))
	s := newStore(t, db, nil)
	require.NoError(t, s.Migrate(t.Context()))
	_, r := signIn(t, s)
	require.NoError(t, check(t, s, r, time.Minute))

	count.since()
	for range 1000 {
		require.NoError(t, check(t, s, r, time.Minute))
	}
	queries, writes := count.since()
	require.Equal(t, []int64{1000, 0}, []int64{queries, writes}, "within touchAfter")

	clock.advance(time.Minute)
	for range 1000 {
		require.NoError(t, check(t, s, r, time.Minute))
	}
	queries, writes = count.since()
	require.Equal(t, []int64{1000, 1}, []int64{queries, writes}, "one use is recorded")

	mustBind(t, s, r, "bound")
	queries, writes = count.since()
	require.Equal(t, []int64{0, 1}, []int64{queries, writes}, "SwapBinding")
	require.NoError(t, check(t, s, r, time.Minute))
	queries, writes = count.since()
	require.Equal(t, []int64{1, 0}, []int64{queries, writes}, "a bound session")
	swapped, err := s.SwapBinding(t.Context(), r, "other", "next")
	require.NoError(t, err)
	require.False(t, swapped)
	queries, writes = count.since()
	require.Equal(t, []int64{1, 1}, []int64{queries, writes}, "SwapBinding of another binding, which reads the session")

	require.ErrorIs(t, check(t, s, newSession(googlesession.User{ID: "unknown"}).Ref, 0), googlesession.ErrNoSession)
	queries, writes = count.since()
	require.Equal(t, []int64{1, 0}, []int64{queries, writes}, "no such session")

	_, err = s.RevokeSession(t.Context(), r)
	require.NoError(t, err)
	queries, writes = count.since()
	require.Equal(t, []int64{0, 1}, []int64{queries, writes}, "a revocation")
	require.ErrorIs(t, check(t, s, r, 0), googlesession.ErrSessionRevoked)
	queries, writes = count.since()
	require.Equal(t, []int64{1, 0}, []int64{queries, writes}, "revoked")
}

// If a use cannot be recorded, the check admits the session and does not report the use as
// recorded.
func TestFailedTouch(t *testing.T) {
	file := newFile(t)
	s := openStore(t, file, nil)
	_, r := signIn(t, s)
	before, err := s.CheckSession(t.Context(), r, time.Hour)
	require.NoError(t, err)
	clock.advance(time.Minute)
	_, err = openDB(t, file).ExecContext(t.Context(), `
CREATE TRIGGER gs_full BEFORE UPDATE OF seen_ms ON gs_sessions
BEGIN SELECT RAISE(ABORT, 'disk is full'); END`)
	require.NoError(t, err)
	after, err := s.CheckSession(t.Context(), r, 0)
	require.NoError(t, err)
	require.Equal(t, before, after, "Touched and SeenAt have not changed")
}

// A session that is revoked while requests record its use stays ended.
func TestRevokedWhileRunning(t *testing.T) {
	file := newFile(t)
	a, b := openStore(t, file, nil), openStore(t, file, nil)
	u, _ := signIn(t, a)
	for range 250 {
		r := create(t, a, u)
		stop := make(chan struct{})
		var wg sync.WaitGroup
		for _, s := range []*sqlstore.Store{a, b} {
			wg.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
						_ = check(t, s, r, 0)
						clock.advance(time.Millisecond) // so that the next use is recorded too
					}
				}
			})
		}
		ended, err := a.RevokeSession(t.Context(), r)
		require.NoError(t, err)
		require.True(t, ended)
		for range 2 {
			require.ErrorIs(t, check(t, a, r, 0), googlesession.ErrNoSession)
			require.ErrorIs(t, check(t, b, r, 0), googlesession.ErrNoSession)
		}
		close(stop)
		wg.Wait()
		require.ErrorIs(t, check(t, b, r, 0), googlesession.ErrNoSession, "after the last use was recorded")
	}
}

// Two processes that write at once wait for each other and get no error.
func TestNeverLocked(t *testing.T) {
	file := newFile(t)
	stores := []*sqlstore.Store{openStore(t, file, nil), openStore(t, file, nil)}
	var wg sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		s := stores[i%2]
		wg.Go(func() {
			id := googlesession.Identity{Subject: fmt.Sprint("user", i/2)} // two goroutines sign in the same user
			for range 40 {
				u, err := s.SignIn(t.Context(), id)
				errs[i] = errors.Join(errs[i], err)
				session, err := s.CreateSession(t.Context(), newSession(u))
				errs[i] = errors.Join(errs[i], err)
				if err := check(t, s, session.Ref, 0); !errors.Is(err, googlesession.ErrNoSession) {
					errs[i] = errors.Join(errs[i], err) // ErrNoSession means that the other goroutine has ended it
				}
				_, err = s.RevokeUser(t.Context(), u.ID, &session.Ref)
				errs[i] = errors.Join(errs[i], err)
				_, err = s.RevokeSession(t.Context(), session.Ref)
				errs[i] = errors.Join(errs[i], err)
				_, err = s.Purge(t.Context(), 10)
				errs[i] = errors.Join(errs[i], err)
			}
		})
	}
	wg.Wait()
	require.NoError(t, errors.Join(errs...))
}

// A clock that steps back does not bring back a session that a check has found expired.
func TestClockStepsBack(t *testing.T) {
	s := openStore(t, newFile(t), nil)
	_, used := signIn(t, s)
	_, expired := signIn(t, s)
	clock.advance(23 * time.Hour)
	require.NoError(t, check(t, s, used, 0))
	clock.advance(-2 * time.Hour)
	session, err := s.CheckSession(t.Context(), used, 0)
	require.NoError(t, err)
	require.Equal(t, clock.millis.Load()+(2*time.Hour).Milliseconds(), session.SeenAt.UnixMilli(), "SeenAt does not move back")

	clock.advance(3 * time.Hour)
	require.ErrorIs(t, check(t, s, expired, 0), googlesession.ErrSessionExpired)
	clock.advance(-2 * time.Hour)
	require.ErrorIs(t, check(t, s, expired, 0), googlesession.ErrSessionExpired, "by the clock the session has not ended yet")
}

func TestRestart(t *testing.T) {
	file := newFile(t)
	db := openDB(t, file)
	s := newStore(t, db, nil)
	require.NoError(t, s.Migrate(t.Context()))
	u, live := signIn(t, s)
	ended := create(t, s, u)
	_, err := s.RevokeSession(t.Context(), ended)
	require.NoError(t, err)
	require.NoError(t, s.Close())
	require.NoError(t, db.Close())

	s = openStore(t, file, nil)
	got, err := s.CheckSession(t.Context(), live, time.Minute)
	require.NoError(t, err)
	require.Equal(t, u, got.User)
	require.ErrorIs(t, check(t, s, ended, 0), googlesession.ErrSessionRevoked)
}

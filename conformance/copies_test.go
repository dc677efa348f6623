package conformance_test

import (
	"database/sql"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	sqlstore "github.com/googlesession/googlesession/store_sql"
)

// onSQL runs the test on SQLite, PostgreSQL and MariaDB, with a clock that the test moves.
func onSQL(t *testing.T, o sqlstore.Options, test func(t *testing.T, h sqlHarness)) {
	t.Helper()
	t.Run("SQLite", func(t *testing.T) {
		db := openDB(t, newFile(t))
		store := newStore(t, db, &o)
		require.NoError(t, store.Migrate(t.Context()))
		test(t, sqlHarness{store, db, "gs_", clock.advance, sqlstore.SQLite})
	})
	onSQLServers(t, func(t *testing.T, s sqlServer) {
		clock, o := &sqlClock{}, o
		o.Prefix = s.newPrefix(t)
		test(t, sqlHarness{s.storeWith(t, clock, &o), s.open(t), o.Prefix, clock.advance, s.dialect})
	})
}

type sqlHarness struct {
	store   *sqlstore.Store
	db      *sql.DB
	prefix  string
	advance func(time.Duration)
	dialect sqlstore.Dialect
}

func (h sqlHarness) count(tb testing.TB, table, where string) (n int) {
	tb.Helper()
	require.NoError(tb, h.db.QueryRowContext(tb.Context(), `SELECT COUNT(*) FROM `+h.prefix+table+` WHERE `+where).Scan(&n))
	return n
}

func (h sqlHarness) purge(tb testing.TB) {
	tb.Helper()
	_, err := h.store.Purge(tb.Context(), 1000)
	require.NoError(tb, err)
}

var copied = googlesession.User{ID: "copy", Email: "copy@example.com", Name: "Copy", Admin: true, Version: 5}

// A user record that arrives by PutUser or CreateSession does not make a user in the
// UserStore.
func TestCopiesAreNotUsers(t *testing.T) {
	onSQL(t, sqlstore.Options{}, func(t *testing.T, h sqlHarness) {
		_, err := h.store.PutUser(t.Context(), copied)
		require.NoError(t, err)
		ref := create(t, h.store, copied)
		no := false
		_, err = h.store.User(t.Context(), copied.ID)
		require.ErrorIs(t, err, googlesession.ErrNotFound)
		users, err := h.store.Users(t.Context(), googlesession.UserQuery{Limit: 10})
		require.NoError(t, err)
		require.Empty(t, users)
		_, err = h.store.SetAccess(t.Context(), copied.ID, googlesession.AccessChange{Admin: &no})
		require.ErrorIs(t, err, googlesession.ErrNotFound)
		require.ErrorIs(t, h.store.DeleteUser(t.Context(), copied.ID), googlesession.ErrNotFound)
		require.NoError(t, check(t, h.store, ref, 0), "the session goes on")

		// A copy of an administrator does not count as one, so the last administrator stays.
		yes := true
		u, _ := signIn(t, h.store)
		_, err = h.store.SetAccess(t.Context(), u.ID, googlesession.AccessChange{Admin: &yes})
		require.NoError(t, err)
		_, err = h.store.SetAccess(t.Context(), u.ID, googlesession.AccessChange{Admin: &no})
		require.ErrorIs(t, err, googlesession.ErrLastAdmin)
	})
}

// A copy is deleted once SignInWindow has passed since its last session and since the last
// call that brought it. It is never deleted while a session is live.
func TestCopiesAreForgotten(t *testing.T) {
	onSQL(t, sqlstore.Options{}, func(t *testing.T, h sqlHarness) {
		_, err := h.store.PutUser(t.Context(), copied)
		require.NoError(t, err)
		h.advance(googlesession.SignInWindow - time.Second)
		h.purge(t)
		require.Equal(t, 1, h.count(t, "users", "1=1"), "remembered for SignInWindow")
		ref := create(t, h.store, copied)
		for range 2 { // each purge finds a live session and keeps the copy
			h.advance(20 * time.Hour)
			h.purge(t)
			require.NoError(t, check(t, h.store, ref, 0), "a live session")
		}
		_, err = h.store.RevokeSession(t.Context(), ref)
		require.NoError(t, err)
		h.advance(24*time.Hour + googlesession.SignInWindow + time.Minute)
		h.purge(t)
		require.Zero(t, h.count(t, "users", "1=1")+h.count(t, "sessions", "1=1"), "deleted with the ended session")

		ref = create(t, h.store, copied)
		require.NoError(t, check(t, h.store, ref, 0), "the copy has arrived again")
		bare := googlesession.User{ID: copied.ID, Disabled: true, Version: 6}
		_, err = h.store.PutUser(t.Context(), bare)
		require.NoError(t, err)
		require.Equal(t, 1, h.count(t, "users", "email = '' AND name = ''"), "deleted elsewhere: no profile stays")
		h.advance(googlesession.SignInWindow + time.Second)
		h.purge(t)
		require.Zero(t, h.count(t, "users", "1=1"))
	})
}

// PutUser neither removes a user of the UserStore nor brings a deleted one back.
func TestPutUserMakesNoUser(t *testing.T) {
	onSQL(t, sqlstore.Options{}, func(t *testing.T, h sqlHarness) {
		u, _ := signIn(t, h.store)
		later := u
		later.Version += 10
		_, err := h.store.PutUser(t.Context(), later)
		require.NoError(t, err)
		_, err = h.store.User(t.Context(), u.ID)
		require.NoError(t, err)
		h.advance(100 * time.Hour)
		h.purge(t)
		_, err = h.store.User(t.Context(), u.ID)
		require.NoError(t, err, "users stay")
		require.NoError(t, h.store.DeleteUser(t.Context(), u.ID))
		later.Version = 1 << 52
		applied, err := h.store.PutUser(t.Context(), later)
		require.NoError(t, err)
		require.True(t, applied)
		_, err = h.store.User(t.Context(), u.ID)
		require.ErrorIs(t, err, googlesession.ErrNotFound)
		h.advance(googlesession.SignInWindow + time.Second)
		h.purge(t)
		require.Equal(t, 1, h.count(t, "users", "1=1"), "its TokensAfter is remembered for TokenWindow")
		h.advance(googlesession.TokenWindow)
		h.purge(t)
		require.Zero(t, h.count(t, "users", "1=1"))
	})
}

// The ended sessions of a user do not pile up. The store keeps a hundred of them and a few
// more, and marks those that have expired.
func TestPastDoesNotPileUp(t *testing.T) {
	onSQL(t, sqlstore.Options{PerUser: 5}, func(t *testing.T, h sqlHarness) {
		u, _ := signIn(t, h.store)
		for i := range 160 {
			if i%20 == 19 {
				h.advance(2 * time.Hour) // expired sessions are not used again
			}
			n := newSession(u)
			n.MaxLifetime, n.IdleTimeout = 1000*time.Hour, time.Hour
			_, err := h.store.CreateSession(t.Context(), n)
			require.NoError(t, err)
			require.LessOrEqual(t, h.count(t, "sessions", "revoked_ms IS NULL"), 5)
		}
		ended := h.count(t, "sessions", "revoked_ms IS NOT NULL")
		require.GreaterOrEqual(t, ended, 100)
		require.LessOrEqual(t, ended, 111)
	})
}

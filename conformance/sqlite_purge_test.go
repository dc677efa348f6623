package conformance_test

import (
	"database/sql"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	sqlstore "github.com/googlesession/googlesession/store_sql"
)

func count(tb testing.TB, db *sql.DB, table string) (n int) {
	tb.Helper()
	require.NoError(tb, db.QueryRowContext(tb.Context(), `SELECT COUNT(*) FROM `+table).Scan(&n))
	return n
}

func purge(tb testing.TB, s *sqlstore.Store, limit, want int) {
	tb.Helper()
	n, err := s.Purge(tb.Context(), limit)
	require.NoError(tb, err)
	require.Equal(tb, want, n)
}

// The row of a session stays until Retention has passed since its absolute end, also if it
// was revoked before.
func TestPurgeSessions(t *testing.T) {
	db := openDB(t, newFile(t))
	s := newStore(t, db, &sqlstore.Options{Retention: time.Hour})
	require.NoError(t, s.Migrate(t.Context()))
	u, _ := signIn(t, s)
	for range 4 {
		create(t, s, u)
	}
	_, err := s.RevokeUser(t.Context(), u.ID, nil)
	require.NoError(t, err)
	purge(t, s, 100, 0)
	clock.advance(48*time.Hour + time.Hour)
	purge(t, s, 100, 0)
	clock.advance(time.Millisecond)
	purge(t, s, 0, 0)
	purge(t, s, -1, 0)
	purge(t, s, 2, 2)
	purge(t, s, 100, 3)
	require.Zero(t, count(t, db, "gs_sessions"))
	_, err = s.User(t.Context(), u.ID)
	require.NoError(t, err, "users stay")
}

// A program need not call Purge, because each tenth sign-in deletes up to 200 rows.
func TestSignInPurges(t *testing.T) {
	db := openDB(t, newFile(t))
	s := newStore(t, db, nil)
	require.NoError(t, s.Migrate(t.Context()))
	var u googlesession.User
	for range 5 {
		u, _ = signIn(t, s)
		for range 49 {
			create(t, s, u)
		}
	}
	clock.advance(73 * time.Hour)
	for _, left := range []int{51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 11} {
		create(t, s, u)
		require.Equal(t, left, count(t, db, "gs_sessions"))
	}
}

// Deleting a user deletes the profile. The rows are deleted when TokenWindow has passed.
func TestPurgeDeletedUsers(t *testing.T) {
	db := openDB(t, newFile(t))
	s := newStore(t, db, nil)
	require.NoError(t, s.Migrate(t.Context()))
	u, _ := signIn(t, s)
	require.NoError(t, s.DeleteUser(t.Context(), u.ID))
	var profile string
	require.NoError(t, db.QueryRowContext(t.Context(), `SELECT email || name || picture FROM gs_users`).Scan(&profile))
	require.Empty(t, profile)
	clock.advance(googlesession.TokenWindow)
	purge(t, s, 10, 0)
	clock.advance(time.Millisecond)
	purge(t, s, 10, 2)
	require.Zero(t, count(t, db, "gs_users")+count(t, db, "gs_sessions"))
}

// A lowered cap takes effect at the next sign-in. The sessions with the latest use stay.
func TestLoweredCap(t *testing.T) {
	file := newFile(t)
	s := openStore(t, file, nil)
	u, first := signIn(t, s)
	var refs []googlesession.Ref
	for range 9 {
		clock.advance(time.Second)
		refs = append(refs, create(t, s, u))
	}
	clock.advance(time.Second)
	require.NoError(t, check(t, s, first, 0), "seen last")

	s = openStore(t, file, &sqlstore.Options{PerUser: 3})
	newest := create(t, s, u)
	list, err := s.Sessions(t.Context(), u.ID)
	require.NoError(t, err)
	var left []googlesession.Ref
	for _, session := range list {
		left = append(left, session.Ref)
	}
	require.ElementsMatch(t, []googlesession.Ref{newest, first, refs[8]}, left)
}

// A sign-in that ends many sessions does not send a statement for each, because it has only
// the time of one call.
func TestLoweredMax(t *testing.T) {
	db, count := openCounted(t, newFile(t))
	s := newStore(t, db, nil)
	require.NoError(t, s.Migrate(t.Context()))
	u, _ := signIn(t, s)
	for range 97 {
		create(t, s, u)
	}
	n := newSession(u)
	n.Max = 1
	count.since()
	_, err := s.CreateSession(t.Context(), n)
	require.NoError(t, err)
	_, writes := count.since()
	require.EqualValues(t, 12, writes, "one locks, ten end 98, one inserts")
	list, err := s.Sessions(t.Context(), u.ID)
	require.NoError(t, err)
	require.Len(t, list, 1)
}

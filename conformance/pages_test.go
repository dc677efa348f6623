package conformance_test

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	sqlstore "github.com/googlesession/googlesession/store_sql"
)

// crowdSize returns how many users the tables of TestSQLPages have, and how many deleted
// users and copies there are beside them.
func crowdSize() int {
	if long() {
		return 200_000
	}
	return 5000
}

// fillCrowd inserts crowdSize users of one name, and as many deleted users and copies, which
// come first in every order. Of the users 4 are administrators and 40 are disabled. It also
// inserts a session of each user, of which nine in ten have ended.
func (s sqlServer) fillCrowd(t *testing.T, prefix string) {
	t.Helper()
	db, n := s.open(t), crowdSize()
	// The ID of row i, so that every database sorts the rows as the numbers.
	text := func(of string) string { return `CONCAT('` + of + `', 10000000 + i)` }
	id, tag := `sha256(`+text("")+`::bytea)`, `substr(sha256('t'), 1, 12)`
	switch s.dialect {
	case sqlstore.SQLite:
		text = func(of string) string { return `'` + of + `' || (10000000 + i)` }
		id, tag = `CAST(printf('%%032d', i) AS BLOB)`, `zeroblob(12)`
	case sqlstore.MySQL:
		id, tag = `UNHEX(SHA2(i, 256))`, `SUBSTR(UNHEX(SHA2('t', 256)), 1, 12)`
	}
	const users = `INSERT INTO %[1]susers (id, email, name, picture, admin, disabled, version, created_ms, seen_ms, deleted_ms, copy_ms) SELECT `
	for _, statement := range []string{
		users + text("0-") + `, '', '', '', FALSE, TRUE, 1, 1, 1, 9000000000000, NULL FROM %[3]s`,
		users + text("1-") + `, ` + text("User") + `, 'Ada', '', FALSE, FALSE, 1, 1, 1, NULL, 9000000000000 FROM %[3]s`, //nolint:dupword // two flags
		users + text("2-") + `, ` + text("User") + `, 'Ada', '', i %% (%[2]d / 4) = 1, i %% (%[2]d / 40) = 1, 1, 1, 1, NULL, NULL FROM %[3]s`,
		`INSERT INTO %[1]ssessions (id, tag, user_id, created_ms, abs_ms, idle_ms, seen_ms, revoked_ms, revoked_by)
SELECT ` + id + `, ` + tag + `, ` + text("2-") + `, 1, 9000000000000, 9000000000000, 1, CASE WHEN i %% 10 > 0 THEN 1 END, CASE WHEN i %% 10 > 0 THEN 1 ELSE 0 END FROM %[3]s`,
	} {
		execute(t, db, fmt.Sprintf(statement, prefix, n, s.numbers(n)))
	}
}

// A page of users reads about as many rows as it has users, for every filter and prefix, on
// every page. So does a page of sessions. Deleted users, copies, ended sessions and users who
// are not selected do not count.
func TestSQLPages(t *testing.T) {
	const (
		limit = 100
		most  = 4*limit + 50 // rows that a step of a statement may read; there are four pairs of flags
	)
	n := crowdSize()
	// The IDs and the addresses of users at the begin, in the middle and at the end.
	places := []*googlesession.User{nil}
	for _, i := range []int{n / 2, n - 2} {
		places = append(places, &googlesession.User{ID: fmt.Sprint("2-", 10000000+i), Email: fmt.Sprint("User", 10000000+i), Name: "Ada"})
	}
	for _, s := range sqlDatabases(t) {
		t.Run(s.name, func(t *testing.T) {
			prefix := s.newPrefix(t)
			plain := s.open(t)
			recorder := &statementRecorder{driver: plain.Driver(), dsn: s.dsn(t)}
			db := sql.OpenDB(recorder)
			t.Cleanup(func() { _ = db.Close() })
			store := s.migrated(t, db, &sqlstore.Options{Prefix: prefix})
			s.fillCrowd(t, prefix)
			s.analyze(t, prefix)
			var slowest time.Duration
			readings := 1
			if s.dialect == sqlstore.MySQL {
				readings = 5 // because it counts the rows of temporary tables too
			}
			for _, after := range places {
				for _, q := range queries(limit, after) {
					_, err := store.Users(t.Context(), q)
					require.NoError(t, err)
					recorder.since()
					began := time.Now()
					page, err := store.Users(t.Context(), q)
					slowest = max(slowest, time.Since(began))
					require.NoError(t, err)
					require.Len(t, page, wantedUsers(n, q), "%s", describe(q))
					for _, statement := range recorder.since() {
						rows, plan := s.rowsRead(t, plain, prefix, statement)
						require.LessOrEqual(t, rows, readings*most, "%s\n%s\n%s", describe(q), statement.query, plan)
					}
				}
			}
			t.Logf("slowest page of %d from %d users: %v", limit, n, slowest)
			sessions, after := 0, ""
			for pages := 0; pages == 0 || after != "" && pages < 5; pages++ {
				recorder.since()
				page, next, err := store.AllSessions(t.Context(), after, limit)
				require.NoError(t, err)
				sessions, after = sessions+len(page), next
				if s.dialect == sqlstore.PostgreSQL && !long() {
					continue // because it reads the whole of a small table of users
				}
				for _, statement := range recorder.since() {
					rows, plan := s.rowsRead(t, plain, prefix, statement)
					require.LessOrEqual(t, rows, readings*10*limit, "%s\n%s", statement.query, plan)
				}
			}
			require.Positive(t, sessions)
		})
	}
}

// queries returns a query for each combination of prefix and flags.
func queries(limit int, after *googlesession.User) (all []googlesession.UserQuery) {
	yes, no := true, false
	for _, texts := range [][2]string{{}, {"uSER", ""}, {"", "aDA"}} {
		for _, admin := range []*bool{nil, &yes, &no} {
			for _, disabled := range []*bool{nil, &yes, &no} {
				all = append(all, googlesession.UserQuery{
					After: after, Limit: limit, EmailPrefix: texts[0], NamePrefix: texts[1], Admin: admin, Disabled: disabled,
				})
			}
		}
	}
	return all
}

// wantedUsers returns how many users of fillCrowd are on the page of q.
func wantedUsers(n int, q googlesession.UserQuery) (count int) {
	first := 0
	if q.After != nil {
		_, err := fmt.Sscanf(q.After.ID, "2-%d", &first)
		if err != nil {
			panic(err)
		}
		first -= 10000000 - 1
	}
	for i := first; i < n && count < q.Limit; i++ {
		admin, disabled := i%(n/4) == 1, i%(n/40) == 1
		if (q.Admin == nil || *q.Admin == admin) && (q.Disabled == nil || *q.Disabled == disabled) {
			count++
		}
	}
	return count
}

func describe(q googlesession.UserQuery) string {
	var b strings.Builder
	fmt.Fprintf(&b, "email %q, name %q", q.EmailPrefix, q.NamePrefix)
	for name, flag := range map[string]*bool{"admin": q.Admin, "disabled": q.Disabled} {
		if flag != nil {
			fmt.Fprintf(&b, ", %s %t", name, *flag)
		}
	}
	if q.After != nil {
		fmt.Fprintf(&b, ", after %s", q.After.ID)
	}
	return b.String()
}

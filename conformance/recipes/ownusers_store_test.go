package recipes_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/googletest"
	memstore "github.com/googlesession/googlesession/store_memory"
	"github.com/googlesession/googlesession/storetest"
)

// movedClock replaces PostgreSQL's clock by one that a test moves.
const movedClock = `
CREATE TABLE skew (ms BIGINT);
INSERT INTO skew VALUES (0);
CREATE FUNCTION clock_timestamp() RETURNS timestamptz LANGUAGE sql
	AS $$ SELECT pg_catalog.clock_timestamp() + ms * INTERVAL '1 millisecond' FROM skew $$;
`

// The store of an own table keeps every promise of a user store.
func TestOwnUserStore(t *testing.T) {
	dsn := postgresDSN(t)
	var pools []*pgxpool.Pool
	var opened int
	storetest.TestUsers(t, storetest.UserSuite{
		Open: func(testing.TB) googlesession.UserStore {
			opened++
			return people{pools[(opened-1)%len(pools)]}
		},
		Advance: func(d time.Duration) {
			_, err := pools[0].Exec(t.Context(), "UPDATE skew SET ms = ms + $1", d.Milliseconds())
			require.NoError(t, err)
		},
		Run: func(t *testing.T, rule func(*testing.T)) {
			pools, opened = ownPools(t, dsn, movedClock+peopleSchema, 2), 0
			rule(t)
		},
	})
}

// The store works beside a session store of another kind.
func TestOwnUserStoreSignsIn(t *testing.T) {
	users := people{ownPools(t, postgresDSN(t), peopleSchema, 1)[0]}
	m, google := newManager(t, func(c *googlesession.Config) { c.Sessions, c.Users = memstore.New(nil), users })
	app := api(m)
	app.Handle("GET /editors", requireRole(m, "editor")(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})))
	browser := google.SignIn(t, app, "/api/login", ada)
	require.Equal(t, http.StatusForbidden, do(t, browser, "GET", "/editors").status)
	_, err := m.SetUserData(t.Context(), google.Subject(ada), account{ID: 1, Role: "editor"}.data())
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, do(t, browser, "GET", "/editors").status)
	var login struct{ Nonce string }
	decode(t, do(t, browser, "GET", "/api/login").text, &login)
	require.NoError(t, m.DeleteUser(t.Context(), google.Subject(ada)))
	require.Equal(t, http.StatusUnauthorized, do(t, browser, "GET", "/editors").status)
	res := doWithBody(t, browser, "POST", "/api/login", `{"credential":"`+google.Token(ada, login.Nonce)+`"}`, "Content-Type", "application/json", "Origin", googletest.Origin)
	require.Equal(t, googlesession.CodeTokenRefused, code(t, res.text), "a token from before the deletion, to the second")
}

package recipes_test

import (
	"context"
	"crypto/rand"
	"net/http"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/googletest"
	redisstore "github.com/googlesession/googlesession/store_redis"
	sqlstore "github.com/googlesession/googlesession/store_sql"
)

// An ownServer is a server of the application with accounts. It has connections of its own.
type ownServer struct {
	*accounts

	app     http.Handler
	changes atomic.Int64 // how often User.Data has changed
	created atomic.Int64 // how many users sign-ins have made

	// beforeSetData is called once, when the server is about to set Data, unless it is nil.
	beforeSetData atomic.Pointer[func()]
}

// interrupted is a user store that calls beforeSetData of its server.
type interrupted struct {
	googlesession.UserStore

	server *ownServer
}

func (i interrupted) SetData(ctx context.Context, id, data string, old *string) (googlesession.User, error) {
	if f := i.server.beforeSetData.Swap(nil); f != nil {
		(*f)()
	}
	return i.UserStore.SetData(ctx, id, data, old)
}

// newOwnServers starts two servers with the same databases and the same Google. If redisURL
// is "", the sessions are in PostgreSQL too.
func newOwnServers(t *testing.T, redisURL string) (a, b *ownServer, google *googletest.Google) {
	t.Helper()
	pools := ownPools(t, postgresDSN(t), accountsSchema, 2)
	prefix := "recipe:" + rand.Text() + ":"
	var verifier googlesession.TokenVerifier
	start := func(pool *pgxpool.Pool) *ownServer {
		s := &ownServer{accounts: &accounts{db: pool, connecting: connectingByCookie}}
		m, g := newManager(t, func(c *googlesession.Config) {
			users, err := sqlstore.New(stdlib.OpenDBFromPool(pool), sqlstore.PostgreSQL, nil)
			require.NoError(t, err)
			require.NoError(t, users.Migrate(t.Context()))
			c.Sessions, c.Users = users, interrupted{users, s}
			if redisURL != "" {
				c.Sessions = openOwnRedis(t, redisURL, prefix)
			}
			if verifier != nil {
				c.Verifier = verifier
			}
			verifier = c.Verifier
			c.SignedIn, c.Events = s.signedIn, s.observe
		})
		s.m = m
		if google == nil {
			google = g
		}
		app := api(m)
		app.Handle("GET /editors", requireRole(m, "editor")(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})))
		s.app = app
		return s
	}
	return start(pools[0]), start(pools[1]), google
}

// forBothStores runs a test with the sessions in PostgreSQL, and with the sessions in Redis.
func forBothStores(t *testing.T, test func(t *testing.T, a, b *ownServer, google *googletest.Google)) {
	t.Helper()
	t.Run("PostgreSQL", func(t *testing.T) {
		a, b, google := newOwnServers(t, "")
		test(t, a, b, google)
	})
	t.Run("Redis", func(t *testing.T) {
		a, b, google := newOwnServers(t, redisURL(t))
		test(t, a, b, google)
	})
}

// ownPools returns pools on a schema of the test's own, in which the statements have run.
func ownPools(t *testing.T, dsn, statements string, n int) (pools []*pgxpool.Pool) {
	t.Helper()
	config, err := pgxpool.ParseConfig(dsn)
	require.NoError(t, err)
	// The schema is in front of pg_catalog, so that a test can replace the clock.
	config.ConnConfig.RuntimeParams["search_path"] = schema(t, config.ConnConfig) + ", pg_catalog"
	config.MaxConns = 8
	for range n {
		pool, err := pgxpool.NewWithConfig(t.Context(), config.Copy())
		require.NoError(t, err)
		t.Cleanup(pool.Close)
		pools = append(pools, pool)
	}
	_, err = pools[0].Exec(t.Context(), statements)
	require.NoError(t, err)
	return pools
}

func openOwnRedis(t *testing.T, url, prefix string) *redisstore.Store {
	t.Helper()
	client, err := redisstore.Open(url)
	require.NoError(t, err)
	t.Cleanup(func() { _ = client.Close() })
	store, err := redisstore.New(client, &redisstore.Options{Prefix: prefix})
	require.NoError(t, err)
	return store
}

// observe counts events, and calls the recipe's function.
func (s *ownServer) observe(ctx context.Context, e googlesession.Event) {
	switch e.Kind {
	case googlesession.EventDataChanged:
		s.changes.Add(1)
	case googlesession.EventUserCreated:
		s.created.Add(1)
	}
	s.events(ctx, e)
}

// connectingByCookie stands in for the application's old session.
func connectingByCookie(r *http.Request) (accountID int64, ok bool) {
	c, err := r.Cookie("connecting")
	if err != nil {
		return 0, false
	}
	accountID, err = strconv.ParseInt(c.Value, 10, 64)
	return accountID, err == nil
}

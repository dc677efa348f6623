package recipes_test

import (
	"context"
	"crypto/rand"
	"net/http"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/googletest"
	sqlstore "github.com/googlesession/googlesession/store_sql"
)

//recipe:frameworks
func pgxStore(ctx context.Context, pool *pgxpool.Pool) (*sqlstore.Store, error) {
	store, err := sqlstore.New(stdlib.OpenDBFromPool(pool), sqlstore.PostgreSQL, nil)
	if err != nil {
		return nil, err
	}
	return store, store.Migrate(ctx)
}

func TestPgxPool(t *testing.T) {
	config, err := pgxpool.ParseConfig(postgresDSN(t))
	require.NoError(t, err)
	config.ConnConfig.RuntimeParams["search_path"] = schema(t, config.ConnConfig)
	config.MaxConns = 4
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	store, err := pgxStore(t.Context(), pool)
	require.NoError(t, err)

	m, google := newManager(t, func(c *googlesession.Config) { c.Sessions = store })
	app := api(m)
	app.Handle("GET /orders", m.RequireUser(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, _ := googlesession.UserFrom(r.Context())
		var name string
		// The application's own statements use the same pool.
		if err := pool.QueryRow(r.Context(), "SELECT 'orders of ' || email FROM gs_users WHERE id = $1", user.ID).Scan(&name); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		_, _ = w.Write([]byte(name))
	})))
	user := google.SignIn(t, app, "/api/login", ada)
	res := do(t, user, "GET", "/orders")
	require.Equal(t, http.StatusOK, res.status, res.text)
	require.Equal(t, "orders of "+ada, res.text)

	require.Zero(t, pool.Stat().AcquiredConns(), "connections that database/sql keeps from the application")
	require.LessOrEqual(t, pool.Stat().TotalConns(), config.MaxConns)

	res = do(t, user, "POST", "/api/logout", "Origin", googletest.Origin)
	require.Equal(t, http.StatusNoContent, res.status)
	res = do(t, user, "GET", "/orders")
	require.Equal(t, http.StatusUnauthorized, res.status)
}

// schema makes a schema of the test's own and returns its name.
func schema(t *testing.T, config *pgx.ConnConfig) string {
	t.Helper()
	name := "recipe_" + strings.ToLower(rand.Text())
	exec := func(statement string) {
		conn, err := pgx.ConnectConfig(context.Background(), config)
		require.NoError(t, err)
		defer func() { require.NoError(t, conn.Close(context.Background())) }()
		_, err = conn.Exec(context.Background(), statement)
		require.NoError(t, err)
	}
	exec("CREATE SCHEMA " + name)
	t.Cleanup(func() { exec("DROP SCHEMA " + name + " CASCADE") })
	return name
}

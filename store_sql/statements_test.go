package sqlstore_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	sqlstore "github.com/googlesession/googlesession/store_sql"
)

// noServer is a driver that cannot connect. New needs no connection.
type noServer struct{}

func (noServer) Connect(context.Context) (driver.Conn, error) { return nil, errors.New("no server") }
func (noServer) Driver() driver.Driver                        { return nil }

// New expands every statement, so it fails if the dialect has no value for a placeholder.
func TestStatementsExpand(t *testing.T) {
	for _, d := range []sqlstore.Dialect{sqlstore.SQLite, sqlstore.PostgreSQL, sqlstore.MySQL} {
		t.Run(string(d), func(t *testing.T) {
			_, err := sqlstore.New(sql.OpenDB(noServer{}), d, nil)
			require.NoError(t, err)
		})
	}
}

func TestExpand(t *testing.T) {
	for _, tt := range []struct {
		name       string
		dialect    sqlstore.Dialect
		text, want string
	}{
		{"tables", sqlstore.MySQL, "{users} {sessions} {schema}", "gs_users gs_sessions gs_schema"},
		{"value with a placeholder", sqlstore.MySQL, "{use_live_index}", "FORCE INDEX (gs_sessions_live)"},
		{"empty value", sqlstore.SQLite, "WHERE id = ? {not_standby}", "WHERE id = ? "},
		{"reason", sqlstore.SQLite, "revoked_by = {by_expiry}", "revoked_by = 4"},
		{"numbered parameters", sqlstore.PostgreSQL, "id = ? AND tag = ?", "id = $1 AND tag = $2"},
		{"parameters of a batch", sqlstore.PostgreSQL, "a = ? AND id {in_batch}", "a = $1 AND id IN ($2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text, err := sqlstore.Expand(tt.dialect, tt.text)
			require.NoError(t, err)
			require.Equal(t, tt.want, text, "expand(%q)", tt.text)
		})
	}
}

func TestExpandRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"unknown placeholder":      "SELECT {nw}",
		"placeholder in capitals":  "SELECT {NOW}",
		"brace that is not closed": "SELECT {now",
		"brace that is not opened": "SELECT now}",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := sqlstore.Expand(sqlstore.PostgreSQL, text)
			require.ErrorContains(t, err, "placeholder", "expand(%q)", text)
		})
	}
}

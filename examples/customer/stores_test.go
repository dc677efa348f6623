package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// If the database cannot be used, the program prints one line, exits with status 1 and
// leaves the database unchanged.
func TestUnusableDatabase(t *testing.T) {
	dir := t.TempDir()
	garbage := filepath.Join(dir, "garbage.db")
	require.NoError(t, os.WriteFile(garbage, []byte(strings.Repeat("no database ", 1000)), 0o600))
	directory := filepath.Join(dir, "directory.db")
	require.NoError(t, os.Mkdir(directory, 0o700))
	tests := []struct {
		name string
		file string
		want string
	}{
		{"no such directory", filepath.Join(dir, "none", "x.db"), "no such file or directory"},
		{"directory", directory, "is a directory"},
		{"not a database", garbage, "not a database"},
		{"sessions of a newer version", alteredDatabase(t, "INSERT INTO gs_schema (version) VALUES (9999)"), "newer"},
		{"customers of a newer version", alteredDatabase(t, "INSERT INTO customer_schema (version) VALUES (9999)"), "newer"},
		{"tables of another program", alteredDatabase(t, "DROP TABLE gs_schema", "DROP TABLE customer_schema"), "gs_"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			before := fingerprint(t, tt.file)
			var stdout, stderr bytes.Buffer
			args := []string{"-addr", "127.0.0.1:0", "-db", "sqlite:" + tt.file}
			status := run(t.Context(), args, &stdout, &stderr, func(string) string { return "" })
			require.Equal(t, exitFailure, status)
			require.Empty(t, stdout.String())
			require.Equal(t, 1, strings.Count(stderr.String(), "\n"), "one line: %s", &stderr)
			require.Contains(t, stderr.String(), tt.want)
			require.Contains(t, stderr.String(), tt.file)
			require.Equal(t, before, fingerprint(t, tt.file))
		})
	}
}

// alteredDatabase returns the file of a new database in which it has run the statements
// and deleted one customer.
func alteredDatabase(t *testing.T, statements ...string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "altered.db")
	s := start(t, "-db", "sqlite:"+file)
	require.Zero(t, s.stop())
	db, err := sql.Open("sqlite", file)
	require.NoError(t, err)
	for _, statement := range append(statements, "DELETE FROM customers WHERE id = 20") {
		_, err := db.ExecContext(t.Context(), statement)
		require.NoError(t, err, statement)
	}
	require.NoError(t, db.Close())
	return file
}

// fingerprint returns a hash of the file's content, or "" if it cannot be read.
func fingerprint(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(text)
	return string(sum[:])
}

// Other users of the machine cannot read the database, which has names and addresses.
func TestDatabaseIsPrivate(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a b%20c?d#e.db")
	s := start(t, "-db", "sqlite:"+file)
	require.Equal(t, http.StatusOK, s.signIn(t, newBrowser(t), "ada@example.com").status)
	for _, suffix := range []string{"", "-wal", "-shm"} {
		info, err := os.Stat(file + suffix)
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode().Perm(), suffix)
	}
}

// Every connection has the settings that package sqlstore and the migration need.
func TestConnectionSettings(t *testing.T) {
	st, err := newStores(options{db: database{"sqlite", filepath.Join(t.TempDir(), "test.db")}}, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, st.close()) })
	require.NoError(t, st.open(t.Context()))
	db := st.customers.(sqlCustomers).db
	for range 2 {
		conn, err := db.Conn(t.Context()) // stays open, so that the next call opens another
		require.NoError(t, err)
		defer func() { _ = conn.Close() }()
		for pragma, want := range map[string]string{
			"journal_mode": "wal", "synchronous": "2", "busy_timeout": "5000", "foreign_keys": "1",
		} {
			var got string
			require.NoError(t, conn.QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&got))
			require.Equal(t, want, got, pragma)
		}
	}
}

// Several processes that start at once on a new database seed it once.
func TestConcurrentMigrate(t *testing.T) {
	for range 10 {
		file := filepath.Join(t.TempDir(), "test.db")
		const n = 4
		errs := make(chan error, n)
		var last *stores
		for range n {
			st, err := newStores(options{db: database{"sqlite", file}}, slog.New(slog.DiscardHandler))
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, st.close()) })
			go func() { errs <- st.open(context.WithoutCancel(t.Context())) }()
			last = st
		}
		for range n {
			require.NoError(t, <-errs)
		}
		_, total, err := last.customers.List(t.Context(), customerQuery{sort: "id", page: 1, limit: 1})
		require.NoError(t, err)
		require.Equal(t, int64(20), total)
	}
}

// A database of the first version gets the tables of later versions and keeps its rows.
func TestMigrateFromTheFirstVersion(t *testing.T) {
	file := alteredDatabase(t, "DROP TABLE invitations", "DROP TABLE audit", "DELETE FROM customer_schema WHERE version > 1",
		"DROP INDEX customers_name_key", "DROP INDEX customers_email_key", "DROP INDEX customers_request_key",
		"ALTER TABLE customers DROP COLUMN name_key", "ALTER TABLE customers DROP COLUMN email_key", "ALTER TABLE customers DROP COLUMN request_key")
	s := newSite(t, "-db", "sqlite:"+file)
	s.invite("ada@example.com", false)
	entries, _ := s.audit("")
	require.Equal(t, "invited", entries[0].Action)
	require.Equal(t, int64(19), s.customers("").Total, "seeded a second time")
	require.Equal(t, []customer{{19, "Søren Madsen", "soren.madsen@example.com"}}, s.customers("?q=SØREN").Results, "an old row is found")
}

// If the database stops answering, answers are 503 without the error, and sessions go on.
func TestOutage(t *testing.T) {
	file := filepath.Join(t.TempDir(), "test.db")
	s := start(t, "-db", "sqlite:"+file)
	browser := newBrowser(t)
	require.Equal(t, http.StatusOK, s.signIn(t, browser, "ada@example.com").status)
	require.Equal(t, http.StatusOK, s.get(t, browser, "/readyz").status)

	db, err := sql.Open("sqlite", file)
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	_, err = db.ExecContext(t.Context(), "ALTER TABLE customers RENAME TO hidden")
	require.NoError(t, err)
	for _, path := range []string{"/readyz", "/api/customer", "/api/customer/1"} {
		res := s.get(t, browser, path)
		require.Equal(t, http.StatusServiceUnavailable, res.status, "GET %s", path)
		require.Equal(t, "unavailable", problemCode(t, res))
		require.NotEmpty(t, res.header.Get("Retry-After"))
		require.NotContains(t, res.body, "customers")
		require.Empty(t, res.header["Set-Cookie"])
	}
	require.Equal(t, http.StatusOK, s.get(t, browser, "/healthz").status)
	require.Equal(t, http.StatusOK, s.get(t, browser, "/api/user").status)

	_, err = db.ExecContext(t.Context(), "ALTER TABLE hidden RENAME TO customers")
	require.NoError(t, err)
	_, err = db.ExecContext(t.Context(), "ALTER TABLE gs_users RENAME TO gs_hidden")
	require.NoError(t, err)
	for _, path := range []string{"/readyz", "/api/user", "/api/customer"} {
		require.Equal(t, http.StatusServiceUnavailable, s.get(t, browser, path).status, "GET %s", path)
	}
	require.Equal(t, http.StatusOK, s.get(t, browser, "/customer").status, "the front end reports the outage")
}

func TestAddressInUse(t *testing.T) {
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = l.Close() }()
	var stdout, stderr bytes.Buffer
	args := []string{"-db", "memory", "-addr", l.Addr().String()}
	require.Equal(t, exitFailure, run(t.Context(), args, &stdout, &stderr, func(string) string { return "" }))
	require.Contains(t, stderr.String(), "address already in use")
}

package conformance_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"sync/atomic"
	"testing"
	"time"

	"modernc.org/sqlite"
)

// A liteClock is the time of SQLite on the connections that it opens. Only advance moves
// it, because a statement asks for the time more than once and has to get the same answer.
type liteClock struct {
	millis atomic.Int64 // Unix milliseconds
	driver *sqlite.Driver
}

// clock is for the tests that run alone. A test that calls t.Parallel has a clock of its own.
var clock = newLiteClock()

// newLiteClock begins with the time of the machine. The store's statements ask SQLite for
// the time by a function that this driver replaces. The driver "sqlite" has to keep its own,
// because the store asks the machine for the time there, and would find recorded uses in
// the future.
func newLiteClock() *liteClock {
	c := &liteClock{driver: &sqlite.Driver{}}
	c.millis.Store(time.Now().UnixMilli())
	err := c.driver.RegisterScalarFunction("julianday", 1, func(*sqlite.FunctionContext, []driver.Value) (driver.Value, error) {
		return float64(c.millis.Load())/86_400_000 + 2440587.5, nil
	})
	if err != nil {
		panic(err)
	}
	return c
}

func (c *liteClock) advance(d time.Duration) { c.millis.Add(d.Milliseconds()) }

// Now tells the store the time that its statements get.
func (c *liteClock) Now() time.Time { return time.UnixMilli(c.millis.Load()) }

// Open opens a connection whose time is the clock.
func (c *liteClock) Open(name string) (driver.Conn, error) { return c.driver.Open(name) }

// open returns a pool of connections to the name.
func (c *liteClock) open(tb testing.TB, name string) *sql.DB {
	tb.Helper()
	db := sql.OpenDB(liteConnector{c, name})
	tb.Cleanup(func() { _ = db.Close() })
	return db
}

// openFile returns a pool of connections to the file, with the settings that the store needs.
func (c *liteClock) openFile(tb testing.TB, file string) *sql.DB {
	tb.Helper()
	return c.open(tb, "file:"+file+"?"+settings.Encode())
}

type liteConnector struct {
	clock *liteClock
	name  string
}

func (c liteConnector) Driver() driver.Driver { return c.clock }

func (c liteConnector) Connect(context.Context) (driver.Conn, error) { return c.clock.Open(c.name) }

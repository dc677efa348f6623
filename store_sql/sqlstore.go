// Package sqlstore keeps sessions and users in a SQL database through
// database/sql. One [Store] is both a [googlesession.SessionStore] and a
// [googlesession.UserStore] over the same tables: disabling or deleting a user
// ends the user's sessions in the same transaction.
//
// It imports no driver. [Store.Migrate] makes the tables, or [Schema] gives their
// text to a migration tool.
//
// # SQLite
//
// The store needs these settings on every connection of the pool, so they belong
// into the data source name; a PRAGMA sent through [sql.DB.Exec] reaches one
// connection only. The first use and Migrate refuse a database without the first
// three:
//
//	journal_mode = WAL    requests read while one connection writes
//	synchronous  = FULL   a power cut takes back no revocation that was acknowledged
//	busy_timeout = 5000   milliseconds to wait while another process writes
//	foreign_keys = ON     for what is done by hand; the store does not lean on it
//
// For modernc.org/sqlite and for github.com/mattn/go-sqlite3 that is
//
//	file:app.db?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=foreign_keys(1)&_txlock=immediate
//	file:app.db?_busy_timeout=5000&_journal_mode=WAL&_synchronous=FULL&_foreign_keys=1&_txlock=immediate
//
// The store itself does without _txlock=immediate: each of its transactions begins
// with a write. An application that shares the database wants it, because a
// transaction that reads first and then writes fails at once with "database is
// locked" if anybody has written in between.
//
// The writes of one Store queue up in this process without holding a connection, so
// one pool serves readers and writers. Limit it with [sql.DB.SetMaxOpenConns], to 8 for
// instance: each connection keeps three files open, and a pool without a limit opens a
// connection for every request that waits. Several processes may share the file, on one
// host: WAL does not work over network file systems. A database in memory needs
// [sql.DB.SetMaxOpenConns](1), since each connection has its own.
//
// # PostgreSQL
//
// Any driver works, and github.com/jackc/pgx/v5/stdlib is the fastest. Behind PgBouncer in
// transaction mode pgx needs default_query_exec_mode=exec, and github.com/lib/pq needs
// binary_parameters=yes. The database's encoding is UTF8. A standby is recognized and
// refused, and so is a server whose sessions are read-only. A revocation returns when it
// is on disk, whatever synchronous_commit is, and on the standbys that
// synchronous_standby_names asks for. Tables are found in the search_path.
//
// # MySQL and MariaDB
//
// The driver is github.com/go-sql-driver/mysql. Its connections name a database,
// speak utf8mb4 and have autocommit on, which are its defaults but for the first.
// With a binary log, binlog_format is ROW or MIXED. A replica is recognized by read_only
// or innodb_read_only and refused, for an administrator's account as well. What every
// request needs is prepared, so that it is one round trip here as well.
//
// # Time
//
// A call returns when its context ends, also with a driver that waits longer. What is
// stuck then keeps its connection until the driver gives up, so a driver with timeouts
// of its own should have them: readTimeout and writeTimeout of go-sql-driver/mysql, and a
// _busy_timeout of mattn/go-sqlite3 below the context's time.
//
// Calls that change the same user wait for each other before they take a connection. A
// connection that leads to a standby leaves the pool, so that the store works again when
// a new connection leads to the primary.
//
// [Store.Doctor] says what else of a server's settings matters.
//
// # What is kept
//
// Sessions are kept by the hash of their cookie's value: a copy of the database
// signs in no one. The row of an ended session stays until [Options.Retention] after the
// session's absolute end. Of one user, the hundred that began last are kept and a few
// more; each sign-in removes some of the others. Ending, listing and checking what lives
// does not read the rows of ended sessions.
//
// The row of a deleted user stays without a profile for [googlesession.TokenWindow], and
// so does the row of a user who was not there when [Store.RefuseTokens] was called.
//
// [Store.PutUser] and [Store.CreateSession] bring copies of users whose truth is
// elsewhere. A copy is in the same table, but is not a user of this store:
// [Store.User], [Store.Users], [Store.SetAccess] and [Store.DeleteUser] do not find it,
// and it does not count as an administrator. Its row goes, with the user's ended sessions,
// [googlesession.SignInWindow] after the last session has ended and the last call has
// brought it. That may be seen late, when the session would have expired by itself.
//
// CreateSession clears away a little of what is due, so nothing else has to. [Store.Purge]
// does more of it.
//
// All times are the database's clock, in whole milliseconds. A session that was
// seen expired stays ended even if that clock steps back.
package sqlstore

import (
	"database/sql"
	"errors"
	"fmt"
	"regexp"
	"sync"
	"sync/atomic"
	"time"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/internal/lane"
)

// Options are the settings of a [Store]. The zero value of each field is its default.
// Fields are set by name.
type Options struct {
	_ struct{}

	// Prefix begins the name of every table and index. It matches
	// [a-z][a-z0-9_]{0,30}. "" means "gs_".
	Prefix string

	// PerUser is the number of live sessions that a user can have. A sign-in may set a
	// lower limit with [googlesession.NewSession.Max]. The session that a sign-in replaces
	// does not count. A sign-in over the limit ends the least recently used session, or is
	// refused if [googlesession.NewSession.RefuseOverMax] is true. Zero means 100. A
	// negative number is an error.
	PerUser int

	// Retention is how long the row of a session is kept after the session's absolute
	// end, so that an operator can look into the past. Of the ended sessions of one user
	// only the hundred that began last are kept, and a few more. It is a positive, whole
	// number of milliseconds. Zero means 24 hours.
	Retention time.Duration
}

// ErrSetup is wrapped by the error of every call if the database is not what the store
// needs. Its tables may be missing, of another version or of another program, or its
// settings would break a promise. The text says which. Trying again does not help; an
// operator has to act. The same error wraps [googlesession.ErrUnavailable].
var ErrSetup = errors.New("sqlstore: database not set up")

// A Store keeps sessions and users in a database. Only [New] makes one; the zero value is
// not usable. A Store is safe for concurrent use by many goroutines. Stores in many
// processes may share a database.
//
// The errors are those that the interfaces document. An error that wraps
// [googlesession.ErrUnavailable] says what the store was doing, and contains no argument
// of the call.
type Store struct {
	db      *sql.DB
	driver  driverTraits
	dialect dialect
	opts    Options
	sql     statements

	// writer holds a token while a transaction writes, so that only one does. SQLite has no
	// queue: a writer that finds the database locked sleeps and tries again, and may starve.
	// In the other databases writers queue for the user's row.
	writer chan struct{}

	lanes   lane.Lanes // by user ID
	touches touches
	rows    sync.Pool // of *sessionRow

	// now is the clock of a database that runs in this process. A check reads it without
	// SQL, which saves a tenth of the time of a check in SQLite. A test's driver that moves
	// SQLite's clock has a method Now, which is used instead.
	now func() time.Time

	// signIns counts the successful sign-ins.
	signIns atomic.Uint64

	// sawMixedAnswers is true if an answer belonged to another client's statement.
	sawMixedAnswers atomic.Bool

	discards sync.Mutex // held while idle connections are asked whether to close them

	// prepared is nil until the database has passed its checks.
	prepared atomic.Pointer[prepared]
}

var (
	_ googlesession.SessionStore = (*Store)(nil)
	_ googlesession.UserStore    = (*Store)(nil)
)

// New returns a store that uses db. It sends nothing to the database. The first call of a
// method checks the tables and the settings, and so does each further call until a check
// succeeds.
//
// The store does not close db and does not change the limits of its pool. A nil o means
// the defaults. New returns an error for a nil db, an unknown dialect and invalid options.
func New(db *sql.DB, d Dialect, o *Options) (*Store, error) {
	opts := Options{}
	if o != nil {
		opts = *o
	}
	dialect, err := lookUp(d)
	if err != nil {
		return nil, err
	}
	if err := opts.complete(); err != nil {
		return nil, err
	}
	if db == nil {
		return nil, errors.New("sqlstore: database is nil")
	}
	texts, err := newStatements(dialect, opts.Prefix)
	if err != nil {
		return nil, err
	}
	now := time.Now
	if driver, ok := db.Driver().(interface{ Now() time.Time }); ok {
		now = driver.Now
	}
	return &Store{
		db:      db,
		driver:  traitsOf(db.Driver()),
		dialect: dialect,
		opts:    opts,
		sql:     texts,
		writer:  make(chan struct{}, 1),
		now:     now,
	}, nil
}

var validPrefix = regexp.MustCompile(`\A[a-z][a-z0-9_]{0,30}\z`)

// complete sets the defaults. It returns an error that joins all that is wrong.
func (o *Options) complete() error {
	var errs []error
	if o.Prefix == "" {
		o.Prefix = "gs_"
	}
	if !validPrefix.MatchString(o.Prefix) {
		errs = append(errs, fmt.Errorf("sqlstore: Options.Prefix %q does not match [a-z][a-z0-9_]{0,30}", o.Prefix))
	}
	if o.PerUser == 0 {
		o.PerUser = 100
	}
	if o.PerUser < 0 {
		errs = append(errs, fmt.Errorf("sqlstore: Options.PerUser %d is negative", o.PerUser))
	}
	if o.Retention == 0 {
		o.Retention = 24 * time.Hour
	}
	if o.Retention < 0 || o.Retention%time.Millisecond != 0 {
		errs = append(errs, fmt.Errorf("sqlstore: Options.Retention %v is not a positive number of milliseconds", o.Retention))
	}
	return errors.Join(errs...)
}

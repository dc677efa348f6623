// Package sqlstore keeps sessions and users in an SQL database through database/sql. One
// [Store] is both a [googlesession.SessionStore] and a [googlesession.UserStore] over the
// same tables, so disabling or deleting a user ends the user's sessions in the same
// transaction.
//
// The package imports no driver. [Store.Migrate] makes the tables, or [Migrations] returns
// their statements for a migration tool. Most tests of this package need drivers, so they are
// in the module conformance of this repository, which runs them on real servers.
//
// # SQLite
//
// The store needs these settings on every connection of the pool, so they belong in the
// data source name. A PRAGMA that is sent through [sql.DB.Exec] reaches one connection
// only. Without the first three settings, Migrate and every other call return [ErrSetup]:
//
//	journal_mode = WAL    requests read while one connection writes
//	synchronous  = FULL   a power cut takes back no revocation that was acknowledged
//	busy_timeout = 5000   milliseconds to wait while another process writes
//	foreign_keys = ON     for changes by hand; the store itself does not depend on it
//
// For modernc.org/sqlite and for github.com/mattn/go-sqlite3 the data source names are
//
//	file:app.db?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=foreign_keys(1)&_txlock=immediate
//	file:app.db?_busy_timeout=5000&_journal_mode=WAL&_synchronous=FULL&_foreign_keys=1&_txlock=immediate
//
// The store itself does not need _txlock=immediate, because each of its transactions
// begins with a write. An application that has transactions of its own in the database
// needs it. A transaction that reads first and then writes fails at once with "database
// is locked" if another connection has written in between.
//
// The writes of one Store wait for each other in this process without holding a
// connection, so one pool serves readers and writers. Limit the pool with
// [sql.DB.SetMaxOpenConns], for instance to 8. Each connection keeps three files open, and
// a pool without a limit opens a connection for every request that waits.
//
// Several processes on one host may share the file. WAL does not work over network file
// systems. A database in memory needs [sql.DB.SetMaxOpenConns](1), because each
// connection has its own database.
//
// # PostgreSQL
//
// Any driver works, and github.com/jackc/pgx/v5/stdlib is the fastest. Behind PgBouncer
// in transaction mode pgx needs default_query_exec_mode=exec, and github.com/lib/pq needs
// binary_parameters=yes. The database's encoding must be UTF8. The store finds its tables
// in the connection's search_path.
//
// The store recognizes a standby, and a server whose sessions are read-only. Every call to
// such a server fails with [googlesession.ErrUnavailable]. A revocation returns when it is
// on disk, whatever synchronous_commit is, and on the standbys that
// synchronous_standby_names requires.
//
// # MySQL and MariaDB
//
// The driver is github.com/go-sql-driver/mysql. Its connections must use utf8mb4 and have
// autocommit on, which are its defaults, and the data source name must name a database.
// If the server writes a binary log, binlog_format must be ROW or MIXED. The store
// recognizes a replica by read_only or innodb_read_only. Every call to a replica fails,
// even with a database account that may write to a read-only server. The statements of
// every request are prepared, so that each takes one round trip.
//
// # Time
//
// A call returns when its context ends, even with a driver that waits longer. A statement
// that is stuck then keeps its connection until the driver gives up. So set the timeouts
// of the driver if it has any: readTimeout and writeTimeout of go-sql-driver/mysql, and
// for mattn/go-sqlite3 a _busy_timeout that is shorter than the time of a call.
//
// Calls that change the same user wait for each other before they take a connection. A
// connection that leads to a standby is closed, so the store works again when a new
// connection leads to the primary.
//
// [Store.Doctor] returns further settings of a server that should be changed.
//
// # What is kept
//
// A session is stored under the hash of its cookie's value, so a copy of the database does
// not allow a sign-in. The row of an ended session is kept until [Options.Retention] after
// the session's absolute end. Of the ended sessions of one user, the hundred that began
// last are kept, and up to ten more. Each sign-in of the user removes up to 200 of the
// others. Ending, listing and checking live sessions does not read the rows of ended ones.
//
// The row of a deleted user is kept without a profile for [googlesession.TokenWindow].
// The row of a user who did not exist when [Store.RefuseTokens] was called is kept for
// the same time.
//
// [Store.PutUser] and [Store.CreateSession] receive records of users. If the user is not
// a user of this store, the record belongs to another system and the store keeps a copy.
// A copy is in the same table, but [Store.User], [Store.Users], [Store.SetAccess] and
// [Store.DeleteUser] do not find it, and it does not count as an administrator. Its row
// is removed with the user's ended sessions, [googlesession.SignInWindow] after the later
// of two times: when the last session expires, and when PutUser or CreateSession last
// received the record. If the last session was ended before it expired, the row may be
// removed earlier, but not before SignInWindow after the record was received.
//
// CreateSession removes some of the rows that are due, so calling [Store.Purge] is not
// necessary. Purge removes more of them.
//
// All times are those of the database's clock, in whole milliseconds. A session that a
// call has found expired stays ended even if that clock steps back.
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
// Fields must be set by name.
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
	// only the hundred that began last and up to ten more are kept. It is a positive, whole
	// number of milliseconds. Zero means 24 hours.
	Retention time.Duration
}

// ErrSetup is wrapped by the error of a call that finds that the database is not what the
// store needs. Its tables may be missing, of another version or of another program, or
// its settings would break a promise. The error's text says what is wrong. Trying again
// does not help, because an operator has to act. Such an error also wraps
// [googlesession.ErrUnavailable].
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

	// writer holds a token while a transaction writes in SQLite, so that no other
	// transaction of this store writes. SQLite has no queue, so a writer that finds the
	// database locked sleeps and tries again, and may starve. In the other databases
	// writers queue for the user's row.
	writer chan struct{}

	lanes   lane.Lanes // The key of a lane is a user ID.
	touches touches
	rows    sync.Pool // It holds unused values of type *sessionRow.

	// now is the clock of a database that runs in this process. A check reads it without
	// SQL, which saves a tenth of the time of a check in SQLite. A test's driver that moves
	// SQLite's clock has a method Now, which is used instead.
	now func() time.Time

	// signIns counts the sessions that this store has created, so that every purgeEvery-th
	// sign-in purges.
	signIns atomic.Uint64

	// sawMixedAnswers is true if an answer belonged to another client's statement.
	sawMixedAnswers atomic.Bool

	// discards is held while a call looks for idle connections to a standby.
	discards sync.Mutex

	// prepared is nil until the database has passed its checks or the store is closed.
	prepared atomic.Pointer[prepared]
}

var (
	_ googlesession.BindingStore = (*Store)(nil)
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

// complete sets the fields that are zero to their defaults. It returns an error that
// joins one error for each invalid field.
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

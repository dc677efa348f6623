package sqlstore

// To add a dialect:
//  1. Add its constant, and its case in lookUp, to this file.
//  2. Describe it in a file like sqlite.go. The struct dialect explains every field.
//  3. Write its tables to schema/NAME/0001_init.sql, 0002_tokens.sql, 0003_data.sql and
//     0004_binding.sql, where NAME is the text of the constant. All files are needed, because
//     the number of files is the version of the tables, and every dialect has the same
//     version.
//  4. Search this folder for comparisons with the other dialects: "== PostgreSQL",
//     "!= PostgreSQL", "== MySQL", "case PostgreSQL" and "case MySQL". Some statements have
//     a text of their own in one database.
//  5. Add its error codes to isConflict, isReadOnly, isBusy and isMixedAnswers in errors.go.
//     These know the codes of PostgreSQL and MySQL, and a text of SQLite.
//  6. Add its driver to traitsOf in driver.go. An unknown driver works too, because the
//     store then assumes the least.
//  7. Add its server to sqlServers in conformance/sqlservers_test.go. Its clock belongs in
//     sqlClock.shift in sqlclock_test.go. Its statements of earlier versions belong in
//     testdata/versionN/NAME.sql, if the dialect had these versions. Search that folder for
//     "sqlstore.PostgreSQL" and "sqlstore.MySQL" too, because upgrade_fill_test.go,
//     plans_test.go and other tests have statements for each dialect.

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"
)

// A Dialect names a database whose SQL the store speaks. The zero value is not a dialect,
// and [New] and [Schema] return an error for it.
type Dialect string

const (
	// SQLite is version 3.37 or newer. It runs inside this process, so its clock is the
	// clock of this machine.
	SQLite Dialect = "sqlite"

	// PostgreSQL is version 13 or newer.
	PostgreSQL Dialect = "postgres"

	// MySQL is version 8.0.16 or newer, or MariaDB 10.6 or newer.
	MySQL Dialect = "mysql"
)

// noStandby is the value of [dialect.standby] for a database that has no standby servers.
const noStandby = `FALSE`

// A dialect holds the SQL and the properties in which databases differ.
type dialect struct {
	// name is the name of the dialect and of its folder under schema/.
	name Dialect

	// The following fields, up to endSubquery, are the values of placeholders, which
	// [expander] explains. The placeholder of endSubquery is {end_subquery}.

	// standby is an SQL condition. It is true on a server that receives other clients'
	// changes late or not at all.
	standby string

	// now is an SQL expression for the server's clock, in Unix milliseconds.
	now string

	// durable is added to the end of a WHERE clause. It makes the statement's transaction
	// durable when the commit returns, even if the server's default is weaker.
	durable string

	// waitDurable is an SQL expression with the value true. It makes the commit of a
	// transaction that changed nothing wait until all earlier transactions are durable.
	waitDurable string

	// notStandby is added to the end of a WHERE clause. It keeps a standby from accepting a
	// change by a database account that may write to a read-only server. It is empty if a
	// standby refuses all changes anyway.
	notStandby string

	// onConflict is added to the end of an INSERT into the table of users. If the user has
	// a row already, the INSERT locks that row instead.
	onConflict string

	// skipLocked is added to the end of a SELECT. It leaves out rows that other
	// transactions have locked.
	skipLocked string

	// useLiveIndex makes a database use the index sessions_live. MySQL does not use that
	// index by itself, because it estimates other indexes as equally good.
	useLiveIndex string

	// inSubquery stands between a column and a subquery in parentheses, and endSubquery
	// stands after the subquery. The resulting condition is true if the subquery selects
	// the column's value.
	inSubquery, endSubquery string

	search search

	// numberedParameters says that the parameters of a statement are $1, $2, ... and not ?.
	numberedParameters bool

	// inProcess says that the database runs in this process, so that its clock is this
	// machine's clock.
	inProcess bool

	// oneWriter says that only one connection can write at a time.
	oneWriter bool

	// prepares says that the statements that check a session, record its use and revoke it
	// are prepared once, and not sent as text each time.
	prepares bool

	// echoes says that some statements return an [echo].
	echoes bool

	// ddlNotTransactional says that a migration is not a transaction. If a migration was
	// interrupted, the next migration continues it.
	ddlNotTransactional bool

	// isolation is the isolation level of the store's transactions. At this level each
	// statement sees every change that was committed before the statement began, even while
	// an earlier statement of the transaction waited for the user's row.
	isolation sql.IsolationLevel

	// columns is a statement that selects the names of the columns of those tables of this
	// package that exist, each with the name of its table.
	columns string

	// index is a statement that selects the state of an index, such as indexUsable. Its
	// parameter is the name of the index.
	index string

	// install holds the statements that are sent before and after those that make the
	// tables. Its field begin keeps other processes from making tables meanwhile.
	install bracket

	// step holds the statements that are sent before and after each step of an upgrade.
	// lockUpgrade begins an upgrade, and keeps other upgrades out until release is called.
	step        bracket
	lockUpgrade func(context.Context, *Store, *sql.Conn) (release func(), err error)

	// insist is a statement that makes an attempt at a step of an upgrade wait for its
	// lock. It is sent after the first attempts, which do not wait, have failed.
	insist string

	// concurrently says that an upgrade builds indexes with CREATE INDEX CONCURRENTLY.
	concurrently bool

	// check returns ErrSetup for settings that would break a promise of the store.
	check func(context.Context, querier, *sql.DB) error

	// findings returns what [Store.Doctor] reports about the database's settings.
	findings func(context.Context, querier) ([]Finding, error)
}

func lookUp(d Dialect) (dialect, error) {
	switch d {
	case SQLite:
		return sqlite(), nil
	case PostgreSQL:
		return postgres(), nil
	case MySQL:
		return mysql(), nil
	default:
		return dialect{}, fmt.Errorf("sqlstore: unknown dialect %q", string(d))
	}
}

// clock returns SQL for the server's clock. The value of the SQL is NULL on a standby.
func (d dialect) clock() string {
	if d.standby == noStandby {
		return d.now
	}
	return `CASE WHEN ` + d.standby + ` THEN NULL ELSE ` + d.now + ` END`
}

// fixedNow returns SQL for the server's clock in a condition on a column. The SQL has one
// value for the whole statement, so that the database can search an index for the value.
// In MySQL and SQLite the field now has one value for the whole statement already.
func (d dialect) fixedNow() string {
	if d.name == PostgreSQL {
		return `(SELECT ` + d.now + `)`
	}
	return d.now
}

// numberParameters replaces each "?" by $1, $2 and so on if the drivers of the dialect
// need that. No statement contains "?" for another purpose.
func (d dialect) numberParameters(text string) string {
	if !d.numberedParameters {
		return text
	}
	var b strings.Builder
	n := 0
	for part := range strings.SplitSeq(text, "?") {
		if n > 0 {
			b.WriteString("$" + strconv.Itoa(n))
		}
		b.WriteString(part)
		n++
	}
	return b.String()
}

package sqlstore

// To add a dialect:
//  1. Add its constant, and its case in lookUp, to this file.
//  2. Describe it in a file like sqlite.go. The struct dialect explains every field.
//  3. Write its tables to schema/NAME/0001_init.sql and 0002_tokens.sql, where NAME is the
//     text of the constant. Both files are needed, because the number of files is the
//     version of the tables, and every dialect has the same version.
//  4. Search this folder for comparisons with the other dialects: "== PostgreSQL",
//     "!= PostgreSQL", "== MySQL", "case PostgreSQL" and "case MySQL". Some statements have
//     a text of their own in one database.
//  5. Add its error codes to isConflict, isReadOnly, isBusy and isMixedAnswers in errors.go.
//     These know the codes of PostgreSQL and MySQL, and a text of SQLite.
//  6. Add its driver to traitsOf in driver.go. An unknown driver works too, because the
//     store then assumes the least.
//  7. Add its server to sqlServers in conformance/sqlservers_test.go. Its clock belongs in
//     sqlClock.shift in sqlclock_test.go, and its statements of version 1 in
//     testdata/version1/NAME.sql. Search that folder for "sqlstore.PostgreSQL" and
//     "sqlstore.MySQL" too, because upgrade_test.go, plans_test.go and other tests have
//     statements for each dialect.

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

// noStandby is the [dialect.standby] of a database that has no standby servers.
const noStandby = `FALSE`

// A dialect holds what differs between databases.
type dialect struct {
	// name is also the name of the folder under schema/.
	name Dialect

	// The following fields, up to endSubquery, are the values of placeholders, which
	// [expander] explains. The placeholder of endSubquery is {end_subquery}.

	// standby is an SQL condition. It is true on a server that receives other clients'
	// changes late or not at all.
	standby string

	// now is the server's clock, in Unix milliseconds.
	now string

	// durable ends a WHERE clause. The transaction of its statement is durable when the
	// commit returns, even if the server's default is weaker.
	durable string

	// waitDurable is an SQL expression with the value true. It makes a transaction that
	// changed nothing wait until all transactions before it are durable.
	waitDurable string

	// notStandby ends a WHERE clause. It keeps a standby from accepting a change by a
	// database account that may write to a read-only server. It is empty if a standby
	// refuses all changes anyway.
	notStandby string

	// onConflict ends an INSERT into the table of users. If the user is there already,
	// the user is locked instead.
	onConflict string

	// skipLocked ends a SELECT. Rows that other transactions have locked are left out.
	skipLocked string

	// useLiveIndex makes a database use the index sessions_live. MySQL does so only if
	// told, because it estimates the other indexes as equally good.
	useLiveIndex string

	// usePrimaryKey makes a database use the primary key, for the same reason.
	usePrimaryKey string

	// inSubquery and endSubquery stand around a subquery in parentheses. The condition is
	// true if the column's value is among what the subquery selects.
	inSubquery, endSubquery string

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

	// ddlNotTransactional says that a migration is not a transaction. If it was
	// interrupted, the next one continues it.
	ddlNotTransactional bool

	// isolation is the level of the transactions. Each statement sees what was committed
	// before the statement began, even if that was while an earlier statement of the
	// transaction waited for the user's row.
	isolation sql.IsolationLevel

	// columns selects the tables of this package that exist, with their columns.
	columns string

	// index selects the state of an index, such as indexUsable, by its name.
	index string

	// install is around the statements that make the tables. Its begin keeps other
	// processes out.
	install bracket

	// step is around each step of an upgrade, for which lockUpgrade keeps other upgrades
	// out until release is called.
	step        bracket
	lockUpgrade func(context.Context, *Store, *sql.Conn) (release func(), err error)

	// insist makes the later attempts at a step wait for a lock. It is sent after the
	// first attempts, which do not wait, have failed.
	insist string

	// concurrently says that an upgrade builds indexes with CREATE INDEX CONCURRENTLY.
	concurrently bool

	// check returns ErrSetup for settings that would break a promise.
	check func(context.Context, querier, *sql.DB) error

	// findings returns the findings for Doctor.
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

// clock returns the SQL of the server's clock, which is NULL on a standby.
func (d dialect) clock() string {
	if d.standby == noStandby {
		return d.now
	}
	return `CASE WHEN ` + d.standby + ` THEN NULL ELSE ` + d.now + ` END`
}

// fixedNow returns the SQL of the server's clock for a condition on a column. The clock
// has one value for the whole statement, so the database can search an index for it. In
// MySQL and SQLite that is true of now itself.
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

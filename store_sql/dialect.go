package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"
)

// A Dialect is a database's SQL. The zero Dialect is none.
type Dialect string

const (
	// SQLite is version 3.37 or newer, inside this process: its clock is this machine's.
	SQLite Dialect = "sqlite"

	// PostgreSQL is version 13 or newer.
	PostgreSQL Dialect = "postgres"

	// MySQL is version 8.0.16 or newer, or MariaDB 10.6 or newer.
	MySQL Dialect = "mysql"
)

// never is a [dialect.standby] of databases that have none.
const never = `FALSE`

// A dialect is what differs between databases.
type dialect struct {
	name Dialect // and the folder under schema/

	// What the words in capitals stand for in a statement.
	standby  string // RO!: true where writes of others arrive late, or never
	now      string // NOW!: the clock, Unix milliseconds
	sync     string // SYNC!: makes the statement's transaction durable on return, whatever the server's default
	wait     string // WAIT!: true, and makes a transaction that changed nothing durable together with all before it
	writable string // WRITABLE!: keeps a standby from taking an administrator's change; where it refuses all of them, nothing
	upsert   string // UPSERT!: an INSERT's other way, if the user is there
	skip     string // SKIP!: passes over rows that others are changing
	hint     string // HINT!: takes the index of what lives; where all others seem no worse, it has to be said
	ordered  string // ORDERED!: likewise takes the primary key
	among    string // AMONG!: is one of what the parenthesis selects
	amongEnd string // END!: closes it

	local     bool // the database's clock is this machine's
	numbered  bool // placeholders are $1, $2, ...
	prepares  bool // statements of every request are prepared once
	proves    bool // some statements prove themselves: see proof
	oneWriter bool // see Store.writer
	resumes   bool // a migration is no transaction: one that was cut off goes on

	// Each statement sees what was committed before it began, also what was committed
	// while an earlier one of the transaction waited for the user's row.
	isolation sql.IsolationLevel

	// columns lists the tables of ours that exist, with their columns.
	columns string

	// index says of one whether it is there; see [Store.indexState].
	index string

	// begin, commit and rollback bracket the making of the tables; begin keeps others out.
	begin            []string
	commit, rollback string

	// The same around each step of an upgrade, where exclude has kept others out.
	stepBegin                []string
	stepCommit, stepRollback string
	exclude                  func(context.Context, *Store, *sql.Conn) (release func(), err error)

	insists      string // has the steps that follow wait for their turn, after they were tried in vain without
	concurrently bool   // an upgrade builds indexes with CREATE INDEX CONCURRENTLY

	// check reports ErrSetup for settings that would break a promise.
	check func(context.Context, querier, *sql.DB) error

	// findings are for Doctor.
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

// clock is what CLOCK! stands for: NOW!, or NULL where writes of others arrive late.
func (d dialect) clock() string {
	if d.standby == never {
		return d.now
	}
	return `CASE WHEN ` + d.standby + ` THEN NULL ELSE ` + d.now + ` END`
}

// moment is NOW! as a condition compares a column with it: as one value for the whole
// statement, so that an index can be searched for it. MySQL and SQLite ask their clocks
// once per statement anyway.
func (d dialect) moment() string {
	if d.name == PostgreSQL {
		return `(SELECT ` + d.now + `)`
	}
	return d.now
}

// placeholders writes them as the driver wants them. No statement has another "?".
func (d dialect) placeholders(text string) string {
	if !d.numbered {
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

package sqlstore

import (
	"regexp"
	"strings"
)

// A Migration holds the statements that upgrade the tables from the version before it to
// Version. The Migration with Version 1 makes the tables in an empty database.
type Migration struct {
	Version int
	Name    string          // a word for the name of a file, such as "tokens"
	Steps   []MigrationStep // in the order in which they have to run
}

// A MigrationStep is one statement of a [Migration].
type MigrationStep struct {
	// SQL is the statement with the comments before it. It ends with a semicolon and a line
	// feed. No other line of it ends with a semicolon.
	SQL string

	// NoTransaction says that the statement must run outside of a transaction. It is true
	// for a CREATE INDEX CONCURRENTLY, which only PostgreSQL has. If that is interrupted,
	// drop the index before the statement runs again.
	NoTransaction bool
}

// Migrations returns the statements that make the tables in an empty database and upgrade
// them, with a [Migration] for each version, for a migration tool. The first one has the
// Version 1. [Store.Migrate] runs the same statements. It continues where a tool has
// stopped, if the step that failed has changed nothing.
//
// The statements upgrade tables that are in use. A step without NoTransaction may wait for a
// lock, and requests wait behind it. So limit that time to about a second, with lock_timeout
// in PostgreSQL and lock_wait_timeout in MySQL, and repeat a step that did not get its lock.
// The last step of each Migration records its Version in the tables, so it must not run
// before the others have succeeded.
//
// Of the options only Prefix matters; a nil o means the default. Migrations returns an
// error for an unknown dialect and for options that [New] refuses.
func Migrations(d Dialect, o *Options) ([]Migration, error) {
	dialect, texts, err := schemaTexts(d, o)
	if err != nil {
		return nil, err
	}
	all := make([]Migration, len(texts))
	for i, text := range texts {
		all[i] = Migration{Version: text.version, Name: text.name, Steps: dialect.steps(text)}
	}
	return all, nil
}

// createsIndex matches the beginning of the statement, and not the comments before it.
var createsIndex = regexp.MustCompile(`(?m)^CREATE INDEX `)

// steps returns the statements of a text one by one. Those of a later version than the first
// build an index concurrently, if the database can, because the tables may be in use.
func (d dialect) steps(text schemaText) (steps []MigrationStep) {
	for statement := range statementsOf(text.sql) {
		step := MigrationStep{SQL: statement}
		if d.concurrently && text.version > 1 && createsIndex.MatchString(statement) {
			step.SQL = createsIndex.ReplaceAllString(statement, "CREATE INDEX CONCURRENTLY ")
			step.NoTransaction = true
		}
		steps = append(steps, step)
	}
	return steps
}

// statementsOf returns the statements of a text one by one, because not all drivers accept
// several at once.
func statementsOf(text string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for statement := range strings.SplitAfterSeq(text, ";\n") {
			if strings.TrimSpace(statement) != "" && !yield(strings.TrimLeft(statement, "\n")) {
				return
			}
		}
	}
}

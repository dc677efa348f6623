package sqlstore

import (
	"database/sql/driver"
	"reflect"
	"strings"
)

// A driverKind is what the store knows of a driver for database/sql. The zero value is
// the careful one, for an unknown or a wrapped driver.
type driverKind struct {
	// heeds: a query, or a statement outside a transaction, ends when its context ends.
	heeds bool

	// whole: a statement and its arguments are sent in one piece, so a pooler cannot run
	// another client's statement with them.
	whole bool
}

func kindOf(d driver.Driver) driverKind {
	t := reflect.TypeOf(d)
	if t == nil {
		return driverKind{}
	}
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	path := t.PkgPath()
	if _, vendored, ok := strings.Cut(path, "/vendor/"); ok {
		path = vendored
	}
	switch {
	case strings.HasPrefix(path, "github.com/jackc/pgx/") && strings.HasSuffix(path, "/stdlib"):
		return driverKind{heeds: true, whole: true}
	case path == "github.com/go-sql-driver/mysql", path == "modernc.org/sqlite", path == "github.com/ncruces/go-sqlite3/driver":
		return driverKind{heeds: true}
	default:
		return driverKind{}
	}
}

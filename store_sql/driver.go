package sqlstore

import (
	"database/sql/driver"
	"reflect"
	"strings"
)

// driverTraits are the facts that the store knows about a driver for database/sql. The
// zero value assumes the least, so it is right for an unknown or wrapped driver.
type driverTraits struct {
	// cancels says that a query, or a statement outside a transaction, returns when its
	// context ends.
	cancels bool

	// oneMessage says that a statement and its arguments are sent in one message, so that a
	// pooler cannot run another client's statement with the arguments.
	oneMessage bool
}

func traitsOf(d driver.Driver) driverTraits {
	t := reflect.TypeOf(d)
	if t == nil {
		return driverTraits{}
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
		return driverTraits{cancels: true, oneMessage: true}
	case path == "github.com/go-sql-driver/mysql", path == "modernc.org/sqlite", path == "github.com/ncruces/go-sqlite3/driver":
		return driverTraits{cancels: true}
	default:
		return driverTraits{}
	}
}

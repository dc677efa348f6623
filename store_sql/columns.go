package sqlstore

import "database/sql"

// Columns of what every request reads. They take at once what drivers usually bring,
// and leave the rest, NULL too, to database/sql, which converts by reflection.
type (
	number struct{ sql.NullInt64 }
	text   struct{ sql.NullString }
	flag   struct{ sql.NullBool }
)

// Scan implements [sql.Scanner].
func (n *number) Scan(value any) error {
	if v, ok := value.(int64); ok {
		n.Int64, n.Valid = v, true
		return nil
	}
	return n.NullInt64.Scan(value)
}

// Scan implements [sql.Scanner].
func (t *text) Scan(value any) error {
	switch v := value.(type) {
	case string:
		t.String, t.Valid = v, true
		return nil
	case []byte:
		t.String, t.Valid = string(v), true
		return nil
	}
	return t.NullString.Scan(value)
}

// Scan implements [sql.Scanner].
func (f *flag) Scan(value any) error {
	switch v := value.(type) {
	case bool:
		f.Bool, f.Valid = v, true
		return nil
	case int64:
		f.Bool, f.Valid = v != 0, true
		return nil
	}
	return f.NullBool.Scan(value)
}

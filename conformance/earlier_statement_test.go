package conformance_test

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// An earlierStatement is a statement with the names of its parameters.
type earlierStatement struct {
	*sql.Stmt

	parameters []string
	selects    bool
}

// earlierValues are arguments by the names of the parameters. A process of an earlier
// version leaves out those that it does not know.
type earlierValues map[string]any

// keep sets the values that every version takes from a user's row when it writes the row.
func (v earlierValues) keep(row map[string]int64) {
	v["version"] = max(row["version"]+1, time.Now().UnixMilli())
	v["admin"], v["created"], v["after"] = row["admin"] != 0, row["created_ms"], row["tokens_after_ms"]
}

func (s *earlierStatement) run(ctx context.Context, stmt *sql.Stmt, name string, values earlierValues) error {
	if s.selects {
		rows, err := s.rows(ctx, stmt, name, values)
		if name == "read" && len(rows) > 0 {
			values.keep(rows[0])
		}
		return err
	}
	if _, err := stmt.ExecContext(ctx, s.args(values)...); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

func (s *earlierStatement) args(values earlierValues) (args []any) {
	for _, name := range s.parameters {
		args = append(args, values[name])
	}
	return args
}

func (s *earlierStatement) rows(ctx context.Context, stmt *sql.Stmt, name string, values earlierValues) (all []map[string]int64, err error) {
	rows, err := stmt.QueryContext(ctx, s.args(values)...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	for rows.Next() {
		fields := make([]any, len(columns))
		for i := range fields {
			fields[i] = new(any)
		}
		if err := rows.Scan(fields...); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		row := make(map[string]int64)
		for i, column := range columns {
			if _, twice := row[column]; twice {
				continue
			}
			row[column] = 0 // also for NULL
			switch value := (*fields[i].(*any)).(type) {
			case int64:
				row[column] = value
			case bool:
				if value {
					row[column] = 1
				}
			}
		}
		all = append(all, row)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return all, nil
}

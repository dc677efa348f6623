package sqlstore

import (
	"context"
	"strings"
	"unicode/utf8"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/storekit"
)

// A search says how a dialect reads users in the order of an index. Such an index begins
// with the two flags. So a query reads four ranges of it, one for each pair of flags, and
// none of them has a user whom the query does not select.
type search struct {
	// inRange is a condition that is true of the users with the flags {admin} and {disabled}.
	// It is false for deleted users and for copies.
	inRange string

	// idKey, emailKey and nameKey are SQL expressions for the sort keys. In a key of a text,
	// ASCII letters are in lower case, or count as such. Keys are compared bytewise.
	idKey, emailKey, nameKey string

	// keyBytes is how many bytes a key has at most. 0 means that a key is the whole text.
	keyBytes int

	// beyond has conditions, of which one is true of each user who follows a given key and
	// ID, and whose {key} is less than an end. A single condition has the key, the ID and the
	// end as parameters, and with keyBytes the key once more before the end. The other value
	// is beyondInTwo.
	beyond []string

	// useIndex makes the database use the index for this {order}.
	useIndex string
}

// inPartialIndex is the value of [search.inRange] for a database that leaves deleted users
// and copies out of the index.
const inPartialIndex = `u.admin = {admin} AND u.disabled = {disabled} AND u.deleted_ms IS NULL AND u.copy_ms IS NULL`

// beyondInTwo is the value of [search.beyond] for a database that does not search an index
// for a pair of columns. The parameters are the key and the ID, and the key and the end.
var beyondInTwo = []string{`{key} = ? AND u.id > ?`, `{key} > ? AND {key} < ?`}

// listStatements are the statements of Users, one for each order.
type listStatements struct{ listByID, listByEmail, listByName string }

func newListStatements(e *expander) listStatements {
	search := e.dialect.search
	return listStatements{
		listByID:    newListStatement(e, "id", search.idKey, "{key}", []string{"{key} > ?"}),
		listByEmail: newListStatement(e, "email", search.emailKey, "{key}, u.id", search.beyond),
		listByName:  newListStatement(e, "name", search.nameKey, "{key}, u.id", search.beyond),
	}
}

// flagPairs are the flags of the four ranges, in the order in which a statement reads them.
var flagPairs = [4]struct{ admin, disabled bool }{{false, false}, {false, true}, {true, false}, {true, true}}

// newListStatement returns a statement that selects a page of users. Each range has a LIMIT
// of its own, which is 0 for flags that the query does not select. A range is in as many
// parts as there are conditions. The columns are those of the index that is named after order,
// after the flags.
func newListStatement(e *expander, order, key, columns string, beyond []string) string {
	word := map[bool]string{false: "FALSE", true: "TRUE"}
	var ranges []string
	for i := range len(flagPairs) * len(beyond) {
		flags, condition := flagPairs[i/len(beyond)], beyond[i%len(beyond)]
		ranges = append(ranges, strings.NewReplacer("{admin}", word[flags.admin], "{disabled}", word[flags.disabled]).Replace(`
SELECT * FROM (SELECT {user_columns} AS data, {key} AS sort_key
FROM {users} AS u `+e.dialect.search.useIndex+`
WHERE `+e.dialect.search.inRange+` AND `+condition+`
ORDER BY `+columns+`
LIMIT ?) AS page`))
	}
	text := `
SELECT {standby}, u.id, u.email, u.name, u.picture, u.admin, u.disabled, u.version, u.created_ms, u.seen_ms, u.tokens_after_ms, u.data
FROM (SELECT 1 AS x) AS always
LEFT JOIN (SELECT * FROM (` + strings.Join(ranges, "\nUNION ALL") + `
) AS pages
ORDER BY sort_key, id
LIMIT ?) AS u ON TRUE
ORDER BY u.sort_key, u.id`
	return e.expand(strings.NewReplacer("{key}", key, "{order}", order).Replace(text))
}

// Users implements [googlesession.UserStore].
func (s *Store) Users(ctx context.Context, q googlesession.UserQuery) ([]googlesession.User, error) {
	// The values are copied, because the work may outlive the call, and the caller may then
	// change them.
	if q.After != nil {
		q.After = new(*q.After)
	}
	statement, args := s.listQuery(q)
	return runRead(ctx, s, "listing users", func() ([]googlesession.User, error) {
		if err := storekit.CheckUserQuery(q); err != nil {
			return nil, err
		}
		if _, err := s.ready(ctx); err != nil {
			return nil, err
		}
		if q.Limit <= 0 {
			return []googlesession.User{}, nil
		}
		return runSingle(ctx, s, func(run runner) ([]googlesession.User, error) { return s.readUsers(ctx, run, statement, args) })
	})
}

// listQuery returns the statement for q and its arguments.
func (s *Store) listQuery(q googlesession.UserQuery) (statement string, args []any) {
	after := googlesession.User{}
	if q.After != nil {
		after = *q.After
	}
	var places [][]any // The arguments of each condition of search.beyond.
	switch {
	case q.EmailPrefix != "":
		statement, places = s.sql.listByEmail, s.dialect.search.places(q.EmailPrefix, after.Email, after.ID)
	case q.NamePrefix != "":
		statement, places = s.sql.listByName, s.dialect.search.places(q.NamePrefix, after.Name, after.ID)
	default:
		statement, places = s.sql.listByID, [][]any{{after.ID}}
	}
	for _, flags := range flagPairs {
		limit := 0
		if selects(q.Admin, flags.admin) && selects(q.Disabled, flags.disabled) {
			limit = q.Limit
		}
		for _, place := range places {
			args = append(append(args, place...), limit)
		}
	}
	return statement, append(args, q.Limit)
}

// selects reports whether a query with this filter selects users whose flag has this value.
func selects(filter *bool, flag bool) bool { return filter == nil || *filter == flag }

// places returns the arguments of s.beyond for a page of the texts with this prefix, after
// the user with this text and ID. Both are empty for the first page.
func (s search) places(prefix, text, id string) [][]any {
	prefix, text = storekit.FoldCase(prefix), storekit.FoldCase(text)
	// A client can invent a place, which must not lead to users without the prefix.
	last := endOfPrefix(prefix)
	switch {
	case text < prefix:
		text, id = prefix, ""
	case text >= last:
		text, id = last, afterAllIDs
	}
	var key, end any = text, last
	if s.keyBytes > 0 {
		// These are bytes, because the key may end within a character.
		key, end = []byte(text[:min(len(text), s.keyBytes)]), []byte(last)
	}
	switch {
	case len(s.beyond) == 2:
		return [][]any{{key, id}, {key, end}}
	case s.keyBytes > 0:
		return [][]any{{key, id, key, end}}
	default:
		return [][]any{{key, id, end}}
	}
}

// afterAllIDs is greater than every user ID, which has at most 255 bytes.
var afterAllIDs = strings.Repeat(string(utf8.MaxRune), 64)

// endOfPrefix returns the least text that is greater than all texts with this prefix, and
// has no capital ASCII letters, because keys have none. It is valid UTF-8. No prefix of a
// query is empty.
func endOfPrefix(prefix string) string {
	for prefix != "" {
		last, size := utf8.DecodeLastRuneInString(prefix)
		prefix = prefix[:len(prefix)-size]
		switch last {
		case utf8.MaxRune: // No character is greater, so the character before is raised.
			continue
		case 'A' - 1:
			return prefix + string('Z'+1)
		case surrogates - 1:
			return prefix + string(endOfSurrogates)
		}
		return prefix + string(last+1)
	}
	// All characters are the greatest one. A text of 2 KiB has fewer of them than this text.
	return strings.Repeat(string(utf8.MaxRune), 600)
}

// The code points from surrogates up to endOfSurrogates are not characters.
const (
	surrogates      rune = 0xD800
	endOfSurrogates rune = 0xE000
)

func (s *Store) readUsers(ctx context.Context, run runner, statement string, args []any) ([]googlesession.User, error) {
	rows, err := run.QueryContext(ctx, statement, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	users := []googlesession.User{}
	for rows.Next() {
		var (
			standby bool
			row     userRow
		)
		if err := rows.Scan(append([]any{&standby}, row.fields()...)...); err != nil {
			return nil, err
		}
		if standby {
			return nil, errStandby
		}
		if row.id.Valid {
			users = append(users, row.user())
		}
	}
	return users, rows.Err()
}

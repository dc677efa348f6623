package main

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/googlesession/googlesession"
)

const (
	maxAction = 64  // bytes of an action
	maxPerson = 255 // bytes of a user ID; an address is not longer

	// maxNamesakes is how many users with the same address a filter looks for.
	maxNamesakes = 10
)

// An auditQuery is the filter of a request, before the person is looked up.
type auditQuery struct {
	action, person string
	from, to       time.Time
}

// readAuditQuery reads the parameters action, person, from and to. It refuses every
// parameter that is neither one of these nor one of others, because a misspelt filter that
// is ignored would show entries that were not asked for. The error is a Denial.
func readAuditQuery(r *http.Request, others ...string) (q auditQuery, err error) {
	values := r.URL.Query()
	for name, list := range values {
		if len(list) != 1 || !slices.Contains(append(others, "action", "person", "from", "to"), name) {
			return q, badRequest("A parameter is unknown or occurs twice.")
		}
	}
	q.action, q.person = values.Get("action"), values.Get("person")
	if len(q.action) > maxAction || !isPrintable(q.action) {
		return q, badRequest("The parameter action is an action of the audit.")
	}
	if len(q.person) > maxPerson || !utf8.ValidString(q.person) || strings.ContainsFunc(q.person, unicode.IsControl) {
		return q, badRequest("The parameter person is the ID or the address of a user.")
	}
	for name, into := range map[string]*time.Time{"from": &q.from, "to": &q.to} {
		if text := values.Get(name); text != "" {
			if *into, err = time.Parse(time.RFC3339, text); err != nil {
				return q, badRequest("The parameters from and to are times by RFC 3339.")
			}
		}
	}
	return q, nil
}

// auditFilter looks up the person of the query. The filter of an address also selects the
// entries of the users who have the address now, and the filter of a user ID also selects
// the entries about invitations of the user's address.
func (a *app) auditFilter(ctx context.Context, q auditQuery) (auditFilter, error) {
	f := auditFilter{Action: q.action, From: q.from, To: q.to}
	switch {
	case q.person == "":
	case strings.Contains(q.person, "@"):
		address := lowerASCII(q.person)
		ids, err := a.usersWithAddress(ctx, address)
		if err != nil {
			return f, err
		}
		f.Actors, f.Targets = ids, append([]string{address}, ids...)
	default:
		f.Actors, f.Targets = []string{q.person}, []string{q.person}
		u, err := a.stores.users.User(ctx, q.person)
		if err != nil && !errors.Is(err, googlesession.ErrNotFound) {
			return f, err
		}
		if u.Email != "" {
			f.Targets = append(f.Targets, lowerASCII(u.Email))
		}
	}
	return f, nil
}

// usersWithAddress returns the IDs of up to maxNamesakes users with this address.
func (a *app) usersWithAddress(ctx context.Context, address string) (ids []string, err error) {
	prefix := address
	for len(prefix) > 100 { // the limit of UserQuery.EmailPrefix
		_, size := utf8.DecodeLastRuneInString(prefix)
		prefix = prefix[:len(prefix)-size]
	}
	users, err := a.sessions.Users(ctx, googlesession.UserQuery{EmailPrefix: prefix, Limit: maxPage})
	for _, u := range users {
		if lowerASCII(u.Email) == address && len(ids) < maxNamesakes {
			ids = append(ids, u.ID)
		}
	}
	return ids, err
}

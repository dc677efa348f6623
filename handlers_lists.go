package googlesession

import (
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

var errQuery = errors.New("googlesession: malformed query")

const (
	defaultPage = 50   // users or sessions on a page if the request has no ?limit=
	maxPrefix   = 100  // bytes of ?email= and ?name=
	maxAfter    = 4096 // bytes of every parameter; the longest is the cursor of a query for a name or an address of 2 KiB
)

// serveUsers answers with one page of users. The member next is what to send as ?after= for
// the following page; the last page does not have it. Without a prefix, users are ordered by
// ID (bytewise).
func (m *Manager) serveUsers(w http.ResponseWriter, r *http.Request) {
	q, err := readUserQuery(r.URL.RawQuery)
	if err != nil {
		m.answerDenial(w, r, denial(CodeBadRequest, err))
		return
	}
	users, more, err := m.usersPage(r.Context(), q)
	if err != nil {
		m.deny(w, r, denialFor(err))
		return
	}
	page := struct {
		Users []adminUserJSON `json:"users"`
		Next  string          `json:"next,omitempty"`
	}{Users: make([]adminUserJSON, 0, len(users))}
	for _, u := range users {
		page.Users = append(page.Users, adminUserBody(u))
	}
	if more {
		page.Next = formatAfter(q, users[len(users)-1])
	}
	writeJSON(w, page)
}

// An ownedSessionJSON is a session in the list of all sessions, with its user.
type ownedSessionJSON struct {
	sessionJSON
	User ownerJSON `json:"user"`
}

type ownerJSON struct {
	ID    string `json:"id"`
	Email string `json:"email"`
	Name  string `json:"name"`
}

// serveAllSessions answers with one page of the live sessions of all users. The page may have
// more or fewer sessions than ?limit= says, and may be empty although it has a member next.
func (m *Manager) serveAllSessions(w http.ResponseWriter, r *http.Request) {
	values, err := readListQuery(r.URL.RawQuery, "after", "limit")
	var limit int
	if err == nil {
		limit, err = readLimit(values)
	}
	if err != nil {
		m.answerDenial(w, r, denial(CodeBadRequest, err))
		return
	}
	list, next, err := m.AllSessions(r.Context(), values.Get("after"), limit)
	switch {
	case errors.Is(err, ErrNotFound):
		m.answerDenial(w, r, denial(CodeBadRequest, err))
		return
	case err != nil:
		m.deny(w, r, denialFor(err))
		return
	}
	current, _ := SessionFrom(r.Context())
	page := struct {
		Sessions []ownedSessionJSON `json:"sessions"`
		Next     string             `json:"next,omitempty"`
	}{make([]ownedSessionJSON, 0, len(list)), next}
	for _, s := range list {
		page.Sessions = append(page.Sessions, ownedSessionJSON{
			sessionBody(s, current.Ref), ownerJSON{ID: s.User.ID, Email: s.User.Email, Name: s.User.Name},
		})
	}
	writeJSON(w, page)
}

// readUserQuery reads the query of GET admin/users.
func readUserQuery(query string) (q UserQuery, err error) {
	values, err := readListQuery(query, "after", "limit", "email", "name", "admin", "disabled")
	if err != nil {
		return q, err
	}
	if q.Limit, err = readLimit(values); err != nil {
		return q, err
	}
	q.EmailPrefix, q.NamePrefix = values.Get("email"), values.Get("name")
	if q.EmailPrefix != "" && q.NamePrefix != "" || len(q.EmailPrefix) > maxPrefix || len(q.NamePrefix) > maxPrefix {
		return q, errQuery
	}
	for name, flag := range map[string]**bool{"admin": &q.Admin, "disabled": &q.Disabled} {
		switch values.Get(name) {
		case "": // every user
		case "true":
			*flag = new(true)
		case "false":
			*flag = new(false)
		default:
			return q, errQuery
		}
	}
	q.After, err = parseAfter(q, values.Get("after"))
	return q, err
}

// readListQuery reads a query that may have these parameters, each at most once. An unknown
// parameter is refused, because the answer to a misspelled filter would be a list of everyone.
func readListQuery(query string, names ...string) (url.Values, error) {
	values, err := url.ParseQuery(query)
	if err != nil {
		return nil, errQuery
	}
	for name, list := range values {
		text := list[0]
		if len(list) != 1 || !slices.Contains(names, name) || len(text) > maxAfter || !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
			return nil, errQuery
		}
	}
	return values, nil
}

func readLimit(values url.Values) (int, error) {
	text := values.Get("limit")
	if text == "" {
		return defaultPage, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > maxPage {
		return 0, errQuery
	}
	return n, nil
}

// formatAfter returns the text that stands for the page after u. It is the user's ID, or with
// a prefix base64url(ID || NUL || address or name), because the page is then in another order.
// The store needs the text by which u was found, and u may have another one by then.
func formatAfter(q UserQuery, u User) string {
	switch {
	case q.EmailPrefix != "":
		return base64.RawURLEncoding.EncodeToString([]byte(u.ID + "\x00" + u.Email))
	case q.NamePrefix != "":
		return base64.RawURLEncoding.EncodeToString([]byte(u.ID + "\x00" + u.Name))
	default:
		return u.ID
	}
}

// parseAfter is the inverse of formatAfter. "" is the first page.
func parseAfter(q UserQuery, after string) (*User, error) {
	if after == "" {
		return nil, nil
	}
	u := &User{ID: after}
	if q.EmailPrefix != "" || q.NamePrefix != "" {
		raw, err := base64.RawURLEncoding.Strict().DecodeString(after)
		id, text, found := strings.Cut(string(raw), "\x00")
		if err != nil || !found || !utf8.Valid(raw) || strings.ContainsRune(text, 0) || len(text) > maxProfile {
			return nil, errQuery
		}
		u.ID = id
		if q.EmailPrefix != "" {
			u.Email = text
		} else {
			u.Name = text
		}
	}
	if u.ID == "" || len(u.ID) > 255 {
		return nil, errQuery
	}
	return u, nil
}

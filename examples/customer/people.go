package main

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/googlesession/googlesession"
)

// peopleRoutes serves administrators what the library's own routes leave to the application:
// a list of users that can be searched, sorted and counted, and the export of a user.
func (a *app) peopleRoutes(mux *http.ServeMux) {
	a.handleForAdmins(mux, "GET /api/admin/people", a.listPeople)
	mux.HandleFunc("/api/admin/people", methodNotAllowed("GET, HEAD"))
	a.handleForAdmins(mux, "GET /api/admin/users/{id}/export", a.exportUser)
	mux.HandleFunc("/api/admin/users/{id}/export", methodNotAllowed("GET, HEAD"))
}

// A personJSON is a user as the library's routes show the user, with the number of the user's
// live sessions.
type personJSON struct {
	ID        string `json:"id"`
	Username  string `json:"username"`
	Email     string `json:"email"`
	Name      string `json:"name"`
	Picture   string `json:"picture"`
	Admin     bool   `json:"admin"`
	Disabled  bool   `json:"disabled"`
	CreatedAt string `json:"created_at"`
	SeenAt    string `json:"seen_at"`
	Sessions  int    `json:"sessions"`
}

func personBody(u googlesession.User, sessions int) personJSON {
	return personJSON{
		u.ID, u.Email, u.Email, u.Name, u.Picture, u.Admin, u.Disabled, timestamp(u.CreatedAt), timestamp(u.SeenAt), sessions,
	}
}

// A peopleQuery selects a page of users. A flag that is nil selects every user.
type peopleQuery struct {
	text                    string // a part of the name or of the e-mail address, in lower case
	admin, disabled, active *bool
	sort                    string
	page, limit             int
}

// A peoplePage is the answer of GET /api/admin/people.
type peoplePage struct {
	Users   []personJSON `json:"users"`
	Total   int          `json:"total"` // users who match the query
	Page    int          `json:"page"`
	Pages   int          `json:"pages"` // at least 1
	Counts  peopleCounts `json:"counts"`
	Partial bool         `json:"partial,omitempty"`
}

// A peopleCounts has the numbers of users whom each filter alone selects.
type peopleCounts struct {
	All            int `json:"all"`
	Administrators int `json:"administrators"`
	Disabled       int `json:"disabled"`
	Active         int `json:"active"`
}

// maxPeopleQuery is the size of ?q= in bytes. The library's own search takes no more.
const maxPeopleQuery = 100

// listPeople answers with one page of users. A page after the last one is the last one,
// because the users of a page may have been deleted since the client saw its number.
func (a *app) listPeople(w http.ResponseWriter, r *http.Request) {
	q, err := readPeopleQuery(r.URL.RawQuery)
	if err != nil {
		a.writeError(w, r, err)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), directoryTimeout)
	defer cancel()
	d, err := a.readDirectory(ctx, q)
	if err != nil {
		a.writeError(w, r, err)
		return
	}
	page, err := a.peoplePage(ctx, d, q)
	if err != nil {
		a.writeError(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, page)
}

// readPeopleQuery reads the query. It refuses an unknown or repeated parameter, because the
// answer to a misspelled filter would be a list of everyone. The error is a Denial.
func readPeopleQuery(query string) (q peopleQuery, err error) {
	refuse := func(detail string) (peopleQuery, error) { return peopleQuery{}, badRequest(detail) }
	values, err := url.ParseQuery(query)
	if err != nil {
		return refuse("The query is malformed.")
	}
	flags := map[string]**bool{"admin": &q.admin, "disabled": &q.disabled, "active": &q.active}
	for name, list := range values {
		flag, isFlag := flags[name]
		switch {
		case !isFlag && !slices.Contains([]string{"q", "sort", "page", "limit"}, name) || len(list) != 1:
			return refuse("A parameter is unknown or repeated.")
		case isFlag && list[0] != "" && list[0] != "true" && list[0] != "false":
			return refuse("The parameters admin, disabled and active are true or false.")
		case isFlag && list[0] != "":
			*flag = new(list[0] == "true")
		}
	}
	text := strings.TrimSpace(values.Get("q"))
	q.text = strings.ToLower(text)
	if max(len(text), len(q.text)) > maxPeopleQuery || !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
		return refuse("A search has at most 100 bytes of text.")
	}
	q.sort = cmp.Or(values.Get("sort"), "name")
	if _, known := peopleOrders[strings.TrimPrefix(q.sort, "-")]; !known {
		return refuse("Sort by name, email, seen or created, or by -name and so on for the other direction.")
	}
	if q.limit, err = readNumber(values.Get("limit"), 50, maxPage); err != nil {
		return refuse("A page has 1 to 200 entries.")
	}
	if q.page, err = readNumber(values.Get("page"), 1, directorySize); err != nil {
		return refuse("Pages are numbered from 1.")
	}
	return q, nil
}

// readNumber returns the number in text, which is between 1 and most, or absent if text is "".
func readNumber(text string, absent, most int) (int, error) {
	if text == "" {
		return absent, nil
	}
	n, err := strconv.Atoi(text)
	if err == nil && (n < 1 || n > most) {
		err = strconv.ErrRange
	}
	return n, err
}

// peoplePage selects, sorts and counts the users of the directory.
func (a *app) peoplePage(ctx context.Context, d directory, q peopleQuery) (peoplePage, error) {
	page := peoplePage{Counts: d.counts, Partial: d.partial}
	selected := slices.DeleteFunc(d.users, func(u googlesession.User) bool { return !q.selects(u, d.live[u.ID] > 0) })
	if !d.inStoreOrder {
		q.order(selected)
	}
	page.Total = len(selected)
	page.Pages = max(1, (page.Total+q.limit-1)/q.limit)
	page.Page = min(q.page, page.Pages)
	first := (page.Page - 1) * q.limit
	page.Users = make([]personJSON, 0, q.limit)
	for _, u := range selected[first:min(first+q.limit, page.Total)] {
		live, err := a.liveSessions(ctx, d, u.ID)
		if err != nil {
			return peoplePage{}, err
		}
		page.Users = append(page.Users, personBody(u, live))
	}
	return page, nil
}

// selects reports whether the query selects the user.
func (q peopleQuery) selects(u googlesession.User, active bool) bool {
	matches := func(flag *bool, value bool) bool { return flag == nil || *flag == value }
	return matches(q.admin, u.Admin) && matches(q.disabled, u.Disabled) && matches(q.active, active) &&
		(strings.Contains(strings.ToLower(u.Name), q.text) || strings.Contains(strings.ToLower(u.Email), q.text))
}

// peopleOrders has a comparison for each ?sort=. Users who are equal are ordered by ID, so
// that each user is on one page only.
var peopleOrders = map[string]func(a, b googlesession.User) int{
	"name": func(a, b googlesession.User) int { return cmp.Compare(sortName(a), sortName(b)) },
	"email": func(a, b googlesession.User) int {
		return cmp.Compare(strings.ToLower(a.Email), strings.ToLower(b.Email))
	},
	"seen":    func(a, b googlesession.User) int { return a.SeenAt.Compare(b.SeenAt) },
	"created": func(a, b googlesession.User) int { return a.CreatedAt.Compare(b.CreatedAt) },
}

// sortName returns what the page shows as the user's name, in lower case.
func sortName(u googlesession.User) string { return strings.ToLower(cmp.Or(u.Name, u.Email, u.ID)) }

func (q peopleQuery) order(users []googlesession.User) {
	key, descending := strings.CutPrefix(q.sort, "-")
	compare := peopleOrders[key]
	slices.SortFunc(users, func(a, b googlesession.User) int {
		n := cmp.Or(compare(a, b), cmp.Compare(a.ID, b.ID))
		if descending {
			return -n
		}
		return n
	})
}

// exportUser answers with what the library's stores have about a user, which has no secret.
// The audit records who asked, because the answer is a file that leaves the application.
func (a *app) exportUser(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), storeTimeout)
	defer cancel()
	export, err := a.sessions.Export(ctx, r.PathValue("id"))
	if err != nil {
		a.writeError(w, r, noUser(err))
		return
	}
	admin, _ := googlesession.UserFrom(ctx)
	a.recordAudit(ctx, auditEntry{Time: time.Now(), Actor: admin.ID, Action: "user_exported", Target: export.User.ID})
	w.Header().Set("Content-Disposition", `attachment; filename="user.json"`)
	writeJSON(w, http.StatusOK, export)
}

package main

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
)

// people returns a page of users.
func (s *site) people(query string) (page peoplePage) {
	s.t.Helper()
	res := s.get(s.t, s.admin, "/api/admin/people"+query)
	require.Equal(s.t, http.StatusOK, res.status, res.body)
	require.NoError(s.t, json.Unmarshal([]byte(res.body), &page), res.body)
	return page
}

// addUser makes a user and that many live sessions in the stores.
func addUser(t testing.TB, a *app, id, email, name string, sessions int) {
	t.Helper()
	ctx := t.Context()
	u, err := a.stores.users.SignIn(ctx, googlesession.Identity{Subject: id, Email: email, Name: name, IssuedAt: time.Now()})
	require.NoError(t, err)
	for n := range sessions {
		ref := googlesession.Ref{Tag: googlesession.UserTag(id)}
		copy(ref.ID[:], id)
		binary.BigEndian.PutUint32(ref.ID[28:], uint32(n))
		_, err := a.stores.sessions.CreateSession(ctx, googlesession.NewSession{
			Ref: ref, User: u, MaxLifetime: time.Hour, IdleTimeout: time.Hour, TokenIssuedAt: time.Now(),
		})
		require.NoError(t, err)
	}
}

func ids(page peoplePage) []string {
	list := []string{}
	for _, u := range page.Users {
		list = append(list, u.ID)
	}
	return list
}

func TestPeople(t *testing.T) {
	for name, db := range testDatabases(t) {
		t.Run(name, func(t *testing.T) { testPeople(t, db) })
	}
}

func testPeople(t *testing.T, db string) {
	s := newSite(t, "-db", db)
	adminID := s.demo.google.Subject(demoAdmin)
	addUser(t, s.app, "1", "zoe@example.com", "Ada Émile", 2)
	addUser(t, s.app, "2", "bob@example.com", "bob", 0)
	addUser(t, s.app, "3", "carol@example.org", "", 1)
	s.changeAccess("2", `{"disabled":true}`)
	s.changeAccess("3", `{"admin":true}`)
	counts := peopleCounts{All: 4, Administrators: 2, Disabled: 1, Active: 3}
	tests := []struct {
		query string
		want  []string
		total int
		page  int
		pages int
	}{
		{"", []string{"1", adminID, "2", "3"}, 4, 1, 1}, // a user without a name is sorted by the address
		{"?sort=-name", []string{"3", "2", adminID, "1"}, 4, 1, 1},
		{"?sort=email", []string{adminID, "2", "3", "1"}, 4, 1, 1},
		{"?sort=-email&limit=1", []string{"1"}, 4, 1, 4},
		{"?q=EXAMPLE.ORG", []string{"3"}, 1, 1, 1},
		{"?q=%C3%89MILE", []string{"1"}, 1, 1, 1},
		{"?q=%20BOB%20", []string{"2"}, 1, 1, 1},
		{"?q=nothing", []string{}, 0, 1, 1},
		{"?admin=true", []string{adminID, "3"}, 2, 1, 1},
		{"?admin=false&disabled=false", []string{"1"}, 1, 1, 1},
		{"?disabled=true&active=", []string{"2"}, 1, 1, 1},
		{"?active=true&sort=name", []string{"1", adminID, "3"}, 3, 1, 1},
		{"?active=false", []string{"2"}, 1, 1, 1},
		{"?limit=3&page=2", []string{"3"}, 4, 2, 2},
		{"?limit=3&page=9", []string{"3"}, 4, 2, 2}, // the last page
	}
	for _, tt := range tests {
		got := s.people(tt.query)
		require.Equal(t, tt.want, ids(got), tt.query)
		require.Equal(t, []int{tt.total, tt.page, tt.pages}, []int{got.Total, got.Page, got.Pages}, tt.query)
		require.Equal(t, counts, got.Counts, tt.query)
		require.False(t, got.Partial, tt.query)
	}
	got := s.people("?q=zoe").Users[0]
	var want map[string]any
	require.NoError(t, json.Unmarshal([]byte(s.get(t, s.admin, "/api/admin/users/1").body), &want))
	want["sessions"] = 2
	require.JSONEq(t, toJSON(t, want), toJSON(t, got), "the library's JSON of the user, and the number of sessions")
}

func TestPeopleRefusals(t *testing.T) {
	s := newSite(t, "-db", "memory")
	user, visitor := newBrowser(t), newBrowser(t)
	require.Equal(t, http.StatusOK, s.signIn(t, user, "ada@example.com").status)
	id := s.demo.google.Subject("ada@example.com")
	export := "/api/admin/users/" + id + "/export"
	s.requireRefusals([]refusal{
		{"list by a visitor", visitor, "GET", "/api/admin/people", 401, "no_session"},
		{"list by a user", user, "GET", "/api/admin/people", 403, "not_admin"},
		{"post", s.admin, "POST", "/api/admin/people", 405, "method_not_allowed"},
		{"unknown parameter", s.admin, "GET", "/api/admin/people?name=ada", 400, "bad_request"},
		{"repeated parameter", s.admin, "GET", "/api/admin/people?q=a&q=b", 400, "bad_request"},
		{"malformed query", s.admin, "GET", "/api/admin/people?q=%zz", 400, "bad_request"},
		{"flag that is not a boolean", s.admin, "GET", "/api/admin/people?admin=1", 400, "bad_request"},
		{"unknown order", s.admin, "GET", "/api/admin/people?sort=id", 400, "bad_request"},
		{"order with two signs", s.admin, "GET", "/api/admin/people?sort=--name", 400, "bad_request"},
		{"page zero", s.admin, "GET", "/api/admin/people?page=0", 400, "bad_request"},
		{"limit too large", s.admin, "GET", "/api/admin/people?limit=201", 400, "bad_request"},
		{"search too long", s.admin, "GET", "/api/admin/people?q=" + fmt.Sprintf("%0101d", 0), 400, "bad_request"},
		{"search that is not UTF-8", s.admin, "GET", "/api/admin/people?q=%ff", 400, "bad_request"},
		{"search with NUL", s.admin, "GET", "/api/admin/people?q=%00", 400, "bad_request"},

		{"export by a visitor", visitor, "GET", export, 401, "no_session"},
		{"export by a user, even of the user's own record", user, "GET", export, 403, "not_admin"},
		{"export of an unknown user", s.admin, "GET", "/api/admin/users/unknown/export", 404, "not_found"},
		{"delete an export", s.admin, "DELETE", export, 405, "method_not_allowed"},

		{"overview by a visitor", visitor, "GET", "/api/admin/overview", 401, "no_session"},
		{"overview by a user", user, "GET", "/api/admin/overview", 403, "not_admin"},
		{"post an overview", s.admin, "POST", "/api/admin/overview", 405, "method_not_allowed"},
	})
}

// An application with more users than a directory reads answers with those whom the library's
// own query finds, and says so.
func TestPeopleBeyondTheDirectory(t *testing.T) {
	s := newSite(t, "-db", "memory")
	for n := range directorySize {
		addUser(t, s.app, fmt.Sprintf("%05d", n), fmt.Sprintf("u%05d@example.com", n), "", 0)
	}
	page := s.people("?sort=-name&limit=2")
	require.True(t, page.Partial)
	require.Equal(t, []string{"00000", "00001"}, ids(page), "the store's order")
	require.Equal(t, directorySize, page.Counts.All)
	require.Equal(t, []string{"09998"}, ids(s.people("?q=U09998")))
	require.Equal(t, []string{s.demo.google.Subject(demoAdmin)}, ids(s.people("?admin=true")), "a user after those who were read")
}

func TestExport(t *testing.T) {
	s := newSite(t, "-db", "memory")
	require.Equal(t, http.StatusOK, s.signIn(t, newBrowser(t), "ada@example.com").status)
	id := s.demo.google.Subject("ada@example.com")
	res := s.get(t, s.admin, "/api/admin/users/"+id+"/export")
	require.Equal(t, http.StatusOK, res.status, res.body)
	require.Equal(t, `attachment; filename="user.json"`, res.header.Get("Content-Disposition"))
	var export googlesession.UserExport
	require.NoError(t, json.Unmarshal([]byte(res.body), &export))
	require.Equal(t, "ada@example.com", export.User.Email)
	require.Len(t, export.Sessions, 1)
	entries, _ := s.audit("?limit=1")
	require.Equal(t, []string{s.demo.google.Subject(demoAdmin), "user_exported", id}, []string{entries[0].Actor, entries[0].Action, entries[0].Target})
}

// BenchmarkPeople measures the answer with a page of 2,000 users who have one session each.
func BenchmarkPeople(b *testing.B) {
	for name, db := range map[string]string{"memory": "memory", "SQLite": "sqlite:" + b.TempDir() + "/people.db"} {
		b.Run(name, func(b *testing.B) {
			o, err := parseOptions([]string{"-db", db}, func(string) string { return "" })
			require.NoError(b, err)
			a, err := newApp(o, slog.New(slog.DiscardHandler))
			require.NoError(b, err)
			require.NoError(b, a.stores.open(b.Context()))
			b.Cleanup(func() { require.NoError(b, a.stores.close()) })
			for n := range 2000 {
				addUser(b, a, fmt.Sprint(n), fmt.Sprintf("u%d@example.com", n), fmt.Sprint("User ", n), 1)
			}
			h := http.HandlerFunc(a.listPeople)
			for b.Loop() {
				w := httptest.NewRecorder()
				h.ServeHTTP(w, httptest.NewRequestWithContext(b.Context(), http.MethodGet, "/api/admin/people?q=user&active=true", nil))
				require.Equal(b, http.StatusOK, w.Code)
			}
		})
	}
}

func TestPeopleOrder(t *testing.T) {
	at := func(minute int) time.Time { return time.Date(2026, 1, 2, 3, minute, 0, 0, time.UTC) }
	users := []googlesession.User{
		{ID: "3", Name: "ada", Email: "z@example.com", CreatedAt: at(1), SeenAt: at(5)},
		{ID: "1", Name: "Ada", Email: "Y@example.com", CreatedAt: at(2), SeenAt: at(4)},
		{ID: "2", Email: "bob@example.com", CreatedAt: at(3), SeenAt: at(4)},
	}
	for sort, want := range map[string]string{
		"name": "132", "-name": "231", "email": "213", "-email": "312",
		"seen": "123", "-seen": "321", "created": "312", "-created": "213",
	} {
		list := slices.Clone(users)
		peopleQuery{sort: sort}.order(list)
		var got strings.Builder
		for _, u := range list {
			got.WriteString(u.ID)
		}
		require.Equal(t, want, got.String(), sort)
	}
}

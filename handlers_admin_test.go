package googlesession_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
)

// newAdminSite returns a site, and the browser of an administrator who is signed in.
func newAdminSite(t testing.TB) (*site, *http.Client) {
	t.Helper()
	s := newSite(t, func(c *googlesession.Config) { c.Admins = []string{adminEmail} })
	return s, s.signIn(t, adminEmail)
}

func patch(t testing.TB, c *http.Client, target, body string) answer {
	t.Helper()
	return do(t, c, http.MethodPatch, target, body, "Content-Type", "application/json")
}

type adminUser struct {
	ID, Username, Email, Name, Picture string
	Admin, Disabled                    bool
	CreatedAt                          time.Time `json:"created_at"`
	SeenAt                             time.Time `json:"seen_at"`
}

func decode[T any](t testing.TB, a answer) (v T) {
	t.Helper()
	require.Equal(t, http.StatusOK, a.status, a.body)
	d := json.NewDecoder(strings.NewReader(a.body))
	d.DisallowUnknownFields()
	require.NoError(t, d.Decode(&v), a.body)
	return v
}

type userPage struct {
	Users []adminUser
	Next  *string
}

func TestAdminReadsUsers(t *testing.T) {
	s, admin := newAdminSite(t)
	ids := []string{s.google.Subject(adminEmail)}
	for i := range 6 {
		email := fmt.Sprintf("user%d@gmail.com", i)
		s.signIn(t, email)
		ids = append(ids, s.google.Subject(email))
	}
	slices.Sort(ids)
	for _, limit := range []int{1, 2, 3, 6, 7, 8, 200} {
		var got []string
		for next := ""; ; {
			page := decode[userPage](t, get(t, admin, fmt.Sprintf("/api/admin/users?limit=%d&after=%s", limit, next)))
			require.LessOrEqual(t, len(page.Users), limit)
			require.NotEmpty(t, page.Users, "a page that next led to")
			for _, u := range page.Users {
				got = append(got, u.ID)
			}
			if page.Next == nil {
				break
			}
			next = *page.Next
		}
		require.Equal(t, ids, got, "limit %d", limit)
	}

	one := decode[adminUser](t, get(t, admin, "/api/admin/users/"+s.google.Subject("user0@gmail.com")))
	require.Equal(t, "user0@gmail.com", one.Email)
	require.Equal(t, one.Email, one.Username)
	require.False(t, one.Admin)
	require.WithinDuration(t, time.Now(), one.CreatedAt, time.Minute)
	require.False(t, one.SeenAt.Before(one.CreatedAt))

	for _, query := range []string{"limit=0", "limit=-1", "limit=201", "limit=x", "limit=1e2", "after=%00", "after=%FF", "after=" + strings.Repeat("x", 256)} {
		a := get(t, admin, "/api/admin/users?"+query)
		require.Equal(t, http.StatusBadRequest, a.status, query)
		require.Equal(t, googlesession.CodeBadRequest, a.code(t))
	}
}

func TestAdminRoutesAreForAdmins(t *testing.T) {
	s, _ := newAdminSite(t)
	user := s.signIn(t, alice)
	id := s.google.Subject(adminEmail)
	for _, target := range []string{
		"GET /api/admin/users", "GET /api/admin/users/" + id, "PATCH /api/admin/users/" + id, "DELETE /api/admin/users/" + id,
		"GET /api/admin/users/" + id + "/sessions", "DELETE /api/admin/users/" + id + "/sessions",
		"DELETE /api/admin/users/" + id + "/sessions/x", "POST /api/admin/sessions/revoke-all",
	} {
		method, path, _ := strings.Cut(target, " ")
		a := do(t, user, method, path, "{}", "Content-Type", "application/json")
		require.Equal(t, http.StatusForbidden, a.status, target)
		require.Equal(t, googlesession.CodeNotAdmin, a.code(t), target)
		a = do(t, s.google.Browser(s), method, path, "{}", "Content-Type", "application/json")
		require.Equal(t, http.StatusUnauthorized, a.status, target)
		if method != http.MethodGet {
			a = do(t, user, method, path, "{}", "Content-Type", "application/json", "Sec-Fetch-Site", "same-site")
			require.Equal(t, googlesession.CodeCrossOrigin, a.code(t), target)
		}
	}
}

func TestAdminWithoutUserStore(t *testing.T) {
	s, _ := newAdminSite(t)
	m, err := googlesession.New(googlesession.Config{Sessions: struct{ googlesession.SessionStore }{s.store}})
	require.NoError(t, err)
	require.Equal(t, http.StatusNotFound, serve(t, routes(m), http.MethodGet, "/api/admin/users", "").status)
	_, err = m.RevokeAll(t.Context())
	require.ErrorIs(t, err, googlesession.ErrUnavailable)
}

func TestAdminChangesAccess(t *testing.T) {
	s, admin := newAdminSite(t)
	user := s.signIn(t, alice)
	target := "/api/admin/users/" + s.google.Subject(alice)

	require.True(t, decode[adminUser](t, patch(t, admin, target, `{"admin":true}`)).Admin)
	require.Equal(t, http.StatusOK, get(t, user, "/admin").status, "in force at the next request")
	require.Equal(t, decode[adminUser](t, get(t, admin, target)), decode[adminUser](t, patch(t, admin, target, `{}`)))

	u := decode[adminUser](t, patch(t, admin, target, `{"admin":false,"disabled":true}`))
	require.False(t, u.Admin)
	require.True(t, u.Disabled)
	require.Contains(t, []int{http.StatusUnauthorized, http.StatusForbidden}, get(t, user, "/private").status)
	require.False(t, decode[adminUser](t, patch(t, admin, target, `{"disabled":false}`)).Disabled)
	require.Equal(t, http.StatusUnauthorized, get(t, user, "/private").status, "enabling brings nothing back")

	user = s.signIn(t, alice)
	require.Equal(t, http.StatusNoContent, do(t, admin, http.MethodDelete, target, "").status)
	require.Equal(t, http.StatusUnauthorized, get(t, user, "/private").status)
	for _, method := range []string{http.MethodGet, http.MethodPatch, http.MethodDelete} {
		a := do(t, admin, method, target, `{"admin":true}`, "Content-Type", "application/json")
		require.Equal(t, http.StatusNotFound, a.status, method)
		require.Equal(t, googlesession.CodeNotFound, a.code(t), method)
	}
}

// A body that could be read in two ways is refused, and so is one with an unknown member,
// which must not look as if it had been obeyed.
func TestAccessBody(t *testing.T) {
	s, admin := newAdminSite(t)
	s.signIn(t, alice)
	target := "/api/admin/users/" + s.google.Subject(alice)
	for _, tt := range []struct {
		name, media, body string
		status            int
	}{
		{"nothing to do", "application/json", `{}`, 200},
		{"both", "application/json", `{"admin":false,"disabled":false}`, 200},
		{"blanks", "application/json; charset=utf-8", " {\n} ", 200},
		{"empty", "application/json", ``, 400},
		{"null", "application/json", `null`, 400},
		{"array", "application/json", `[]`, 400},
		{"unknown member", "application/json", `{"admn":true}`, 400},
		{"known and unknown member", "application/json", `{"admin":true,"x":1}`, 400},
		{"other case", "application/json", `{"Admin":true}`, 400},
		{"number", "application/json", `{"admin":1}`, 400},
		{"string", "application/json", `{"disabled":"true"}`, 400},
		{"null member", "application/json", `{"disabled":null}`, 400},
		{"two values", "application/json", `{"admin":false}{"admin":true}`, 400},
		{"duplicate", "application/json", `{"admin":false,"admin":true}`, 400},
		{"cut", "application/json", `{"admin":true`, 400},
		{"no type", "", `{"admin":true}`, 415},
		{"form", "application/x-www-form-urlencoded", `admin=true`, 415},
		{"too large", "application/json", `{"x":"` + strings.Repeat("x", 64<<10) + `"}`, 413},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := do(t, admin, http.MethodPatch, target, tt.body, "Content-Type", tt.media)
			require.Equal(t, tt.status, a.status, a.body)
			if tt.status != http.StatusOK {
				a.code(t)
			}
			require.False(t, s.user(t, alice).Admin)
			require.False(t, s.user(t, alice).Disabled)
		})
	}
}

func TestAdminsDoNotLockThemselvesOut(t *testing.T) {
	s, admin := newAdminSite(t)
	second := s.signIn(t, alice)
	me, other := "/api/admin/users/"+s.google.Subject(adminEmail), "/api/admin/users/"+s.google.Subject(alice)
	require.Equal(t, http.StatusOK, patch(t, admin, other, `{"admin":true}`).status)
	for name, a := range map[string]answer{
		"demote":  patch(t, admin, me, `{"admin":false}`),
		"disable": patch(t, admin, me, `{"disabled":true}`),
		"both":    patch(t, admin, me, `{"admin":true,"disabled":true}`),
		"delete":  do(t, admin, http.MethodDelete, me, ""),
	} {
		require.Equal(t, http.StatusConflict, a.status, name)
		require.Equal(t, googlesession.CodeOwnAccount, a.code(t), name)
	}
	require.Equal(t, http.StatusOK, patch(t, admin, me, `{"admin":true,"disabled":false}`).status, "takes nothing away")

	a := patch(t, second, me, `{"admin":false}`)
	require.Equal(t, http.StatusConflict, a.status)
	require.Equal(t, googlesession.CodeConfiguredAdmin, a.code(t))
	require.Equal(t, http.StatusOK, get(t, admin, "/admin").status)
}

// If two administrators demote each other at the same time, one of them stays.
func TestAdminsDemoteEachOtherOverHTTP(t *testing.T) {
	s := newSite(t, nil)
	emails := []string{"one@gmail.com", "two@gmail.com"}
	var browsers []*http.Client
	for _, email := range emails {
		browsers = append(browsers, s.signIn(t, email))
	}
	for range 100 {
		for _, email := range emails {
			_, err := s.manager.SetAccess(t.Context(), s.google.Subject(email), promote)
			require.NoError(t, err)
		}
		codes := make([]answer, 2)
		var wg sync.WaitGroup
		for i, c := range browsers {
			wg.Go(func() {
				codes[i] = patch(t, c, "/api/admin/users/"+s.google.Subject(emails[1-i]), `{"admin":false}`)
			})
		}
		wg.Wait()
		var admins, won int
		for i, email := range emails {
			if s.user(t, email).Admin {
				admins++
			}
			switch codes[i].status {
			case http.StatusOK:
				won++
			case http.StatusForbidden:
				require.Equal(t, googlesession.CodeNotAdmin, codes[i].code(t))
			default:
				require.Equal(t, googlesession.CodeLastAdmin, codes[i].code(t))
			}
		}
		require.Equal(t, 1, admins)
		require.Equal(t, 1, won)
	}
}

func TestAdminEndsSessions(t *testing.T) {
	s, admin := newAdminSite(t)
	phone, laptop, bob := s.signIn(t, alice), s.signIn(t, alice), s.signIn(t, "bob@gmail.com")
	sessions := "/api/admin/users/" + s.google.Subject(alice) + "/sessions"
	var list sessionList
	require.NoError(t, json.Unmarshal([]byte(get(t, admin, sessions).body), &list))
	require.Len(t, list.Sessions, 2)
	for _, e := range list.Sessions {
		require.False(t, e.Current, "it is another user's")
	}
	ref, ok := s.manager.RefOf(cookie(t, phone, sessionCookie))
	require.True(t, ok)

	bobs := listSessions(t, bob).Sessions[0].ID
	require.Equal(t, http.StatusNotFound, do(t, admin, http.MethodDelete, sessions+"/"+bobs, "").status, "of another user")
	require.Equal(t, http.StatusOK, get(t, bob, "/private").status)
	require.Equal(t, http.StatusNotFound, do(t, admin, http.MethodDelete, sessions+"/x", "").status)
	require.Equal(t, http.StatusNoContent, do(t, admin, http.MethodDelete, sessions+"/"+ref.String(), "").status)
	require.Equal(t, http.StatusNotFound, do(t, admin, http.MethodDelete, sessions+"/"+ref.String(), "").status, "ended already")
	require.Equal(t, http.StatusUnauthorized, get(t, phone, "/private").status)
	require.Equal(t, http.StatusOK, get(t, laptop, "/private").status)
	a := do(t, admin, http.MethodDelete, sessions, "")
	require.JSONEq(t, `{"ended":1}`, a.body)
	require.Equal(t, http.StatusUnauthorized, get(t, laptop, "/private").status)

	for _, method := range []string{http.MethodGet, http.MethodDelete} {
		a := do(t, admin, method, "/api/admin/users/nobody/sessions", "")
		require.Equal(t, http.StatusNotFound, a.status, method)
	}
}

// The routes accept every ID that a subject can be.
func TestAdminRoutesTakeAnyID(t *testing.T) {
	s, admin := newAdminSite(t)
	for _, id := range []string{"a/b", "a//b", "..", ".", "demo:x", "%2F", "a?b#c", "{id}"} {
		_, err := s.store.SignIn(t.Context(), googlesession.Identity{Subject: id})
		require.NoError(t, err)
		var escaped strings.Builder
		for _, c := range []byte(id) {
			fmt.Fprintf(&escaped, "%%%02X", c)
		}
		h := http.StripPrefix("/api", s.manager.Handler())
		a := serve(t, h, http.MethodGet, "/api/admin/users/"+escaped.String(), "", "Cookie", sessionCookie+"="+cookie(t, admin, sessionCookie))
		require.Equal(t, id, decode[adminUser](t, a).ID)
	}
}

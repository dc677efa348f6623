package googlesession_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
)

// walkUsers returns the addresses in all pages of a list of users.
func walkUsers(t *testing.T, c *http.Client, query url.Values) (emails []string) {
	t.Helper()
	for {
		page := decode[userPage](t, get(t, c, "/api/admin/users?"+query.Encode()))
		for _, u := range page.Users {
			emails = append(emails, u.Email)
		}
		if page.Next == nil {
			return emails
		}
		query.Set("after", *page.Next)
	}
}

// Each filter selects its users and no others, on pages of every size.
func TestAdminFindsUsers(t *testing.T) {
	s, admin := newAdminSite(t)
	emails := []string{adminEmail}
	for i := range 12 {
		email := fmt.Sprintf("%c%d@gmail.com", "aA"[i%2], i)
		s.signIn(t, email)
		emails = append(emails, email)
	}
	off := "a4@gmail.com"
	_, err := s.manager.SetAccess(t.Context(), s.google.Subject(off), disable)
	require.NoError(t, err)
	all := func(keep func(string) bool) []string {
		return slices.DeleteFunc(slices.Clone(emails), func(e string) bool { return !keep(e) })
	}
	for query, want := range map[string][]string{
		"":                          emails,
		"email=a":                   emails[1:],
		"email=A1":                  all(func(e string) bool { return strings.HasPrefix(strings.ToLower(e), "a1") }),
		"email=a%25":                nil,
		"email=_":                   nil,
		"admin=true":                {adminEmail},
		"admin=false":               emails[1:],
		"disabled=true":             {off},
		"disabled=false&email=a":    all(func(e string) bool { return e != off && e != adminEmail }),
		"admin=true&email=a":        nil,
		"disabled=true&admin=false": {off},
		"name=" + url.QueryEscape(s.user(t, off).Name): {off},
	} {
		for _, limit := range []string{"1", "2", "5", "200"} {
			values, err := url.ParseQuery(query)
			require.NoError(t, err)
			values.Set("limit", limit)
			require.ElementsMatch(t, want, walkUsers(t, admin, values), "%s, limit %s", query, limit)
		}
	}
}

// A query that is not understood is refused, because the answer to a misspelled filter would
// be a list of everyone.
func TestBadListQueries(t *testing.T) {
	s, admin := newAdminSite(t)
	long := strings.Repeat("x", 101)
	for _, query := range []string{
		"limit=0", "limit=201", "limit=x", "limit=-1", "limit=1&limit=2",
		"admin=1", "admin=yes", "disabled=TRUE", "admin=true&admin=false",
		"email=a&name=b", "email=" + long, "name=" + long, "email=%ff", "email=a%00",
		"emial=a", "after=" + strings.Repeat("x", 256), "after=%00", "email=a&after=not*base64",
		"email=a&after=" + base64.RawURLEncoding.EncodeToString([]byte("no separator")),
		"email=a&after=" + base64.RawURLEncoding.EncodeToString([]byte("\x00a")),
		"email=a&after=" + base64.RawURLEncoding.EncodeToString([]byte("1\x00\xff")),
		"email=a&after=" + base64.RawURLEncoding.EncodeToString([]byte("1\x00a\x00")),
		"email=a;b", "%zz",
	} {
		calls := s.store.count("Users")
		a := get(t, admin, "/api/admin/users?"+query)
		require.Equal(t, http.StatusBadRequest, a.status, query)
		require.Equal(t, googlesession.CodeBadRequest, a.code(t), query)
		require.Equal(t, calls, s.store.count("Users"), query)
	}
	for _, query := range []string{"limit=0", "limit=201", "email=a", "after=a&after=b", "after=%ff"} {
		require.Equal(t, http.StatusBadRequest, get(t, admin, "/api/admin/sessions?"+query).status, query)
	}
}

type sessionPage struct {
	Sessions []map[string]any
	Next     string
}

// The pages together have every live session once, each with its user.
func TestAdminListsAllSessions(t *testing.T) {
	s, admin := newAdminSite(t)
	want := map[string]string{}
	for i := range 20 {
		email := fmt.Sprintf("user%d@gmail.com", i/2)
		c := s.signIn(t, email)
		for _, x := range listSessions(t, c).Sessions {
			want[x.ID] = email
		}
	}
	for _, x := range listSessions(t, admin).Sessions {
		want[x.ID] = adminEmail
	}
	ended := s.signIn(t, "gone@gmail.com")
	require.Equal(t, http.StatusNoContent, do(t, ended, http.MethodPost, "/api/logout", "").status)
	for _, limit := range []string{"1", "7", "200"} {
		got := map[string]string{}
		current := 0
		for after, more := "", true; more; {
			page := decode[sessionPage](t, get(t, admin, "/api/admin/sessions?limit="+limit+"&after="+url.QueryEscape(after)))
			for _, x := range page.Sessions {
				user := x["user"].(map[string]any)
				require.Equal(t, s.google.Subject(user["email"].(string)), user["id"])
				require.NotEmpty(t, x["public_id"])
				require.NotEmpty(t, x["ip"])
				got[x["id"].(string)] = user["email"].(string)
				if x["current"] == true {
					current++
				}
			}
			after, more = page.Next, page.Next != ""
		}
		require.Equal(t, want, got, "limit %s", limit)
		require.Equal(t, 1, current)
	}
	require.Equal(t, http.StatusForbidden, get(t, s.signIn(t, alice), "/api/admin/sessions").status)
}

// A store that refuses the cursor is not an outage, and a store that fails is.
func TestAllSessionsErrors(t *testing.T) {
	s, admin := newAdminSite(t)
	s.store.failing("AllSessions", fmt.Errorf("%w: cursor", googlesession.ErrNotFound))
	require.Equal(t, http.StatusBadRequest, get(t, admin, "/api/admin/sessions?after=x").status)
	s.store.failing("AllSessions", errors.New("down"))
	require.Equal(t, http.StatusServiceUnavailable, get(t, admin, "/api/admin/sessions").status)
}

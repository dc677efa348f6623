package main

import (
	"encoding/json"
	"net/http"
	"path/filepath"
	"testing"
	"time"
	"unicode"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
)

// A new demo has as many customers and users as its flags say, and invents the same ones in
// every kind of database.
func TestDemoPeople(t *testing.T) {
	const customers, users = 500, 120
	var first []customer
	for name, db := range testDatabases(t) {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, "-db", db, "-demo-customers", "500", "-demo-users", "120")
			list := s.customers("?limit=200&page=3")
			require.Equal(t, int64(customers), list.Total)
			if first == nil {
				first = list.Results
			}
			require.Equal(t, first, list.Results)
			require.Equal(t, "Ada Lindqvist", s.customers("").Results[0].Name)

			emails, scripts := map[string]bool{}, map[string]bool{}
			for _, page := range []string{"1", "2", "3"} {
				for _, c := range s.customers("?limit=200&page=" + page).Results {
					emails[c.Email] = true
					require.NoError(t, checkEmail(c.Email))
					got, err := checkName(c.Name)
					require.NoError(t, err)
					require.Equal(t, c.Name, got)
					addScripts(scripts, c.Name)
				}
			}
			require.Len(t, emails, customers)
			for _, script := range []string{"Latin", "Cyrillic", "Greek", "Arabic", "Hebrew", "Devanagari", "Thai", "Han", "Hiragana", "Katakana", "Hangul"} {
				require.True(t, scripts[script], script)
			}

			all, err := s.stores.users.Users(t.Context(), googlesession.UserQuery{Limit: 200})
			require.NoError(t, err)
			require.Len(t, all, users+1) // the last one is demoAdmin
			admins, disabled, seen, created := 0, 0, map[time.Time]bool{}, map[time.Time]bool{}
			for _, u := range all {
				if u.Admin {
					admins++
				}
				if u.Disabled {
					disabled++
				}
				seen[u.SeenAt], created[u.CreatedAt] = true, true
				require.False(t, u.CreatedAt.After(u.SeenAt))
				require.Less(t, time.Until(u.SeenAt), time.Minute)
			}
			require.Len(t, seen, users+1)
			require.Len(t, created, users+1)
			require.Equal(t, []int{4, 3}, []int{admins, disabled})
		})
	}
}

func addScripts(found map[string]bool, text string) {
	for name, table := range unicode.Scripts {
		for _, r := range text {
			if unicode.Is(table, r) {
				found[name] = true
			}
		}
	}
}

// An invented user can sign in, and keeps the flags.
func TestDemoUserSignsIn(t *testing.T) {
	s := newSite(t, "-db", "memory", "-demo-users", "12")
	name, address := invented(7)
	res := s.signInWith(newBrowser(t), address+".8@example.org")
	require.True(t, isAdmin(t, res))
	var user struct{ ID, Name string }
	require.NoError(t, json.Unmarshal([]byte(res.body), &user))
	require.NotEqual(t, name, user.Name, "the sign-in has brought the name of the account")
	_, address = invented(11)
	require.Equal(t, http.StatusForbidden, s.signInWith(newBrowser(t), address+".12@example.org").status)
}

// The next start finds the invented people and adds none, and deleted ones stay deleted.
func TestDemoPeopleAreInventedOnce(t *testing.T) {
	args := []string{"-db", "sqlite:" + filepath.Join(t.TempDir(), "test.db"), "-demo-customers", "30", "-demo-users", "3"}
	s := newSite(t, args...)
	require.Equal(t, http.StatusNoContent, s.request(t, s.admin, http.MethodDelete, "/api/customer/30", "").status)
	again := newSite(t, args...)
	require.Equal(t, int64(29), again.customers("").Total)
	all, err := again.stores.users.Users(t.Context(), googlesession.UserQuery{Limit: 100})
	require.NoError(t, err)
	require.Len(t, all, 4)
	require.Contains(t, again.server.log.String(), "-demo-customers: the database has customers already")
	require.Contains(t, again.server.log.String(), "-demo-users: the database has users already")
}

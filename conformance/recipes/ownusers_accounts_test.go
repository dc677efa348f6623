package recipes_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/googletest"
)

// insert makes an account of the time before Google. An empty googleID means NULL.
func (s *ownServer) insert(t *testing.T, email, googleID string) (id int64) {
	t.Helper()
	require.NoError(t, s.db.QueryRow(t.Context(), "INSERT INTO accounts (email, google_id) VALUES ($1, NULLIF($2, '')) RETURNING id", email, googleID).Scan(&id))
	return id
}

// googleIDs returns the Google ID of each account, or "" for an account without one.
func (s *ownServer) googleIDs(t *testing.T) map[int64]string {
	t.Helper()
	rows, err := s.db.Query(t.Context(), "SELECT id, coalesce(google_id, '') FROM accounts")
	require.NoError(t, err)
	defer rows.Close()
	all := map[int64]string{}
	for rows.Next() {
		var id int64
		var googleID string
		require.NoError(t, rows.Scan(&id, &googleID))
		all[id] = googleID
	}
	require.NoError(t, rows.Err())
	return all
}

// tryTo signs in with a token that edit may change, and returns the answer.
func tryTo(t *testing.T, google *googletest.Google, c *http.Client, email string, edit func(claims map[string]any), header ...string) reply {
	t.Helper()
	var login struct{ Nonce string }
	decode(t, do(t, c, "GET", "/api/login").text, &login)
	draft := google.Draft(email, login.Nonce)
	if edit != nil {
		edit(draft.Claims)
	}
	body, err := json.Marshal(map[string]string{"credential": google.Mint(draft)})
	require.NoError(t, err)
	return doWithBody(t, c, "POST", "/api/login", string(body), append([]string{"Content-Type", "application/json", "Origin", googletest.Origin}, header...)...)
}

// unvouched makes a token whose address Google has verified once, and does not vouch for.
func unvouched(claims map[string]any) { delete(claims, "hd") }

// A role that is set on one server is in force on the other with the next request. A sign-in
// that changes nothing does not write Data.
func TestOwnAccountsRole(t *testing.T) {
	forBothStores(t, func(t *testing.T, a, b *ownServer, google *googletest.Google) {
		id := a.insert(t, ada, "")
		browser := google.SignIn(t, a.app, "/api/login", ada)
		other := onServer(t, google, browser, b)
		require.Equal(t, http.StatusForbidden, do(t, other, "GET", "/editors").status)
		for _, to := range []*ownServer{a, b, a} {
			require.NoError(t, to.setRole(t.Context(), id, "editor"))
			require.Equal(t, http.StatusOK, do(t, browser, "GET", "/editors").status)
			require.Equal(t, http.StatusOK, do(t, other, "GET", "/editors").status)
			require.NoError(t, to.setRole(t.Context(), id, "member"))
			require.Equal(t, http.StatusForbidden, do(t, browser, "GET", "/editors").status)
			require.Equal(t, http.StatusForbidden, do(t, other, "GET", "/editors").status)
		}
		require.NoError(t, a.setRole(t.Context(), id, "editor"))
		before := a.changes.Load() + b.changes.Load()
		again := google.SignIn(t, b.app, "/api/login", ada)
		require.Equal(t, http.StatusOK, do(t, again, "GET", "/editors").status)
		require.Equal(t, before, a.changes.Load()+b.changes.Load(), "an unchanged account is not written to Data")

		// The process died after it had changed the table.
		_, err := a.db.Exec(t.Context(), "UPDATE accounts SET role = 'member', version = version + 1 WHERE id = $1", id)
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, do(t, other, "GET", "/editors").status)
		again = google.SignIn(t, b.app, "/api/login", ada)
		for _, c := range []*http.Client{again, browser, other} {
			require.Equal(t, http.StatusForbidden, do(t, c, "GET", "/editors").status, "a sign-in corrects the Data of all sessions")
		}
		require.NoError(t, a.setRole(t.Context(), a.insert(t, "new@example.com", "has-not-signed-in"), "editor"))
	})
}

// A sign-in that has read the account before a change of the role, and sets Data after it, does
// not bring the old role back.
func TestOwnAccountsSlowSignIn(t *testing.T) {
	forBothStores(t, func(t *testing.T, a, b *ownServer, google *googletest.Google) {
		id := a.insert(t, ada, "")
		for _, role := range []string{"editor", "member"} {
			_, err := a.db.Exec(t.Context(), "UPDATE accounts SET role = 'guest', version = version + 1 WHERE id = $1", id)
			require.NoError(t, err)
			var changed error
			change := func() { changed = b.setRole(t.Context(), id, role) }
			a.beforeSetData.Store(&change)
			google.SignIn(t, a.app, "/api/login", ada)
			require.Nil(t, a.beforeSetData.Load(), "the sign-in has to write Data")
			require.NoError(t, changed)
			found, err := a.linked(t.Context(), google.Subject(ada))
			require.NoError(t, err)
			require.Equal(t, role, found.Role)
			sessions, err := a.m.Sessions(t.Context(), google.Subject(ada))
			require.NoError(t, err)
			require.Equal(t, found.data(), sessions[0].User.Data)
		}
	})
}

// onServer returns a client with the cookies of c whose requests go to s.
func onServer(t *testing.T, google *googletest.Google, c *http.Client, s *ownServer) *http.Client {
	t.Helper()
	other := google.Browser(s.app)
	other.Jar = c.Jar
	return other
}

// A sign-in links an account only if Google vouches for its address.
func TestOwnAccountsLinking(t *testing.T) {
	const address = "ada@example.com"
	tests := []struct {
		name    string
		email   string // of the account; "" means that the test has no account
		owner   string // its google_id
		edit    func(map[string]any)
		code    googlesession.Code
		linked  bool
		created int // accounts that the sign-in makes
	}{
		{"no account", "", "", nil, "", false, 1},
		{"no account, not vouched for", "", "", unvouched, "", false, 1},
		{"no account, no address", "", "", func(c map[string]any) { delete(c, "email"); delete(c, "email_verified") }, "", false, 1},
		{"same address", address, "", nil, "", true, 0},
		{"another case", "Ada@EXAMPLE.com", "", nil, "", true, 0},
		{"another case in the token", address, "", func(c map[string]any) { c["email"] = "ADA@example.COM" }, "", true, 0},
		{"not an ASCII case", "ada@eXample.com", "", func(c map[string]any) { c["email"] = "ada@e\u00d7ample.com"; c["hd"] = "e\u00d7ample.com" }, "", false, 1},
		{"not vouched for", address, "", unvouched, "account_exists", false, 0},
		{"not vouched for, another case", "ADA@example.com", "", unvouched, "account_exists", false, 0},
		{"not verified", address, "", func(c map[string]any) { c["email_verified"] = false }, "account_exists", false, 0},
		{"domain of another Workspace", address, "", func(c map[string]any) { c["hd"] = "evil.example" }, "account_exists", false, 0},
		{"another Google account has it", address, "1234567", nil, "account_exists", false, 0},
		{"another address", "eve@example.com", "", nil, "", false, 1},
	}
	forBothStores(t, func(t *testing.T, a, _ *ownServer, google *googletest.Google) {
		for i, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				_, err := a.db.Exec(t.Context(), "DELETE FROM accounts")
				require.NoError(t, err)
				var id int64
				if tt.email != "" {
					id = a.insert(t, tt.email, tt.owner)
				}
				before := len(a.googleIDs(t))
				sub := strconv.Itoa(1000 + i)
				res := tryTo(t, google, google.Browser(a.app), address, func(c map[string]any) {
					c["sub"] = sub
					if tt.edit != nil {
						tt.edit(c)
					}
				})
				after := a.googleIDs(t)
				require.Len(t, after, before+tt.created)
				require.Equal(t, tt.linked, after[id] == sub)
				sessions, err := a.m.Sessions(t.Context(), sub)
				require.NoError(t, err)
				if tt.code != "" {
					require.Equal(t, http.StatusForbidden, res.status, res.text)
					require.Equal(t, tt.code, code(t, res.text))
					require.Equal(t, tt.owner, after[id])
					require.Empty(t, sessions)
					return
				}
				require.Equal(t, http.StatusOK, res.status, res.text)
				require.Len(t, sessions, 1)
				found, err := a.linked(t.Context(), sub)
				require.NoError(t, err)
				require.Equal(t, found.data(), sessions[0].User.Data)
			})
		}
	})
}

// A Google account for whose address Google does not vouch does not keep the owner of the address
// out.
func TestOwnAccountsSquatting(t *testing.T) {
	a, _, google := newOwnServers(t, "")
	res := tryTo(t, google, google.Browser(a.app), ada, func(claims map[string]any) {
		unvouched(claims)
		claims["sub"] = "1000"
	})
	require.Equal(t, http.StatusOK, res.status, res.text)
	res = tryTo(t, google, google.Browser(a.app), ada, nil)
	require.Equal(t, http.StatusOK, res.status, res.text)
	require.Len(t, a.googleIDs(t), 2)
}

// Several first sign-ins of one person at once make one user and one account, and all succeed.
func TestOwnAccountsAtOnce(t *testing.T) {
	forBothStores(t, func(t *testing.T, a, b *ownServer, google *googletest.Google) {
		for i := range 10 {
			email := fmt.Sprintf("person%d@example.com", i)
			if i%2 == 0 {
				a.insert(t, email, "")
			}
			answers := make([]reply, 6)
			var wg sync.WaitGroup
			for j := range answers {
				c := google.Browser([]*ownServer{a, b}[j%2].app)
				var login struct{ Nonce string }
				decode(t, do(t, c, "GET", "/api/login").text, &login)
				body := `{"credential":"` + google.Token(email, login.Nonce) + `"}`
				wg.Go(func() { answers[j] = postLogin(t, c, body) })
			}
			wg.Wait()
			for _, res := range answers {
				require.Equal(t, http.StatusOK, res.status, res.text)
			}
			require.Len(t, a.googleIDs(t), i+1)
		}
		require.EqualValues(t, 10, a.created.Load()+b.created.Load())
	})
}

// If the table of accounts does not answer, the sign-in is refused. A disabled user is refused
// too.
func TestOwnAccountsRefusals(t *testing.T) {
	forBothStores(t, func(t *testing.T, a, _ *ownServer, google *googletest.Google) {
		_, err := a.db.Exec(t.Context(), "ALTER TABLE accounts RENAME TO gone")
		require.NoError(t, err)
		res := tryTo(t, google, google.Browser(a.app), ada, nil)
		require.Equal(t, http.StatusServiceUnavailable, res.status, res.text)
		require.NotContains(t, res.text, "accounts", "the browser sees the application's error")
		sessions, err := a.m.Sessions(t.Context(), google.Subject(ada))
		require.NoError(t, err)
		require.Empty(t, sessions)

		_, err = a.db.Exec(t.Context(), "ALTER TABLE gone RENAME TO accounts")
		require.NoError(t, err)
		browser := google.SignIn(t, a.app, "/api/login", ada)
		disabled := true
		_, err = a.m.SetAccess(t.Context(), google.Subject(ada), googlesession.AccessChange{Disabled: &disabled})
		require.NoError(t, err)
		found, err := a.linked(t.Context(), google.Subject(ada))
		require.NoError(t, err)
		require.NoError(t, a.setRole(t.Context(), found.ID, "editor"))
		require.Equal(t, http.StatusUnauthorized, do(t, browser, "GET", "/editors").status)
		res = tryTo(t, google, google.Browser(a.app), ada, nil)
		require.Equal(t, http.StatusForbidden, res.status)
		require.Equal(t, googlesession.CodeUserDisabled, code(t, res.text))
	})
}

// A person who has proved both accounts connects them. Neither account may have another one.
func TestOwnAccountsConnect(t *testing.T) {
	a, b, google := newOwnServers(t, "")
	id := a.insert(t, "old@example.org", "")
	cookie := []string{"Cookie", "connecting=" + strconv.FormatInt(id, 10)}
	for range 2 { // the second time it is connected already
		res := tryTo(t, google, google.Browser(b.app), ada, unvouched, cookie...)
		require.Equal(t, http.StatusOK, res.status, res.text)
		require.Equal(t, map[int64]string{id: google.Subject(ada)}, a.googleIDs(t))
	}
	res := tryTo(t, google, google.Browser(a.app), eve, nil, cookie...)
	require.Equal(t, googlesession.Code("already_connected"), code(t, res.text), "the account has another Google account")
	second := a.insert(t, "second@example.org", "")
	res = tryTo(t, google, google.Browser(a.app), ada, nil, "Cookie", "connecting="+strconv.FormatInt(second, 10))
	require.Equal(t, googlesession.Code("already_connected"), code(t, res.text), "the Google account has another account")
	require.Equal(t, map[int64]string{id: google.Subject(ada), second: ""}, a.googleIDs(t))
}

// Deleting the account deletes the user, and deleting the user unlinks the account.
func TestOwnAccountsDeletion(t *testing.T) {
	forBothStores(t, func(t *testing.T, a, b *ownServer, google *googletest.Google) {
		id := a.insert(t, ada, "")
		browser := google.SignIn(t, a.app, "/api/login", ada)
		require.NoError(t, b.deleteAccount(t.Context(), id))
		require.Equal(t, http.StatusUnauthorized, do(t, browser, "GET", "/api/user").status)
		require.Empty(t, a.googleIDs(t))
		_, err := a.m.Export(t.Context(), google.Subject(ada))
		require.ErrorIs(t, err, googlesession.ErrNotFound)
		require.Error(t, b.deleteAccount(t.Context(), id), "unknown account")

		id = a.insert(t, eve, "")
		browser = google.SignIn(t, a.app, "/api/login", eve)
		require.Equal(t, map[int64]string{id: google.Subject(eve)}, a.googleIDs(t))
		require.NoError(t, b.m.DeleteUser(t.Context(), google.Subject(eve)))
		require.Equal(t, http.StatusUnauthorized, do(t, browser, "GET", "/api/user").status)
		require.Equal(t, map[int64]string{id: ""}, a.googleIDs(t))
		require.NoError(t, b.deleteAccount(t.Context(), id), "an account without a user")
		require.Empty(t, a.googleIDs(t))
	})
}

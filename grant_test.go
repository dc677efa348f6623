package googlesession_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	memstore "github.com/googlesession/googlesession/store_memory"
)

const days = 24 * time.Hour

// Issue makes a session with the label and the lifetimes of the grant.
func TestIssue(t *testing.T) {
	for _, tt := range []struct {
		name      string
		grant     googlesession.Grant
		idle, max time.Duration // of the session
	}{
		{"defaults", googlesession.Grant{}, 30 * days, 30 * days},
		{"lifetime", googlesession.Grant{Label: "ci", MaxLifetime: 90 * days}, 90 * days, 90 * days},
		{"idle", googlesession.Grant{MaxLifetime: 90 * days, IdleTimeout: 7 * days}, 7 * days, 90 * days},
		{"idle over lifetime", googlesession.Grant{MaxLifetime: days, IdleTimeout: 7 * days}, days, days},
		{"longest", googlesession.Grant{MaxLifetime: 3660 * days, IdleTimeout: days}, days, 3660 * days},
		{"fraction", googlesession.Grant{MaxLifetime: time.Millisecond + 1}, time.Millisecond, time.Millisecond},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := newBearerSite(t, nil)
			s.signIn(t, alice)
			advance(days) // the session of the sign-in is over
			token, issued, err := s.manager.Issue(t.Context(), s.google.Subject(alice), tt.grant)
			require.NoError(t, err, tt.name)
			require.Equal(t, googlesession.KindIssued, issued.Kind)
			require.Equal(t, tt.grant.Label, issued.Label)
			require.Equal(t, tt.idle, issued.ExpiresAt.Sub(issued.CreatedAt), tt.name)
			list, err := s.manager.Sessions(t.Context(), s.google.Subject(alice))
			require.NoError(t, err)
			require.Len(t, list, 1)
			require.Equal(t, tt.grant.Label, list[0].Label)
			require.Equal(t, http.StatusOK, s.with(t, "Bearer "+token, http.MethodGet, "/private", "").status)
			advance(tt.idle)
			require.Equal(t, http.StatusUnauthorized, s.with(t, "Bearer "+token, http.MethodGet, "/private", "").status, tt.name)
		})
	}
}

func TestIssueRefuses(t *testing.T) {
	s := newBearerSite(t, func(c *googlesession.Config) { c.MaxSessions, c.RefuseOverMax = 1, true })
	s.signIn(t, alice)
	id := s.google.Subject(alice)
	for name, g := range map[string]googlesession.Grant{
		"control character":   {Label: "a\x00"},
		"line end":            {Label: "a\n"},
		"long label":          {Label: strings.Repeat("x", 101)},
		"label not UTF-8":     {Label: "\xff"},
		"negative lifetime":   {MaxLifetime: -1},
		"over ten years":      {MaxLifetime: 3661 * days},
		"negative idle":       {IdleTimeout: -1},
		"under a millisecond": {MaxLifetime: 1},
		"idle under it":       {IdleTimeout: 1},
	} {
		calls := s.store.count()
		_, _, err := s.manager.Issue(t.Context(), id, g)
		require.ErrorIs(t, err, googlesession.ErrInvalidGrant, name)
		require.NotErrorIs(t, err, googlesession.ErrUnavailable, name)
		require.Equal(t, calls, s.store.count(), name)
	}
	_, _, err := s.manager.Issue(t.Context(), "unknown", googlesession.Grant{})
	require.ErrorIs(t, err, googlesession.ErrNotFound)
	_, _, err = s.manager.Issue(t.Context(), id, googlesession.Grant{})
	require.ErrorIs(t, err, googlesession.ErrTooManySessions)
	_, err = s.manager.SetAccess(t.Context(), id, disable)
	require.NoError(t, err)
	_, _, err = s.manager.Issue(t.Context(), id, googlesession.Grant{})
	require.ErrorIs(t, err, googlesession.ErrUserDisabled)
	s.store.failing("CreateSession", errors.New("down"))
	_, err = s.manager.SetAccess(t.Context(), id, enable)
	require.NoError(t, err)
	token, _, err := s.manager.Issue(t.Context(), id, googlesession.Grant{})
	require.ErrorIs(t, err, googlesession.ErrUnavailable)
	require.Empty(t, token)
}

// Everything that ends sessions ends issued ones too.
func TestIssuedSessionsEnd(t *testing.T) {
	for name, end := range map[string]func(*site, string) error{
		"revoke user": func(s *site, id string) error { _, err := s.manager.RevokeUser(t.Context(), id); return err },
		"disable":     func(s *site, id string) error { _, err := s.manager.SetAccess(t.Context(), id, disable); return err },
		"delete":      func(s *site, id string) error { return s.manager.DeleteUser(t.Context(), id) },
		"all":         func(s *site, _ string) error { _, err := s.manager.RevokeAll(t.Context()); return err },
		"hijacking": func(s *site, _ string) error {
			advance(time.Second)
			a := deliver(t, s, s.google.SecurityEvent(googlesession.ChangeSessionsRevoked, alice))
			if a.status != http.StatusAccepted {
				return fmt.Errorf("security event: %d", a.status)
			}
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newBearerSite(t, func(c *googlesession.Config) {
					c.SecurityEventVerifier = c.Verifier.(googlesession.SecurityEventVerifier)
				})
				s.signIn(t, alice)
				token, _, err := s.manager.Issue(t.Context(), s.google.Subject(alice), googlesession.Grant{})
				require.NoError(t, err)
				require.Equal(t, http.StatusOK, s.with(t, "Bearer "+token, http.MethodGet, "/private", "").status)
				require.NoError(t, end(s, s.google.Subject(alice)))
				status := s.with(t, "Bearer "+token, http.MethodGet, "/private", "").status
				require.Contains(t, []int{http.StatusUnauthorized, http.StatusForbidden}, status)
			})
		})
	}
}

// A personal token never counts as a fresh sign-in, however new it is. So a leaked one makes
// no other token and deletes no account.
func TestIssuedSessionIsNeverFresh(t *testing.T) {
	s := newBearerSite(t, func(c *googlesession.Config) { c.SelfDeletion = true })
	s.signIn(t, adminEmail)
	token, _, err := s.manager.Issue(t.Context(), s.google.Subject(adminEmail), googlesession.Grant{})
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, s.with(t, "Bearer "+token, http.MethodGet, "/admin", "").status)
	for _, request := range []string{"POST /api/tokens", "DELETE /api/user", "POST /api/admin/sessions/revoke-all"} {
		method, path, _ := strings.Cut(request, " ")
		a := s.with(t, "Bearer "+token, method, path, `{"label":"x"}`)
		require.Equal(t, http.StatusUnauthorized, a.status, request)
		require.Equal(t, googlesession.CodeReauthNeeded, a.code(t), request)
	}
	fresh := &site{Handler: s.manager.RequireFresh(1000 * time.Hour)(http.NotFoundHandler())}
	require.Equal(t, http.StatusUnauthorized, fresh.with(t, "Bearer "+token, http.MethodGet, "/", "").status)
	require.NotContains(t, s.log.String(), "already too old for RequireFresh", "the clock is not to blame")
}

// A session with a token cannot become the session of a browser by a re-authentication.
func TestNoReauthenticationByToken(t *testing.T) {
	s := newBearerSite(t, nil)
	token := s.google.SignInProgram(t, s, "/api/login", alice, "")
	c := s.google.Browser(s)
	nonce := begin(t, c)
	a := s.with(t, "Bearer "+token, http.MethodPost, "/api/login", `{"credential":"`+s.google.Token(alice, nonce)+`","reauth":true}`,
		"Cookie", loginCookie+"="+cookie(t, c, loginCookie))
	require.Equal(t, http.StatusForbidden, a.status, a.body)
	require.Equal(t, googlesession.CodeForbidden, a.code(t))
	require.Empty(t, a.header["Set-Cookie"])
}

// Users make, list and end their own tokens, each with a fresh sign-in for the making.
func TestOwnTokens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newBearerSite(t, nil)
		c := s.signIn(t, alice)
		ask := func(body string) answer {
			return do(t, c, http.MethodPost, "/api/tokens", body, "Content-Type", "application/json")
		}
		var made struct {
			Token   string
			Session map[string]any
		}
		a := ask(`{"label":"backup","expires_in":3600}`)
		require.Equal(t, http.StatusCreated, a.status, a.body)
		require.Equal(t, "no-store", a.header.Get("Cache-Control"))
		require.NoError(t, json.Unmarshal([]byte(a.body), &made))
		require.Equal(t, []any{"issued", "backup", false}, []any{made.Session["kind"], made.Session["label"], made.Session["current"]})
		require.Equal(t, http.StatusOK, s.with(t, "Bearer "+made.Token, http.MethodGet, "/private", "").status)

		e := s.events[len(s.events)-1]
		require.Equal(t, googlesession.EventIssued, e.Kind)
		require.Equal(t, []string{s.google.Subject(alice), "own token", "backup"}, []string{e.Actor, e.Reason, e.Label})

		for _, body := range []string{
			`{}`, `{"label":""}`, `{"label":1}`, `{"label":"a\u0007"}`, `{"label":"` + strings.Repeat("x", 101) + `"}`,
			`{"label":"a","expires_in":0}`, `{"label":"a","expires_in":31622401}`, `{"label":"a","expires_in":"1"}`, `{"label":"a","expires_in":1.5}`,
			`{"label":"a","expire_in":1}`, `{"label":"a","label":"b"}`, `[]`, ``,
		} {
			require.Equal(t, http.StatusBadRequest, ask(body).status, body)
		}
		require.Equal(t, http.StatusUnsupportedMediaType, do(t, c, http.MethodPost, "/api/tokens", `{"label":"a"}`, "Content-Type", "text/plain").status)
		require.Equal(t, http.StatusForbidden, do(t, c, http.MethodPost, "/api/tokens", `{"label":"a"}`, "Content-Type", "application/json", "Sec-Fetch-Site", "cross-site").status)

		var list struct{ Tokens []map[string]any }
		require.NoError(t, json.Unmarshal([]byte(get(t, c, "/api/tokens").body), &list))
		require.Len(t, list.Tokens, 1, "the browser's session is not a token")
		own := listSessions(t, c).Sessions
		require.Len(t, own, 2)
		for _, session := range own {
			if session.Current {
				require.Equal(t, http.StatusNotFound, do(t, c, http.MethodDelete, "/api/tokens/"+session.ID, "").status, "not a token")
			}
		}
		stranger := s.signIn(t, "bob@gmail.com")
		path := "/api/tokens/" + list.Tokens[0]["public_id"].(string)
		require.Equal(t, http.StatusNotFound, do(t, stranger, http.MethodDelete, path, "").status)
		require.Equal(t, http.StatusNoContent, do(t, c, http.MethodDelete, path, "").status)
		require.Equal(t, http.StatusNotFound, do(t, c, http.MethodDelete, path, "").status)
		require.Equal(t, http.StatusUnauthorized, s.with(t, "Bearer "+made.Token, http.MethodGet, "/private", "").status)

		advance(10*time.Minute + time.Second)
		require.Equal(t, googlesession.CodeReauthNeeded, ask(`{"label":"late"}`).code(t))
		require.Equal(t, http.StatusOK, get(t, c, "/api/tokens").status)
	})
}

// A bearer token is in the answer that hands it out, and nowhere else.
func TestTokensStayInside(t *testing.T) {
	s := newBearerSite(t, nil)
	c := s.signIn(t, alice)
	token := s.google.SignInProgram(t, s, "/api/login", alice, "x")
	issued, session, err := s.manager.Issue(t.Context(), s.google.Subject(alice), googlesession.Grant{})
	require.NoError(t, err)
	var written strings.Builder
	fmt.Fprintf(&written, "%+v", session)
	for _, path := range []string{"/api/sessions", "/api/tokens", "/api/user/export"} {
		written.WriteString(get(t, c, path).body)
	}
	s.store.failing("CheckSession", errors.New("down"))
	s.with(t, "Bearer "+token, http.MethodGet, "/private", "")
	s.with(t, "Bearer "+issued, http.MethodDelete, "/api/sessions", "")
	for _, e := range s.events {
		fmt.Fprintf(&written, "%+v", e)
	}
	written.WriteString(s.log.String())
	for _, secret := range []string{token, issued} {
		require.NotContains(t, written.String(), secret[3:])
	}
}

// However many tokens a user makes, the session that makes them goes on.
func TestIssueKeepsTheSessionThatAsks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newBearerSite(t, func(c *googlesession.Config) { c.MaxSessions = 2 })
		c := s.signIn(t, alice)
		for range 5 {
			advance(time.Second)
			a := do(t, c, http.MethodPost, "/api/tokens", `{"label":"ci"}`, "Content-Type", "application/json")
			require.Equal(t, http.StatusCreated, a.status, a.body)
		}
		require.Equal(t, http.StatusOK, get(t, c, "/private").status)
		s.store.failing("CheckSession", errors.New("down"))
		require.Equal(t, http.StatusServiceUnavailable, do(t, c, http.MethodPost, "/api/tokens", `{"label":"ci"}`, "Content-Type", "application/json").status)
	})
}

// A security event that comes while a token is made does not refuse the caller.
func TestIssueMeetsASecurityEvent(t *testing.T) {
	users := memstore.New(nil)
	s := newBearerSite(t, func(c *googlesession.Config) { c.Users = users })
	s.signIn(t, alice)
	u, err := users.User(t.Context(), s.google.Subject(alice))
	require.NoError(t, err)
	u.TokensAfter, u.Version = time.Now().Add(time.Minute), u.Version+1
	_, err = s.store.PutUser(t.Context(), u)
	require.NoError(t, err)
	_, _, err = s.manager.Issue(t.Context(), u.ID, googlesession.Grant{})
	require.ErrorIs(t, err, googlesession.ErrUnavailable)
}

package googlesession_test

import (
	"crypto/sha256"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
)

// neighbours are two applications on one host, with one store. The second one has the
// prefix /b and the cookie suffix "admin".
type neighbours struct {
	http.Handler
	a, b *site
}

func newNeighbours(t *testing.T) *neighbours {
	t.Helper()
	a := newSite(t, nil)
	b := newSite(t, func(c *googlesession.Config) { c.Sessions, c.CookieSuffix = a.store, "admin" })
	mux := http.NewServeMux()
	mux.Handle("/", a)
	mux.Handle("/b/", http.StripPrefix("/b", b))
	return &neighbours{mux, a, b}
}

// signInAt signs a browser in at the application with this prefix.
func signInAt(t *testing.T, s *site, c *http.Client, prefix string) {
	t.Helper()
	var body struct {
		Nonce string `json:"nonce"`
	}
	require.NoError(t, json.Unmarshal([]byte(get(t, c, prefix+"/api/login").body), &body))
	answer := do(t, c, http.MethodPost, prefix+"/api/login", `{"credential":"`+s.google.Token(alice, body.Nonce)+`"}`, "Content-Type", "application/json")
	require.Equal(t, http.StatusOK, answer.status, answer.body)
}

const suffixed = sessionCookie + "-admin"

// A browser signs in to both applications and out of one, and stays signed in to the other.
func TestCookieSuffixKeepsApplicationsApart(t *testing.T) {
	n := newNeighbours(t)
	for _, tt := range []struct{ name, first, second string }{
		{"the application without suffix first", "", "/b"},
		{"the application with suffix first", "/b", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			sites := map[string]*site{"": n.a, "/b": n.b}
			c := n.a.google.Browser(n)
			signInAt(t, sites[tt.first], c, tt.first)
			require.Equal(t, http.StatusUnauthorized, get(t, c, tt.second+"/private").status, "signed in to one application only")
			signInAt(t, sites[tt.second], c, tt.second)
			require.Equal(t, alice, get(t, c, tt.first+"/private").body)
			require.Equal(t, alice, get(t, c, tt.second+"/private").body)

			list := listSessions(t, c).Sessions
			require.Len(t, list, 2, "the list has the sessions of both applications")
			require.NotEqual(t, list[0].Current, list[1].Current, "the list marks the session of this application")

			signInAt(t, sites[tt.second], c, tt.second)
			require.Len(t, listSessions(t, c).Sessions, 2, "a second sign-in replaces the session of its own application")

			require.Equal(t, http.StatusNoContent, do(t, c, http.MethodPost, tt.first+"/api/logout", "").status)
			require.Equal(t, http.StatusUnauthorized, get(t, c, tt.first+"/private").status)
			require.Equal(t, alice, get(t, c, tt.second+"/private").body)
			require.Equal(t, http.StatusNoContent, do(t, c, http.MethodPost, tt.second+"/api/logout", "").status)
			require.Empty(t, cookie(t, c, sessionCookie)+cookie(t, c, suffixed))
		})
	}
}

// A session cookie that a client renames is refused by the other application, although both
// applications share a store.
func TestRenamedSessionCookie(t *testing.T) {
	n := newNeighbours(t)
	c := n.a.google.Browser(n)
	signInAt(t, n.a, c, "")
	signInAt(t, n.b, c, "/b")
	plain, admin := cookie(t, c, sessionCookie), cookie(t, c, suffixed)
	for _, tt := range []struct {
		name, target, cookies string
		status                int
	}{
		{"own cookie", "/private", sessionCookie + "=" + plain, http.StatusOK},
		{"own cookie with suffix", "/b/private", suffixed + "=" + admin, http.StatusOK},
		{"renamed", "/b/private", suffixed + "=" + plain, http.StatusUnauthorized},
		{"renamed the other way", "/private", sessionCookie + "=" + admin, http.StatusUnauthorized},
		{"not renamed", "/b/private", sessionCookie + "=" + plain, http.StatusUnauthorized},
		{"not renamed the other way", "/private", suffixed + "=" + admin, http.StatusUnauthorized},
		{"two of one name", "/b/private", suffixed + "=" + admin + "; " + sessionCookie + "=" + plain + "; " + suffixed + "=" + admin, http.StatusUnauthorized},
		{"two of the other name", "/b/private", sessionCookie + "=" + plain + "; " + suffixed + "=" + admin + "; " + sessionCookie + "=" + plain, http.StatusOK},
	} {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, tt.status, serve(t, n, http.MethodGet, tt.target, "", "Cookie", tt.cookies).status)
		})
	}
	a := serve(t, n, http.MethodPost, "/b/api/logout", "", "Cookie", suffixed+"="+plain)
	require.Equal(t, http.StatusNoContent, a.status)
	require.Equal(t, alice, get(t, c, "/private").body, "a renamed cookie ends no session")
}

// Each application reads its own cookie, in whatever order the browser sends the cookies
// whose names begin alike.
func TestCookieNamesThatBeginAlike(t *testing.T) {
	value := strings.Repeat("A", 58)
	for _, tt := range []struct {
		suffix string
		names  []string // of the cookies in the request; the own cookie has the value "own"
	}{
		{"", []string{"-admin"}},
		{"", []string{"-admin", "-a", "-b-c"}},
		{"ad", []string{"", "-admin", "-ad-2"}},
		{"admin", []string{"", "-ad", "-admin2", "-admin-2"}},
		{"a-a", []string{"-a", "-a-a-a-a"}},
	} {
		for _, allowHTTP := range []bool{false, true} {
			m, err := googlesession.New(googlesession.Config{Sessions: admitsAll{}, CookieSuffix: tt.suffix, DangerouslyAllowHTTP: allowHTTP})
			require.NoError(t, err)
			name := sessionCookie
			if allowHTTP {
				name = "session"
			}
			own := name
			if tt.suffix != "" {
				own += "-" + tt.suffix
			}
			for at := range len(tt.names) + 1 {
				var cookies []string
				for _, other := range tt.names {
					cookies = append(cookies, name+other+"="+value+"B")
				}
				cookies = append(cookies[:at], append([]string{own + "=" + value + "A"}, cookies[at:]...)...)
				r := &http.Request{Header: http.Header{"Cookie": {strings.Join(cookies, "; ")}}}
				got, count := m.ReadCookie(r)
				require.Equal(t, 1, count, r.Header["Cookie"])
				require.Equal(t, value+"A", got, r.Header["Cookie"])
			}
		}
	}
}

// An answer that has the cookie of another application keeps it.
func TestSignOutKeepsTheNeighboursCookieInAnAnswer(t *testing.T) {
	n := newNeighbours(t)
	var began, signedOut error
	both := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, began = n.b.manager.BeginSignIn(w, r)
		signedOut = n.a.manager.SignOut(w, r)
	})
	set := serve(t, both, http.MethodPost, "/", "").header["Set-Cookie"]
	require.NoError(t, began)
	require.NoError(t, signedOut)
	require.Len(t, set, 3)
	require.Contains(t, set[0], loginCookie+"-admin=")
}

func TestSetCookieNamesWithSuffix(t *testing.T) {
	for _, tt := range []struct {
		allowHTTP      bool
		session, login string
	}{
		{false, "__Host-Http-session-admin", "__Host-Http-login-admin"},
		{true, "session-admin", "login-admin"},
	} {
		s := newSite(t, func(c *googlesession.Config) { c.CookieSuffix, c.DangerouslyAllowHTTP = "admin", tt.allowHTTP })
		set := serve(t, localhost(s), http.MethodPost, "/api/logout", "").header["Set-Cookie"]
		require.Len(t, set, 2)
		require.True(t, strings.HasPrefix(set[0], tt.session+"=;"), set[0])
		require.True(t, strings.HasPrefix(set[1], tt.login+"=;"), set[1])
	}
}

// References are the same as before the library had a suffix, for a Manager without suffix.
// Neither the generation nor the suffix can be spelled so that two configurations hash alike.
func TestReferencesWithSuffix(t *testing.T) {
	const value = "YuJTDYEBWcmRzBnjAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
	seen := map[[32]byte]string{}
	for _, tt := range []struct{ generation, suffix, salt string }{
		{"", "", "gs-id/1\x00\x00"},
		{"g", "", "gs-id/1\x00g\x00"},
		{"", "g", "gs-id/2\x00g\x00\x00"},
		{"g", "g", "gs-id/2\x00g\x00g\x00"},
		{"admin", "", "gs-id/1\x00admin\x00"},
		{"", "admin", "gs-id/2\x00admin\x00\x00"},
		{"gs-id/2", "", "gs-id/1\x00gs-id/2\x00"},
		{"a-b", "c", "gs-id/2\x00c\x00a-b\x00"},
		{"b", "c-a", "gs-id/2\x00c-a\x00b\x00"},
	} {
		m, err := googlesession.New(googlesession.Config{Sessions: admitsAll{}, Generation: tt.generation, CookieSuffix: tt.suffix})
		require.NoError(t, err)
		ref, ok := m.RefOf(value)
		require.True(t, ok)
		require.Equal(t, sha256.Sum256([]byte(tt.salt+value)), ref.ID, "generation %q, suffix %q", tt.generation, tt.suffix)
		require.Empty(t, seen[ref.ID], "generation %q, suffix %q", tt.generation, tt.suffix)
		seen[ref.ID] = tt.salt
	}
}

package googlesession_test

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/googletest"
)

// requireNothingCreated checks that a refused sign-in has left neither a user, a session nor
// a cookie behind.
func requireNothingCreated(t testing.TB, s *site, a answer) {
	t.Helper()
	require.Zero(t, s.store.count("SignIn", "CreateSession"))
	require.Empty(t, a.header["Set-Cookie"])
	require.NotContains(t, s.kinds(), googlesession.EventSignedIn)
}

func TestBeginRedirectQuery(t *testing.T) {
	for _, tt := range []struct {
		name, query string
		status      int
		next        string // of an accepted query
	}{
		{"none", "", 303, "/"},
		{"empty", "?", 303, "/"},
		{"all", "?next=/a&remember=true&reauth=false", 303, "/a"},
		{"false", "?remember=false", 303, "/"},
		{"path with a query and a fragment", "?next=%2Fa%3Fb%3Dc%26d%23e", 303, "/a?b=c&d#e"},
		{"other site", "?next=https://evil.example/", 303, "/"},
		{"other site without a scheme", "?next=//evil.example", 303, "/"},
		{"other site with a backslash", `?next=/%5Cevil.example`, 303, "/"},
		{"other site with a tab", "?next=/%09/evil.example", 303, "/"},
		{"script", "?next=javascript:alert(1)", 303, "/"},
		{"relative", "?next=a", 303, "/"},
		{"longest", "?next=/" + strings.Repeat("a", 2047), 303, "/" + strings.Repeat("a", 2047)},
		{"too long a path", "?next=/" + strings.Repeat("a", 2048), 303, "/"},
		{"too long a query", "?next=/" + strings.Repeat("a", 16<<10), 400, ""},
		{"repeated", "?next=/a&next=/b", 400, ""},
		{"repeated, equal", "?remember=true&remember=true", 400, ""},
		{"not a boolean", "?remember=1", 400, ""},
		{"upper case", "?reauth=True", 400, ""},
		{"empty boolean", "?reauth=", 400, ""},
		{"misspelt", "?remembr=true", 400, ""},
		{"other case", "?Next=/a", 400, ""},
		{"of the authorization request", "?prompt=none", 400, ""},
		{"bad escape", "?next=%zz", 400, ""},
		{"semicolon", "?next=/a;remember=true", 400, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newRedirectSite(t, nil)
			c := s.google.Browser(s)
			a := get(t, c, beginPath+tt.query)
			require.Equal(t, tt.status, a.status, a.body)
			require.Equal(t, "no-store", a.header.Get("Cache-Control"))
			require.Equal(t, "no-referrer", a.header.Get("Referrer-Policy"))
			require.Zero(t, s.store.count())
			if tt.status != http.StatusSeeOther {
				require.Equal(t, googlesession.CodeBadRequest, a.code(t))
				require.Empty(t, a.header["Set-Cookie"])
				require.Equal(t, []googlesession.EventKind{googlesession.EventDenied}, s.kinds())

				s = newRedirectSite(t, func(c *googlesession.Config) { c.LoginPage = "/login" })
				a = browseBack(t, s.google.Browser(s), beginPath+tt.query)
				require.Equal(t, "/login?code=bad_request&next=%2F", a.header.Get("Location"))
				return
			}
			a = comeBack(t, c, atGoogle(t, s, a.header.Get("Location"), alice))
			require.Equal(t, tt.next, a.header.Get("Location"))
		})
	}
}

func TestCallbackRefuses(t *testing.T) {
	type change func(t *testing.T, s *site, back string) string
	set := func(name, value string) change {
		return func(t *testing.T, _ *site, back string) string { return with(t, back, name, value) }
	}
	add := func(text string) change {
		return func(_ *testing.T, _ *site, back string) string { return back + text }
	}
	fail := func(word string) change {
		return func(t *testing.T, _ *site, back string) string {
			return with(t, with(t, back, "code", ""), "error", word)
		}
	}
	state := func(edit func(string) string) change {
		return func(t *testing.T, _ *site, back string) string {
			return with(t, back, "state", edit(parameter(t, back, "state")))
		}
	}
	flip := func(i int) change {
		return state(func(sealed string) string {
			data, err := base64.RawURLEncoding.DecodeString(sealed)
			require.NoError(t, err)
			data[(i+len(data))%len(data)] ^= 1
			return base64.RawURLEncoding.EncodeToString(data)
		})
	}
	const (
		bad, mismatch     = googlesession.CodeBadRequest, googlesession.CodeNonceMismatch
		refused, cancel   = googlesession.CodeTokenRefused, googlesession.CodeCancelled
		unavailable, none = googlesession.CodeUnavailable, googlesession.Code("")
	)
	for _, tt := range []struct {
		name   string
		change change
		code   googlesession.Code
	}{
		{"nothing is wrong", add(""), none},
		{"unknown parameters are ignored", add("&session_state=x&hd=example.com"), none},
		{"no iss", set("iss", ""), none},

		{"no query", func(*testing.T, *site, string) string { return callbackPath }, bad},
		{"no code", set("code", ""), bad},
		{"empty code", func(t *testing.T, _ *site, back string) string { return with(t, back, "code", "") + "&code=" }, bad},
		{"no state", set("state", ""), bad},
		{"code and error", add("&error=access_denied"), bad},
		{"two codes", add("&code=x"), bad},
		{"two states", add("&state=x"), bad},
		{"two errors", add("&error=a&error=b"), bad},
		{"a repeated unknown parameter", add("&x=1&x=2"), bad},
		{"too long a code", set("code", strings.Repeat("x", 1025)), bad},
		{"control characters", set("code", "a\nb"), bad},
		{"a code with a space", set("code", "a b"), bad},
		{"too long a query", add("&x=" + strings.Repeat("x", 16<<10)), bad},
		{"bad escape", add("&x=%zz"), bad},
		{"semicolon", add(";x=y"), bad},

		{"another code", set("code", "x"), refused},
		{"the longest code", set("code", strings.Repeat("x", 1024)), refused},
		{"another issuer", set("iss", "https://evil.example"), refused},
		{"another spelling of the issuer", set("iss", "https://accounts.google.com/"), refused},

		{"not a state", set("state", "x"), mismatch},
		{"too long a state", set("state", strings.Repeat("A", 4000)), mismatch},
		{"changed MAC", flip(0), mismatch},
		{"changed attempt", flip(32), mismatch},
		{"changed flags", flip(48), mismatch},
		{"changed next", flip(-1), mismatch},
		{"cut", state(func(s string) string { return s[:len(s)-4] }), mismatch},
		{"longer", state(func(s string) string { return s + "AAAA" }), mismatch},
		{"padded", state(func(s string) string { return s + "=" }), mismatch},
		{"line end", state(func(s string) string { return s + "\n" }), mismatch},
		{"line end in the middle", state(func(s string) string { return s[:4] + "\r\n" + s[4:] }), mismatch},
		{"the other alphabet", state(func(s string) string { return "+" + s[1:] }), mismatch},
		{"a state of another browser", func(t *testing.T, s *site, back string) string {
			return with(t, back, "state", parameter(t, toGoogle(t, s.google.Browser(s), ""), "state"))
		}, mismatch},
		{"code and state of another browser", func(t *testing.T, s *site, _ string) string {
			return atGoogle(t, s, toGoogle(t, s.google.Browser(s), ""), bob)
		}, mismatch},
		{"an error with the state of another browser", func(t *testing.T, s *site, _ string) string {
			return atGoogle(t, s, toGoogle(t, s.google.Browser(s), ""), "")
		}, mismatch},

		{"cancelled", fail("access_denied"), cancel},
		{"cancelled at another issuer", func(t *testing.T, _ *site, back string) string {
			return with(t, with(t, with(t, back, "code", ""), "error", "access_denied"), "iss", "x")
		}, refused},
		{"server_error", fail("server_error"), unavailable},
		{"temporarily_unavailable", fail("temporarily_unavailable"), unavailable},
		{"invalid_scope", fail("invalid_scope"), refused},
		{"an error that a stranger has chosen", fail("stranger danger"), refused},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newRedirectSite(t, nil)
			c := s.google.Browser(s)
			target := tt.change(t, s, atGoogle(t, s, toGoogle(t, c, "?next=/private"), alice))
			a := comeBack(t, c, target)
			require.Equal(t, "no-store", a.header.Get("Cache-Control"))
			require.Equal(t, "no-referrer", a.header.Get("Referrer-Policy"))
			if tt.code == none {
				require.Equal(t, "/private", a.header.Get("Location"), a.body)
				return
			}
			require.Equal(t, tt.code, a.code(t))
			requireNothingCreated(t, s, a)
			require.Len(t, s.kinds(), 1)
			if tt.code == bad || tt.code == mismatch || tt.code == cancel {
				require.Zero(t, s.google.Requests(googletest.ExchangeURL), "Google is asked for a code of this browser only")
			}
			require.NotContains(t, s.log.String(), "stranger")

			// With Config.LoginPage the browser is redirected to the login page. next is the path in
			// the state, if this browser has begun the sign-in.
			s = newRedirectSite(t, func(c *googlesession.Config) { c.LoginPage = "/login" })
			c = s.google.Browser(s)
			a = browseBack(t, c, tt.change(t, s, atGoogle(t, s, toGoogle(t, c, "?next=/private&remember=true"), alice)))
			if tt.code == unavailable {
				require.Equal(t, http.StatusServiceUnavailable, a.status)
				require.NotEmpty(t, a.header.Get("Retry-After"))
				require.Contains(t, a.body, `href="/api/login/google?next=%2Fprivate&amp;remember=true"`, "Try again begins anew")
				return
			}
			next := "/private"
			if tt.code == bad || tt.code == mismatch {
				next = "/"
			}
			require.Equal(t, "/login?"+url.Values{"code": {string(tt.code)}, "next": {next}}.Encode(), a.header.Get("Location"))
			requireNothingCreated(t, s, a)
		})
	}
}

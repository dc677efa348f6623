package googlesession_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
)

const (
	alice = "alice@gmail.com"
	admin = "boss@example.com"
)

func TestSignIn(t *testing.T) {
	s := newSite(t, nil)
	c := s.google.Browser(s)
	nonce := begin(t, c)
	a := post(t, c, s.google.Token(alice, nonce))
	require.Equal(t, http.StatusOK, a.status, a.body)
	require.JSONEq(t, `{"id":"`+s.google.Subject(alice)+`","username":"alice@gmail.com","email":"alice@gmail.com",
		"name":"Alice Gmail","picture":"`+s.user(t, alice).Picture+`","admin":false}`, a.body)
	require.Equal(t, "no-store", a.header.Get("Cache-Control"))
	require.Equal(t, alice, get(t, c, "/private").body)
	require.Equal(t, http.StatusForbidden, get(t, c, "/admin").status)
	require.Contains(t, s.kinds(), googlesession.EventSignedIn)
}

// C-11: the cookies to the byte.
func TestSetCookieGolden(t *testing.T) {
	for _, tt := range []struct {
		name           string
		edit           func(*googlesession.Config)
		login, session string
	}{
		{
			"default", nil,
			"__Host-Http-login=VALUE; Path=/; Max-Age=86400; HttpOnly; Secure; SameSite=Lax",
			"__Host-Http-session=VALUE; Path=/; Max-Age=43200; HttpOnly; Secure; SameSite=Lax",
		},
		{
			"redirect mode, over 400 days",
			func(c *googlesession.Config) { c.RedirectMode, c.MaxLifetime = true, 500*24*3600e9 },
			"__Host-Http-login=VALUE; Path=/; Max-Age=86400; HttpOnly; Secure; SameSite=None",
			"__Host-Http-session=VALUE; Path=/; Max-Age=34560000; HttpOnly; Secure; SameSite=Lax",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newSite(t, tt.edit)
			c := s.google.Browser(s)
			a := get(t, c, "/api/login")
			n := cookie(t, c, loginCookie)
			require.Regexp(t, `^[A-Za-z0-9_-]{43}$`, n)
			require.Equal(t, []string{strings.Replace(tt.login, "VALUE", n, 1)}, a.header["Set-Cookie"])

			a = post(t, c, s.google.Token(alice, begin(t, c)))
			v := cookie(t, c, sessionCookie)
			require.Regexp(t, `^[A-Za-z0-9_-]{59}$`, v)
			require.Equal(t, []string{strings.Replace(tt.session, "VALUE", v, 1)}, a.header["Set-Cookie"])

			a = do(t, c, http.MethodPost, "/api/logout", "")
			require.Equal(t, http.StatusNoContent, a.status)
			gone := func(want string) string {
				name, rest, _ := strings.Cut(want, "=VALUE; Path=/; Max-Age=")
				_, rest, _ = strings.Cut(rest, "; ")
				return name + "=; Path=/; Max-Age=0; " + rest
			}
			require.Equal(t, []string{gone(tt.session), gone(tt.login)}, a.header["Set-Cookie"])
		})
	}
}

func TestSetCookieGoldenHTTP(t *testing.T) {
	s := newSite(t, func(c *googlesession.Config) { c.DangerouslyAllowHTTP = true })
	a := serve(t, localhost(s), http.MethodGet, "/api/login", "")
	require.Regexp(t, `^login=[A-Za-z0-9_-]{43}; Path=/; Max-Age=86400; HttpOnly; SameSite=Lax$`, a.header.Get("Set-Cookie"))
}

func localhost(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Host = "localhost:8080"
		h.ServeHTTP(w, r)
	})
}

// DangerouslyAllowHTTP serves this machine and nobody else, on every route.
func TestAllowHTTPRefusesOtherHosts(t *testing.T) {
	s := newSite(t, func(c *googlesession.Config) { c.DangerouslyAllowHTTP = true })
	for _, host := range []string{"app.test", "localhost.evil.example", "127.0.0.1.evil.example", "10.0.0.1", "", "localhost."} {
		for _, target := range []string{"GET /api/login", "POST /api/login", "POST /api/logout", "GET /api/user", "GET /private", "GET /api/sessions"} {
			method, path, _ := strings.Cut(target, " ")
			h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				r.Host = host
				s.ServeHTTP(w, r)
			})
			a := serve(t, h, method, path, `{"credential":"x"}`, "Content-Type", "application/json")
			require.Equal(t, http.StatusMisdirectedRequest, a.status, "%s at %q", target, host)
			require.Equal(t, googlesession.CodeMisdirectedRequest, a.code(t))
		}
	}
	for _, host := range []string{"localhost", "LOCALHOST:8080", "127.0.0.1:80", "[::1]:8080", "[::1]"} {
		h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r.Host = host
			s.ServeHTTP(w, r)
		})
		require.Equal(t, http.StatusOK, serve(t, h, http.MethodGet, "/api/login", "").status, host)
	}
}

// Every wrong token of the stand-in is 401 with one and the same public text, and
// leaves neither user nor session (G-1 to G-8, G-16 to G-18, G-26).
func TestBadTokens(t *testing.T) {
	s := newRestartedSite(t)
	c := s.google.Browser(s)
	nonce := begin(t, c)
	want := post(t, c, "not a token")
	require.Equal(t, googlesession.CodeTokenRefused, want.code(t))
	bad := s.google.BadTokens(alice, nonce)
	require.Greater(t, len(bad), 50)
	for _, b := range bad {
		t.Run(b.Name, func(t *testing.T) {
			a := post(t, c, b.Token)
			if len(b.Token) > 60<<10 {
				require.Equal(t, http.StatusRequestEntityTooLarge, a.status)
				return
			}
			require.Equal(t, http.StatusUnauthorized, a.status, a.body)
			if b.Reason == googlesession.ReasonNonce {
				require.Equal(t, googlesession.CodeNonceMismatch, a.code(t))
			} else {
				require.Equal(t, want.body, a.body)
			}
			require.Empty(t, a.header["Set-Cookie"])
		})
	}
	require.Zero(t, s.store.count(), "store calls")
	require.NotContains(t, s.kinds(), googlesession.EventSignedIn)
	require.Equal(t, http.StatusOK, post(t, c, s.google.Token(alice, nonce)).status, "the good one")
}

// G-10, V-13, V-14: a token is worth nothing without the cookie of the browser that
// asked for it.
func TestLeakedTokenIsWorthless(t *testing.T) {
	s := newSite(t, nil)
	victim := s.google.Browser(s)
	nonce := begin(t, victim)
	token := s.google.Token(alice, nonce)
	n := cookie(t, victim, loginCookie)
	body := `{"credential":"` + token + `"}`
	flip := func(s string) string {
		return string(s[0]^1) + s[1:]
	}
	for _, tt := range []struct{ name, cookie string }{
		{"no cookie", ""},
		{"another browser's", loginCookie + "=" + strings.Repeat("A", 43)},
		{"one bit changed", loginCookie + "=" + flip(n)},
		{"the token's own nonce", loginCookie + "=" + nonce},
		{"two cookies", loginCookie + "=" + n + "; " + loginCookie + "=" + n},
		{"padded", loginCookie + "=" + n + "="},
		{"cut", loginCookie + "=" + n[:42]},
		{"bits after the end", loginCookie + "=" + n[:42] + flip(n[42:])},
		{"name without prefix", "login=" + n},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var wg sync.WaitGroup
			answers := make([]answer, 10)
			for i := range answers {
				wg.Go(func() {
					answers[i] = serve(t, s, http.MethodPost, "/api/login", body,
						"Content-Type", "application/json", "Cookie", tt.cookie)
				})
			}
			wg.Wait()
			for _, a := range answers {
				require.Equal(t, http.StatusUnauthorized, a.status)
				require.Equal(t, googlesession.CodeNonceMismatch, a.code(t))
				require.Empty(t, a.header["Set-Cookie"])
			}
		})
	}
	require.Zero(t, s.store.count("CreateSession"))
	require.Equal(t, http.StatusOK, post(t, victim, token).status, "the browser that asked")
}

func TestSkipNonce(t *testing.T) {
	s := newSite(t, func(c *googlesession.Config) { c.DangerouslySkipNonce = true })
	require.Equal(t, http.StatusOK, post(t, s.google.Browser(s), s.google.Token(alice, "")).status)
}

// Two tabs share one nonce cookie; a second GET login must not break the first.
func TestNonceSurvivesTabsAndSignIns(t *testing.T) {
	s := newSite(t, nil)
	c := s.google.Browser(s)
	first := begin(t, c)
	require.Equal(t, first, begin(t, c))
	require.Equal(t, http.StatusOK, post(t, c, s.google.Token(alice, first)).status)
	require.Equal(t, first, begin(t, c), "not cleared by a sign-in")

	do(t, c, http.MethodPost, "/api/logout", "")
	require.NotEqual(t, first, begin(t, c), "cleared by a sign-out")
}

func TestBeginSignInReplacesWhatIsNotANonce(t *testing.T) {
	s := newSite(t, nil)
	for _, value := range []string{"", "short", strings.Repeat("A", 42) + "B", strings.Repeat("A", 44), strings.Repeat("=", 43)} {
		a := serve(t, s, http.MethodGet, "/api/login", "", "Cookie", loginCookie+"="+value)
		require.NotContains(t, a.header.Get("Set-Cookie"), "="+value+";")
	}
}

// C-3, G-12: a sign-in makes a new session and ends the one presented.
func TestSignInEndsThePresentedSession(t *testing.T) {
	s := newSite(t, nil)
	c := s.signIn(t, alice)
	old := cookie(t, c, sessionCookie)
	require.Equal(t, http.StatusOK, post(t, c, s.google.Token("bob@gmail.com", begin(t, c))).status)
	require.NotEqual(t, old, cookie(t, c, sessionCookie))
	a := serve(t, s, http.MethodGet, "/private", "", "Cookie", sessionCookie+"="+old)
	require.Equal(t, http.StatusUnauthorized, a.status)
	require.Equal(t, "bob@gmail.com", get(t, c, "/private").body)
}

// G-12: a cookie that the server did not make never becomes a session.
func TestFixation(t *testing.T) {
	s := newSite(t, nil)
	planted, _ := s.manager.NewToken(s.google.Subject(alice))
	c := s.google.Browser(s)
	nonce := begin(t, c)
	a := serve(t, s, http.MethodPost, "/api/login", `{"credential":"`+s.google.Token(alice, nonce)+`"}`,
		"Content-Type", "application/json",
		"Cookie", loginCookie+"="+cookie(t, c, loginCookie)+"; "+sessionCookie+"="+planted)
	require.Equal(t, http.StatusOK, a.status)
	require.NotContains(t, a.header.Get("Set-Cookie"), planted)
	a = serve(t, s, http.MethodGet, "/private", "", "Cookie", sessionCookie+"="+planted)
	require.Equal(t, http.StatusUnauthorized, a.status)
}

// G-8, V-12.
func TestHostedDomains(t *testing.T) {
	s := newSite(t, func(c *googlesession.Config) { c.HostedDomains = []string{"Example.com"} })
	for _, tt := range []struct {
		name string
		hd   any
		want int
	}{
		{"the domain", "example.com", http.StatusOK},
		{"upper case", "EXAMPLE.COM", http.StatusOK},
		{"missing, e-mail of the domain", nil, http.StatusForbidden},
		{"suffix", "example.com.evil.com", http.StatusForbidden},
		{"subdomain", "mail.example.com", http.StatusForbidden},
		{"trailing blank", "example.com ", http.StatusForbidden},
		{"trailing dot", "example.com.", http.StatusForbidden},
		{"homograph", "ex\u0430mple.com", http.StatusForbidden},
		{"Kelvin-like fold", "example.co\u217f", http.StatusForbidden},
		{"gmail.com", "gmail.com", http.StatusForbidden},
		{"empty", "", http.StatusForbidden},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := s.google.Browser(s)
			d := s.google.Draft("carol@example.com", begin(t, c))
			d.Claims["hd"] = tt.hd
			if tt.hd == nil {
				delete(d.Claims, "hd")
			}
			before := s.store.count()
			a := post(t, c, s.google.Mint(d))
			require.Equal(t, tt.want, a.status, a.body)
			if tt.want == http.StatusForbidden {
				require.Equal(t, googlesession.CodeNotAdmitted, a.code(t))
				require.Equal(t, before, s.store.count(), "store calls of a refused sign-in")
			}
		})
	}
}

func TestAdmit(t *testing.T) {
	for _, tt := range []struct {
		name   string
		err    error
		status int
		code   googlesession.Code
	}{
		{"refuses", errors.New("Alice is on the secret list"), http.StatusForbidden, googlesession.CodeNotAdmitted},
		{"cannot tell", fmt.Errorf("database: %w", googlesession.ErrUnavailable), http.StatusServiceUnavailable, googlesession.CodeUnavailable},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var seen googlesession.Identity
			s := newSite(t, func(c *googlesession.Config) {
				c.Admit = func(_ context.Context, id googlesession.Identity) error {
					seen = id
					return tt.err
				}
			})
			c := s.google.Browser(s)
			a := post(t, c, s.google.Token(alice, begin(t, c)))
			require.Equal(t, tt.status, a.status)
			require.Equal(t, tt.code, a.code(t))
			require.NotContains(t, a.body, "secret")
			require.Contains(t, s.log.String(), tt.err.Error(), "the operator sees why")
			require.Zero(t, s.store.count(), "nothing is left behind")
			require.Equal(t, s.google.Subject(alice), seen.Subject)
		})
	}
}

// G-9: the subject is the identity, the address an attribute.
func TestEmailIsNoIdentity(t *testing.T) {
	s := newSite(t, nil)
	sign := func(sub, email string) string {
		c := s.google.Browser(s)
		d := s.google.Draft(email, begin(t, c))
		d.Claims["sub"] = sub
		a := post(t, c, s.google.Mint(d))
		require.Equal(t, http.StatusOK, a.status, a.body)
		return a.body
	}
	require.Contains(t, sign("1", "x@example.com"), `"id":"1"`)
	require.Contains(t, sign("2", "x@example.com"), `"id":"2"`, "another person with that address")
	require.Contains(t, sign("1", "y@example.com"), `"email":"y@example.com"`, "the address changed")
	users, err := s.store.Users(t.Context(), "", 10)
	require.NoError(t, err)
	require.Len(t, users, 2)
}

func TestDisabledUserCannotSignIn(t *testing.T) {
	s := newSite(t, nil)
	c := s.signIn(t, alice)
	yes := true
	_, err := s.manager.SetAccess(t.Context(), s.google.Subject(alice), googlesession.AccessChange{Disabled: &yes})
	require.NoError(t, err)
	a := post(t, c, s.google.Token(alice, begin(t, c)))
	require.Equal(t, http.StatusForbidden, a.status)
	require.Equal(t, googlesession.CodeUserDisabled, a.code(t))
	require.Empty(t, a.header["Set-Cookie"])
	require.Equal(t, 1, s.store.count("CreateSession"), "refused before a session is asked for")
}

// G-34, C-20: whatever fails on the way, there is no cookie without a session and
// the answer is 503.
func TestSignInFaults(t *testing.T) {
	down := errors.New("connection refused to 10.1.2.3")
	for _, method := range []string{"SignIn", "CreateSession", "RevokeSession"} {
		for _, err := range []error{down, fmt.Errorf("%w: pool", googlesession.ErrUnavailable), context.DeadlineExceeded, googlesession.ErrNoSession} {
			t.Run(method+" "+err.Error(), func(t *testing.T) {
				s := newSite(t, nil)
				c := s.signIn(t, alice) // so that there is a session to replace
				old := cookie(t, c, sessionCookie)
				s.store.failing(method, err)
				a := post(t, c, s.google.Token(alice, begin(t, c)))
				require.Equal(t, http.StatusServiceUnavailable, a.status)
				require.Equal(t, googlesession.CodeUnavailable, a.code(t))
				require.NotEmpty(t, a.header.Get("Retry-After"))
				require.Empty(t, a.header["Set-Cookie"])
				require.NotContains(t, a.body, "10.1.2.3")

				s.store.failing(method, nil)
				require.Equal(t, old, cookie(t, c, sessionCookie))
				require.Equal(t, alice, get(t, c, "/private").body, "the old session goes on")
			})
		}
	}
}

func TestSignInTakesTheNewSessionBackIfTheOldOneStays(t *testing.T) {
	s := newSite(t, nil)
	c := s.signIn(t, alice)
	s.store.failing("RevokeSession", errors.New("down"))
	nonce := begin(t, c)
	var once sync.Once
	s.store.hook = func(method string) {
		if method == "RevokeSession" { // fails once: the first is for the old session
			once.Do(func() { go s.store.failing("RevokeSession", nil) })
		}
	}
	require.Equal(t, http.StatusServiceUnavailable, post(t, c, s.google.Token(alice, nonce)).status)
	require.GreaterOrEqual(t, s.store.count("RevokeSession"), 2, "the new session is revoked as well as can be")
}

func TestKeysUnavailable(t *testing.T) {
	s := newSite(t, nil)
	s.google.Respond(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
	c := s.google.Browser(s)
	a := post(t, c, s.google.Token(alice, begin(t, c)))
	require.Equal(t, http.StatusServiceUnavailable, a.status)
	require.Equal(t, googlesession.CodeUnavailable, a.code(t))
	require.NotEmpty(t, a.header.Get("Retry-After"))
}

// G-34: a panic in the application's code leaves nothing half done.
func TestPanicInAdmit(t *testing.T) {
	s := newSite(t, func(c *googlesession.Config) {
		c.Admit = func(context.Context, googlesession.Identity) error { panic("admit") }
	})
	c := s.google.Browser(s)
	nonce := begin(t, c)
	body := `{"credential":"` + s.google.Token(alice, nonce) + `"}`
	require.Panics(t, func() {
		serve(t, s, http.MethodPost, "/api/login", body, "Content-Type", "application/json", "Cookie", loginCookie+"="+cookie(t, c, loginCookie))
	})
	require.Zero(t, s.store.count())
}

func TestPanicInEvents(t *testing.T) {
	s := newSite(t, func(c *googlesession.Config) {
		c.Events = func(context.Context, googlesession.Event) { panic("audit") }
	})
	c := s.signIn(t, alice)
	require.Equal(t, alice, get(t, c, "/private").body)
	require.Contains(t, s.log.String(), "audit")
}

func TestVerifierMissing(t *testing.T) {
	s := newSite(t, func(c *googlesession.Config) { c.Verifier = nil })
	for _, target := range []string{"GET /api/login", "POST /api/login", "GET /api/login.js"} {
		method, path, _ := strings.Cut(target, " ")
		a := serve(t, s, method, path, `{}`, "Content-Type", "application/json")
		require.Equal(t, http.StatusNotFound, a.status, target)
		require.Equal(t, googlesession.CodeNotFound, a.code(t))
	}
	require.Equal(t, http.StatusNoContent, serve(t, s, http.MethodPost, "/api/logout", "").status)
}

func TestSignOut(t *testing.T) {
	s := newSite(t, nil)
	c := s.signIn(t, alice)
	old := cookie(t, c, sessionCookie)

	a := get(t, c, "/api/logout")
	require.Equal(t, http.StatusMethodNotAllowed, a.status, "C-6: GET does not sign out")
	require.Equal(t, http.MethodPost, a.header.Get("Allow"))
	require.Equal(t, googlesession.CodeMethodNotAllowed, a.code(t))
	require.Equal(t, alice, get(t, c, "/private").body)

	s.store.failing("RevokeSession", errors.New("down"))
	a = do(t, c, http.MethodPost, "/api/logout", "")
	require.Equal(t, http.StatusServiceUnavailable, a.status)
	require.Empty(t, a.header["Set-Cookie"], "the cookie is kept, so that repeating it works")
	s.store.failing("RevokeSession", nil)

	require.Equal(t, http.StatusNoContent, do(t, c, http.MethodPost, "/api/logout/", "").status)
	require.Empty(t, cookie(t, c, sessionCookie))
	require.Empty(t, cookie(t, c, loginCookie))
	a = serve(t, s, http.MethodGet, "/private", "", "Cookie", sessionCookie+"="+old)
	require.Equal(t, http.StatusUnauthorized, a.status, "ended is ended")
	require.Equal(t, http.StatusNoContent, do(t, c, http.MethodPost, "/api/logout", "").status, "idempotent")
}

// A sign-out with a planted second cookie still ends the browser's session.
func TestSignOutEndsAllThatIsPresented(t *testing.T) {
	s := newSite(t, nil)
	mine := cookie(t, s.signIn(t, alice), sessionCookie)
	planted, _ := s.manager.NewToken("mallory")
	cookies := sessionCookie + "=" + planted + "; " + sessionCookie + "=" + mine
	require.Equal(t, http.StatusNoContent, serve(t, s, http.MethodPost, "/api/logout", "", "Cookie", cookies).status)
	a := serve(t, s, http.MethodGet, "/private", "", "Cookie", sessionCookie+"="+mine)
	require.Equal(t, http.StatusUnauthorized, a.status)
}

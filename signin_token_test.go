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

// Every bad token of the stand-in answers 401 with the same text, and leaves neither a user
// nor a session.
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

// A token does not sign in without the cookie of the browser that asked for it.
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

// The subject identifies the user. The address may change and may be another user's later.
func TestEmailIsNotTheIdentity(t *testing.T) {
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
	users, err := s.store.Users(t.Context(), googlesession.UserQuery{Limit: 10})
	require.NoError(t, err)
	require.Len(t, users, 2)
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

// A panic in Config.Admit leaves nothing half done.
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

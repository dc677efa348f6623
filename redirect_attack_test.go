package googlesession_test

import (
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/googletest"
)

// The address of the callback does not sign in a browser that did not begin the sign-in.
func TestLeakedCallbackIsWorthless(t *testing.T) {
	s := newRedirectSite(t, nil)
	victim := s.google.Browser(s)
	back := atGoogle(t, s, toGoogle(t, victim, ""), alice)
	secret := cookie(t, victim, loginCookie)
	nonce, _ := googlesession.NonceOf(secret)
	for _, tt := range []struct{ name, cookie string }{
		{"no cookie", ""},
		{"another browser's", loginCookie + "=" + strings.Repeat("A", 43)},
		{"the nonce", loginCookie + "=" + nonce},
		{"two cookies", loginCookie + "=" + secret + "; " + loginCookie + "=" + secret},
		{"padded", loginCookie + "=" + secret + "="},
		{"name without prefix", "login=" + secret},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := serve(t, s, http.MethodGet, back, "", "Cookie", tt.cookie)
			require.Equal(t, googlesession.CodeNonceMismatch, a.code(t))
			requireNothingCreated(t, s, a)
		})
	}
	require.Zero(t, s.google.Requests(googletest.ExchangeURL))
	require.Equal(t, http.StatusSeeOther, comeBack(t, victim, back).status, "the browser that began")
}

// A second request of the callback creates nothing and ends nothing.
func TestCallbackReplay(t *testing.T) {
	s := newRedirectSite(t, nil)
	c := s.google.Browser(s)
	back := atGoogle(t, s, toGoogle(t, c, ""), alice)
	require.Equal(t, http.StatusSeeOther, comeBack(t, c, back).status)
	a := comeBack(t, c, back)
	require.Equal(t, googlesession.CodeTokenRefused, a.code(t))
	require.Empty(t, a.header["Set-Cookie"])
	require.Equal(t, 1, s.store.count("CreateSession"))
	require.Equal(t, alice, get(t, c, "/private").body, "the session goes on")
	require.Contains(t, s.log.String(), "reason=token_refused:code")
}

func TestExpiredCode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newRedirectSite(t, nil)
		c := s.google.Browser(s)
		early, late := atGoogle(t, s, toGoogle(t, c, ""), alice), atGoogle(t, s, toGoogle(t, c, ""), alice)
		advance(10*time.Minute - time.Second)
		require.Equal(t, http.StatusSeeOther, comeBack(t, c, early).status)
		advance(time.Second)
		require.Equal(t, googlesession.CodeTokenRefused, comeBack(t, c, late).code(t))
		require.Equal(t, 1, s.store.count("CreateSession"))
	})
}

// An outage that the browser reports is a warning, because its user can invent it. It does
// not hide a real outage of the token endpoint.
func TestInventedOutage(t *testing.T) {
	for _, invented := range []string{"server_error", "temporarily_unavailable"} {
		t.Run(invented, func(t *testing.T) {
			l, lines := jsonLogger(slog.LevelDebug)
			s := newRedirectSite(t, func(c *googlesession.Config) { c.Logger, c.Events = l, googlesession.LogEvents(l) })
			c := s.google.Browser(s)
			back := atGoogle(t, s, toGoogle(t, c, ""), alice)
			for range 3 {
				require.Equal(t, googlesession.CodeUnavailable, comeBack(t, c, with(t, with(t, back, "code", ""), "error", invented)).code(t))
			}
			require.Len(t, lines(t), 1)
			require.Equal(t, "WARN", lines(t)[0]["level"])
			require.Contains(t, lines(t)[0]["error"], invented)
			require.Contains(t, lines(t)[0]["hint"], "Every visitor can invent")

			s.google.RespondExchange(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
			require.Equal(t, googlesession.CodeUnavailable, comeBack(t, c, back).code(t))
			require.Len(t, lines(t), 2)
			require.Equal(t, "ERROR", lines(t)[1]["level"])
		})
	}
}

// Neither a link on another site nor a request of another site's page signs a visitor in.
func TestRedirectFromOtherSites(t *testing.T) {
	s := newRedirectSite(t, nil)
	c := s.google.Browser(s)
	evil := []string{"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"}

	a := get(t, c, beginPath, evil...)
	require.Equal(t, http.StatusSeeOther, a.status, "a link may lead to Google")
	require.Equal(t, "select_account", parameter(t, a.header.Get("Location"), "prompt"), "where a click is needed")
	require.Empty(t, cookie(t, c, sessionCookie))

	// The callback that a page of another site plants has no state of this browser.
	attacker := s.google.Browser(s)
	planted := atGoogle(t, s, toGoogle(t, attacker, ""), bob)
	a = get(t, c, planted, evil...)
	require.Equal(t, googlesession.CodeNonceMismatch, a.code(t))
	requireNothingCreated(t, s, a)

	a = get(t, c, atGoogle(t, s, toGoogle(t, c, ""), alice), "Origin", "https://evil.example",
		"Sec-WebSocket-Key", "x", "Sec-WebSocket-Version", "13")
	require.Equal(t, googlesession.CodeCrossOrigin, a.code(t), "the handshake of a WebSocket")
	requireNothingCreated(t, s, a)
}

func TestRedirectMethods(t *testing.T) {
	s := newRedirectSite(t, func(c *googlesession.Config) { c.LoginPage = "/login" })
	c := s.google.Browser(s)
	back := atGoogle(t, s, toGoogle(t, c, ""), alice)
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions} {
		for _, target := range []string{beginPath, back} {
			a := do(t, c, method, target, "")
			require.Equal(t, http.StatusMethodNotAllowed, a.status, "%s %s", method, target)
			require.Equal(t, "GET, HEAD", a.header.Get("Allow"))
			requireNothingCreated(t, s, a)
		}
	}
	require.Equal(t, http.StatusSeeOther, do(t, c, http.MethodHead, beginPath, "").status)
	require.Equal(t, http.StatusMethodNotAllowed, do(t, c, http.MethodPost, callbackPath, "code=x&state=y", "Content-Type", "application/x-www-form-urlencoded").status,
		"response_mode=form_post is not used")
	require.Equal(t, "/", do(t, c, http.MethodHead, back, "").header.Get("Location"), "HEAD is answered like GET")
	require.Equal(t, http.StatusSeeOther, get(t, c, beginPath+"/").status, "a slash at the end")
}

// With DangerouslyAllowHTTP both routes refuse other hosts than this machine.
func TestRedirectOnLocalhost(t *testing.T) {
	s := newRedirectSite(t, func(c *googlesession.Config) {
		c.BaseURL, c.DangerouslyAllowHTTP = "http://localhost:8080/api", true
	})
	at := func(host string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r.Host = host
			s.ServeHTTP(w, r)
		})
	}
	a := serve(t, at("localhost:8080"), http.MethodGet, beginPath, "")
	require.Equal(t, http.StatusSeeOther, a.status)
	secret, _, _ := strings.Cut(a.header.Get("Set-Cookie"), ";")
	back, err := s.google.Authorize(a.header.Get("Location"), alice)
	require.NoError(t, err)
	target, ok := strings.CutPrefix(back, "http://localhost:8080")
	require.True(t, ok)
	for _, host := range []string{"app.test", "localhost.evil.example"} {
		require.Equal(t, googlesession.CodeMisdirectedRequest, serve(t, at(host), http.MethodGet, beginPath, "").code(t))
		a = serve(t, at(host), http.MethodGet, target, "", "Cookie", secret)
		require.Equal(t, googlesession.CodeMisdirectedRequest, a.code(t))
		requireNothingCreated(t, s, a)
	}
	a = serve(t, at("localhost:8080"), http.MethodGet, target, "", "Cookie", secret)
	require.Equal(t, http.StatusSeeOther, a.status, a.body)
	require.Contains(t, a.header.Get("Set-Cookie"), "session=")
}

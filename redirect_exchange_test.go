package googlesession_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/googletest"
)

// A wrong answer of the token endpoint is an outage, and a token of another person or
// browser is refused.
func TestExchangeFailures(t *testing.T) {
	token := func(id string) string {
		return `{"access_token":"a","token_type":"Bearer","id_token":"` + id + `"}`
	}
	for _, tt := range []struct {
		name   string
		status int
		body   func(s *site, nonce string) string
		code   googlesession.Code
	}{
		{"down", 502, func(*site, string) string { return "" }, googlesession.CodeUnavailable},
		{"wrong secret", 401, func(*site, string) string { return `{"error":"invalid_client"}` }, googlesession.CodeUnavailable},
		{"refused code", 400, func(*site, string) string { return `{"error":"invalid_grant"}` }, googlesession.CodeTokenRefused},
		{"no ID token", 200, func(*site, string) string { return `{"access_token":"a"}` }, googlesession.CodeUnavailable},
		{"not a token", 200, func(*site, string) string { return token("x") }, googlesession.CodeTokenRefused},
		{"another nonce", 200, func(s *site, _ string) string { return token(s.google.Token(alice, "other")) }, googlesession.CodeNonceMismatch},
		{"no nonce", 200, func(s *site, _ string) string { return token(s.google.Token(alice, "")) }, googlesession.CodeNonceMismatch},
		{"another client's", 200, func(s *site, nonce string) string {
			d := s.google.Draft(alice, nonce)
			d.Claims["aud"] = "other"
			return token(s.google.Mint(d))
		}, googlesession.CodeTokenRefused},
		{"forged", 200, func(s *site, nonce string) string { return token(s.google.Mint(s.google.Draft(alice, nonce).Forge())) }, googlesession.CodeTokenRefused},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newRedirectSite(t, nil)
			c := s.google.Browser(s)
			page := toGoogle(t, c, "")
			s.google.RespondExchange(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(tt.status)
				_, _ = io.WriteString(w, tt.body(s, parameter(t, page, "nonce")))
			})
			a := comeBack(t, c, atGoogle(t, s, page, alice))
			require.Equal(t, tt.code, a.code(t))
			requireNothingCreated(t, s, a)
			require.Equal(t, 1, s.google.Requests(googletest.ExchangeURL), "the code is sent once")
		})
	}
}

// If the store fails after the exchange, the answer is 503 and the earlier session goes on.
func TestRedirectDuringAnOutage(t *testing.T) {
	s := newRedirectSite(t, nil)
	c := s.signIn(t, alice)
	s.store.failing("CreateSession", errors.New("down"))
	a := comeBack(t, c, atGoogle(t, s, toGoogle(t, c, ""), alice))
	require.Equal(t, http.StatusServiceUnavailable, a.status)
	require.Empty(t, a.header["Set-Cookie"])
	require.Equal(t, alice, get(t, c, "/private").body)
}

// Neither a log, an event, an error nor an answer holds a secret of a sign-in, however it
// ends. Config.Deny does not see the code either.
func TestRedirectHygiene(t *testing.T) {
	var denied []string
	s := newRedirectSite(t, func(c *googlesession.Config) {
		c.Deny = func(w http.ResponseWriter, r *http.Request, d googlesession.Denial) {
			denied = append(denied, r.URL.String(), r.RequestURI, fmt.Sprintf("%+v", d))
			w.WriteHeader(d.Status)
		}
	})
	var secrets []string
	var bodies bytes.Buffer
	collect := func(c *http.Client, page, back string) {
		nonce := parameter(t, page, "nonce")
		secrets = append(secrets, cookie(t, c, loginCookie), nonce, parameter(t, page, "state"),
			googlesession.CodeVerifier(cookie(t, c, loginCookie), parameter(t, page, "state")), s.google.ClientSecret())
		if code := parameter(t, back, "code"); code != "" {
			secrets = append(secrets, code)
		}
	}
	visit := func(edit func(back string) string) {
		c := s.google.Browser(s)
		page := toGoogle(t, c, "?next=/private")
		back := atGoogle(t, s, page, alice)
		collect(c, page, back)
		a := browseBack(t, c, edit(back))
		fmt.Fprintln(&bodies, a.body)
		if v := cookie(t, c, sessionCookie); v != "" {
			secrets = append(secrets, v)
		}
		browseBack(t, c, back)
		fmt.Fprintln(&bodies, comeBack(t, c, back).body)
	}
	same := func(back string) string { return back }
	visit(same)
	visit(func(back string) string { return with(t, back, "iss", "x") })
	visit(func(back string) string { return with(t, back, "state", parameter(t, back, "state")+"A") })
	visit(func(back string) string { return back + "&code=y" })
	visit(func(back string) string {
		return with(t, with(t, back, "code", ""), "error", parameter(t, back, "code"))
	})
	for _, status := range []int{200, 400, 401, 500} {
		s.google.RespondExchange(func(w http.ResponseWriter, r *http.Request) { // repeats all that it was sent
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(status)
			sent, _ := io.ReadAll(r.Body)
			_ = json.NewEncoder(w).Encode(map[string]string{"error": "invalid_" + string(sent), "error_description": string(sent)})
		})
		visit(same)
	}
	var all strings.Builder
	all.WriteString(s.log.String() + strings.Join(denied, "\n") + bodies.String())
	s.mu.Lock()
	fmt.Fprintf(&all, "%+v", s.events)
	for _, e := range s.events {
		fmt.Fprintf(&all, "%+v %#v", e.Err, e.Err)
	}
	s.mu.Unlock()
	require.Greater(t, len(denied), 20)
	for _, secret := range secrets {
		require.NotEmpty(t, secret)
		require.NotContains(t, all.String(), secret)
		require.NotContains(t, all.String(), url.QueryEscape(secret))
	}
}

// A state has one spelling, and opens only with its secret.
func FuzzOpenState(f *testing.F) {
	secret := strings.Repeat("A", 43)
	for _, next := range []string{"/", "/a?b=c", "//evil.example", "/" + strings.Repeat("a", 2047), ""} {
		f.Add(googlesession.SealState(secret, next, true, false))
		f.Add(googlesession.SealState("other", next, false, true))
	}
	f.Add("")
	f.Add(strings.Repeat("A", 66))
	f.Add(strings.Repeat("A", 3000))
	f.Fuzz(func(t *testing.T, sealed string) {
		next, remember, reauth, ok := googlesession.OpenState(secret, sealed)
		if !ok {
			return
		}
		require.Equal(t, next, googlesession.SafePath(next))
		data, err := base64.RawURLEncoding.Strict().DecodeString(sealed)
		require.NoError(t, err)
		require.Equal(t, sealed, base64.RawURLEncoding.EncodeToString(data), "one spelling")
		again, keep, reauthAgain, ok := googlesession.OpenState(secret, googlesession.SealState(secret, next, remember, reauth))
		require.True(t, ok)
		require.Equal(t, []any{next, remember, reauth}, []any{again, keep, reauthAgain})
		_, _, _, ok = googlesession.OpenState(secret[1:]+"B", sealed)
		require.False(t, ok)
	})
}

// Even a state that the browser's user has sealed does not lead to another site.
func TestStateLeadsNowhereElse(t *testing.T) {
	s := newRedirectSite(t, nil)
	c := s.google.Browser(s)
	page := toGoogle(t, c, "")
	sealed := googlesession.SealState(cookie(t, c, loginCookie), "//evil.example", false, false)
	verifier := googlesession.CodeVerifier(cookie(t, c, loginCookie), sealed)
	page = with(t, with(t, page, "state", sealed), "code_challenge", challengeOf(verifier))
	require.Equal(t, "/", comeBack(t, c, atGoogle(t, s, page, alice)).header.Get("Location"))
}

// A mistake that the operator has to correct is logged with a hint, and without the text
// that a stranger has chosen.
func TestRedirectHints(t *testing.T) {
	for _, tt := range []struct {
		name, hint string
		change     func(t *testing.T, c *http.Client, back string) string
	}{
		{"an error of the list", `error="googlesession: token refused: code: Google's authorization endpoint reports invalid_scope"`, func(t *testing.T, _ *http.Client, back string) string {
			return with(t, with(t, back, "code", ""), "error", "invalid_scope")
		}},
		{"another error", "authorized redirect URIs list Config.BaseURL", func(t *testing.T, _ *http.Client, back string) string {
			return with(t, with(t, back, "code", ""), "error", "stranger")
		}},
		{"no cookie", "another host than that of Config.BaseURL", func(_ *testing.T, c *http.Client, back string) string {
			c.Jar = nil
			return back
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newRedirectSite(t, nil)
			c := s.google.Browser(s)
			comeBack(t, c, tt.change(t, c, atGoogle(t, s, toGoogle(t, c, ""), alice)))
			require.Contains(t, s.log.String(), "level=WARN")
			require.Contains(t, strings.ReplaceAll(s.log.String(), `\"`, `"`), tt.hint)
			require.NotContains(t, s.log.String(), "stranger")
		})
	}
	s := newRedirectSite(t, nil)
	c := s.google.Browser(s)
	comeBack(t, c, atGoogle(t, s, toGoogle(t, c, ""), ""))
	require.Contains(t, s.log.String(), "level=INFO msg=\"googlesession: sign-in refused\" code=sign_in_cancelled")
}

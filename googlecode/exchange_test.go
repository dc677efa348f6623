package googlecode_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/googlecode"
	"github.com/googlesession/googlesession/googletest"
)

const (
	clientID    = "client.apps.googleusercontent.com"
	redirectURI = "https://app.test/api/login/google/callback"
	verifier    = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk" // RFC 7636, appendix B
	challenge   = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
	nonce       = "bm9uY2U"
)

func newExchanger(t testing.TB, g *googletest.Google, edit func(*googlecode.Config)) *googlecode.Exchanger {
	t.Helper()
	c := googlecode.Config{ClientID: g.ClientID(), ClientSecret: g.ClientSecret(), HTTPClient: g.Client()}
	if edit != nil {
		edit(&c)
	}
	x, err := googlecode.New(c)
	require.NoError(t, err)
	return x
}

// newCode returns a code for Ada's account.
func newCode(t testing.TB, g *googletest.Google) string {
	t.Helper()
	request := googletest.AuthorizationURL + "?" + url.Values{
		"client_id": {g.ClientID()}, "response_type": {"code"}, "scope": {"openid email"}, "redirect_uri": {redirectURI},
		"state": {"state"}, "nonce": {nonce}, "code_challenge": {challenge}, "code_challenge_method": {"S256"},
	}.Encode()
	back, err := g.Authorize(request, "ada@example.com")
	require.NoError(t, err)
	u, err := url.Parse(back)
	require.NoError(t, err)
	return u.Query().Get("code")
}

func TestExchange(t *testing.T) {
	sum := sha256.Sum256([]byte(verifier))
	require.Equal(t, challenge, base64.RawURLEncoding.EncodeToString(sum[:]))

	g := googletest.NewGoogle(clientID)
	x := newExchanger(t, g, nil)
	require.Equal(t, clientID, x.ClientID())
	require.Equal(t, googletest.AuthorizationURL, x.AuthorizationURL())
	token, err := x.Exchange(t.Context(), newCode(t, g), verifier, redirectURI)
	require.NoError(t, err)
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	require.NoError(t, err)
	require.Contains(t, string(payload), `"email":"ada@example.com"`)
	require.Contains(t, string(payload), `"nonce":"`+nonce+`"`)
	require.Equal(t, 1, g.Requests(googletest.ExchangeURL))
	require.Empty(t, g.Strays())
}

// The test compares every byte of the request. The client's credentials are in the body,
// and the code is sent once, even if it is refused.
func TestRequest(t *testing.T) {
	g := googletest.NewGoogle(clientID)
	var requests []*http.Request
	g.RespondExchange(func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm() // the values are compared below
		requests = append(requests, r)
		w.Header().Set("Set-Cookie", "a=b; Path=/")
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, `{"error":"invalid_client"}`)
	})
	x := newExchanger(t, g, func(c *googlecode.Config) {
		jar, err := cookiejar.New(nil)
		require.NoError(t, err)
		c.HTTPClient.Jar = jar
	})
	for range 2 {
		_, err := x.Exchange(t.Context(), "4/code", verifier, redirectURI)
		require.ErrorIs(t, err, googlesession.ErrUnavailable)
	}
	require.Len(t, requests, 2)
	second := requests[1]
	require.Equal(t, http.MethodPost, second.Method)
	require.Empty(t, second.Header.Get("Authorization"))
	require.Empty(t, second.Header.Get("Cookie"))
	require.Equal(t, url.Values{
		"grant_type": {"authorization_code"}, "code": {"4/code"}, "code_verifier": {verifier}, "redirect_uri": {redirectURI},
		"client_id": {clientID}, "client_secret": {g.ClientSecret()},
	}, second.PostForm)
}

// A code that Google refuses is a refused token (401), and not an outage.
func TestRefusedCodes(t *testing.T) {
	for _, tt := range []struct {
		name                        string
		code                        func(t *testing.T, g *googletest.Google, x *googlecode.Exchanger) string
		verifier, uri, secret, want string
		refused                     bool
	}{
		{name: "unknown", code: func(*testing.T, *googletest.Google, *googlecode.Exchanger) string { return "4/x" }, refused: true, want: "invalid_grant"},
		{name: "used", code: func(t *testing.T, g *googletest.Google, x *googlecode.Exchanger) string {
			code := newCode(t, g)
			_, err := x.Exchange(t.Context(), code, verifier, redirectURI)
			require.NoError(t, err)
			return code
		}, refused: true, want: "invalid_grant"},
		{name: "another verifier", verifier: strings.Repeat("v", 43), refused: true, want: "invalid_grant"},
		{name: "another redirect URI", uri: "https://app.test/other", want: "register https://app.test/other"},
		{name: "another secret", secret: "other", want: "check Config.ClientID and Config.ClientSecret"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g := googletest.NewGoogle(clientID)
			x := newExchanger(t, g, func(c *googlecode.Config) {
				if tt.secret != "" {
					c.ClientSecret = tt.secret
				}
			})
			code, v, uri := newCode(t, g), verifier, redirectURI
			if tt.code != nil {
				code = tt.code(t, g, x)
			}
			if tt.verifier != "" {
				v = tt.verifier
			}
			if tt.uri != "" {
				uri = tt.uri
			}
			_, err := x.Exchange(t.Context(), code, v, uri)
			require.ErrorContains(t, err, tt.want)
			requireRefused(t, tt.refused, err)
		})
	}
}

// requireRefused checks that the error says that Google refuses the code, or that it is an
// outage. It is never both.
func requireRefused(t testing.TB, refused bool, err error) {
	t.Helper()
	token, isToken := errors.AsType[*googlesession.TokenError](err)
	require.Equal(t, refused, isToken, "%v", err)
	require.Equal(t, !refused, errors.Is(err, googlesession.ErrUnavailable), "%v", err)
	if isToken {
		require.Equal(t, googlesession.ReasonCode, token.Reason)
	}
	_, leaks := errors.AsType[*oauth2.RetrieveError](err)
	require.False(t, leaks, "the error holds Google's whole answer")
}

// An exchange ends after its timeout, and when its context is done.
func TestTimeout(t *testing.T) {
	for _, tt := range []struct {
		name          string
		timeout, want time.Duration
		header        bool // the answer begins
	}{
		{"default", 0, 5 * time.Second, false},
		{"configured", 7 * time.Second, 7 * time.Second, false},
		{"in the middle of the answer", 0, 5 * time.Second, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := googletest.NewGoogle(clientID)
				g.RespondExchange(func(w http.ResponseWriter, r *http.Request) {
					_, _ = io.Copy(io.Discard, r.Body) // afterwards the server notices that the client has gone
					if tt.header {
						w.Header().Set("Content-Type", "application/json")
						_, _ = io.WriteString(w, `{"access_token":`)
						w.(http.Flusher).Flush()
					}
					<-r.Context().Done()
				})
				x := newExchanger(t, g, func(c *googlecode.Config) { c.Timeout = tt.timeout })
				start := time.Now()
				_, err := x.Exchange(t.Context(), "4/code", verifier, redirectURI)
				require.ErrorContains(t, err, "did not answer in time")
				require.ErrorIs(t, err, context.DeadlineExceeded)
				requireRefused(t, false, err)
				require.Equal(t, tt.want, time.Since(start))

				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(time.Second, cancel)
				start = time.Now()
				_, err = x.Exchange(ctx, "4/code", verifier, redirectURI)
				requireRefused(t, false, err)
				require.Equal(t, time.Second, time.Since(start))
			})
		})
	}
}

// Many browsers may come back at the same time.
func TestExchangeConcurrently(t *testing.T) {
	g := googletest.NewGoogle(clientID)
	x := newExchanger(t, g, nil)
	errs := make(chan error, 16)
	for i := range cap(errs) {
		code, want := newCode(t, g), i%2 == 0
		if !want {
			code = "4/x"
		}
		go func() {
			_, err := x.Exchange(t.Context(), code, verifier, redirectURI)
			if _, refused := errors.AsType[*googlesession.TokenError](err); want != (err == nil) || want == refused {
				errs <- fmt.Errorf("Exchange: %w, want success %v", err, want)
				return
			}
			errs <- nil
		}()
	}
	for range cap(errs) {
		require.NoError(t, <-errs)
	}
}

func TestNewRefuses(t *testing.T) {
	for _, tt := range []struct {
		name string
		edit func(*googlecode.Config)
		want string
	}{
		{"no client ID", func(c *googlecode.Config) { c.ClientID = "" }, "Config.ClientID"},
		{"client ID with a line end", func(c *googlecode.Config) { c.ClientID += "\n" }, "Config.ClientID"},
		{"no secret", func(c *googlecode.Config) { c.ClientSecret = "" }, "Config.ClientSecret"},
		{"secret with a line end", func(c *googlecode.Config) { c.ClientSecret += "\n" }, "Config.ClientSecret"},
		{"negative timeout", func(c *googlecode.Config) { c.Timeout = -1 }, "Config.Timeout"},
		{"timeout over half a minute", func(c *googlecode.Config) { c.Timeout = 31 * time.Second }, "Config.Timeout"},
		{"relative page", func(c *googlecode.Config) { c.AuthorizationURL = "/demo/authorize" }, "Config.AuthorizationURL"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := googlecode.Config{ClientID: clientID, ClientSecret: "very-secret"}
			tt.edit(&c)
			x, err := googlecode.New(c)
			require.ErrorContains(t, err, "googlecode: "+tt.want)
			require.NotContains(t, err.Error(), "very-secret")
			require.Nil(t, x)
		})
	}
	_, err := googlecode.New(googlecode.Config{Timeout: time.Hour, AuthorizationURL: "x"})
	require.Len(t, strings.Split(err.Error(), "\n"), 4)
}

// Printing an Exchanger does not show the secret.
func TestSecretIsNotPrinted(t *testing.T) {
	x, err := googlecode.New(googlecode.Config{ClientID: clientID, ClientSecret: "very-secret"})
	require.NoError(t, err)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		require.NotContains(t, fmt.Sprintf(verb, x), "very-secret")
		require.NotContains(t, fmt.Sprintf(verb, *x), "very-secret")
	}
}

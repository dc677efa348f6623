package googlesession_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/googlecode"
	"github.com/googlesession/googlesession/googletest"
)

const (
	beginPath    = "/api/login/google"
	callbackPath = "/api/login/google/callback"
	bob          = "bob@gmail.com"
)

// newRedirectSite returns a site whose users can sign in by redirect.
func newRedirectSite(t testing.TB, edit func(*googlesession.Config)) *site {
	t.Helper()
	exchanger := new(lateExchanger)
	s := newSite(t, func(c *googlesession.Config) {
		c.BaseURL, c.CodeExchanger = origin+"/api", exchanger
		if edit != nil {
			edit(c)
		}
	})
	x, err := googlecode.New(googlecode.Config{
		ClientID: clientID, ClientSecret: s.google.ClientSecret(), HTTPClient: s.google.Client(),
	})
	require.NoError(t, err)
	exchanger.CodeExchanger = x
	return s
}

// A lateExchanger is made before the stand-in for Google that it asks.
type lateExchanger struct{ googlesession.CodeExchanger }

func (x *lateExchanger) ClientID() string         { return clientID }
func (x *lateExchanger) AuthorizationURL() string { return googletest.AuthorizationURL }

// toGoogle follows the link to Google and returns the address of Google's page.
func toGoogle(t testing.TB, c *http.Client, query string) string {
	t.Helper()
	a := get(t, c, beginPath+query)
	require.Equal(t, http.StatusSeeOther, a.status, a.body)
	to := a.header.Get("Location")
	require.True(t, strings.HasPrefix(to, googletest.AuthorizationURL+"?"), to)
	return to
}

// atGoogle chooses an account on Google's page, and returns the path and query with which
// Google sends the browser back.
func atGoogle(t testing.TB, s *site, page, email string) string {
	t.Helper()
	back, err := s.google.Authorize(page, email)
	require.NoError(t, err)
	target, ok := strings.CutPrefix(back, origin)
	require.True(t, ok, back)
	return target
}

// comeBack requests the callback without Sec-Fetch-Mode, so that a refusal is problem+json.
func comeBack(t testing.TB, c *http.Client, target string) answer {
	t.Helper()
	return get(t, c, target, "Sec-Fetch-Site", "cross-site")
}

// browseBack requests the callback as a browser does that comes from Google's page.
func browseBack(t testing.TB, c *http.Client, target string) answer {
	t.Helper()
	return get(t, c, target, "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Accept", "text/html")
}

// with returns the target with a changed parameter. An empty value removes the parameter.
func with(t testing.TB, target, name, value string) string {
	t.Helper()
	u, err := url.Parse(target)
	require.NoError(t, err)
	query := u.Query()
	query.Set(name, value)
	if value == "" {
		query.Del(name)
	}
	u.RawQuery = query.Encode()
	return u.String()
}

// parameter returns a parameter of an address.
func parameter(t testing.TB, address, name string) string {
	t.Helper()
	u, err := url.Parse(address)
	require.NoError(t, err)
	return u.Query().Get(name)
}

// challengeOf returns the S256 challenge of a PKCE verifier.
func challengeOf(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func TestRedirectSignIn(t *testing.T) {
	s := newRedirectSite(t, nil)
	c := s.google.Browser(s)
	a := get(t, c, beginPath+"?next=/private%3Fpage=2&remember=true")
	require.Equal(t, http.StatusSeeOther, a.status)
	require.Equal(t, "no-store", a.header.Get("Cache-Control"))
	require.Equal(t, "no-referrer", a.header.Get("Referrer-Policy"))

	page, err := url.Parse(a.header.Get("Location"))
	require.NoError(t, err)
	query := page.Query()
	nonce, _ := googlesession.NonceOf(cookie(t, c, loginCookie))
	state := query.Get("state")
	require.Equal(t, url.Values{
		"client_id":             {clientID},
		"response_type":         {"code"},
		"scope":                 {"openid email profile"},
		"redirect_uri":          {origin + callbackPath},
		"state":                 {state},
		"nonce":                 {nonce},
		"code_challenge":        {challengeOf(googlesession.CodeVerifier(cookie(t, c, loginCookie), state))},
		"code_challenge_method": {"S256"},
		"prompt":                {"select_account"},
	}, query)
	page.RawQuery = ""
	require.Equal(t, googletest.AuthorizationURL, page.String())

	a = browseBack(t, c, atGoogle(t, s, a.header.Get("Location"), alice))
	require.Equal(t, http.StatusSeeOther, a.status, a.body)
	require.Equal(t, "/private?page=2", a.header.Get("Location"))
	require.Equal(t, "no-store", a.header.Get("Cache-Control"))
	require.Equal(t, "no-referrer", a.header.Get("Referrer-Policy"))
	require.Equal(t, alice, get(t, c, "/private").body)
	require.Equal(t, []googlesession.EventKind{googlesession.EventUserCreated, googlesession.EventSignedIn}, s.kinds())
	require.Equal(t, "Alice Gmail", s.user(t, alice).Name)
	require.Equal(t, 1, s.google.Requests(googletest.ExchangeURL))
}

func TestSignInByRedirectHelper(t *testing.T) {
	s := newRedirectSite(t, nil)
	c := s.google.SignInByRedirect(t, s, beginPath+"?next=/private", alice)
	require.Equal(t, alice, get(t, c, "/private").body)
}

// GET login says whether the browser can sign in by redirect.
func TestBeginSignInNamesTheRedirect(t *testing.T) {
	for _, redirect := range []bool{false, true} {
		s := newRedirectSite(t, func(c *googlesession.Config) {
			if !redirect {
				c.CodeExchanger = nil
			}
		})
		a := get(t, s.google.Browser(s), "/api/login")
		var body map[string]any
		require.NoError(t, json.Unmarshal([]byte(a.body), &body))
		require.Equal(t, redirect, body["redirect"])
		want := http.StatusNotFound
		if redirect {
			want = http.StatusSeeOther
		}
		require.Equal(t, want, serve(t, s, http.MethodGet, beginPath, "").status)
		require.Equal(t, redirect, serve(t, s, http.MethodGet, callbackPath, "").status != http.StatusNotFound)
	}
}

// Config.Lifetime learns whether the person wants to stay signed in, and gets a request
// without the code.
func TestRedirectRemember(t *testing.T) {
	var seen []googlesession.SignIn
	s := newRedirectSite(t, func(c *googlesession.Config) {
		c.Lifetime = func(_ context.Context, in googlesession.SignIn) googlesession.Lifetime {
			seen = append(seen, in)
			return googlesession.Lifetime{BrowserOnly: !in.Remember}
		}
	})
	for _, tt := range []struct {
		query    string
		remember bool
	}{{"", false}, {"?remember=false", false}, {"?remember=true", true}} {
		c := s.google.Browser(s)
		a := comeBack(t, c, atGoogle(t, s, toGoogle(t, c, tt.query), alice))
		require.Equal(t, tt.remember, strings.Contains(a.header.Get("Set-Cookie"), "Max-Age"), tt.query)
		last := seen[len(seen)-1]
		require.Equal(t, tt.remember, last.Remember, tt.query)
		require.Empty(t, last.Request.URL.RawQuery)
		require.Equal(t, callbackPath, last.Request.RequestURI)
	}
}

// The redirect ends the session that the browser had, unlike Google's form, because browsers
// send a Lax cookie with a navigation.
func TestRedirectReplacesTheSession(t *testing.T) {
	s := newRedirectSite(t, nil)
	c := s.signIn(t, alice)
	old := cookie(t, c, sessionCookie)
	a := comeBack(t, c, atGoogle(t, s, toGoogle(t, c, ""), bob))
	require.Equal(t, "/", a.header.Get("Location"))
	require.Equal(t, bob, get(t, c, "/private").body)
	require.Equal(t, http.StatusUnauthorized, serve(t, s, http.MethodGet, "/private", "", "Cookie", sessionCookie+"="+old).status)
	require.Contains(t, s.kinds(), googlesession.EventRevoked)
}

// Each sign-in has a state and a PKCE challenge of its own, and two tabs do not disturb each
// other. The code of one tab does not work with the state of the other.
func TestRedirectInTwoTabs(t *testing.T) {
	s := newRedirectSite(t, nil)
	c := s.google.Browser(s)
	first, second := toGoogle(t, c, "?next=/private"), toGoogle(t, c, "?next=/public")
	require.Equal(t, parameter(t, first, "nonce"), parameter(t, second, "nonce"), "the tabs share the cookie")
	for _, name := range []string{"state", "code_challenge"} {
		require.NotEqual(t, parameter(t, first, name), parameter(t, second, name), name)
	}

	mixed := with(t, atGoogle(t, s, first, alice), "state", parameter(t, second, "state"))
	a := comeBack(t, c, mixed)
	require.Equal(t, googlesession.CodeTokenRefused, a.code(t), "the code of another tab")
	require.Empty(t, cookie(t, c, sessionCookie))

	backFirst, backSecond := atGoogle(t, s, first, alice), atGoogle(t, s, second, alice)
	require.Equal(t, "/public", comeBack(t, c, backSecond).header.Get("Location"))
	require.Equal(t, "/private", comeBack(t, c, backFirst).header.Get("Location"))
	require.Equal(t, alice, get(t, c, "/private").body)
}

// The button of one tab and the redirect of another use one nonce cookie.
func TestRedirectBesideTheButton(t *testing.T) {
	s := newRedirectSite(t, nil)
	c := s.google.Browser(s)
	nonce := begin(t, c)
	page := toGoogle(t, c, "")
	require.Equal(t, nonce, parameter(t, page, "nonce"))
	require.Equal(t, http.StatusOK, post(t, c, s.google.Token(alice, nonce)).status)
	require.Equal(t, http.StatusSeeOther, comeBack(t, c, atGoogle(t, s, page, bob)).status)
	require.Equal(t, bob, get(t, c, "/private").body)
}

// DangerouslySkipNonce is for posted tokens. The sign-in by redirect needs the nonce cookie
// even with it.
func TestRedirectIgnoresSkipNonce(t *testing.T) {
	s := newRedirectSite(t, func(c *googlesession.Config) { c.DangerouslySkipNonce = true })
	c := s.google.Browser(s)
	back := atGoogle(t, s, toGoogle(t, c, ""), alice)
	a := serve(t, s, http.MethodGet, back, "")
	require.Equal(t, googlesession.CodeNonceMismatch, a.code(t))

	s.google.RespondExchange(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]string{"access_token": "a", "token_type": "Bearer", "id_token": s.google.Token(alice, "")})
	})
	a = comeBack(t, c, back)
	require.Equal(t, googlesession.CodeNonceMismatch, a.code(t), "an ID token without a nonce")
	require.Zero(t, s.store.count())
}

// Config.Admit and Config.HostedDomains decide about the sign-in by redirect as about a
// posted token.
func TestRedirectAsksAdmission(t *testing.T) {
	s := newRedirectSite(t, func(c *googlesession.Config) {
		c.LoginPage = "/login"
		c.HostedDomains = []string{"example.com"}
		c.Admit = func(_ context.Context, id googlesession.Identity) error {
			if id.Email == "eve@example.com" {
				return errors.New("refused")
			}
			return nil
		}
	})
	for _, email := range []string{alice, "eve@example.com"} {
		c := s.google.Browser(s)
		a := browseBack(t, c, atGoogle(t, s, toGoogle(t, c, "?next=/private"), email))
		require.Equal(t, "/login?code=not_admitted&next=%2Fprivate", a.header.Get("Location"), email)
		require.Zero(t, s.store.count())
	}
	c := s.google.SignInByRedirect(t, s, beginPath, "carol@example.com")
	require.Equal(t, "carol@example.com", get(t, c, "/private").body)
	_, err := s.manager.SetAccess(t.Context(), s.google.Subject("carol@example.com"), disable)
	require.NoError(t, err)
	a := browseBack(t, c, atGoogle(t, s, toGoogle(t, c, "?next=/private"), "carol@example.com"))
	require.Equal(t, "/login?code=user_disabled&next=%2Fprivate", a.header.Get("Location"))
}

// The address of the callback is made from the configuration, whatever the request says.
func TestRedirectURIIsNotFromTheRequest(t *testing.T) {
	s := newRedirectSite(t, nil)
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Host = "evil.example"
		s.ServeHTTP(w, r)
	})
	a := serve(t, h, http.MethodGet, beginPath, "", "X-Forwarded-Host", "evil.example", "X-Forwarded-Proto", "http", "Forwarded", "host=evil.example")
	require.Equal(t, origin+callbackPath, parameter(t, a.header.Get("Location"), "redirect_uri"))
}

// SignInByRedirect follows the page that leads on, too.
func TestSignInByRedirectWithDeviceBinding(t *testing.T) {
	s := newRedirectSite(t, func(c *googlesession.Config) { c.DeviceBinding = googlesession.BindOffer })
	c := s.google.SignInByRedirect(t, s, beginPath, alice)
	require.Equal(t, http.StatusOK, get(t, c, "/private").status)
}

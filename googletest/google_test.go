package googletest_test

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/api/idtoken"
	"google.golang.org/api/option"

	"github.com/googlesession/googlesession/googletest"
)

const (
	client = "123-abc.apps.googleusercontent.com"
	nonce  = "n-0S6_WzA2Mj4bVvX8Qq1Zt5Yr7Ue9Io3PaSdFgHjKl"
)

// newValidator returns Google's own verifier, which gets its keys from c.
func newValidator(t *testing.T, c *http.Client) *idtoken.Validator {
	t.Helper()
	v, err := idtoken.NewValidator(t.Context(), option.WithHTTPClient(c))
	require.NoError(t, err)
	return v
}

// get returns the response of a GET, and its body.
func get(t *testing.T, c *http.Client, url string) (*http.Response, []byte) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	res, err := c.Do(r)
	require.NoError(t, err, "GET %s", url)
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err, "body of GET %s", url)
	require.NoError(t, res.Body.Close())
	return res, body
}

// published returns the keys that g publishes.
func published(t *testing.T, g *googletest.Google) []map[string]any {
	t.Helper()
	_, body := get(t, g.Client(), googletest.CertsURL)
	var set struct{ Keys []map[string]any }
	require.NoError(t, json.Unmarshal(body, &set))
	return set.Keys
}

// A token has all claims, and idtoken accepts it.
func TestGoogleToken(t *testing.T) {
	g := googletest.NewGoogle(client)
	before := time.Now().Unix()
	p, err := newValidator(t, g.Client()).Validate(t.Context(), g.Token("Ada.Lovelace@Example.com", nonce), g.ClientID())
	require.NoError(t, err)

	require.ElementsMatch(t, []string{
		"iss", "azp", "aud", "sub", "hd", "email", "email_verified", "nonce", "nbf",
		"name", "picture", "given_name", "family_name", "iat", "exp", "jti",
	}, slices.Collect(maps.Keys(p.Claims)))
	require.Equal(t, "https://accounts.google.com", p.Issuer)
	require.Equal(t, client, p.Audience)
	require.Equal(t, client, p.Claims["azp"])
	require.Regexp(t, `^1\d{20}$`, p.Subject)
	require.Equal(t, g.Subject("ada.lovelace@example.com"), p.Subject)
	require.Equal(t, "Ada.Lovelace@Example.com", p.Claims["email"])
	require.Equal(t, true, p.Claims["email_verified"])
	require.Equal(t, "example.com", p.Claims["hd"])
	require.Equal(t, nonce, p.Claims["nonce"])
	require.Equal(t, "Ada Lovelace", p.Claims["name"])
	require.Equal(t, "Ada", p.Claims["given_name"])
	require.Equal(t, "Lovelace", p.Claims["family_name"])
	require.GreaterOrEqual(t, p.IssuedAt, before)
	require.LessOrEqual(t, p.IssuedAt, time.Now().Unix())
	require.EqualValues(t, p.IssuedAt, p.Claims["nbf"])
	require.Equal(t, p.IssuedAt+3600, p.Expires)

	again, err := idtoken.ParsePayload(g.Token("Ada.Lovelace@Example.com", nonce))
	require.NoError(t, err)
	require.NotEqual(t, p.Claims["jti"], again.Claims["jti"])
}

func TestGoogleTokenClaims(t *testing.T) {
	g := googletest.NewGoogle(client)
	for _, tt := range []struct {
		email, name string
		hd          any
	}{
		{"ada@example.com", "Ada Example", "example.com"},
		{"ada.king@GMAIL.com", "Ada King", nil},
		{"ada+tag@example.com", "Ada Example", "example.com"},
		{"élan@example.com", "élan Example", "example.com"},
		{"nobody", "Nobody", nil},
	} {
		d := g.Draft(tt.email, "")
		require.Equal(t, tt.hd, d.Claims["hd"], "hd of %s", tt.email)
		require.Equal(t, tt.name, d.Claims["name"], "name of %s", tt.email)
		require.NotContains(t, d.Claims, "nonce")
	}
}

func TestGoogleSubject(t *testing.T) {
	a, b := googletest.NewGoogle(client), googletest.NewGoogle("another")
	require.Equal(t, "150552990406117131115", a.Subject("ada@example.com"), "the same in every process")
	require.Equal(t, a.Subject("ada@example.com"), b.Subject("ADA@example.com"))
	require.NotEqual(t, a.Subject("ada@example.com"), a.Subject("eve@example.com"))
	require.NotEqual(t, a.Subject("k@example.com"), a.Subject("\u212a@example.com"), "a Kelvin sign is not a k")
	b.SubjectPrefix = "demo:"
	require.Equal(t, "demo:"+a.Subject("ada@example.com"), b.Subject("ada@example.com"))
	require.Equal(t, b.Subject("ada@example.com"), b.Draft("ada@example.com", "").Claims["sub"])
}

func TestNewGoogleNeedsClientID(t *testing.T) {
	require.Panics(t, func() { googletest.NewGoogle("") })
}

// Each Google has key IDs of its own, so a verifier of one refuses the tokens of another.
func TestGooglesDiffer(t *testing.T) {
	a, b := googletest.NewGoogle(client), googletest.NewGoogle(client)
	require.NotEqual(t, a.KeyID(), b.KeyID())
	_, err := newValidator(t, a.Client()).Validate(t.Context(), b.Token("ada@example.com", nonce), client)
	require.ErrorContains(t, err, "could not find matching cert")
}

// A key is published before it signs, and until it is retired.
func TestGoogleRotate(t *testing.T) {
	g := googletest.NewGoogle(client)
	validate := func(token string) error { // with no key cached
		_, err := newValidator(t, g.Client()).Validate(t.Context(), token, client)
		return err
	}
	require.Len(t, published(t, g), 2)
	former, old := g.KeyID(), g.Token("ada@example.com", nonce)

	kid := g.Rotate()
	require.Equal(t, kid, g.KeyID())
	require.NotEqual(t, former, kid)
	require.Equal(t, kid, g.Draft("ada@example.com", "").Header["kid"])
	require.NoError(t, validate(old), "the former key stays published")
	require.NoError(t, validate(g.Token("ada@example.com", nonce)))

	g.Retire(former)
	require.Error(t, validate(old), "a retired key")
	require.NoError(t, validate(g.Token("ada@example.com", nonce)))
	require.Len(t, published(t, g), 2)

	require.Panics(t, func() { g.Retire(former) }, "a key that is not published")
	require.Panics(t, func() { g.Retire(kid) }, "the key that signs")
	for range 5 { // more often than there are keys
		g.Rotate()
		require.NoError(t, validate(g.Token("ada@example.com", nonce)))
	}
}

// Keys replaces the published keys with any others.
func TestGoogleKeys(t *testing.T) {
	g := googletest.NewGoogle(client)
	want := published(t, g)
	for _, k := range want {
		require.Equal(t, []any{"RSA", "RS256", "sig", "AQAB"}, []any{k["kty"], k["alg"], k["use"], k["e"]})
		require.Len(t, k["n"], 342, "2048 bits in base64url")
	}

	g.Keys(func(keys []map[string]any) []map[string]any {
		keys[1]["use"] = "enc"
		return append(keys, map[string]any{"kty": "EC", "kid": g.KeyID()}) // may call g
	})
	edited := published(t, g)
	require.Len(t, edited, 3)
	require.Equal(t, "enc", edited[1]["use"])
	require.Equal(t, "EC", edited[2]["kty"])
	g.Rotate()
	require.Len(t, published(t, g), 4, "the edit outlives a rotation")

	g.Keys(func([]map[string]any) []map[string]any { return nil })
	require.Empty(t, published(t, g))
	g.Keys(nil)
	require.Equal(t, want, published(t, g)[:2])
}

// Client and Handler count the requests, and answer no others.
func TestGoogleForms(t *testing.T) {
	forms := map[string]func(t *testing.T, g *googletest.Google) *http.Client{
		"in memory": func(_ *testing.T, g *googletest.Google) *http.Client { return g.Client() },
		"server": func(t *testing.T, g *googletest.Google) *http.Client {
			s := httptest.NewServer(g.Handler())
			t.Cleanup(s.Close)
			to, err := url.Parse(s.URL)
			require.NoError(t, err)
			return &http.Client{Transport: redirected{to}}
		},
	}
	for name, form := range forms {
		t.Run(name, func(t *testing.T) {
			g := googletest.NewGoogle(client)
			c := form(t, g)
			v := newValidator(t, c)
			for range 3 {
				_, err := v.Validate(t.Context(), g.Token("ada@example.com", nonce), client)
				require.NoError(t, err)
			}
			require.Equal(t, 1, g.Requests(googletest.CertsURL), "idtoken caches the good answer")

			_, err := v.Validate(t.Context(), g.Mint(g.Draft("ada@example.com", nonce).ES256(64)), client)
			require.NoError(t, err, "idtoken accepts ES256, with the keys of another service")
			require.Equal(t, 1, g.Requests(googletest.IAPCertsURL))

			res, body := get(t, c, googletest.RISCConfigURL)
			require.Equal(t, http.StatusOK, res.StatusCode)
			require.JSONEq(t, `{"issuer":"https://accounts.google.com/","jwks_uri":"`+googletest.CertsURL+`"}`, string(body))
			require.Equal(t, 1, g.Requests(googletest.RISCConfigURL))
			require.Empty(t, g.Strays())

			res, err = c.Post(googletest.CertsURL, "text/plain", strings.NewReader("x"))
			require.NoError(t, err)
			require.NoError(t, res.Body.Close())
			require.Equal(t, http.StatusMethodNotAllowed, res.StatusCode)
		})
	}
}

// A redirected transport sends every request to a test server.
type redirected struct{ to *url.URL }

func (d redirected) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.URL.Scheme, r.URL.Host = d.to.Scheme, d.to.Host
	return http.DefaultTransport.RoundTrip(r)
}

func TestGoogleStrays(t *testing.T) {
	g := googletest.NewGoogle(client)
	for _, stray := range []string{
		"https://attacker.test/jwks.json",
		"http://www.googleapis.com/oauth2/v3/certs",
		"https://www.googleapis.com/oauth2/v3/certs?x=1",
		"https://www.googleapis.com/oauth2/v1/certs",
	} {
		_, err := g.Client().Get(stray)
		require.ErrorContains(t, err, "the client reaches only Google's keys")
	}
	require.Equal(t, "GET https://attacker.test/jwks.json", g.Strays()[0])
	require.Len(t, g.Strays(), 4)

	w := httptest.NewRecorder()
	g.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/else", nil))
	require.Equal(t, http.StatusNotFound, w.Code)
	require.Equal(t, "GET /else", g.Strays()[4])
	require.Zero(t, g.Requests(googletest.CertsURL))
}

package googlesession_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/googletoken"
)

const (
	boundCookie  = "__Host-bound"
	registerPath = "/api/dbsc/register"
	refreshPath  = "/api/dbsc/refresh"
)

// newBoundSite returns a site that binds sessions.
func newBoundSite(t testing.TB, edit func(*googlesession.Config)) *site {
	t.Helper()
	return newSite(t, func(c *googlesession.Config) {
		c.BaseURL, c.DeviceBinding = origin+"/api", googlesession.BindOffer
		if edit != nil {
			edit(c)
		}
	})
}

// members are those of a JSON object.
type members map[string]any

// A device is a browser with a key, whose every step the test takes itself.
type device struct {
	*http.Client
	site  *site
	key   *ecdsa.PrivateKey
	offer string // from the answer to the sign-in
	id    string // the session's reference
}

// newDevice returns a browser that has signed in and has not registered its key.
func newDevice(t testing.TB, s *site, email string) *device {
	t.Helper()
	c := s.google.Browser(s)
	a := post(t, c, s.google.Token(email, begin(t, c)))
	require.Equal(t, http.StatusOK, a.status, a.body)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	ref, ok := s.manager.RefOf(cookie(t, c, sessionCookie))
	require.True(t, ok)
	return &device{Client: c, site: s, key: key, offer: offerOf(t, a.header), id: ref.String()}
}

// offerOf returns the challenge of a header as the specification writes it.
func offerOf(t testing.TB, h http.Header) string {
	t.Helper()
	found := regexp.MustCompile(`^\(ES256\);path="/api/dbsc/register";challenge="([\w-]{43})"$`).FindStringSubmatch(h.Get("Secure-Session-Registration"))
	require.NotNil(t, found, "%q", h["Secure-Session-Registration"])
	return found[1]
}

// newBoundDevice returns a browser that has signed in, registered its key and proved it once.
func newBoundDevice(t testing.TB, s *site, email string) *device {
	t.Helper()
	d := newDevice(t, s, email)
	a := d.register(t, d.proof(t, d.offer, true))
	require.Equal(t, http.StatusOK, a.status, a.body)
	require.Equal(t, http.StatusOK, d.renew(t).status)
	return d
}

// proof returns a signed challenge.
func (d *device) proof(t testing.TB, challenge string, withKey bool) string {
	t.Helper()
	header := members{"alg": "ES256", "typ": "dbsc+jwt"}
	if withKey {
		header["jwk"] = jwk(t, d.key)
	}
	return signProof(t, d.key, header, members{"jti": challenge})
}

func jwk(t testing.TB, key *ecdsa.PrivateKey) members {
	t.Helper()
	point, err := key.PublicKey.Bytes()
	require.NoError(t, err)
	return members{"kty": "EC", "crv": "P-256", "x": encode(point[1:33]), "y": encode(point[33:])}
}

func encode(raw []byte) string { return base64.RawURLEncoding.EncodeToString(raw) }

// signProof returns a JSON Web Token that is signed with the key.
func signProof(t testing.TB, key *ecdsa.PrivateKey, header, payload members) string {
	t.Helper()
	head, err := json.Marshal(header)
	require.NoError(t, err)
	body, err := json.Marshal(payload)
	require.NoError(t, err)
	return signText(t, key, encode(head)+"."+encode(body))
}

func signText(t testing.TB, key *ecdsa.PrivateKey, text string) string {
	t.Helper()
	sum := sha256.Sum256([]byte(text))
	r, s, err := ecdsa.Sign(rand.Reader, key, sum[:])
	require.NoError(t, err)
	signature := make([]byte, 64)
	r.FillBytes(signature[:32])
	s.FillBytes(signature[32:])
	return text + "." + encode(signature)
}

// register posts a registration as Chromium does.
func (d *device) register(t testing.TB, proof string) answer {
	t.Helper()
	return do(t, d.Client, http.MethodPost, registerPath, "",
		"Origin", origin, "Sec-Fetch-Site", "same-origin", "Sec-Fetch-Mode", "no-cors", "Secure-Session-Response", proof)
}

// refresh posts a refresh as Chromium does. An empty proof is not sent.
func (d *device) refresh(t testing.TB, proof string, header ...string) answer {
	t.Helper()
	if proof != "" {
		header = append(header, "Secure-Session-Response", proof)
	}
	return do(t, d.Client, http.MethodPost, refreshPath, "", append([]string{
		"Origin", origin, "Sec-Fetch-Site", "same-origin", "Sec-Fetch-Mode", "no-cors", "Sec-Secure-Session-Id", d.id,
	}, header...)...)
}

// challenge asks for a challenge.
func (d *device) challenge(t testing.TB) string {
	t.Helper()
	return serverChallenge(t, d.refresh(t, ""), d.id)
}

func serverChallenge(t testing.TB, a answer, id string) string {
	t.Helper()
	require.Equal(t, http.StatusForbidden, a.status, a.body)
	require.Equal(t, googlesession.CodeProofMissing, a.code(t))
	require.Empty(t, a.header["Set-Cookie"])
	value, found := strings.CutSuffix(a.header.Get("Secure-Session-Challenge"), `";id="`+id+`"`)
	require.True(t, found && len(value) == 41, "%q", a.header["Secure-Session-Challenge"])
	return value[1:]
}

// renew proves the key.
func (d *device) renew(t testing.TB) answer {
	t.Helper()
	return d.refresh(t, d.proof(t, d.challenge(t), false))
}

// thief returns a client with copies of the cookies that the browser has now.
func (d *device) thief(t testing.TB, names ...string) *http.Client {
	t.Helper()
	c := d.site.google.Browser(d.site)
	var cookies []*http.Cookie
	for _, name := range names {
		cookies = append(cookies, &http.Cookie{Name: name, Value: cookie(t, d.Client, name), Path: "/", Secure: true, HttpOnly: true})
	}
	c.Jar.SetCookies(siteURL(), cookies)
	return c
}

// bindingOf returns the binding in the store.
func (d *device) bindingOf(t testing.TB) string {
	t.Helper()
	ref, err := googlesession.ParseRef(d.id)
	require.NoError(t, err)
	s, err := d.site.store.CheckSession(t.Context(), ref, time.Hour)
	require.NoError(t, err)
	return s.Binding
}

// newSiteOn returns a Manager like that of s, over the same store, with another configuration.
func newSiteOn(t testing.TB, s *site, edit func(*googlesession.Config)) *googlesession.Manager {
	t.Helper()
	verifier, err := googletoken.New(googletoken.Config{ClientIDs: []string{clientID}, HTTPClient: s.google.Client()})
	require.NoError(t, err)
	return newBoundSite(t, func(c *googlesession.Config) {
		c.Sessions, c.Verifier = s.store, verifier
		edit(c)
	}).manager
}

func siteURL() *url.URL {
	return &url.URL{Scheme: "https", Host: strings.TrimPrefix(origin, "https://"), Path: "/"}
}

// inOwnBubble runs a subtest in a synctest bubble, in which it makes its site itself.
func inOwnBubble(t *testing.T, name string, test func(*testing.T)) {
	t.Helper()
	t.Run(name, func(t *testing.T) { synctest.Test(t, test) })
}

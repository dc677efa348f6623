package googlesession_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
)

// A refused registration leaves the session as it is, and its event says why.
func TestRefusedRegistrations(t *testing.T) {
	es256 := func(t *testing.T, d *device) members {
		return members{"alg": "ES256", "typ": "dbsc+jwt", "jwk": jwk(t, d.key)}
	}
	change := func(edit func(header, key members)) func(*testing.T, *device) string {
		return func(t *testing.T, d *device) string {
			header := es256(t, d)
			edit(header, header["jwk"].(members))
			return signProof(t, d.key, header, members{"jti": d.offer})
		}
	}
	for name, tt := range map[string]struct {
		proof  func(*testing.T, *device) string
		reason string // "" means that the refusal makes no event of this kind
		header []string
		wait   time.Duration
	}{
		"no proof":              {func(*testing.T, *device) string { return "" }, "shape", nil, 0},
		"not a token":           {func(*testing.T, *device) string { return "a.b" }, "shape", nil, 0},
		"four parts":            {func(t *testing.T, d *device) string { return d.proof(t, d.offer, true) + ".AA" }, "shape", nil, 0},
		"padded":                {func(t *testing.T, d *device) string { return d.proof(t, d.offer, true) + "==" }, "shape", nil, 0},
		"huge":                  {func(t *testing.T, d *device) string { return d.proof(t, d.offer+strings.Repeat("A", 2048), true) }, "shape", nil, 0},
		"type JWT":              {change(func(h, _ members) { h["typ"] = "JWT" }), "shape", nil, 0},
		"no type":               {change(func(h, _ members) { delete(h, "typ") }), "shape", nil, 0},
		"no challenge":          {func(t *testing.T, d *device) string { return signProof(t, d.key, es256(t, d), members{}) }, "shape", nil, 0},
		"challenge is a number": {func(t *testing.T, d *device) string { return signProof(t, d.key, es256(t, d), members{"jti": 1}) }, "shape", nil, 0},
		"two challenges":        {twoChallenges, "shape", nil, 0},
		"algorithm none":        {change(func(h, _ members) { h["alg"] = "none" }), "algorithm", nil, 0},
		"algorithm RS256":       {change(func(h, _ members) { h["alg"] = "RS256" }), "algorithm", nil, 0},
		"no algorithm":          {change(func(h, _ members) { delete(h, "alg") }), "algorithm", nil, 0},
		"no key":                {func(t *testing.T, d *device) string { return d.proof(t, d.offer, false) }, "key", nil, 0},
		"key is a text":         {change(func(h, _ members) { h["jwk"] = "key" }), "key", nil, 0},
		"private key":           {change(func(_, k members) { k["d"] = encode(make([]byte, 32)) }), "key", nil, 0},
		"RSA key":               {change(func(_, k members) { k["kty"] = "RSA" }), "key", nil, 0},
		"P-384":                 {change(func(_, k members) { k["crv"] = "P-384" }), "key", nil, 0},
		"short x":               {change(func(_, k members) { k["x"] = k["x"].(string)[:42] }), "key", nil, 0},
		"long y":                {change(func(_, k members) { k["y"] = encode(make([]byte, 33)) }), "key", nil, 0},
		"off the curve":         {change(func(_, k members) { k["x"], k["y"] = k["y"], k["x"] }), "key", nil, 0},
		"the point at zero":     {change(func(_, k members) { k["x"], k["y"] = encode(make([]byte, 32)), encode(make([]byte, 32)) }), "key", nil, 0},
		"signed by another key": {signedByAnother, "signature", nil, 0},
		"no signature":          {func(t *testing.T, d *device) string { return withoutSignature(d.proof(t, d.offer, true)) }, "signature", nil, 0},
		"63 bytes of signature": {func(t *testing.T, d *device) string {
			return withSignature(d.proof(t, d.offer, true), make([]byte, 63))
		}, "signature", nil, 0},
		"65 bytes of signature": {func(t *testing.T, d *device) string {
			return withSignature(d.proof(t, d.offer, true), make([]byte, 65))
		}, "signature", nil, 0},
		"zero signature": {func(t *testing.T, d *device) string {
			return withSignature(d.proof(t, d.offer, true), make([]byte, 64))
		}, "signature", nil, 0},
		"another sign-in's":      {func(t *testing.T, d *device) string { return d.proof(t, newDevice(t, d.site, bob).offer, true) }, "offer", nil, 0},
		"an empty offer":         {func(t *testing.T, d *device) string { return d.proof(t, "", true) }, "offer", nil, 0},
		"late":                   {func(t *testing.T, d *device) string { return d.proof(t, d.offer, true) }, "offer", nil, 5*time.Minute + time.Second},
		"a second key":           {secondKey, "twice", nil, 0},
		"sent by a script":       {func(t *testing.T, d *device) string { return d.proof(t, d.offer, true) }, "shape", []string{"Sec-Fetch-Mode", "cors"}, 0},
		"two proofs":             {func(t *testing.T, d *device) string { return d.proof(t, d.offer, true) }, "shape", []string{"Secure-Session-Response", "x"}, 0},
		"an unclosed quotation":  {func(t *testing.T, d *device) string { return `"` + d.proof(t, d.offer, true) }, "shape", nil, 0},
		"two session cookies":    {func(t *testing.T, d *device) string { return d.proof(t, d.offer, true) }, "", []string{"Cookie", sessionCookie + "=x"}, 0},
		"another session cookie": {func(t *testing.T, d *device) string { return d.proof(t, d.offer, true) }, "", nil, 13 * time.Hour},
	} {
		inOwnBubble(t, name, func(t *testing.T) {
			s := newBoundSite(t, nil)
			d := newDevice(t, s, alice)
			proof := tt.proof(t, d)
			before := ""
			if tt.wait < time.Hour {
				before = d.bindingOf(t)
			}
			advance(tt.wait)
			header := append([]string{"Origin", origin, "Sec-Fetch-Site", "same-origin", "Secure-Session-Response", proof}, tt.header...)
			a := do(t, d.Client, http.MethodPost, registerPath, "", header...)
			require.Equal(t, http.StatusBadRequest, a.status, a.body)
			require.Equal(t, googlesession.CodeBadRequest, a.code(t))
			require.Empty(t, a.header["Set-Cookie"])
			require.Equal(t, "no-store", a.header.Get("Cache-Control"))
			if tt.wait < time.Hour {
				require.Equal(t, before, d.bindingOf(t))
			}
			var reasons []string
			for _, e := range s.events {
				if e.Kind == googlesession.EventBindRefused {
					require.Equal(t, s.google.Subject(alice), e.UserID)
					require.Equal(t, d.id, e.Ref.String())
					reasons = append(reasons, e.Reason)
				}
			}
			if tt.reason == "" {
				require.Empty(t, reasons)
			} else {
				require.Equal(t, []string{tt.reason}, reasons)
			}
			require.NotContains(t, s.log.String(), d.offer)
		})
	}
}

func twoChallenges(t *testing.T, d *device) string {
	header := encode([]byte(`{"alg":"ES256","typ":"dbsc+jwt","jwk":{}}`))
	return signText(t, d.key, header+"."+encode([]byte(`{"jti":"`+d.offer+`","jti":"`+d.offer+`"}`)))
}

func signedByAnother(t *testing.T, d *device) string {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	return signProof(t, key, members{"alg": "ES256", "typ": "dbsc+jwt", "jwk": jwk(t, d.key)}, members{"jti": d.offer})
}

func secondKey(t *testing.T, d *device) string {
	require.Equal(t, http.StatusOK, d.register(t, d.proof(t, d.offer, true)).status)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	d.key = key
	return d.proof(t, d.offer, true)
}

func withoutSignature(proof string) string { return proof[:strings.LastIndex(proof, ".")+1] }

func withSignature(proof string, signature []byte) string {
	return withoutSignature(proof) + encode(signature)
}

// A registration tells the browser which cookie to renew, and gives it that cookie for a minute.
func TestRegistration(t *testing.T) {
	for name, quote := range map[string]string{"as Chromium sends it": "", "as the specification writes it": `"`} {
		t.Run(name, func(t *testing.T) {
			s := newBoundSite(t, nil)
			d := newDevice(t, s, alice)
			a := d.register(t, quote+d.proof(t, d.offer, true)+quote)
			require.Equal(t, http.StatusOK, a.status, a.body)
			require.JSONEq(t, `{"session_identifier":"`+d.id+`","refresh_url":"/api/dbsc/refresh","scope":{"include_site":false},
				"credentials":[{"type":"cookie","name":"__Host-bound","attributes":"Path=/; Secure; HttpOnly; SameSite=Lax"}],
				"allowed_refresh_initiators":["*"]}`, a.body)
			require.Equal(t, "no-store", a.header.Get("Cache-Control"))
			require.Equal(t, "same-origin", a.header.Get("Cross-Origin-Resource-Policy"))
			require.Equal(t, "DENY", a.header.Get("X-Frame-Options"))
			require.Len(t, a.header["Set-Cookie"], 1)
			require.Regexp(t, `^__Host-bound=[\w-]{40}; Path=/; Max-Age=60; HttpOnly; Secure; SameSite=Lax$`, a.header.Get("Set-Cookie"))
			require.Len(t, d.bindingOf(t), 57)
		})
	}
}

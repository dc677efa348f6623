package googletest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// A Draft is a token before it is signed, an ID token or a security event token:
// change what a test needs changed, then [Google.Mint] it. A Draft belongs to one
// goroutine.
type Draft struct {
	Header map[string]any // alg, kid, typ
	Claims map[string]any // numbers are int64

	// RawHeader and RawPayload take the place of Header and Claims if they are not
	// nil: bytes that encoding/json would not write.
	RawHeader  []byte
	RawPayload []byte

	// Key signs, with RS256, whatever the header says.
	Key *rsa.PrivateKey

	// Signature is used as it is if it is not nil; an empty one leaves the third
	// segment empty.
	Signature []byte

	sign   func(input string) []byte // instead of Key; nil: RS256
	iapKey string                    // key ID for ES256
}

// Token returns an ID token as Google's button would, for anybody: signed, valid
// for an hour from now, with all claims. A nonce of "" leaves that claim out.
func (g *Google) Token(email, nonce string) string {
	return g.Mint(g.Draft(email, nonce))
}

// Draft returns what [Google.Token] would sign. The claims are those of Google
// Identity Services: iss, azp, aud, sub, hd (the domain, unless it is
// gmail.com), email, email_verified, nonce, nbf, name, picture, given_name,
// family_name, iat, exp, jti.
//
// As in Google's tokens, iat is the present second, rounded down. A token from the second
// in which a user was deleted is therefore too early to sign the user in again.
func (g *Google) Draft(email, nonce string) *Draft {
	now := time.Now().Unix()
	claims := map[string]any{
		"iss":            "https://accounts.google.com",
		"azp":            g.clientID,
		"aud":            g.clientID,
		"sub":            g.Subject(email),
		"email":          email,
		"email_verified": true,
		"nbf":            now,
		"picture":        "https://lh3.googleusercontent.com/a/stand-in=s96-c",
		"iat":            now,
		"exp":            now + 3600,
		"jti":            newKeyID(),
	}
	if domain := domainOf(email); domain != "gmail.com" && domain != "" {
		claims["hd"] = domain
	}
	if nonce != "" {
		claims["nonce"] = nonce
	}
	d := g.draft(claims)
	d.named(nameOf(email))
	return d
}

// draft returns a token with these claims, for the key that signs now.
func (g *Google) draft(claims map[string]any) *Draft {
	g.mu.Lock()
	newest := g.ring[len(g.ring)-1]
	g.mu.Unlock()
	return &Draft{
		Header: map[string]any{"alg": "RS256", "kid": newest.kid, "typ": "JWT"},
		Claims: claims,
		Key:    newest.key(),
		iapKey: g.iapKeyID,
	}
}

// Subject returns the sub claim of whoever has this address: SubjectPrefix and 21
// digits. It is the same in every process. Upper and lower case make no
// difference.
func (g *Google) Subject(email string) string {
	sum := sha256.Sum256([]byte(lowerASCII(email)))
	const half = 1e10
	return fmt.Sprintf("%s1%010d%010d", g.SubjectPrefix,
		binary.BigEndian.Uint64(sum[:8])%half, binary.BigEndian.Uint64(sum[8:16])%half)
}

// Mint signs a draft and returns the token. It panics if a header or a claim has
// no JSON form. The draft can be changed and minted again.
func (g *Google) Mint(d *Draft) string {
	return d.signed(encode(raw(d.RawHeader, d.Header)), encode(raw(d.RawPayload, d.Claims)))
}

// Unsigned makes it a token without a signature (RFC 7515, appendix A.5).
func (d *Draft) Unsigned() *Draft {
	d.Header["alg"] = "none"
	d.Signature = []byte{}
	return d
}

// Forge signs with an RSA key that Google does not have, under the kid of one
// that it has.
func (d *Draft) Forge() *Draft {
	d.Key = forgerKey()
	return d
}

// HS256 signs with a shared secret: Google's public key, say, in whatever
// encoding a careless verifier might take for one.
func (d *Draft) HS256(secret []byte) *Draft {
	d.Header["alg"] = "HS256"
	d.sign = func(input string) []byte {
		mac := hmac.New(sha256.New, secret)
		mac.Write([]byte(input))
		return mac.Sum(nil)
	}
	return d
}

// ES256 signs with the key at [IAPCertsURL] and cuts the signature, 64 bytes, to
// size, or fills it up with zeros. Some verifiers crash on fewer than 32.
func (d *Draft) ES256(size int) *Draft {
	d.Header["alg"] = "ES256"
	d.Header["kid"] = d.iapKey
	d.sign = func(input string) []byte {
		digest := sha256.Sum256([]byte(input))
		r, s, err := ecdsa.Sign(rand.Reader, iapKey(), digest[:])
		if err != nil {
			panic(fmt.Sprintf("googletest: signing: %v", err))
		}
		signature := make([]byte, max(size, 64))
		r.FillBytes(signature[:32])
		s.FillBytes(signature[32:64])
		return signature[:size]
	}
	return d
}

// signed appends the signature to two segments that are encoded already.
func (d *Draft) signed(header, payload string) string {
	input := header + "." + payload
	signature := d.Signature
	if signature == nil {
		sign := d.sign
		if sign == nil {
			sign = d.rs256
		}
		signature = sign(input)
	}
	return input + "." + encode(signature)
}

func (d *Draft) rs256(input string) []byte {
	digest := sha256.Sum256([]byte(input))
	signature, err := rsa.SignPKCS1v15(nil, d.Key, crypto.SHA256, digest[:])
	if err != nil {
		panic(fmt.Sprintf("googletest: signing: %v", err))
	}
	return signature
}

// raw returns the bytes given, or the JSON of the object.
func raw(bytes []byte, object map[string]any) []byte {
	if bytes != nil {
		return bytes
	}
	text, err := json.Marshal(object)
	if err != nil {
		panic(fmt.Sprintf("googletest: a header or claim has no JSON form: %v", err))
	}
	return text
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// domainOf returns the part of an address after the last @, in lower case.
func domainOf(email string) string {
	i := strings.LastIndexByte(email, '@')
	if i < 0 {
		return ""
	}
	return lowerASCII(email[i+1:])
}

// nameOf makes up a name: ada.lovelace@example.com is Ada Lovelace,
// ada@example.com is Ada Example.
func nameOf(email string) string {
	local, _, _ := strings.Cut(email, "@")
	local, _, _ = strings.Cut(local, "+")
	given, family, found := strings.Cut(local, ".")
	if !found {
		family, _, _ = strings.Cut(domainOf(email), ".")
	}
	return strings.TrimSpace(capital(given) + " " + capital(family))
}

// capital turns the first letter into a capital, if it is an ASCII one.
func capital(s string) string {
	if s != "" && 'a' <= s[0] && s[0] <= 'z' {
		return string(s[0]-'a'+'A') + s[1:]
	}
	return s
}

// lowerASCII leaves other letters alone: two addresses must not become one.
func lowerASCII(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r - 'A' + 'a'
		}
		return r
	}, s)
}

// named sets the three claims about a name. The last word is the family name; who
// has one word only has none.
func (d *Draft) named(name string) {
	d.Claims["name"], d.Claims["given_name"] = name, name
	delete(d.Claims, "family_name")
	if i := strings.LastIndexByte(name, ' '); i > 0 {
		d.Claims["given_name"], d.Claims["family_name"] = name[:i], name[i+1:]
	}
}

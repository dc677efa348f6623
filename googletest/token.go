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

// A Draft is an ID token or a security event token before it is signed. A
// test changes the fields that it needs and calls [Google.Mint]. A Draft
// comes from [Google.Draft] or [Google.EventDraft]; the zero value must not
// be used. A Draft must not be used from several goroutines at once.
type Draft struct {
	// Header has the parameters alg, kid and typ.
	Header map[string]any

	// Claims are the claims of the token. Times are int64, in Unix seconds.
	Claims map[string]any

	// RawHeader and RawPayload replace Header and Claims unless they are nil. They are for
	// bytes that encoding/json does not write.
	RawHeader  []byte
	RawPayload []byte

	// Key is the RSA key that signs the token, with RS256, whatever alg the header says.
	Key *rsa.PrivateKey

	// Signature replaces the signature unless Signature is nil. If it is
	// empty, the third segment of the token is empty, too.
	Signature []byte

	signWith func(input string) []byte // signs the token in place of Key; nil means Key with RS256
	iapKeyID string                    // the kid of the key at IAPCertsURL, which signs with ES256
}

// Token returns the ID token that Google's button would return, for the
// account with this address. The token is signed, has all claims and is
// valid for an hour from now. If nonce is "", the token has no nonce claim.
func (g *Google) Token(email, nonce string) string {
	return g.Mint(g.Draft(email, nonce))
}

// Draft returns the token that [Google.Token] would sign. Its claims are those of
// Google Identity Services: iss, azp, aud, sub, hd (the domain of the address,
// unless that is gmail.com), email, email_verified, nonce, nbf, name, picture,
// given_name, family_name, iat, exp and jti.
//
// As in Google's tokens, iat is the present second, rounded down. A token from the
// second in which a user was deleted is therefore too early to sign the user in again.
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
	d := g.newDraft(claims)
	d.setName(nameOf(email))
	return d
}

// newDraft returns a draft with these claims and the key that signs now.
func (g *Google) newDraft(claims map[string]any) *Draft {
	g.mu.Lock()
	newest := g.published[len(g.published)-1]
	g.mu.Unlock()
	return &Draft{
		Header:   map[string]any{"alg": "RS256", "kid": newest.kid, "typ": "JWT"},
		Claims:   claims,
		Key:      newest.key(),
		iapKeyID: g.iapKeyID,
	}
}

// Subject returns the sub claim of the account with this address: SubjectPrefix
// and 21 digits. The digits are the same in every process and for every Google.
// The case of ASCII letters in the address makes no difference.
func (g *Google) Subject(email string) string {
	sum := sha256.Sum256([]byte(lowerASCII(email)))
	const half = 1e10
	return fmt.Sprintf("%s1%010d%010d", g.SubjectPrefix,
		binary.BigEndian.Uint64(sum[:8])%half, binary.BigEndian.Uint64(sum[8:16])%half)
}

// Mint signs a draft and returns the token. It panics if the header or a claim
// cannot be encoded as JSON. The draft may be changed and minted again.
func (g *Google) Mint(d *Draft) string {
	header, payload := d.RawHeader, d.RawPayload
	if header == nil {
		header = jsonObject(d.Header)
	}
	if payload == nil {
		payload = jsonObject(d.Claims)
	}
	return d.sign(base64url(header), base64url(payload))
}

// Unsigned makes d a token without a signature (RFC 7515, appendix A.5), and returns d.
func (d *Draft) Unsigned() *Draft {
	d.Header["alg"] = "none"
	d.Signature = []byte{}
	return d
}

// Forge makes d a token that is signed by an attacker's RSA key, under the kid of one of
// Google's keys, and returns d.
func (d *Draft) Forge() *Draft {
	d.Key = forgerKey()
	return d
}

// HS256 makes d a token that is signed with a shared secret, and returns d. An
// attacker would take Google's public key as the secret, in an encoding that a
// careless verifier uses.
func (d *Draft) HS256(secret []byte) *Draft {
	d.Header["alg"] = "HS256"
	d.signWith = func(input string) []byte {
		mac := hmac.New(sha256.New, secret)
		mac.Write([]byte(input))
		return mac.Sum(nil)
	}
	return d
}

// ES256 makes d a token that is signed by the key at [IAPCertsURL], and returns
// d. The signature has 64 bytes. It is cut to size bytes, or filled up to size
// bytes with zeros. Some verifiers crash if there are fewer than 32 bytes.
func (d *Draft) ES256(size int) *Draft {
	d.Header["alg"] = "ES256"
	d.Header["kid"] = d.iapKeyID
	d.signWith = func(input string) []byte {
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

// sign returns the token with this header and payload, which are base64url texts.
func (d *Draft) sign(header, payload string) string {
	input := header + "." + payload
	var signature []byte
	switch {
	case d.Signature != nil:
		signature = d.Signature
	case d.signWith != nil:
		signature = d.signWith(input)
	default:
		signature = d.rs256(input)
	}
	return input + "." + base64url(signature)
}

// rs256 returns the RS256 signature of input by d.Key.
func (d *Draft) rs256(input string) []byte {
	digest := sha256.Sum256([]byte(input))
	signature, err := rsa.SignPKCS1v15(nil, d.Key, crypto.SHA256, digest[:])
	if err != nil {
		panic(fmt.Sprintf("googletest: signing: %v", err))
	}
	return signature
}

// jsonObject returns the JSON of object.
func jsonObject(object map[string]any) []byte {
	text, err := json.Marshal(object)
	if err != nil {
		panic(fmt.Sprintf("googletest: encoding a header or claim as JSON: %v", err))
	}
	return text
}

// base64url returns b as the text of a token's segment.
func base64url(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// domainOf returns the part of an address after the last @, in lower case.
func domainOf(email string) string {
	i := strings.LastIndexByte(email, '@')
	if i < 0 {
		return ""
	}
	return lowerASCII(email[i+1:])
}

// nameOf returns an invented name for an address. It is Ada Lovelace for
// ada.lovelace@example.com and Ada Example for ada@example.com.
func nameOf(email string) string {
	local, _, _ := strings.Cut(email, "@")
	local, _, _ = strings.Cut(local, "+")
	given, family, found := strings.Cut(local, ".")
	if !found {
		family, _, _ = strings.Cut(domainOf(email), ".")
	}
	return strings.TrimSpace(capitalised(given) + " " + capitalised(family))
}

// capitalised returns s with its first letter in upper case if that is an ASCII letter.
func capitalised(s string) string {
	if s != "" && 'a' <= s[0] && s[0] <= 'z' {
		return string(s[0]-'a'+'A') + s[1:]
	}
	return s
}

// lowerASCII returns s with its ASCII letters in lower case. It does not
// change other letters, because two addresses must not become one. For
// example, strings.ToLower turns the Kelvin sign into k.
func lowerASCII(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r - 'A' + 'a'
		}
		return r
	}, s)
}

// setName sets the claims name, given_name and family_name. The last word of
// name is the family name. If name is one word, it removes family_name.
func (d *Draft) setName(name string) {
	d.Claims["name"], d.Claims["given_name"] = name, name
	delete(d.Claims, "family_name")
	if i := strings.LastIndexByte(name, ' '); i > 0 {
		d.Claims["given_name"], d.Claims["family_name"] = name[:i], name[i+1:]
	}
}

package googletest

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	_ "crypto/sha512" // this registers SHA-384 and SHA-512, which rsaSchemes uses
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/googlesession/googlesession"
)

// addKeys adds tokens that are signed by an attacker's key, or name a key that did not sign
// them.
func (b *badTokenList) addKeys() {
	b.add("signed by a key that Google does not have", googlesession.ReasonSignature, func(d *Draft) { d.Forge() })
	b.add("signed by a key that Google does not have, under its own kid", googlesession.ReasonSignature, func(d *Draft) {
		d.Forge()
		d.Header["kid"] = newKeyID()
	})
	for _, kid := range []struct{ name, value string }{
		{"unknown", newKeyID()},
		{"in upper case", "A" + strings.ToUpper(b.g.KeyID())[1:]},
		{"of 128 characters", strings.Repeat("a", 128)},
		{"a path", "../../../../dev/null"},
		{"a URL", "https://attacker.test/key"},
		{"SQL", "'OR'1'='1"},
		{"a shell command", "|sleep+9"},
		{"a template", "{{.}}${jndi:x}"},
		{"a pattern", "*"},
		{"a number", "0"},
		{"of the proxy's key", b.g.iapKeyID},
		{"of the other key", b.otherKeyID()},
	} {
		b.addHeader("kid "+kid.name, googlesession.ReasonSignature, "kid", kid.value)
	}

	attackers := publishedKey{kid: newKeyID(), key: forgerKey}
	for _, place := range []struct {
		parameter string
		value     any
	}{
		{"jku", "https://attacker.test/jwks.json"},
		{"x5u", "https://attacker.test/chain.pem"},
		{"jwk", attackers.jwk()},
		{"x5c", []string{base64.StdEncoding.EncodeToString(certificate(forgerKey()))}},
	} {
		b.add("attacker's key in "+place.parameter+", under Google's kid", googlesession.ReasonSignature, func(d *Draft) {
			d.Forge()
			d.Header[place.parameter] = place.value
		})
		b.add("attacker's key in "+place.parameter+", under its own kid", googlesession.ReasonSignature, func(d *Draft) {
			d.Forge()
			d.Header[place.parameter] = place.value
			d.Header["kid"] = attackers.kid
		})
	}
}

// addSignatures adds tokens that say alg RS256 and name Google's key. Their signature
// was changed, is the signature of another text, or was made with another algorithm.
func (b *badTokenList) addSignatures() {
	addChanged := func(name string, change func(good []byte) []byte) {
		b.add(name, googlesession.ReasonSignature, func(d *Draft) {
			d.signWith = func(input string) []byte { return change(d.rs256(input)) }
		})
	}
	addChanged("signature with its first bit changed", func(s []byte) []byte { s[0] ^= 0x80; return s })
	addChanged("signature with its last bit changed", func(s []byte) []byte { s[len(s)-1] ^= 1; return s })
	addChanged("signature one byte short", func(s []byte) []byte { return s[:len(s)-1] })
	addChanged("signature with a leading zero", func(s []byte) []byte { return append([]byte{0}, s...) })
	addChanged("signature with a trailing zero", func(s []byte) []byte { return append(s, 0) })
	addChanged("signature backwards", func(s []byte) []byte { slices.Reverse(s); return s })
	addChanged("signature of one byte", func([]byte) []byte { return []byte{1} })
	addChanged("signature of zeros", func(s []byte) []byte { clear(s); return s })
	addChanged("signature is the number 1", func(s []byte) []byte { clear(s); s[len(s)-1] = 1; return s })
	addChanged("signature in hexadecimal", func(s []byte) []byte { return []byte(hex.EncodeToString(s)) })
	b.add("signature plus the modulus", googlesession.ReasonSignature, func(d *Draft) {
		d.signWith = func(input string) []byte {
			s := new(big.Int).SetBytes(d.rs256(input))
			return s.Add(s, d.Key.N).Bytes()
		}
	})

	addSignatureOf := func(name string, change func(input string) string) {
		b.add(name, googlesession.ReasonSignature, func(d *Draft) {
			d.signWith = func(input string) []byte { return d.rs256(change(input)) }
		})
	}
	addSignatureOf("signature of the header alone", func(input string) string { return input[:strings.IndexByte(input, '.')] })
	addSignatureOf("signature of the payload alone", func(input string) string { return input[strings.IndexByte(input, '.')+1:] })
	addSignatureOf("signature without the dot", func(input string) string { return strings.Replace(input, ".", "", 1) })
	addSignatureOf("signature of nothing", func(string) string { return "" })

	// These tokens were changed after they were signed, or have the
	// signature of another token.
	mine, other := strings.Split(b.g.Mint(b.newDraft()), "."), strings.Split(b.g.Mint(b.newDraft()), ".")
	changed := b.newDraft()
	changed.Header["x"] = "added later"
	changed.Claims["email"] = "mallory@example.com"
	for _, mixed := range []struct{ name, token string }{
		{"signature of another token", mine[0] + "." + mine[1] + "." + other[2]},
		{"header changed after signing", base64url(jsonObject(changed.Header)) + "." + mine[1] + "." + mine[2]},
		{"payload changed after signing", mine[0] + "." + base64url(jsonObject(changed.Claims)) + "." + mine[2]},
	} {
		b.rows = append(b.rows, BadToken{Name: "" + mixed.name, Token: mixed.token, Reason: googlesession.ReasonSignature})
	}

	for _, scheme := range rsaSchemes {
		b.add("alg RS256, but signed with "+scheme.alg, googlesession.ReasonSignature, func(d *Draft) {
			d.signWith = func(input string) []byte { return scheme.sign(d.Key, input) }
		})
	}
	b.add("alg RS256, but signed with HS256", googlesession.ReasonSignature, func(d *Draft) {
		d.HS256(x509.MarshalPKCS1PublicKey(&d.Key.PublicKey))
		d.Header["alg"] = "RS256"
	})
	b.add("alg RS256, but signed with ES256", googlesession.ReasonSignature, func(d *Draft) {
		d.ES256(64)
		d.Header["alg"] = "RS256"
	})
}

// addPaddings adds tokens whose signature is made with Google's key, but
// from a block that differs from the encoding of the digest in RFC 8017,
// section 9.2. Forged signatures passed verifiers that searched the block
// for the digest instead of encoding the digest (CVE-2006-4339).
func (b *badTokenList) addPaddings() {
	const sha256Info = "3031300d060960864801650304020105000420" // this is DigestInfo in DER, without the digest that ends it
	for _, block := range []struct{ name, front, info, back string }{
		{"the digest alone", "0001", "", ""},
		{"no parameters in the algorithm", "0001", "302f300b06096086480165030402010420", ""},
		{"the identifier of SHA-384", "0001", "3031300d060960864801650304020205000420", ""},
		{"a length in long form", "0001", "308131300d060960864801650304020105000420", ""},
		{"a byte after the digest", "0001", sha256Info, "00"},
		{"most bytes after the digest", "0001ffffffffffffffff00", sha256Info, strings.Repeat("5a", 194)},
		{"block type 0", "0000", sha256Info, ""},
		{"block type 2", "0002", sha256Info, ""},
		{"a hole in the padding", "0001ffff00ff", sha256Info, ""},
	} {
		b.add("signed block with "+block.name, googlesession.ReasonSignature, func(d *Draft) {
			d.signWith = func(input string) []byte {
				digest := sha256.Sum256([]byte(input))
				back := slices.Concat(decodeHex(block.info), digest[:], decodeHex(block.back))
				return signBlock(d.Key, padded(decodeHex(block.front), back, d.Key.Size()))
			}
		})
	}
}

// padded returns a block of size bytes that begins with front and ends with back. Between
// them are bytes ff and, if there is room, a byte 00, as in RFC 8017, section 9.2.
func padded(front, back []byte, size int) []byte {
	block := append(make([]byte, 0, size), front...)
	for len(block)+1+len(back) < size {
		block = append(block, 0xff)
	}
	if len(block)+len(back) < size {
		block = append(block, 0)
	}
	return append(block, back...)
}

// signBlock returns the RSA signature of block, which it neither hashes nor pads.
func signBlock(key *rsa.PrivateKey, block []byte) []byte {
	m := new(big.Int).SetBytes(block)
	return m.Exp(m, key.D, key.N).FillBytes(make([]byte, key.Size()))
}

// rsaSchemes are signature algorithms other than RS256 that use the RSA key,
// too (RFC 7518, section 3).
var rsaSchemes = [...]struct {
	alg  string
	sign func(key *rsa.PrivateKey, input string) []byte
}{
	{"RS384", func(key *rsa.PrivateKey, input string) []byte { return signRSA(key, input, crypto.SHA384) }},
	{"RS512", func(key *rsa.PrivateKey, input string) []byte { return signRSA(key, input, crypto.SHA512) }},
	{"PS256", func(key *rsa.PrivateKey, input string) []byte {
		return signRSA(key, input, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: crypto.SHA256})
	}},
}

func signRSA(key *rsa.PrivateKey, input string, opts crypto.SignerOpts) []byte {
	hash := opts.HashFunc().New()
	hash.Write([]byte(input))
	signature, err := key.Sign(rand.Reader, hash.Sum(nil), opts)
	if err != nil {
		panic(fmt.Sprintf("googletest: signing: %v", err))
	}
	return signature
}

// otherKeyID returns the ID of a published key that does not sign now.
func (b *badTokenList) otherKeyID() string {
	b.g.mu.Lock()
	defer b.g.mu.Unlock()
	return b.g.published[0].kid
}

// certificate returns a self-signed certificate for an attacker's key, in DER.
func certificate(key *rsa.PrivateKey) []byte {
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: "accounts.google.com"},
		NotAfter:     time.Now().Add(24 * time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		panic(fmt.Sprintf("googletest: making a certificate: %v", err))
	}
	return der
}

func decodeHex(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(fmt.Sprintf("googletest: %v", err))
	}
	return b
}

package googletest

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	_ "crypto/sha512" // SHA-384 and SHA-512 for rsaSchemes
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

// keys are unknown, or an attacker's (V-3, G-3, G-4).
func (b *badTokens) keys() {
	b.mint("V-3 signed by a key that Google does not have", googlesession.ReasonSignature, func(d *Draft) { d.Forge() })
	b.mint("V-16 an unknown kid, and its key", googlesession.ReasonSignature, func(d *Draft) {
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
		b.header("G-3 kid "+kid.name, googlesession.ReasonSignature, "kid", kid.value)
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
		b.mint("G-4 the key in "+place.parameter+", under Google's kid", googlesession.ReasonSignature, func(d *Draft) {
			d.Forge()
			d.Header[place.parameter] = place.value
		})
		b.mint("G-4 the key in "+place.parameter+", under its own kid", googlesession.ReasonSignature, func(d *Draft) {
			d.Forge()
			d.Header[place.parameter] = place.value
			d.Header["kid"] = attackers.kid
		})
	}
}

// signatures were not made of this token by Google's key with RS256.
func (b *badTokens) signatures() {
	bytes := func(name string, change func(good []byte) []byte) {
		b.mint(name, googlesession.ReasonSignature, func(d *Draft) {
			d.sign = func(input string) []byte { return change(d.rs256(input)) }
		})
	}
	bytes("V-2 signature with its first bit changed", func(s []byte) []byte { s[0] ^= 0x80; return s })
	bytes("V-2 signature with its last bit changed", func(s []byte) []byte { s[len(s)-1] ^= 1; return s })
	bytes("V-2 signature one byte short", func(s []byte) []byte { return s[:len(s)-1] })
	bytes("V-2 signature with a zero in front", func(s []byte) []byte { return append([]byte{0}, s...) })
	bytes("V-2 signature with a zero behind", func(s []byte) []byte { return append(s, 0) })
	bytes("V-2 signature backwards", func(s []byte) []byte { slices.Reverse(s); return s })
	bytes("V-2 signature of one byte", func([]byte) []byte { return []byte{1} })
	bytes("V-2 signature of zeros", func(s []byte) []byte { clear(s); return s })
	bytes("V-2 signature is the number 1", func(s []byte) []byte { clear(s); s[len(s)-1] = 1; return s })
	bytes("V-2 signature in hexadecimal", func(s []byte) []byte { return []byte(hex.EncodeToString(s)) })
	b.mint("V-2 signature plus the modulus", googlesession.ReasonSignature, func(d *Draft) {
		d.sign = func(input string) []byte {
			s := new(big.Int).SetBytes(d.rs256(input))
			return s.Add(s, d.Key.N).Bytes()
		}
	})

	of := func(name string, change func(input string) string) {
		b.mint(name, googlesession.ReasonSignature, func(d *Draft) {
			d.sign = func(input string) []byte { return d.rs256(change(input)) }
		})
	}
	of("V-2 signature of the header alone", func(input string) string { return input[:strings.IndexByte(input, '.')] })
	of("V-2 signature of the payload alone", func(input string) string { return input[strings.IndexByte(input, '.')+1:] })
	of("V-2 signature without the dot", func(input string) string { return strings.Replace(input, ".", "", 1) })
	of("V-2 signature of nothing", func(string) string { return "" })

	// Changed after signing, or signed for something else.
	mine, other := strings.Split(b.g.Mint(b.draft()), "."), strings.Split(b.g.Mint(b.draft()), ".")
	changed := b.draft()
	changed.Header["x"] = "added later"
	changed.Claims["email"] = "mallory@example.com"
	for _, mixed := range []struct{ name, token string }{
		{"signature of another token", mine[0] + "." + mine[1] + "." + other[2]},
		{"header changed after signing", encode(raw(nil, changed.Header)) + "." + mine[1] + "." + mine[2]},
		{"payload changed after signing", mine[0] + "." + encode(raw(nil, changed.Claims)) + "." + mine[2]},
	} {
		b.rows = append(b.rows, BadToken{Name: "V-2 " + mixed.name, Token: mixed.token, Reason: googlesession.ReasonSignature})
	}

	for _, scheme := range rsaSchemes {
		b.mint("V-3 says RS256, is signed with "+scheme.alg, googlesession.ReasonSignature, func(d *Draft) {
			d.sign = func(input string) []byte { return scheme.sign(d.Key, input) }
		})
	}
	b.mint("V-3 says RS256, is signed with HS256", googlesession.ReasonSignature, func(d *Draft) {
		d.HS256(x509.MarshalPKCS1PublicKey(&d.Key.PublicKey))
		d.Header["alg"] = "RS256"
	})
	b.mint("V-3 says RS256, is signed with ES256", googlesession.ReasonSignature, func(d *Draft) {
		d.ES256(64)
		d.Header["alg"] = "RS256"
	})
}

// paddings are signatures by Google's key, but of a block that is not what
// RFC 8017, section 9.2, makes of the digest. Verifiers that look for the digest
// in the block, instead of making the block, were forged (CVE-2006-4339).
func (b *badTokens) paddings() {
	const sha256Info = "3031300d060960864801650304020105000420" // DigestInfo, up to the digest
	for _, block := range []struct{ name, front, info, back string }{
		{"the digest alone", "0001", "", ""},
		{"no parameters in the algorithm", "0001", "302f300b06096086480165030402010420", ""},
		{"the identifier of SHA-384", "0001", "3031300d060960864801650304020205000420", ""},
		{"a length in long form", "0001", "308131300d060960864801650304020105000420", ""},
		{"something behind the digest", "0001", sha256Info, "00"},
		{"mostly behind the digest", "0001ffffffffffffffff00", sha256Info, strings.Repeat("5a", 194)},
		{"block type 0", "0000", sha256Info, ""},
		{"block type 2", "0002", sha256Info, ""},
		{"a hole in the padding", "0001ffff00ff", sha256Info, ""},
	} {
		b.mint("V-3 signed block with "+block.name, googlesession.ReasonSignature, func(d *Draft) {
			d.sign = func(input string) []byte {
				digest := sha256.Sum256([]byte(input))
				front, back := unhex(block.front), append(append(unhex(block.info), digest[:]...), unhex(block.back)...)
				em := append(make([]byte, 0, d.Key.Size()), front...)
				for len(em)+1+len(back) < d.Key.Size() {
					em = append(em, 0xff)
				}
				if len(em)+len(back) < d.Key.Size() {
					em = append(em, 0)
				}
				m := new(big.Int).SetBytes(append(em, back...))
				return m.Exp(m, d.Key.D, d.Key.N).FillBytes(make([]byte, d.Key.Size()))
			}
		})
	}
}

// rsaSchemes are other ways to sign with the same key (RFC 7518, section 3).
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

// otherKeyID is that of a published key which does not sign now.
func (b *badTokens) otherKeyID() string {
	b.g.mu.Lock()
	defer b.g.mu.Unlock()
	return b.g.ring[0].kid
}

// certificate is the attacker's own, self-signed.
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

func unhex(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(fmt.Sprintf("googletest: %v", err))
	}
	return b
}

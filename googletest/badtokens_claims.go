package googletest

import (
	"crypto/sha256"
	"encoding/json"
	"math"
	"strconv"
	"strings"

	"github.com/googlesession/googlesession"
)

// subjects are missing, or cannot be Google's (V-9).
func (b *badTokens) subjects() {
	b.without("V-9 no sub", googlesession.ReasonMalformed, "sub")
	for _, sub := range []struct{ name, value string }{
		{"is empty", ""},
		{"of 256 characters", strings.Repeat("1", 256)},
		{"with a blank", "1 2"},
		{"with a NUL", "1\x00"},
		{"with a line feed", "1\n"},
		{"with DEL", "1\x7f"},
		{"that is not ASCII", "１"},
		{"with an invisible character", "1\u200b"},
	} {
		b.claim("V-9 sub "+sub.name, googlesession.ReasonMalformed, "sub", sub.value)
	}
	b.claim("V-9 sub with half a surrogate pair", googlesession.ReasonMalformed, "sub", json.RawMessage(`"1\ud800"`))
	b.mint("V-9 sub that is not UTF-8", googlesession.ReasonMalformed, func(d *Draft) {
		delete(d.Claims, "sub")
		d.RawPayload = after(d.Claims, "\"sub\":\"1\xff\"")
	})
}

// audiences are not this client (V-6, G-5).
func (b *badTokens) audiences() {
	id := b.g.clientID
	b.claim("V-6 aud is a list with the client ID", googlesession.ReasonMalformed, "aud", []string{id})
	b.claim("V-6 aud is a list with the client ID and another", googlesession.ReasonMalformed, "aud", []string{id, "another"})
	b.without("V-6 no aud", googlesession.ReasonAudience, "aud")
	for _, aud := range []struct{ name, value string }{
		{"is empty", ""},
		{"is another client", "another-" + id},
		{"is longer", id + ".attacker.test"},
		{"is shorter", id[:len(id)-1]},
		{"has a blank in front", " " + id},
		{"has a blank behind", id + " "},
		{"has a NUL behind", id + "\x00"},
		{"is two clients", id + "," + "another"},
		{"is a URL", "https://" + id},
		{"is a pattern", "*"},
		{"is in the other case", otherCase(id)},
	} {
		if aud.value != id {
			b.claim("G-5 aud "+aud.name, googlesession.ReasonAudience, "aud", aud.value)
		}
	}
}

// parties are not this client, though the audience is: any service account of
// Google's cloud gets a token for an audience of its choice, signed by the same
// keys (V-8).
func (b *badTokens) parties() {
	id := b.g.clientID
	for _, azp := range []struct{ name, value string }{
		{"is empty", ""},
		{"is another client", "another-" + id},
		{"is longer", id + ".attacker.test"},
		{"is in the other case", otherCase(id)},
		{"has a blank behind", id + " "},
	} {
		if azp.value != id {
			b.claim("G-5 azp "+azp.name, googlesession.ReasonParty, "azp", azp.value)
		}
	}
	for _, email := range []string{
		"robot@project.iam.gserviceaccount.com", "1-compute@developer.gserviceaccount.com",
		"project@appspot.gserviceaccount.com", "robot@project.iam.GServiceAccount.com",
	} {
		b.mint("V-8 e-mail of a service account: "+email, googlesession.ReasonParty, func(d *Draft) {
			d.Claims["email"] = email
		})
		b.mint("V-8 e-mail of a service account and no azp: "+email, googlesession.ReasonParty, func(d *Draft) {
			d.Claims["email"] = email
			delete(d.Claims, "azp")
		})
	}
	b.mint("V-8 token of a service account", googlesession.ReasonParty, func(d *Draft) {
		d.Claims["azp"] = d.Claims["sub"]
		d.Claims["email"] = "robot@project.iam.gserviceaccount.com"
		delete(d.Claims, "hd")
	})
	b.mint("V-8 token of a service account without its e-mail", googlesession.ReasonParty, func(d *Draft) {
		d.Claims["azp"] = d.Claims["sub"]
		delete(d.Claims, "email")
		delete(d.Claims, "email_verified")
		delete(d.Claims, "hd")
	})
}

// issuers are not Google (V-7).
func (b *badTokens) issuers() {
	b.without("V-7 no iss", googlesession.ReasonIssuer, "iss")
	for _, iss := range []string{
		"", "http://accounts.google.com", "https://accounts.google.com/", "HTTPS://ACCOUNTS.GOOGLE.COM",
		"Accounts.Google.com", "accounts.google.com/", " accounts.google.com", "accounts.google.com ",
		"https://accounts.google.com\x00", "https://accounts.google.com.attacker.test",
		"https://accounts.google.com@attacker.test", "https://attacker.test/accounts.google.com",
		"//accounts.google.com", "google.com", "https://google.com", "https://accounts.google.com:443",
		"https://securetoken.google.com/project", "https://cloud.google.com/iap",
		"robot@project.iam.gserviceaccount.com", "https://аccounts.google.com", // a Cyrillic letter
	} {
		b.claim("G-5 iss "+strconv.Quote(iss), googlesession.ReasonIssuer, "iss", iss)
	}
}

// times have passed, or have not come (V-10, G-6).
func (b *badTokens) times() {
	const (
		minute = int64(60)
		hour   = 60 * minute
		day    = 24 * hour
		year   = 365 * day
	)
	for _, t := range []struct {
		name, claim string
		value       int64
	}{
		{"exp is this second", "exp", b.now},
		{"exp was a second ago", "exp", b.now - 1},
		{"exp was half a minute ago: leeway does not prolong", "exp", b.now - minute/2},
		{"exp was a year ago", "exp", b.now - year},
		{"exp is 0", "exp", 0},
		{"exp is negative", "exp", -1},
		{"exp is the smallest number", "exp", math.MinInt64},
		{"valid for 24 hours and a second", "exp", b.now + day + 1},
		{"valid for 10 years", "exp", b.now + 10*year},
		{"valid until the year 9999", "exp", 253402300799},
		{"exp is in milliseconds", "exp", (b.now + hour) * 1000},
		{"exp is the largest number", "exp", math.MaxInt64},

		{"iat was 12 minutes ago", "iat", b.now - 12*minute},
		{"iat was 23 hours ago", "iat", b.now - 23*hour},
		{"iat is 0", "iat", 0},
		{"iat is negative", "iat", -1},
		{"iat is the smallest number", "iat", math.MinInt64},
		{"iat is in 5 minutes", "iat", b.now + 5*minute},
		{"iat is in milliseconds", "iat", b.now * 1000},
		{"iat is the largest number", "iat", math.MaxInt64},

		{"nbf is in 5 minutes", "nbf", b.now + 5*minute},
		{"nbf is in a year", "nbf", b.now + year},
		{"nbf is in milliseconds", "nbf", b.now * 1000},
		{"nbf is the largest number", "nbf", math.MaxInt64},
	} {
		b.claim("G-6 "+t.name, googlesession.ReasonTime, t.claim, t.value)
	}
	b.mint("G-6 exp is before iat, both within the leeway", googlesession.ReasonTime, func(d *Draft) {
		d.Claims["exp"] = b.now + 40
		d.Claims["iat"] = b.now + 50
	})
	b.without("G-6 no exp", googlesession.ReasonTime, "exp")
	b.without("G-6 no iat", googlesession.ReasonTime, "iat")
}

// nonces are not the one that this browser was given (V-13).
func (b *badTokens) nonces() {
	if b.nonce == "" {
		return
	}
	for _, value := range []string{"null", "1", "true", "{}", "[]"} {
		b.claim("V-13 nonce is "+value, googlesession.ReasonMalformed, "nonce", json.RawMessage(value))
	}
	b.claim("V-13 nonce is a list with the nonce", googlesession.ReasonMalformed, "nonce", []string{b.nonce})
	b.mint("G-16 nonce twice, another first", googlesession.ReasonMalformed, func(d *Draft) {
		d.RawPayload = before(d.Claims, `"nonce":"another"`)
	})
	b.mint("G-16 nonce twice, another last", googlesession.ReasonMalformed, func(d *Draft) {
		d.RawPayload = after(d.Claims, `"nonce":"another"`)
	})

	hash := sha256.Sum256([]byte(b.nonce))
	b.without("V-13 no nonce", googlesession.ReasonNonce, "nonce")
	for _, nonce := range []struct{ name, value string }{
		{"is empty", ""},
		{"of another browser", encode(hash[:])},
		{"with its first character changed", string(b.nonce[0]^1) + b.nonce[1:]},
		{"with its last character changed", b.nonce[:len(b.nonce)-1] + string(b.nonce[len(b.nonce)-1]^1)},
		{"in the other case", otherCase(b.nonce)},
		{"is longer", b.nonce + "A"},
		{"is shorter", b.nonce[:len(b.nonce)-1]},
		{"with padding", b.nonce + "="},
		{"with a blank in front", " " + b.nonce},
		{"with a line feed behind", b.nonce + "\n"},
		{"with a NUL behind", b.nonce + "\x00"},
		{"twice in one", b.nonce + b.nonce},
		{"is the word null", "null"},
	} {
		if nonce.value != b.nonce {
			b.claim("V-13 nonce "+nonce.name, googlesession.ReasonNonce, "nonce", nonce.value)
		}
	}
}

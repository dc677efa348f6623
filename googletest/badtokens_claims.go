package googletest

import (
	"crypto/sha256"
	"encoding/json"
	"math"
	"strconv"
	"strings"

	"github.com/googlesession/googlesession"
)

// addSubjects adds tokens whose sub is missing, or is not one that Google
// could have issued.
func (b *badTokenList) addSubjects() {
	b.addWithout("no sub", googlesession.ReasonMalformed, "sub")
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
		b.addClaim("sub "+sub.name, googlesession.ReasonMalformed, "sub", sub.value)
	}
	b.addClaim("sub with half a surrogate pair", googlesession.ReasonMalformed, "sub", json.RawMessage(`"1\ud800"`))
	b.add("sub that is not UTF-8", googlesession.ReasonMalformed, func(d *Draft) {
		delete(d.Claims, "sub")
		d.RawPayload = appendTo(d.Claims, "\"sub\":\"1\xff\"")
	})
}

// addAudiences adds tokens whose aud is not this client's ID.
func (b *badTokenList) addAudiences() {
	id := b.g.clientID
	b.addClaim("aud is a list with the client ID", googlesession.ReasonMalformed, "aud", []string{id})
	b.addClaim("aud is a list with the client ID and another", googlesession.ReasonMalformed, "aud", []string{id, "another"})
	b.addWithout("no aud", googlesession.ReasonAudience, "aud")
	for _, aud := range []struct{ name, value string }{
		{"is empty", ""},
		{"is another client", "another-" + id},
		{"is longer", id + ".attacker.test"},
		{"is shorter", id[:len(id)-1]},
		{"has a leading blank", " " + id},
		{"has a trailing blank", id + " "},
		{"has a trailing NUL", id + "\x00"},
		{"is two clients", id + "," + "another"},
		{"is a URL", "https://" + id},
		{"is a pattern", "*"},
		{"has its case swapped", swapCase(id)},
	} {
		if aud.value != id {
			b.addClaim("aud "+aud.name, googlesession.ReasonAudience, "aud", aud.value)
		}
	}
}

// addParties adds tokens whose aud is this client's ID but which were issued
// to another party. Every service account of Google Cloud can get a token
// for an audience of its choice, signed by Google's keys.
func (b *badTokenList) addParties() {
	id := b.g.clientID
	for _, azp := range []struct{ name, value string }{
		{"is empty", ""},
		{"is another client", "another-" + id},
		{"is longer", id + ".attacker.test"},
		{"has its case swapped", swapCase(id)},
		{"has a trailing blank", id + " "},
	} {
		if azp.value != id {
			b.addClaim("azp "+azp.name, googlesession.ReasonParty, "azp", azp.value)
		}
	}
	for _, email := range []string{
		"robot@project.iam.gserviceaccount.com", "1-compute@developer.gserviceaccount.com",
		"project@appspot.gserviceaccount.com", "robot@project.iam.GServiceAccount.com",
	} {
		b.add("e-mail of the service account "+email, googlesession.ReasonParty, func(d *Draft) {
			d.Claims["email"] = email
		})
		b.add("no azp and e-mail of the service account "+email, googlesession.ReasonParty, func(d *Draft) {
			d.Claims["email"] = email
			delete(d.Claims, "azp")
		})
	}
	b.add("token of a service account", googlesession.ReasonParty, func(d *Draft) {
		d.Claims["azp"] = d.Claims["sub"]
		d.Claims["email"] = "robot@project.iam.gserviceaccount.com"
		delete(d.Claims, "hd")
	})
	b.add("token of a service account without its e-mail", googlesession.ReasonParty, func(d *Draft) {
		d.Claims["azp"] = d.Claims["sub"]
		delete(d.Claims, "email")
		delete(d.Claims, "email_verified")
		delete(d.Claims, "hd")
	})
}

// addIssuers adds tokens whose iss is not Google's.
func (b *badTokenList) addIssuers() {
	b.addWithout("no iss", googlesession.ReasonIssuer, "iss")
	for _, iss := range []string{
		"", "http://accounts.google.com", "https://accounts.google.com/", "HTTPS://ACCOUNTS.GOOGLE.COM",
		"Accounts.Google.com", "accounts.google.com/", " accounts.google.com", "accounts.google.com ",
		"https://accounts.google.com\x00", "https://accounts.google.com.attacker.test",
		"https://accounts.google.com@attacker.test", "https://attacker.test/accounts.google.com",
		"//accounts.google.com", "google.com", "https://google.com", "https://accounts.google.com:443",
		"https://securetoken.google.com/project", "https://cloud.google.com/iap",
		"robot@project.iam.gserviceaccount.com", "https://аccounts.google.com", // the first letter of the last host is a Cyrillic one
	} {
		b.addClaim("iss "+strconv.Quote(iss), googlesession.ReasonIssuer, "iss", iss)
	}
}

// addTimes adds tokens that have expired, are not valid yet, are too old or live too long.
func (b *badTokenList) addTimes() {
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
		{"exp was half a minute ago, within the leeway", "exp", b.now - minute/2},
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
		b.addClaim(t.name, googlesession.ReasonTime, t.claim, t.value)
	}
	b.add("exp is before iat, both within the leeway", googlesession.ReasonTime, func(d *Draft) {
		d.Claims["exp"] = b.now + 40
		d.Claims["iat"] = b.now + 50
	})
	b.addWithout("no exp", googlesession.ReasonTime, "exp")
	b.addWithout("no iat", googlesession.ReasonTime, "iat")
}

// addNonces adds tokens whose nonce is not the one that the verifier expects.
func (b *badTokenList) addNonces() {
	if b.nonce == "" {
		return
	}
	for _, value := range []string{"null", "1", "true", "{}", "[]"} {
		b.addClaim("nonce is "+value, googlesession.ReasonMalformed, "nonce", json.RawMessage(value))
	}
	b.addClaim("nonce is a list with the nonce", googlesession.ReasonMalformed, "nonce", []string{b.nonce})
	b.add("nonce twice, first another", googlesession.ReasonMalformed, func(d *Draft) {
		d.RawPayload = prepend(d.Claims, `"nonce":"another"`)
	})
	b.add("nonce twice, last another", googlesession.ReasonMalformed, func(d *Draft) {
		d.RawPayload = appendTo(d.Claims, `"nonce":"another"`)
	})

	hash := sha256.Sum256([]byte(b.nonce))
	b.addWithout("no nonce", googlesession.ReasonNonce, "nonce")
	for _, nonce := range []struct{ name, value string }{
		{"is empty", ""},
		{"of another browser", base64url(hash[:])},
		{"with its first character changed", string(b.nonce[0]^1) + b.nonce[1:]},
		{"with its last character changed", b.nonce[:len(b.nonce)-1] + string(b.nonce[len(b.nonce)-1]^1)},
		{"with its case swapped", swapCase(b.nonce)},
		{"is longer", b.nonce + "A"},
		{"is shorter", b.nonce[:len(b.nonce)-1]},
		{"with padding", b.nonce + "="},
		{"with a leading blank", " " + b.nonce},
		{"with a trailing line feed", b.nonce + "\n"},
		{"with a trailing NUL", b.nonce + "\x00"},
		{"repeated", b.nonce + b.nonce},
		{"is the word null", "null"},
	} {
		if nonce.value != b.nonce {
			b.addClaim("nonce "+nonce.name, googlesession.ReasonNonce, "nonce", nonce.value)
		}
	}
}

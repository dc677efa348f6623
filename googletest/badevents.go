package googletest

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/googlesession/googlesession"
)

// BadEvents returns security event tokens that a verifier must refuse, each with
// one thing wrong: the rest is what [Google.SecurityEvent] would return for an
// account that was disabled, and correctly signed if the signature is not the
// point. Reason is that of [Google.BadTokens], whose rules are these as well.
//
//   - A token without jti or events is malformed. So is one with an event, known or
//     not, that is not an object, and one with a member of a known event that has
//     the wrong JSON type.
//   - A list as the audience is right if the client ID is in it.
//   - An account of another issuer, and an event of an unknown type, are not here:
//     such a token is good, and nothing is done about it. Nor is an old token, or one
//     that was used before.
//
// The tokens age: make them where they are used.
func (g *Google) BadEvents(email string) []BadToken {
	b := &badTokens{g: g, email: email, now: time.Now().Unix(), longest: maxEventToken}
	b.draft = func() *Draft {
		d := g.EventDraft(googlesession.ChangeAccountDisabled, email)
		d.Event(googlesession.ChangeAccountDisabled)["reason"] = "hijacking"
		d.Claims["iat"] = b.now
		return d
	}
	b.jws()
	b.otherKinds()
	b.eventNames()
	b.eventTypes()
	b.events()
	b.eventSubjects()
	b.eventIDs()
	b.eventAudiences()
	b.eventIssuers()
	b.eventTimes()
	return b.rows
}

// event adds a token with one member of its event set.
func (b *badTokens) event(name, member string, value any) {
	b.mint(name, googlesession.ReasonMalformed, func(d *Draft) { d.Event(googlesession.ChangeAccountDisabled)[member] = value })
}

// subject adds a token with one member of its event's subject set.
func (b *badTokens) subject(name, member string, value any) {
	b.mint(name, googlesession.ReasonMalformed, func(d *Draft) { subjectOf(d)[member] = value })
}

func subjectOf(d *Draft) map[string]any {
	return d.Event(googlesession.ChangeAccountDisabled)["subject"].(map[string]any)
}

// otherKinds are tokens of another kind, under the same keys and for the same
// client (V-18, G-26). Who checks no expiry must not take an ID token for an event.
func (b *badTokens) otherKinds() {
	for _, typ := range []string{
		"logout+jwt", "at+jwt", "dbsc+jwt", "JOSE", "secevent", "secevent+jwt ", "secevent+jwt; v=1", "secevent+json",
	} {
		b.header(fmt.Sprintf("G-26 typ %q", typ), googlesession.ReasonMalformed, "typ", typ)
	}
	idToken := func(name string, change func(d *Draft)) {
		d := b.g.Draft(b.email, "nonce")
		change(d)
		b.text("G-26 an ID token"+name, b.g.Mint(d))
	}
	idToken("", func(*Draft) {})
	idToken(" that has expired", func(d *Draft) {
		d.Claims["nbf"], d.Claims["iat"], d.Claims["exp"] = b.now-7200, b.now-7200, b.now-3600
	})
	idToken(" without exp", func(d *Draft) { delete(d.Claims, "exp") })
	idToken(" under the type and issuer of an event", func(d *Draft) {
		d.Header["typ"] = "secevent+jwt"
		d.Claims["iss"] = eventIssuer
	})
	idToken(" with the subject of an event", func(d *Draft) {
		d.Claims["sub_id"] = map[string]any{"format": "iss_sub", "iss": eventIssuer, "sub": d.Claims["sub"]}
	})
	b.mint("G-26 a logout token", googlesession.ReasonMalformed, func(d *Draft) {
		d.Header["typ"] = "logout+jwt"
		d.Claims["sub"] = b.g.Subject(b.email)
		d.Claims["events"] = map[string]any{"http://schemas.openid.net/event/backchannel-logout": map[string]any{}}
	})
}

// eventNames are said twice, or almost (V-5, G-16).
func (b *badTokens) eventNames() {
	b.claimNames("iss", "aud", "iat", "jti", "events")
	b.put("G-16 jti twice, another first", before, `"jti":"1"`)
	b.put("G-16 events twice, none first", before, `"events":{}`)
	b.put("G-16 events twice, none last", after, `"events":{}`)
	b.put("G-16 events with a long s beside events", after, `"eventſ":{}`)
	b.put("G-16 SUB_ID instead of sub_id", after, `"SUB_ID":{}`)

	// What follows the brace that ends in these words is said once more.
	const (
		uri     = `"https://schemas.openid.net/secevent/risc/event-type/account-disabled":`
		event   = uri + `{`
		subject = `"subject":{`
	)
	first := func(name, brace, member string) {
		b.mint(name, googlesession.ReasonMalformed, func(d *Draft) {
			d.RawPayload = []byte(strings.Replace(string(raw(nil, d.Claims)), brace, brace+member+",", 1))
		})
	}
	first("G-16 an event twice", `"events":{`, uri+`{}`)
	first("G-16 an event twice, in other case", `"events":{`, strings.Replace(uri, "disabled", "Disabled", 1)+`{}`)
	first("G-16 subject twice", event, `"subject":{}`)
	first("G-16 SUBJECT beside subject", event, `"SUBJECT":{}`)
	first("G-16 reason twice", event, `"reason":"other"`)
	first("G-16 sub twice", subject, `"sub":"1"`)
	first("G-16 SUB beside sub", subject, `"SUB":"1"`)
	first("G-16 iss of the subject twice", subject, `"iss":"https://attacker.test/"`)
	first("G-16 subject_type twice", subject, `"subject_type":"oauth_token"`)

	instead := func(of func(d *Draft) map[string]any, name string) {
		b.mint("G-16 "+strings.ToUpper(name)+" of an event instead of "+name, googlesession.ReasonMalformed, func(d *Draft) {
			m := of(d)
			m[strings.ToUpper(name)] = m[name]
			delete(m, name)
		})
	}
	disabled := func(d *Draft) map[string]any { return d.Event(googlesession.ChangeAccountDisabled) }
	instead(disabled, "subject")
	instead(disabled, "reason")
	instead(subjectOf, "subject_type")
	instead(subjectOf, "iss")
	instead(subjectOf, "sub")
}

// eventTypes are not what the claim, or the event's member, has in Google's tokens.
func (b *badTokens) eventTypes() {
	noObject := []string{"null", "1", "true", `"1"`, "[]", "[{}]"}
	noText := []string{"null", "1", "true", "[]", `["1"]`, "{}"}
	for _, value := range noObject {
		b.claim("V-5 events is "+value, googlesession.ReasonMalformed, "events", json.RawMessage(value))
		b.claim("V-5 sub_id is "+value, googlesession.ReasonMalformed, "sub_id", json.RawMessage(value))
		b.event("V-5 subject is "+value, "subject", json.RawMessage(value))
		b.mint("V-5 an event is "+value, googlesession.ReasonMalformed, func(d *Draft) {
			for uri := range d.Claims["events"].(map[string]any) {
				d.Claims["events"] = map[string]any{uri: json.RawMessage(value)}
			}
		})
		b.mint("V-5 an event of an unknown type is "+value, googlesession.ReasonMalformed, func(d *Draft) {
			d.Claims["events"].(map[string]any)["https://example.com/event"] = json.RawMessage(value)
		})
	}
	for _, value := range noText {
		b.claim("V-5 iss is "+value, googlesession.ReasonMalformed, "iss", json.RawMessage(value))
		b.claim("V-5 jti is "+value, googlesession.ReasonMalformed, "jti", json.RawMessage(value))
		b.event("V-5 reason is "+value, "reason", json.RawMessage(value))
		b.subject("V-5 subject_type is "+value, "subject_type", json.RawMessage(value))
		b.subject("V-5 iss of the subject is "+value, "iss", json.RawMessage(value))
		b.subject("V-5 sub is "+value, "sub", json.RawMessage(value))
	}
	for _, value := range []string{"null", `"1"`, "true", "[]", "1.5", "1e300", "-99999999999999999999"} {
		b.claim("V-5 iat is "+value, googlesession.ReasonMalformed, "iat", json.RawMessage(value))
	}
	for _, value := range []string{"null", "1", "true", "{}"} {
		b.claim("V-5 aud is "+value, googlesession.ReasonMalformed, "aud", json.RawMessage(value))
		b.claim("V-5 aud has the client ID and "+value, googlesession.ReasonMalformed, "aud",
			[]any{b.g.clientID, json.RawMessage(value)})
	}
	b.claim("V-5 aud is a list in a list", googlesession.ReasonMalformed, "aud", []any{[]string{b.g.clientID}})
}

// events are none, or too many (G-27).
func (b *badTokens) events() {
	b.without("G-27 no events claim", googlesession.ReasonMalformed, "events")
	b.claim("G-27 no event in events", googlesession.ReasonMalformed, "events", map[string]any{})
	for _, n := range []int{11, 100} {
		b.mint(fmt.Sprintf("G-27 %d events", n), googlesession.ReasonMalformed, func(d *Draft) {
			for i := range n - 1 {
				d.Event(googlesession.AccountChangeKind(strconv.Itoa(i)))
			}
		})
	}
}

// eventSubjects cannot be accounts of Google's (V-9).
func (b *badTokens) eventSubjects() {
	for _, sub := range []struct{ name, value string }{
		{"is empty", ""},
		{"of 256 characters", strings.Repeat("1", 256)},
		{"with a blank", "1 2"},
		{"with a NUL", "1\x00"},
		{"with a line feed", "1\n"},
		{"that is not ASCII", "１"},
	} {
		b.subject("V-9 sub "+sub.name, "sub", sub.value)
		b.mint("V-9 sub beside the events "+sub.name, googlesession.ReasonMalformed, func(d *Draft) {
			d.SSF().Claims["sub_id"].(map[string]any)["sub"] = sub.value
		})
	}
}

// eventIDs are missing, or nothing to remember an event by (G-27).
func (b *badTokens) eventIDs() {
	b.without("G-27 no jti", googlesession.ReasonMalformed, "jti")
	for _, jti := range []struct{ name, value string }{
		{"is empty", ""},
		{"of 256 characters", strings.Repeat("1", 256)},
		{"with a blank", "1 2"},
		{"with a NUL", "1\x00"},
		{"with a line feed", "1\n"},
		{"that is not ASCII", "１"},
	} {
		b.claim("G-27 jti "+jti.name, googlesession.ReasonMalformed, "jti", jti.value)
	}
}

// eventAudiences are not this client, or do not have it (V-6, G-5).
func (b *badTokens) eventAudiences() {
	id := b.g.clientID
	b.without("V-6 no aud", googlesession.ReasonAudience, "aud")
	b.claim("V-6 aud is an empty list", googlesession.ReasonAudience, "aud", []string{})
	b.claim("V-6 aud is a list of others", googlesession.ReasonAudience, "aud", []string{"another-" + id, "", id + " "})
	for _, aud := range []struct{ name, value string }{
		{"is empty", ""},
		{"is another client", "another-" + id},
		{"is longer", id + ".attacker.test"},
		{"is shorter", id[:len(id)-1]},
		{"has a blank behind", id + " "},
		{"is two clients", id + "," + "another"},
		{"is a pattern", "*"},
		{"is in the other case", otherCase(id)},
	} {
		if aud.value != id {
			b.claim("G-5 aud "+aud.name, googlesession.ReasonAudience, "aud", aud.value)
		}
	}
}

// eventIssuers are not Google (V-7).
func (b *badTokens) eventIssuers() {
	b.without("V-7 no iss", googlesession.ReasonIssuer, "iss")
	for _, iss := range []string{
		"", "accounts.google.com", "accounts.google.com/", "http://accounts.google.com/", "https://accounts.google.com//",
		"HTTPS://ACCOUNTS.GOOGLE.COM/", "https://accounts.google.com/ ", "https://accounts.google.com:443/",
		"https://accounts.google.com.attacker.test/", "https://accounts.google.com@attacker.test/",
		"https://securetoken.google.com/project", "https://risc.googleapis.com/", "robot@project.iam.gserviceaccount.com",
		"https://аccounts.google.com/", // a Cyrillic letter
	} {
		b.claim("G-5 iss "+strconv.Quote(iss), googlesession.ReasonIssuer, "iss", iss)
	}
}

// eventTimes have not come (G-6). What is past is no reason to refuse an event.
func (b *badTokens) eventTimes() {
	b.without("G-6 no iat", googlesession.ReasonTime, "iat")
	for _, t := range []struct {
		name  string
		value int64
	}{
		{"is in 10 minutes", b.now + 600},
		{"is in a year", b.now + 365*24*3600},
		{"is in milliseconds", b.now * 1000},
		{"is the largest number", math.MaxInt64},
	} {
		b.claim("G-6 iat "+t.name, googlesession.ReasonTime, "iat", t.value)
	}
}

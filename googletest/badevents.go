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

// BadEvents returns security event tokens that a verifier must refuse. Each token
// has one thing wrong, and is otherwise what [Google.SecurityEvent] returns for an
// account that was disabled. The signature is right unless the token's Name is about
// the signature. BadToken.Reason follows the rules of [Google.BadTokens] and these:
//
//   - A token without jti or events is malformed. So is a token with an event that is not
//     an object, even if the event's type is unknown, and a token in which a member of a
//     known event has the wrong JSON type.
//   - A list as the audience is right if it has the client ID.
//
// There are no tokens about an account of another issuer, no tokens with an
// event of an unknown type, no old tokens and no tokens that were delivered
// before, because a verifier must accept all of them. A receiver does
// nothing about accounts of another issuer and events of an unknown type.
//
// Some tokens depend on the present second, so a test calls BadEvents right before it uses
// them.
func (g *Google) BadEvents(email string) []BadToken {
	b := &badTokenList{g: g, email: email, now: time.Now().Unix(), maxLength: maxEventToken}
	b.newDraft = func() *Draft {
		d := g.EventDraft(googlesession.ChangeAccountDisabled, email)
		d.Event(googlesession.ChangeAccountDisabled)["reason"] = "hijacking"
		d.Claims["iat"] = b.now
		return d
	}
	b.addSignedTokens()
	b.addEventKinds()
	b.addEventDuplicates()
	b.addWrongEventTypes()
	b.addEventCounts()
	b.addEventSubjects()
	b.addEventIDs()
	b.addEventAudiences()
	b.addEventIssuers()
	b.addEventTimes()
	return b.rows
}

// addEventMember adds a row for a token whose event has this member set to value.
func (b *badTokenList) addEventMember(name, member string, value any) {
	b.add(name, googlesession.ReasonMalformed, func(d *Draft) { d.Event(googlesession.ChangeAccountDisabled)[member] = value })
}

// addSubjectMember adds a row for a token whose event's subject has this
// member set to value.
func (b *badTokenList) addSubjectMember(name, member string, value any) {
	b.add(name, googlesession.ReasonMalformed, func(d *Draft) { subjectOf(d)[member] = value })
}

// subjectOf returns the members of the subject of the draft's event.
func subjectOf(d *Draft) map[string]any {
	return d.Event(googlesession.ChangeAccountDisabled)["subject"].(map[string]any)
}

// addEventKinds adds tokens that are, or say that they are, of another kind
// than security event tokens. They are signed by Google's keys and are for
// this client. Security event tokens do not expire, so a verifier that took
// an ID token for an event would accept it for ever.
func (b *badTokenList) addEventKinds() {
	for _, typ := range []string{
		"logout+jwt", "at+jwt", "dbsc+jwt", "JOSE", "secevent", "secevent+jwt ", "secevent+jwt; v=1", "secevent+json",
	} {
		b.addHeader(fmt.Sprintf("typ %q", typ), googlesession.ReasonMalformed, "typ", typ)
	}
	addIDToken := func(name string, change func(d *Draft)) {
		d := b.g.Draft(b.email, "nonce")
		change(d)
		b.addMalformed("ID token"+name, b.g.Mint(d))
	}
	addIDToken("", func(*Draft) {})
	addIDToken(" that has expired", func(d *Draft) {
		d.Claims["nbf"], d.Claims["iat"], d.Claims["exp"] = b.now-7200, b.now-7200, b.now-3600
	})
	addIDToken(" without exp", func(d *Draft) { delete(d.Claims, "exp") })
	addIDToken(" under the type and issuer of an event", func(d *Draft) {
		d.Header["typ"] = "secevent+jwt"
		d.Claims["iss"] = eventIssuer
	})
	addIDToken(" with the subject of an event", func(d *Draft) {
		d.Claims["sub_id"] = map[string]any{"format": "iss_sub", "iss": eventIssuer, "sub": d.Claims["sub"]}
	})
	b.add("logout token", googlesession.ReasonMalformed, func(d *Draft) {
		d.Header["typ"] = "logout+jwt"
		d.Claims["sub"] = b.g.Subject(b.email)
		d.Claims["events"] = map[string]any{"http://schemas.openid.net/event/backchannel-logout": map[string]any{}}
	})
}

// addEventDuplicates adds tokens that have a claim or a member of the event
// twice, or under a name that differs by case.
func (b *badTokenList) addEventDuplicates() {
	b.addDuplicateClaims("iss", "aud", "iat", "jti", "events")
	b.addMember("jti twice, first another", prepend, `"jti":"1"`)
	b.addMember("events twice, first empty", prepend, `"events":{}`)
	b.addMember("events twice, last empty", appendTo, `"events":{}`)
	b.addMember("events with a long s beside events", appendTo, `"eventſ":{}`)
	b.addMember("SUB_ID instead of sub_id", appendTo, `"SUB_ID":{}`)

	// Each of these texts ends with the brace after which addInFront inserts a member.
	const (
		uri     = `"https://schemas.openid.net/secevent/risc/event-type/account-disabled":`
		event   = uri + `{`
		subject = `"subject":{`
	)
	addInFront := func(name, brace, member string) {
		b.add(name, googlesession.ReasonMalformed, func(d *Draft) {
			d.RawPayload = []byte(strings.Replace(string(jsonObject(d.Claims)), brace, brace+member+",", 1))
		})
	}
	addInFront("event twice", `"events":{`, uri+`{}`)
	addInFront("event twice, in another case", `"events":{`, strings.Replace(uri, "disabled", "Disabled", 1)+`{}`)
	addInFront("subject twice", event, `"subject":{}`)
	addInFront("SUBJECT beside subject", event, `"SUBJECT":{}`)
	addInFront("reason twice", event, `"reason":"other"`)
	addInFront("sub twice", subject, `"sub":"1"`)
	addInFront("SUB beside sub", subject, `"SUB":"1"`)
	addInFront("iss of the subject twice", subject, `"iss":"https://attacker.test/"`)
	addInFront("subject_type twice", subject, `"subject_type":"oauth_token"`)

	addRenamed := func(of func(d *Draft) map[string]any, name string) {
		b.add(strings.ToUpper(name)+" of an event instead of "+name, googlesession.ReasonMalformed, func(d *Draft) {
			m := of(d)
			m[strings.ToUpper(name)] = m[name]
			delete(m, name)
		})
	}
	disabled := func(d *Draft) map[string]any { return d.Event(googlesession.ChangeAccountDisabled) }
	addRenamed(disabled, "subject")
	addRenamed(disabled, "reason")
	addRenamed(subjectOf, "subject_type")
	addRenamed(subjectOf, "iss")
	addRenamed(subjectOf, "sub")
}

// addWrongEventTypes adds tokens in which a claim, or a member of the event,
// has another JSON type than in Google's tokens.
func (b *badTokenList) addWrongEventTypes() {
	notObjects := []string{"null", "1", "true", `"1"`, "[]", "[{}]"}
	notStrings := []string{"null", "1", "true", "[]", `["1"]`, "{}"}
	for _, value := range notObjects {
		b.addClaim("events is "+value, googlesession.ReasonMalformed, "events", json.RawMessage(value))
		b.addClaim("sub_id is "+value, googlesession.ReasonMalformed, "sub_id", json.RawMessage(value))
		b.addEventMember("subject is "+value, "subject", json.RawMessage(value))
		b.add("event is "+value, googlesession.ReasonMalformed, func(d *Draft) {
			for uri := range d.Claims["events"].(map[string]any) {
				d.Claims["events"] = map[string]any{uri: json.RawMessage(value)}
			}
		})
		b.add("event of an unknown type is "+value, googlesession.ReasonMalformed, func(d *Draft) {
			d.Claims["events"].(map[string]any)["https://example.com/event"] = json.RawMessage(value)
		})
	}
	for _, value := range notStrings {
		b.addClaim("iss is "+value, googlesession.ReasonMalformed, "iss", json.RawMessage(value))
		b.addClaim("jti is "+value, googlesession.ReasonMalformed, "jti", json.RawMessage(value))
		b.addEventMember("reason is "+value, "reason", json.RawMessage(value))
		b.addSubjectMember("subject_type is "+value, "subject_type", json.RawMessage(value))
		b.addSubjectMember("iss of the subject is "+value, "iss", json.RawMessage(value))
		b.addSubjectMember("sub is "+value, "sub", json.RawMessage(value))
	}
	for _, value := range []string{"null", `"1"`, "true", "[]", "1.5", "1e300", "-99999999999999999999"} {
		b.addClaim("iat is "+value, googlesession.ReasonMalformed, "iat", json.RawMessage(value))
	}
	for _, value := range []string{"null", "1", "true", "{}"} {
		b.addClaim("aud is "+value, googlesession.ReasonMalformed, "aud", json.RawMessage(value))
		b.addClaim("aud is a list with the client ID and "+value, googlesession.ReasonMalformed, "aud",
			[]any{b.g.clientID, json.RawMessage(value)})
	}
	b.addClaim("aud is a list in a list", googlesession.ReasonMalformed, "aud", []any{[]string{b.g.clientID}})
}

// addEventCounts adds tokens with no event, and tokens with more than ten events.
func (b *badTokenList) addEventCounts() {
	b.addWithout("no events claim", googlesession.ReasonMalformed, "events")
	b.addClaim("no event in events", googlesession.ReasonMalformed, "events", map[string]any{})
	for _, n := range []int{11, 100} {
		b.add(fmt.Sprintf("%d events", n), googlesession.ReasonMalformed, func(d *Draft) {
			for i := range n - 1 {
				d.Event(googlesession.AccountChangeKind(strconv.Itoa(i)))
			}
		})
	}
}

// addEventSubjects adds tokens about an account whose sub Google could not have issued.
func (b *badTokenList) addEventSubjects() {
	for _, sub := range []struct{ name, value string }{
		{"is empty", ""},
		{"of 256 characters", strings.Repeat("1", 256)},
		{"with a blank", "1 2"},
		{"with a NUL", "1\x00"},
		{"with a line feed", "1\n"},
		{"that is not ASCII", "１"},
	} {
		b.addSubjectMember("sub "+sub.name, "sub", sub.value)
		b.add("sub beside the events "+sub.name, googlesession.ReasonMalformed, func(d *Draft) {
			d.SSF().Claims["sub_id"].(map[string]any)["sub"] = sub.value
		})
	}
}

// addEventIDs adds tokens whose jti is missing, or is not an ID that a receiver could
// remember.
func (b *badTokenList) addEventIDs() {
	b.addWithout("no jti", googlesession.ReasonMalformed, "jti")
	for _, jti := range []struct{ name, value string }{
		{"is empty", ""},
		{"of 256 characters", strings.Repeat("1", 256)},
		{"with a blank", "1 2"},
		{"with a NUL", "1\x00"},
		{"with a line feed", "1\n"},
		{"that is not ASCII", "１"},
	} {
		b.addClaim("jti "+jti.name, googlesession.ReasonMalformed, "jti", jti.value)
	}
}

// addEventAudiences adds tokens whose aud is not this client's ID, and not a
// list with this ID.
func (b *badTokenList) addEventAudiences() {
	id := b.g.clientID
	b.addWithout("no aud", googlesession.ReasonAudience, "aud")
	b.addClaim("aud is an empty list", googlesession.ReasonAudience, "aud", []string{})
	b.addClaim("aud is a list of others", googlesession.ReasonAudience, "aud", []string{"another-" + id, "", id + " "})
	for _, aud := range []struct{ name, value string }{
		{"is empty", ""},
		{"is another client", "another-" + id},
		{"is longer", id + ".attacker.test"},
		{"is shorter", id[:len(id)-1]},
		{"has a trailing blank", id + " "},
		{"is two clients", id + "," + "another"},
		{"is a pattern", "*"},
		{"has its case swapped", swapCase(id)},
	} {
		if aud.value != id {
			b.addClaim("aud "+aud.name, googlesession.ReasonAudience, "aud", aud.value)
		}
	}
}

// addEventIssuers adds tokens whose iss is not Google's.
func (b *badTokenList) addEventIssuers() {
	b.addWithout("no iss", googlesession.ReasonIssuer, "iss")
	for _, iss := range []string{
		"", "accounts.google.com", "accounts.google.com/", "http://accounts.google.com/", "https://accounts.google.com//",
		"HTTPS://ACCOUNTS.GOOGLE.COM/", "https://accounts.google.com/ ", "https://accounts.google.com:443/",
		"https://accounts.google.com.attacker.test/", "https://accounts.google.com@attacker.test/",
		"https://securetoken.google.com/project", "https://risc.googleapis.com/", "robot@project.iam.gserviceaccount.com",
		"https://аccounts.google.com/", // the first letter of the host is a Cyrillic one
	} {
		b.addClaim("iss "+strconv.Quote(iss), googlesession.ReasonIssuer, "iss", iss)
	}
}

// addEventTimes adds tokens whose iat is missing or in the future. There are
// none with an old iat, because an event is not refused for its age.
func (b *badTokenList) addEventTimes() {
	b.addWithout("no iat", googlesession.ReasonTime, "iat")
	for _, t := range []struct {
		name  string
		value int64
	}{
		{"is in 10 minutes", b.now + 600},
		{"is in a year", b.now + 365*24*3600},
		{"is in milliseconds", b.now * 1000},
		{"is the largest number", math.MaxInt64},
	} {
		b.addClaim("iat "+t.name, googlesession.ReasonTime, "iat", t.value)
	}
}

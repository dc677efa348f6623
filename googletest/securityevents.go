package googletest

import (
	"strings"
	"time"

	"github.com/googlesession/googlesession"
)

// SecurityEvent returns a security event token (RFC 8417) as Google posts it to
// receivers of Cross-Account Protection. It is signed, was issued now, and has one
// event of this kind, about the account with this address. Each call returns another
// event. To deliver an event twice, a test posts the same token twice.
func (g *Google) SecurityEvent(kind googlesession.AccountChangeKind, email string) string {
	return g.Mint(g.EventDraft(kind, email))
}

// EventDraft returns the token that [Google.SecurityEvent] would sign. Its claims are iss
// (with a trailing slash, unlike in ID tokens), aud, iat, jti and events. It has no exp.
//
// The subject is a member of the event. It is the iss and sub of the account. If kind is
// [googlesession.ChangeTokenRevoked], the subject is a refresh token instead, and the
// event does not say whose token it is. A [googlesession.ChangeVerification] has a state
// and no subject. If Google has no events of this kind, the event is of an unknown type.
func (g *Google) EventDraft(kind googlesession.AccountChangeKind, email string) *Draft {
	d := g.newDraft(map[string]any{
		"iss": eventIssuer,
		"aud": g.clientID,
		"iat": time.Now().Unix(),
		"jti": newKeyID(),
	})
	event := d.Event(kind)
	switch kind {
	case googlesession.ChangeVerification:
		event["state"] = "stand-in"
	case googlesession.ChangeTokenRevoked:
		event["subject"] = map[string]any{
			"subject_type": "oauth_token", "token_type": "refresh_token",
			"token_identifier_alg": "prefix", "token": "1//0000000000000",
		}
	default:
		event["subject"] = map[string]any{"subject_type": "iss-sub", "iss": eventIssuer, "sub": g.Subject(email)}
	}
	return d
}

// eventIssuer is the iss of security event tokens.
const eventIssuer = "https://accounts.google.com/"

// Event returns the members of the event of this kind, which a test may change: its
// subject, the reason why an account was disabled, and so on. If the draft has no
// such event, Event adds one without members, so a token can have several events.
func (d *Draft) Event(kind googlesession.AccountChangeKind) map[string]any {
	uri := "https://schemas.openid.net/secevent/risc/event-type/" + string(kind)
	if kind == googlesession.ChangeTokensRevoked || kind == googlesession.ChangeTokenRevoked {
		uri = "https://schemas.openid.net/secevent/oauth/event-type/" + string(kind)
	}
	events, ok := d.Claims["events"].(map[string]any)
	if !ok {
		events = make(map[string]any)
		d.Claims["events"] = events
	}
	event, ok := events[uri].(map[string]any)
	if !ok {
		event = make(map[string]any)
		events[uri] = event
	}
	return event
}

// SSF turns a security event token into the dialect of the Shared Signals
// Framework 1.0, which is newer than Google's, and returns d. The typ is
// secevent+jwt, iss has no trailing slash, and the account is the claim sub_id
// beside the events. SSF does not change an event whose subject is not an account.
func (d *Draft) SSF() *Draft {
	d.Header["typ"] = "secevent+jwt"
	d.Claims["iss"] = strings.TrimSuffix(eventIssuer, "/")
	events, _ := d.Claims["events"].(map[string]any)
	for _, event := range events {
		event, _ := event.(map[string]any)
		subject, _ := event["subject"].(map[string]any)
		if subject["subject_type"] == "iss-sub" {
			delete(event, "subject")
			d.Claims["sub_id"] = map[string]any{"format": "iss_sub", "iss": subject["iss"], "sub": subject["sub"]}
		}
	}
	return d
}

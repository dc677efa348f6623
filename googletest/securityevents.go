package googletest

import (
	"strings"
	"time"

	"github.com/googlesession/googlesession"
)

// SecurityEvent returns a security event token (RFC 8417) as Google posts it to
// the receivers of Cross-Account Protection: signed, of now, with one event of this
// kind, about whoever has this address. Each is another event; for one that is
// delivered twice use the token twice.
func (g *Google) SecurityEvent(kind googlesession.AccountChangeKind, email string) string {
	return g.Mint(g.EventDraft(kind, email))
}

// EventDraft returns what [Google.SecurityEvent] would sign: iss (with a slash
// behind, unlike in ID tokens), aud, iat, jti and events, but no exp. The one event
// has its subject in it: iss and sub of the account, or, if kind is
// [googlesession.ChangeTokenRevoked], a refresh token, which does not say whose it is. A
// [googlesession.ChangeVerification] has a state and no subject. A kind that
// Google does not have makes an event of an unknown type.
func (g *Google) EventDraft(kind googlesession.AccountChangeKind, email string) *Draft {
	d := g.draft(map[string]any{
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

const eventIssuer = "https://accounts.google.com/"

// Event returns the event of this kind, for a test to change: its subject, the
// reason why an account was disabled, and so on. If the draft has none, an empty
// one is added, so that a token can have several.
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
// Framework 1.0, which is newer than Google's: secevent+jwt in the header, no slash
// behind the issuer, and the account beside the events, under sub_id.
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

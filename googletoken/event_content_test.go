package googletoken_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/googletest"
)

// Event types have earlier names too. Any other URI is of an unknown type.
func TestEventTypes(t *testing.T) {
	const (
		risc  = "https://schemas.openid.net/secevent/risc/event-type/"
		oauth = "https://schemas.openid.net/secevent/oauth/event-type/"
		old   = "https://accounts.google.com/risc/event/"
	)
	for uri, want := range map[string]googlesession.AccountChangeKind{
		old + "sessions-revoked":                   googlesession.ChangeSessionsRevoked,
		old + "all-token-revoked":                  googlesession.ChangeTokensRevoked,
		old + "one-token-revoked":                  googlesession.ChangeTokenRevoked,
		old + "account-disabled":                   googlesession.ChangeAccountDisabled,
		old + "account-credential-change-required": googlesession.ChangeCredentialRequired,

		old + "account-enabled":         googlesession.ChangeUnknown,
		old + "verification":            googlesession.ChangeUnknown,
		old + "tokens-revoked":          googlesession.ChangeUnknown,
		risc + "tokens-revoked":         googlesession.ChangeUnknown,
		risc + "account-purged":         googlesession.ChangeUnknown,
		risc + "unknown":                googlesession.ChangeUnknown,
		risc + "sessions-revoked/":      googlesession.ChangeUnknown,
		risc + "Sessions-Revoked":       googlesession.ChangeUnknown,
		oauth + "sessions-revoked":      googlesession.ChangeUnknown,
		"sessions-revoked":              googlesession.ChangeUnknown,
		"":                              googlesession.ChangeUnknown,
		"http" + risc[len("https"):]:    googlesession.ChangeUnknown,
		" " + risc + "sessions-revoked": googlesession.ChangeUnknown,
		"https://schemas.openid.net/secevent/caep/event-type/session-revoked": googlesession.ChangeUnknown,
		"http://schemas.openid.net/event/backchannel-logout":                  googlesession.ChangeUnknown,
	} {
		g := googletest.NewGoogle(clientID)
		got, err := event(t, g, func(d *googletest.Draft) {
			d.Claims["events"] = map[string]any{uri: map[string]any{"subject": subject(d)}}
		})
		require.NoError(t, err, uri)
		wantSubject := g.Subject(email)
		if want == googlesession.ChangeUnknown {
			wantSubject = ""
		}
		require.Equal(t, []googlesession.AccountChange{{Kind: want, Subject: wantSubject}}, got.Changes, uri)
	}
}

// Each row changes a good token in a way that is accepted.
func TestGoodEvents(t *testing.T) {
	const sub = "1234567890"
	account := []googlesession.AccountChange{{Kind: disabled, Subject: sub}}
	noSubject := []googlesession.AccountChange{{Kind: disabled}}
	withReason := func(reason string) []googlesession.AccountChange {
		return []googlesession.AccountChange{{Kind: disabled, Subject: sub, Reason: reason}}
	}
	claim := func(name string, value any) func(d *googletest.Draft) {
		return func(d *googletest.Draft) { d.Claims[name] = value }
	}
	member := func(name string, value any) func(d *googletest.Draft) {
		return func(d *googletest.Draft) { d.Event(disabled)[name] = value }
	}
	id := func(name string, value any) func(d *googletest.Draft) {
		return func(d *googletest.Draft) { subject(d)[name] = value }
	}
	for _, tt := range []struct {
		name   string
		change func(d *googletest.Draft)
		want   []googlesession.AccountChange
	}{
		{"no typ", func(d *googletest.Draft) { delete(d.Header, "typ") }, account},
		{"typ jwt", func(d *googletest.Draft) { d.Header["typ"] = "jwt" }, account},
		{"typ secevent+jwt", func(d *googletest.Draft) { d.Header["typ"] = "secevent+jwt" }, account},
		{"typ SecEvent+JWT", func(d *googletest.Draft) { d.Header["typ"] = "SecEvent+JWT" }, account},
		{"exp is ignored", claim("exp", 1), account},
		{"exp of a wrong type is ignored", claim("exp", "never"), account},
		{"nbf is ignored", claim("nbf", time.Now().Unix()+1e6), account},
		{"unknown claims", claim("x", map[string]any{"y": []any{1.5, nil}}), account},
		{"unknown members of an event", member("x", []any{1.5, nil}), account},
		{"unknown members of a subject", id("x", []any{1.5, nil}), account},
		{"audience is a list with the client ID", claim("aud", []string{clientID}), account},
		{"audience is a list with other recipients too", claim("aud", []string{"other", "", clientID}), account},
		{"issuer without slash", claim("iss", "https://accounts.google.com"), account},
		{"nonce, azp and sub are ignored", func(d *googletest.Draft) {
			maps.Copy(d.Claims, map[string]any{"nonce": "n", "azp": "other", "sub": "2"})
		}, account},

		{"no subject", func(d *googletest.Draft) { delete(d.Event(disabled), "subject") }, noSubject},
		{"an empty subject", member("subject", map[string]any{}), noSubject},
		{"subject's issuer without slash", id("iss", "https://accounts.google.com"), account},
		{"another issuer's account", id("iss", "https://attacker.test/"), noSubject},
		{"subject's issuer spelled as in ID tokens", id("iss", "accounts.google.com"), noSubject},
		{"subject without an issuer", func(d *googletest.Draft) { delete(subject(d), "iss") }, noSubject},
		{"another issuer's account with a sub that Google would not use", func(d *googletest.Draft) {
			subject(d)["iss"], subject(d)["sub"] = "https://attacker.test/", "a b"
		}, noSubject},
		{"subject without a sub", func(d *googletest.Draft) { delete(subject(d), "sub") }, noSubject},
		{"RFC 9493's name of the format", id("subject_type", "iss_sub"), account},
		{"ID token claims", func(d *googletest.Draft) {
			subject(d)["subject_type"], subject(d)["email"] = "id_token_claims", email
		}, account},
		{"ID token claims, an address only", member("subject", map[string]any{
			"subject_type": "id_token_claims", "email": email,
		}), noSubject},
		{"an address", member("subject", map[string]any{"subject_type": "email", "email": email}), noSubject},
		{"an OAuth token with an account beside it", id("subject_type", "oauth_token"), noSubject},
		{"an unknown format", id("subject_type", "ISS-SUB"), noSubject},
		{"members of an unknown format are ignored", func(d *googletest.Draft) {
			subject(d)["subject_type"], subject(d)["iss"], subject(d)["sub"] = "complex", 1, nil
		}, noSubject},

		{"SSF", func(d *googletest.Draft) { d.SSF() }, account},
		{"SSF, subject in the event", member("subject", map[string]any{
			"format": "iss_sub", "iss": "https://accounts.google.com", "sub": sub,
		}), account},
		{"SSF, another issuer's account", func(d *googletest.Draft) {
			d.SSF().Claims["sub_id"].(map[string]any)["iss"] = "https://attacker.test/"
		}, noSubject},
		{"the event's own subject comes first", claim("sub_id", map[string]any{
			"format": "iss_sub", "iss": "https://accounts.google.com", "sub": "2",
		}), account},
		{"the event's own subject comes first, even if it is not an account", func(d *googletest.Draft) {
			d.SSF().Event(disabled)["subject"] = map[string]any{"subject_type": "oauth_token"}
		}, noSubject},

		{"hijacking", member("reason", "hijacking"), withReason("hijacking")},
		{"bulk-account", member("reason", "bulk-account"), withReason("bulk-account")},
		{"no reason", member("reason", ""), withReason("")},
		{"another reason", member("reason", "a\nsecret"), withReason("other")},
		{"a reason in another case", member("reason", "Hijacking"), withReason("other")},
		{"a reason of another kind of event is ignored", func(d *googletest.Draft) {
			s := subject(d)
			delete(d.Claims, "events")
			maps.Copy(d.Event(googlesession.ChangeSessionsRevoked), map[string]any{"subject": s, "reason": 1})
		}, []googlesession.AccountChange{{Kind: googlesession.ChangeSessionsRevoked, Subject: sub}}},

		{"ten events", func(d *googletest.Draft) {
			for i := range 9 {
				d.Event(googlesession.AccountChangeKind(fmt.Sprint("z", i)))["subject"] = []any{"of an unknown kind"}
			}
		}, append(account, slices.Repeat([]googlesession.AccountChange{{Kind: googlesession.ChangeUnknown}}, 9)...)},
		{"events in the order of their types", func(d *googletest.Draft) {
			d.Event(googlesession.ChangeTokensRevoked)["subject"] = subject(d)
			d.Event(googlesession.ChangeTokenRevoked)["subject"] = map[string]any{"subject_type": "oauth_token"}
			d.Event(googlesession.ChangeSessionsRevoked)["subject"] = subject(d)
		}, []googlesession.AccountChange{
			{Kind: googlesession.ChangeTokenRevoked},
			{Kind: googlesession.ChangeTokensRevoked, Subject: sub},
			{Kind: disabled, Subject: sub},
			{Kind: googlesession.ChangeSessionsRevoked, Subject: sub},
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := event(t, googletest.NewGoogle(clientID), func(d *googletest.Draft) {
				subject(d)["sub"] = sub
				tt.change(d)
			})
			require.NoError(t, err)
			require.Equal(t, tt.want, got.Changes)
		})
	}
}

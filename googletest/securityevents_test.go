package googletest_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/googletest"
	"github.com/googlesession/googlesession/googletoken"
)

const (
	riscType  = "https://schemas.openid.net/secevent/risc/event-type/"
	oauthType = "https://schemas.openid.net/secevent/oauth/event-type/"
)

// An event is in Google's dialect, as the guide to Cross-Account Protection shows it.
func TestSecurityEvent(t *testing.T) {
	const email = "ada@example.com"
	account := func(g *googletest.Google) map[string]any {
		return map[string]any{"subject": map[string]any{
			"subject_type": "iss-sub", "iss": "https://accounts.google.com/", "sub": g.Subject(email),
		}}
	}
	for kind, tt := range map[googlesession.AccountChangeKind]struct {
		uri  string
		want func(*googletest.Google) map[string]any
	}{
		googlesession.ChangeSessionsRevoked:    {riscType + "sessions-revoked", account},
		googlesession.ChangeTokensRevoked:      {oauthType + "tokens-revoked", account},
		googlesession.ChangeAccountDisabled:    {riscType + "account-disabled", account},
		googlesession.ChangeAccountEnabled:     {riscType + "account-enabled", account},
		googlesession.ChangeCredentialRequired: {riscType + "account-credential-change-required", account},
		googlesession.ChangeUnknown:            {riscType + "unknown", account},
		googlesession.ChangeTokenRevoked: {oauthType + "token-revoked", func(*googletest.Google) map[string]any {
			return map[string]any{"subject": map[string]any{
				"subject_type": "oauth_token", "token_type": "refresh_token", "token_identifier_alg": "prefix", "token": "1//0000000000000",
			}}
		}},
		googlesession.ChangeVerification: {riscType + "verification", func(*googletest.Google) map[string]any {
			return map[string]any{"state": "stand-in"}
		}},
	} {
		t.Run(string(kind), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := googletest.NewGoogle(client)
				token := g.SecurityEvent(kind, email)
				header, claims, signature := parts(t, token)
				require.NoError(t, verifyRS256(&g.EventDraft(kind, email).Key.PublicKey, token, signature))
				require.Equal(t, map[string]any{"alg": "RS256", "kid": g.KeyID(), "typ": "JWT"}, header)
				require.Regexp(t, `^[0-9a-f]{40}$`, claims["jti"])
				delete(claims, "jti")
				require.Equal(t, map[string]any{
					"iss": "https://accounts.google.com/", "aud": client, "iat": float64(time.Now().Unix()),
					"events": map[string]any{tt.uri: tt.want(g)},
				}, claims)
				require.NotEqual(t, token, g.SecurityEvent(kind, email), "another event")
			})
		})
	}
}

func TestDraftEvent(t *testing.T) {
	g := googletest.NewGoogle(client)
	d := g.EventDraft(googlesession.ChangeSessionsRevoked, "ada@example.com")
	d.Event(googlesession.ChangeAccountDisabled)["reason"] = "hijacking"
	d.Event(googlesession.ChangeSessionsRevoked)["subject"] = nil
	d.Event("of-tomorrow")
	require.Equal(t, map[string]any{
		riscType + "sessions-revoked": map[string]any{"subject": nil},
		riscType + "account-disabled": map[string]any{"reason": "hijacking"},
		riscType + "of-tomorrow":      map[string]any{},
	}, d.Claims["events"])

	d.Claims["events"] = []string{"not", "one"}
	d.Event(googlesession.ChangeTokensRevoked)
	require.Equal(t, map[string]any{oauthType + "tokens-revoked": map[string]any{}}, d.Claims["events"])
}

// SSF moves the account to sub_id, and leaves another subject where it is.
func TestDraftSSF(t *testing.T) {
	g := googletest.NewGoogle(client)
	d := g.EventDraft(googlesession.ChangeAccountDisabled, "ada@example.com").SSF()
	require.Equal(t, "secevent+jwt", d.Header["typ"])
	require.Equal(t, "https://accounts.google.com", d.Claims["iss"])
	require.Equal(t, map[string]any{
		"format": "iss_sub", "iss": "https://accounts.google.com/", "sub": g.Subject("ada@example.com"),
	}, d.Claims["sub_id"])
	require.Equal(t, map[string]any{riscType + "account-disabled": map[string]any{}}, d.Claims["events"])

	d = g.EventDraft(googlesession.ChangeTokenRevoked, "")
	want := d.Event(googlesession.ChangeTokenRevoked)["subject"]
	require.NotContains(t, d.SSF().Claims, "sub_id")
	require.Equal(t, want, d.Event(googlesession.ChangeTokenRevoked)["subject"])
	require.NotPanics(t, func() { g.Draft("ada@example.com", nonce).SSF() }, "a token that is not an event")
}

// A receiver is tested with events that it must act upon, and with events that it must not.
func ExampleGoogle_EventDraft() {
	google := googletest.NewGoogle("client-id")
	verifier, err := googletoken.New(googletoken.Config{
		ClientIDs:  []string{google.ClientID()},
		HTTPClient: google.Client(),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	show := func(name string, d *googletest.Draft) {
		event, err := verifier.VerifyEvent(context.Background(), google.Mint(d))
		if err != nil {
			fmt.Println(name, err)
			return
		}
		late := time.Since(event.IssuedAt) > time.Hour
		for _, change := range event.Changes {
			fmt.Println(name, change.Kind, change.Reason, change.Subject == google.Subject("ada@example.com"), late)
		}
	}
	const disabled = googlesession.ChangeAccountDisabled

	d := google.EventDraft(disabled, "ada@example.com")
	d.Event(disabled)["reason"] = "hijacking"
	show("hijacked:", d)

	d = google.EventDraft(disabled, "ada@example.com")
	d.Claims["iat"] = time.Now().Add(-24 * time.Hour).Unix()
	show("late:", d)

	d = google.EventDraft(disabled, "ada@example.com")
	d.Event(disabled)["subject"].(map[string]any)["iss"] = "https://issuer.example"
	show("of another issuer:", d)

	show("of the newer dialect:", google.EventDraft(disabled, "ada@example.com").SSF())

	show("forged:", google.EventDraft(disabled, "ada@example.com").Forge())
	// Output:
	// hijacked: account-disabled hijacking true false
	// late: account-disabled  true true
	// of another issuer: account-disabled  false false
	// of the newer dialect: account-disabled  true false
	// forged: googlesession: token refused: signature: crypto/rsa: verification error
}

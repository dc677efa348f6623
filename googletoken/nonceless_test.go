package googletoken_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/googletest"
	"github.com/googlesession/googlesession/googletoken"
)

const (
	listedApp = "1234567890-app.apps.googleusercontent.com"
	otherApp  = "1234567890-other.apps.googleusercontent.com"
)

func newAppVerifier(tb testing.TB, g *googletest.Google) *googletoken.Verifier {
	tb.Helper()
	v, err := googletoken.New(googletoken.Config{
		ClientIDs: []string{clientID}, AuthorizedParties: []string{clientID, otherApp},
		DangerouslyNoNonceFor: []string{listedApp}, HTTPClient: g.Client(),
	})
	require.NoError(tb, err)
	return v
}

// Only a token that a listed app has requested passes without this server's nonce.
func TestVerifyWithoutNonce(t *testing.T) {
	g := googletest.NewGoogle(clientID)
	v := newAppVerifier(t, g)
	for _, tt := range []struct {
		name   string
		change func(claims map[string]any)
		reason googlesession.TokenReason // "" if the token is accepted
	}{
		{"listed app", func(map[string]any) {}, ""},
		{"a nonce of the app", func(c map[string]any) { c["nonce"] = "of-the-app" }, ""},
		{"another authorized party", func(c map[string]any) { c["azp"] = otherApp }, googlesession.ReasonNonce},
		{"the page", func(c map[string]any) { c["azp"] = clientID }, googlesession.ReasonNonce},
		{"no azp", func(c map[string]any) { delete(c, "azp") }, googlesession.ReasonNonce},
		{"azp in another case", func(c map[string]any) { c["azp"] = "1234567890-APP.apps.googleusercontent.com" }, googlesession.ReasonParty},
		{"unknown client", func(c map[string]any) { c["azp"] = "x.apps.googleusercontent.com" }, googlesession.ReasonParty},
		{"issued for the app itself", func(c map[string]any) { c["aud"] = listedApp }, googlesession.ReasonAudience},
		{"too old", func(c map[string]any) { c["iat"] = time.Now().Add(-11 * time.Minute).Unix() }, googlesession.ReasonTime},
		{"service account", func(c map[string]any) { c["email"] = "a@p.iam.gserviceaccount.com" }, googlesession.ReasonParty},
	} {
		d := g.Draft(email, "")
		d.Claims["azp"] = listedApp
		tt.change(d.Claims)
		id, err := v.VerifyWithoutNonce(t.Context(), g.Mint(d))
		if tt.reason == "" {
			require.NoError(t, err, tt.name)
			require.Equal(t, g.Subject(email), id.Subject, tt.name)
			continue
		}
		requireReason(t, tt.reason, err, tt.name)
	}
}

// Without a listed app no token passes. The list does not change what Verify demands.
func TestNoNonceIsForListedAppsOnly(t *testing.T) {
	g := googletest.NewGoogle(clientID)
	_, err := newVerifier(t, g).VerifyWithoutNonce(t.Context(), g.AppToken(email, listedApp))
	requireReason(t, googlesession.ReasonParty, err)
	_, err = newVerifier(t, g).VerifyWithoutNonce(t.Context(), g.Token(email, nonce))
	requireReason(t, googlesession.ReasonNonce, err)

	v := newAppVerifier(t, g)
	_, err = v.Verify(t.Context(), g.AppToken(email, listedApp), nonce)
	requireReason(t, googlesession.ReasonNonce, err, "a page's sign-in needs the nonce")
	_, err = v.Verify(t.Context(), g.Token(email, nonce), nonce)
	require.NoError(t, err)
}

// Every bad token is bad without a nonce too.
func TestBadTokensWithoutNonce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := googletest.NewGoogle(clientID)
		v := newAppVerifier(t, g)
		for _, bad := range g.BadTokens(email, nonce) {
			_, err := v.VerifyWithoutNonce(t.Context(), bad.Token)
			require.Error(t, err, bad.Name)
			time.Sleep(2 * time.Minute) //nolint:forbidigo // in a bubble it takes no time; an unknown key may be asked for once a minute
		}
	})
}

// New refuses a list that would free pages from the nonce.
func TestNoNonceConfig(t *testing.T) {
	for want, list := range map[string][]string{
		"googletoken: Config.DangerouslyNoNonceFor has a client ID of ClientIDs, with which pages sign in": {"b"},
		"googletoken: Config.DangerouslyNoNonceFor[0] is empty or has characters that no client ID has":    {""},
		"googletoken: Config.DangerouslyNoNonceFor[1] is a duplicate":                                      {"c", "c"},
	} {
		_, err := googletoken.New(googletoken.Config{ClientIDs: []string{"a", "b"}, DangerouslyNoNonceFor: list})
		require.EqualError(t, err, want)
	}
}

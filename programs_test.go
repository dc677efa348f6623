package googlesession_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/googletest"
	"github.com/googlesession/googlesession/googletoken"
)

const appID = "app.apps.googleusercontent.com"

// A token without this server's nonce signs in a listed app's program, and nothing else.
func TestAppWithoutNonce(t *testing.T) {
	g := googletest.NewGoogle(clientID)
	listed := newBearerSite(t, func(c *googlesession.Config) { c.Verifier = appVerifier(t, g, appID) })
	plain := newBearerSite(t, nil)
	program := func(s *site, token string) answer {
		return serve(t, s, http.MethodPost, "/api/login", `{"deliver":"token","credential":"`+token+`"}`, "Content-Type", "application/json")
	}
	for name, tt := range map[string]struct {
		token  string
		status int
	}{
		"listed app":        {g.AppToken(alice, appID), 200},
		"another app":       {g.AppToken(alice, "other.apps.googleusercontent.com"), 401},
		"the page's client": {g.AppToken(alice, clientID), 401},
		"no azp":            {withoutParty(g), 401},
		"token of a page":   {g.Token(alice, strings.Repeat("A", 43)), 401},
	} {
		require.Equal(t, tt.status, program(listed, tt.token).status, name)
	}
	require.Equal(t, http.StatusUnauthorized, program(plain, plain.google.AppToken(alice, appID)).status, "no app is listed")
	c := g.Browser(listed)
	begin(t, c)
	require.Equal(t, googlesession.CodeNonceMismatch, post(t, c, g.AppToken(alice, appID)).code(t), "a page does not sign in with it")
}

// appVerifier returns a verifier that accepts tokens without a nonce for the app.
func appVerifier(t testing.TB, g *googletest.Google, app string) *googletoken.Verifier {
	t.Helper()
	v, err := googletoken.New(googletoken.Config{
		ClientIDs: []string{clientID}, HTTPClient: g.Client(), DangerouslyNoNonceFor: []string{app},
	})
	require.NoError(t, err)
	return v
}

// withoutParty returns a token without a nonce and without the azp claim.
func withoutParty(g *googletest.Google) string {
	d := g.Draft(alice, "")
	delete(d.Claims, "azp")
	return g.Mint(d)
}

package googletest_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/googletest"
	"github.com/googlesession/googlesession/googletoken"
	memstore "github.com/googlesession/googlesession/store_memory"
)

// A program signs in and presents its token.
func TestSignInProgram(t *testing.T) {
	g := googletest.NewGoogle("client.apps.googleusercontent.com")
	verifier, err := googletoken.New(googletoken.Config{ClientIDs: []string{g.ClientID()}, HTTPClient: g.Client()})
	require.NoError(t, err)
	m, err := googlesession.New(googlesession.Config{Sessions: memstore.New(nil), Verifier: verifier, Bearer: true})
	require.NoError(t, err)
	app := http.StripPrefix("/api", m.Handler())
	token := g.SignInProgram(t, app, "/api/login", "ada@example.com", "test")

	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, googletest.Origin+"/api/user", nil)
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer "+token)
	res, err := g.Browser(app).Do(r)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, http.StatusOK, res.StatusCode)
}

// The token of an app differs from that of a page in its azp and its nonce only.
func TestAppToken(t *testing.T) {
	g := googletest.NewGoogle("client.apps.googleusercontent.com")
	verifier, err := googletoken.New(googletoken.Config{
		ClientIDs: []string{g.ClientID()}, DangerouslyNoNonceFor: []string{"app.apps.googleusercontent.com"}, HTTPClient: g.Client(),
	})
	require.NoError(t, err)
	id, err := verifier.VerifyWithoutNonce(t.Context(), g.AppToken("ada@example.com", "app.apps.googleusercontent.com"))
	require.NoError(t, err)
	require.Equal(t, g.Subject("ada@example.com"), id.Subject)
	_, err = verifier.VerifyWithoutNonce(t.Context(), g.AppToken("ada@example.com", g.ClientID()))
	require.Error(t, err)
}

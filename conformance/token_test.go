package conformance_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession/googlesessiontest"
	"github.com/googlesession/googlesession/googletoken"
)

const (
	clientID = "1234567890-abc.apps.googleusercontent.com"
	email    = "ada@gmail.com"
	nonce    = "n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg"
)

// An oracle is what others, who wrote their own code for the same standards, say
// of a token.
type oracle struct {
	ours   *googletoken.Verifier
	theirs *oidc.IDTokenVerifier
	ctx    context.Context //nolint:containedctx // of the test; go-oidc takes its client from it
}

func newOracle(t *testing.T, g *googlesessiontest.Google) oracle {
	t.Helper()
	ours, err := googletoken.New(googletoken.Config{ClientIDs: []string{clientID}, HTTPClient: g.Client()})
	require.NoError(t, err)
	ctx := oidc.ClientContext(t.Context(), g.Client())
	return oracle{ours, oidc.NewVerifier("https://accounts.google.com", oidc.NewRemoteKeySet(ctx, googlesessiontest.CertsURL),
		&oidc.Config{ClientID: clientID, SupportedSigningAlgs: []string{"RS256"}}), ctx}
}

// ask returns both verdicts. A nonce is for the caller of go-oidc to compare.
func (o oracle) ask(token string) (ours, theirs error) {
	_, ours = o.ours.Verify(o.ctx, token, nonce)
	id, theirs := o.theirs.Verify(o.ctx, token)
	if theirs == nil && id.Nonce != nonce {
		theirs = fmt.Errorf("nonce")
	}
	return ours, theirs
}

// What we accept, others accept: tokens as they should be, wrong in one way, and
// wrong in any way that chance has put together.
func TestOthersAcceptWhatWeAccept(t *testing.T) {
	g := googlesessiontest.NewGoogle(clientID)
	o := newOracle(t, g)

	ours, theirs := o.ask(g.Token(email, nonce))
	require.NoError(t, ours)
	require.NoError(t, theirs)

	theyRefuse := 0
	for _, bad := range g.BadTokens(email, nonce) {
		ours, theirs := o.ask(bad.Token)
		require.Error(t, ours, bad.Name)
		if theirs != nil {
			theyRefuse++
		}
	}
	require.Greater(t, theyRefuse, 50, "the oracle does look at them")

	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same drafts each time
	accepted := 0
	for i := range 1000 {
		d := randomDraft(random, g)
		ours, theirs := o.ask(g.Mint(d))
		if ours == nil {
			accepted++
			require.NoError(t, theirs, "draft %d: %v %v", i, d.Header, d.Claims)
		}
	}
	require.Greater(t, accepted, 50, "some are good")
	require.Less(t, accepted, 950, "most are not")
}

// randomDraft returns a good token with up to three changes, harmless ones too.
func randomDraft(r *rand.Rand, g *googlesessiontest.Google) *googlesessiontest.Draft {
	d := g.Draft(email, nonce)
	now := time.Now().Unix()
	values := map[string][]any{
		"iss":            {"https://accounts.google.com", "accounts.google.com", "https://accounts.google.com/", "https://evil.example"},
		"aud":            {clientID, "other", []string{clientID}, []string{clientID, "other"}, "", nil, 1},
		"azp":            {clientID, "other", nil, 1},
		"exp":            {now + 3600, now + 1800, now - 1, now + 100*3600, float64(now) + 3600.5, "soon", nil},
		"iat":            {now, now - 300, now + 30, now + 3600, now - 3600, nil},
		"nbf":            {now, now - 300, now + 30, now + 3600},
		"nonce":          {nonce, nonce + "x", "", nil, 1},
		"sub":            {g.Subject(email), "1", "", nil, 1},
		"email_verified": {true, false, "true", 1},
		"more":           {map[string]any{"a": []int{1}}, nil, "x"},
	}
	names := []string{"iss", "aud", "azp", "exp", "iat", "nbf", "nonce", "sub", "email_verified", "more"}
	for range r.IntN(4) {
		name := names[r.IntN(len(names))]
		d.Claims[name] = values[name][r.IntN(len(values[name]))]
	}
	switch r.IntN(12) {
	case 0:
		d.Forge()
	case 1:
		d.HS256([]byte(clientID))
	case 2:
		d.Header["kid"] = "unknown"
	case 3:
		d.Header["typ"] = "jwt"
	}
	return d
}

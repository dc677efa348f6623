package conformance_test

import (
	"context"
	"errors"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/googletest"
	"github.com/googlesession/googlesession/googletoken"
)

const (
	clientID = "1234567890-abc.apps.googleusercontent.com"
	email    = "ada@gmail.com"
	nonce    = "n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg"
)

// An oracle asks this project's verifier and go-oidc, another implementation of the same
// standards, about the same token.
type oracle struct {
	ours   *googletoken.Verifier
	theirs *oidc.IDTokenVerifier
	events []*oidc.IDTokenVerifier // one for each spelling of the issuer
	ctx    context.Context         //nolint:containedctx // the test's; go-oidc takes its HTTP client from it
}

func newOracle(t *testing.T, g *googletest.Google) oracle {
	t.Helper()
	ours, err := googletoken.New(googletoken.Config{ClientIDs: []string{clientID}, HTTPClient: g.Client()})
	require.NoError(t, err)
	ctx := oidc.ClientContext(t.Context(), g.Client())
	keys := oidc.NewRemoteKeySet(ctx, googletest.CertsURL)
	const issuer = "https://accounts.google.com"
	idToken := &oidc.Config{ClientID: clientID, SupportedSigningAlgs: []string{"RS256"}}
	event := &oidc.Config{SkipClientIDCheck: true, SkipExpiryCheck: true, SupportedSigningAlgs: []string{"RS256"}}
	return oracle{ours, oidc.NewVerifier(issuer, keys, idToken), []*oidc.IDTokenVerifier{
		oidc.NewVerifier(issuer, keys, event), oidc.NewVerifier(issuer+"/", keys, event),
	}, ctx}
}

// ask returns both verdicts. It compares the nonce for go-oidc, which leaves that to its
// caller.
func (o oracle) ask(token string) (ours, theirs error) {
	_, ours = o.ours.Verify(o.ctx, token, nonce)
	id, theirs := o.theirs.Verify(o.ctx, token)
	if theirs == nil && id.Nonce != nonce {
		theirs = errors.New("another nonce")
	}
	return ours, theirs
}

// askEvent returns both verdicts about a security event token.
func (o oracle) askEvent(token string) (ours, theirs error) {
	_, ours = o.ours.VerifyEvent(o.ctx, token)
	for _, v := range o.events {
		if theirs = verifyEvent(o.ctx, v, token); theirs == nil {
			break
		}
	}
	return ours, theirs
}

// verifyEvent also looks at the audience, the ID and the events, which go-oidc leaves to
// its caller.
func verifyEvent(ctx context.Context, v *oidc.IDTokenVerifier, token string) error {
	id, err := v.Verify(ctx, token)
	if err != nil {
		return err
	}
	var claims struct {
		ID     string                    `json:"jti"`
		Events map[string]map[string]any `json:"events"`
	}
	if err := id.Claims(&claims); err != nil {
		return err
	}
	if !slices.Contains(id.Audience, clientID) || claims.ID == "" || len(claims.Events) == 0 {
		return errors.New("for another audience, or without an event")
	}
	return nil
}

// go-oidc accepts each ID token that this project's verifier accepts.
func TestOtherVerifierAcceptsTokens(t *testing.T) {
	g := googletest.NewGoogle(clientID)
	o := newOracle(t, g)
	good := []string{g.Token(email, nonce)}
	requireOthersAccept(t, g, o.ask, good, g.BadTokens(email, nonce), randomDraft)
}

// go-oidc accepts each security event token that this project's verifier accepts.
func TestOtherVerifierAcceptsEvents(t *testing.T) {
	g := googletest.NewGoogle(clientID)
	o := newOracle(t, g)
	good := []string{
		g.SecurityEvent(googlesession.ChangeSessionsRevoked, email),
		g.Mint(g.EventDraft(googlesession.ChangeSessionsRevoked, email).SSF()),
	}
	requireOthersAccept(t, g, o.askEvent, good, g.BadEvents(email), randomEvent)
}

// drafts returns how many random drafts are compared: 250, or 1000 with
// GOOGLESESSION_TEST_LONG.
func drafts() int {
	if long() {
		return 1000
	}
	return 250
}

// requireOthersAccept compares the verdicts about good tokens, about tokens with one
// mistake each, and about drafts with random changes.
func requireOthersAccept(
	t *testing.T, g *googletest.Google, ask func(token string) (ours, theirs error), good []string, bad []googletest.BadToken,
	draft func(*rand.Rand, *googletest.Google) *googletest.Draft,
) {
	t.Helper()
	for _, token := range good {
		ours, theirs := ask(token)
		require.NoError(t, ours)
		require.NoError(t, theirs)
	}

	refused := 0
	for _, b := range bad {
		ours, theirs := ask(b.Token)
		require.Error(t, ours, b.Name)
		if theirs != nil {
			refused++
		}
	}
	require.Greater(t, refused, 50, "tokens with a mistake that go-oidc refuses")

	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same drafts each time
	accepted := 0
	for i := range drafts() {
		d := draft(random, g)
		ours, theirs := ask(g.Mint(d))
		if ours == nil {
			accepted++
			require.NoError(t, theirs, "draft %d: %v %v", i, d.Header, d.Claims)
		}
	}
	require.Greater(t, accepted, drafts()/20, "random drafts that are accepted")
	require.Less(t, accepted, drafts()*19/20, "random drafts that are accepted")
}

// randomDraft returns a good token with up to three changes, some of them harmless.
func randomDraft(r *rand.Rand, g *googletest.Google) *googletest.Draft {
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
	change(r, d, values)
	return d
}

// randomEvent returns a good security event token with up to three changes, some of them
// harmless.
func randomEvent(r *rand.Rand, g *googletest.Google) *googletest.Draft {
	const kind = googlesession.ChangeAccountDisabled
	d := g.EventDraft(kind, email)
	if r.IntN(2) == 0 {
		d.SSF()
	}
	switch r.IntN(4) {
	case 0:
		d.Event(kind)["reason"] = []any{"hijacking", "new", "", nil, 1}[r.IntN(5)]
	case 1:
		d.Event(kind)["subject"] = []any{
			map[string]any{"subject_type": "iss-sub", "iss": "https://evil.example", "sub": "1"},
			map[string]any{"subject_type": "oauth_token", "token": "1"},
			map[string]any{"format": "iss_sub", "iss": "https://accounts.google.com", "sub": ""},
			nil, "1",
		}[r.IntN(5)]
	}
	now := time.Now().Unix()
	change(r, d, map[string][]any{
		"iss":    {"https://accounts.google.com", "accounts.google.com", "https://accounts.google.com/", "https://evil.example", nil},
		"aud":    {clientID, "other", []string{clientID}, []string{"other", clientID}, []string{"other"}, []string{}, []any{clientID, nil}, "", nil},
		"iat":    {now, now - 300, now + 200, now + 3600, now - 1e8, float64(now) + 0.5, "soon", nil},
		"exp":    {now + 3600, now - 3600, now + 1e8},
		"jti":    {"1", "", nil, 1},
		"events": {map[string]any{}, map[string]any{"x": map[string]any{}}, map[string]any{"x": nil}, []any{}, nil, 1},
		"sub_id": {map[string]any{}, map[string]any{"format": "email", "email": email}, nil, 1},
		"more":   {map[string]any{"a": []int{1}}, nil, "x"},
	})
	return d
}

// change makes up to three changes to the claims, and in a third of the cases one to the
// header or the signature.
func change(r *rand.Rand, d *googletest.Draft, values map[string][]any) {
	names := slices.Sorted(maps.Keys(values))
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
}

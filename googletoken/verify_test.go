package googletoken_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

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

func newVerifier(tb testing.TB, g *googletest.Google) *googletoken.Verifier {
	tb.Helper()
	v, err := googletoken.New(googletoken.Config{ClientIDs: []string{clientID}, HTTPClient: g.Client()})
	require.NoError(tb, err)
	return v
}

// requireReason requires that the token is refused for this reason.
func requireReason(tb testing.TB, want googlesession.TokenReason, err error, msg ...any) {
	tb.Helper()
	refused, ok := errors.AsType[*googlesession.TokenError](err)
	require.True(tb, ok, "got %v, want a TokenError; %v", err, msg)
	require.Equal(tb, want, refused.Reason, msg...)
	require.NotErrorIs(tb, err, googlesession.ErrUnavailable, msg...)
}

// requireUnavailable requires that the error is an outage and not a refusal.
func requireUnavailable(tb testing.TB, err error, msg ...any) {
	tb.Helper()
	require.ErrorIs(tb, err, googlesession.ErrUnavailable, msg...)
	_, refused := errors.AsType[*googlesession.TokenError](err)
	require.False(tb, refused, "a TokenError: %v", err)
}

func TestVerify(t *testing.T) {
	g := googletest.NewGoogle(clientID)
	v := newVerifier(t, g)
	require.Equal(t, clientID, v.ClientID())

	d := g.Draft("ada@example.com", nonce)
	id, err := v.Verify(t.Context(), g.Mint(d), nonce)
	require.NoError(t, err)
	require.Equal(t, googlesession.Identity{
		Subject: g.Subject("ada@example.com"), Email: "ada@example.com", EmailVerified: true,
		Name: d.Claims["name"].(string), Picture: d.Claims["picture"].(string), HostedDomain: "example.com",
		IssuedAt: time.Unix(d.Claims["iat"].(int64), 0).UTC(),
	}, id)

	d = g.Draft(email, "")
	for _, claim := range []string{"name", "picture", "email", "email_verified", "hd", "azp", "nbf", "jti"} {
		delete(d.Claims, claim)
	}
	id, err = v.Verify(t.Context(), g.Mint(d), "")
	require.NoError(t, err, "a token with only the required claims")
	require.Equal(t, googlesession.Identity{Subject: g.Subject(email), IssuedAt: time.Unix(d.Claims["iat"].(int64), 0).UTC()}, id)
}

// requireBad requires that a bad token is refused for its reason. If its key is unknown, an
// outage is correct too, because the next fetch decides.
func requireBad(tb testing.TB, want googletest.BadToken, err error) {
	tb.Helper()
	if want.UnknownKey && errors.Is(err, googlesession.ErrUnavailable) {
		requireUnavailable(tb, err, want.Name)
		return
	}
	requireReason(tb, want.Reason, err, want.Name)
}

// Each bad token is refused for its reason. A refusal for form or header causes no request.
func TestBadTokens(t *testing.T) {
	g := googletest.NewGoogle(clientID)
	rows := g.BadTokens(email, nonce)
	for _, warm := range []bool{false, true} {
		t.Run(fmt.Sprintf("warm=%v", warm), func(t *testing.T) {
			v, begin := newVerifier(t, g), fetches(g)
			if warm {
				_, err := v.Verify(t.Context(), g.Token(email, nonce), nonce)
				require.NoError(t, err)
			}
			for _, bad := range rows {
				before := fetches(g)
				id, err := v.Verify(t.Context(), bad.Token, nonce)
				requireBad(t, bad, err)
				require.Zero(t, id, bad.Name)
				if bad.Reason == googlesession.ReasonMalformed || bad.Reason == googlesession.ReasonAlgorithm {
					require.Equal(t, before, fetches(g), "%s: keys were fetched", bad.Name)
				}
			}
			require.LessOrEqual(t, fetches(g)-begin, 2, "a regular fetch and a forced one")
			require.Zero(t, g.Requests(googletest.IAPCertsURL))
			require.Empty(t, g.Strays())
		})
	}
	unknown := 0
	for _, bad := range rows {
		if bad.UnknownKey {
			unknown++
			_, err := newVerifier(t, g).Verify(t.Context(), bad.Token, nonce)
			requireReason(t, googlesession.ReasonSignature, err, "%s: a Verifier that may fetch keys", bad.Name)
		}
	}
	require.Greater(t, unknown, 10)
}

// idtoken panics on short ES256 signatures and would fetch other keys, so it gets none.
func TestES256NeverReachesIDToken(t *testing.T) {
	g := googletest.NewGoogle(clientID)
	v := newVerifier(t, g)
	for size := range 129 {
		_, err := v.Verify(t.Context(), g.Mint(g.Draft(email, nonce).ES256(size)), nonce)
		want := googlesession.ReasonAlgorithm
		if size == 0 {
			want = googlesession.ReasonMalformed // an empty segment
		}
		requireReason(t, want, err, size)
	}
	require.Zero(t, g.Requests(googletest.CertsURL))
	require.Zero(t, g.Requests(googletest.IAPCertsURL))
}

// A panic of idtoken does not end the process.
func TestPanicIsRecovered(t *testing.T) {
	err := googletoken.CatchPanic(func() error { panic("with a claim: " + email) })
	require.EqualError(t, err, "panic (string)")
	require.NoError(t, googletoken.CatchPanic(func() error { return nil }))
	require.ErrorIs(t, googletoken.CatchPanic(func() error { return context.Canceled }), context.Canceled)
}

func TestNonce(t *testing.T) {
	g := googletest.NewGoogle(clientID)
	v := newVerifier(t, g)
	for _, tt := range []struct{ claim, want string }{
		{nonce[:42], nonce},
		{nonce + "=", nonce},
		{strings.ToUpper(nonce), nonce},
		{"", nonce},
	} {
		_, err := v.Verify(t.Context(), g.Token(email, tt.claim), tt.want)
		requireReason(t, googlesession.ReasonNonce, err, tt.claim)
	}
	_, err := v.Verify(t.Context(), g.Token(email, nonce), "")
	require.NoError(t, err, "the nonce is not checked")
}

func TestAudiencesAndParties(t *testing.T) {
	const web, android, other = "web.example", "android.example", "other.example"
	g := googletest.NewGoogle(web)
	for _, tt := range []struct {
		name     string
		clients  []string
		parties  []string
		aud, azp string
		want     googlesession.TokenReason
	}{
		{"same client", []string{web}, nil, web, web, ""},
		{"without azp", []string{web}, nil, web, "", ""},
		{"second client", []string{other, web}, nil, web, other, ""},
		{"another audience", []string{web}, nil, other, web, googlesession.ReasonAudience},
		{"audience only among the parties", []string{web}, []string{other}, other, other, googlesession.ReasonAudience},
		{"another party", []string{web}, nil, web, android, googlesession.ReasonParty},
		{"party listed", []string{web}, []string{web, android}, web, android, ""},
		{"client not listed as a party", []string{web}, []string{android}, web, web, googlesession.ReasonParty},
		{"case", []string{web}, nil, "Web.example", web, googlesession.ReasonAudience},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v, err := googletoken.New(googletoken.Config{ClientIDs: tt.clients, AuthorizedParties: tt.parties, HTTPClient: g.Client()})
			require.NoError(t, err)
			d := g.Draft(email, nonce)
			d.Claims["aud"], d.Claims["azp"] = tt.aud, tt.azp
			if tt.azp == "" {
				delete(d.Claims, "azp")
			}
			_, err = v.Verify(t.Context(), g.Mint(d), nonce)
			if tt.want == "" {
				require.NoError(t, err)
				return
			}
			requireReason(t, tt.want, err)
		})
	}
}

// The last second that passes, and the first that does not.
func TestTimes(t *testing.T) {
	for _, tt := range []struct {
		name          string
		iat, nbf, exp time.Duration // from now
		ok            bool
	}{
		{"issued at the leeway", time.Minute, 0, time.Hour, true},
		{"issued after the leeway", time.Minute + time.Second, 0, time.Hour, false},
		{"valid from the leeway on", 0, time.Minute, time.Hour, true},
		{"valid later", 0, time.Minute + time.Second, time.Hour, false},
		{"as old as MaxAge", -10 * time.Minute, -10 * time.Minute, time.Hour, true},
		{"older than MaxAge", -10*time.Minute - time.Second, -10 * time.Minute, time.Hour, false},
		{"a second left", 0, 0, time.Second, true},
		{"at the end: no leeway", 0, 0, 0, false},
		{"after the end", -time.Minute, -time.Minute, -time.Second, false},
		{"valid for a day", 0, 0, 24 * time.Hour, true},
		{"valid for longer", 0, 0, 24*time.Hour + time.Second, false},
		{"ends before it begins", time.Minute, 0, time.Second, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := googletest.NewGoogle(clientID)
				d := g.Draft(email, nonce)
				now := time.Now()
				for claim, d1 := range map[string]time.Duration{"iat": tt.iat, "nbf": tt.nbf, "exp": tt.exp} {
					d.Claims[claim] = now.Add(d1).Unix()
				}
				_, err := newVerifier(t, g).Verify(t.Context(), g.Mint(d), nonce)
				if tt.ok {
					require.NoError(t, err)
					return
				}
				requireReason(t, googlesession.ReasonTime, err)
			})
		})
	}
}

func TestLeewayAndMaxAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := googletest.NewGoogle(clientID)
		v, err := googletoken.New(googletoken.Config{
			ClientIDs: []string{clientID}, HTTPClient: g.Client(), Leeway: 5 * time.Minute, MaxAge: time.Hour,
		})
		require.NoError(t, err)
		for age, ok := range map[time.Duration]bool{
			-5 * time.Minute: true, -5*time.Minute - time.Second: false, time.Hour: true, time.Hour + time.Second: false,
		} {
			d := g.Draft(email, nonce)
			d.Claims["iat"], d.Claims["exp"] = time.Now().Add(-age).Unix(), time.Now().Add(2*time.Hour).Unix()
			_, err := v.Verify(t.Context(), g.Mint(d), nonce)
			if ok {
				require.NoError(t, err, age)
				continue
			}
			requireReason(t, googlesession.ReasonTime, err, age)
		}
	})
}

func TestNew(t *testing.T) {
	_, err := googletoken.New(googletoken.Config{
		ClientIDs: []string{"", "a\n", "b", "b"}, AuthorizedParties: []string{"c d"}, Leeway: 6 * time.Minute, MaxAge: 2 * time.Hour,
	})
	for _, want := range []string{"ClientIDs[0]", "ClientIDs[1]", "ClientIDs[3] is a duplicate", "AuthorizedParties[0]", "Leeway", "MaxAge"} {
		require.ErrorContains(t, err, want)
	}
	_, err = googletoken.New(googletoken.Config{Leeway: -1, MaxAge: -1})
	for _, want := range []string{"ClientIDs is required", "Leeway", "MaxAge"} {
		require.ErrorContains(t, err, want)
	}
}

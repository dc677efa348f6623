package googletoken_test

import (
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

const disabled = googlesession.ChangeAccountDisabled

// event verifies a token with one event after change has changed it.
func event(t *testing.T, g *googletest.Google, change func(d *googletest.Draft)) (googlesession.SecurityEvent, error) {
	t.Helper()
	d := g.EventDraft(disabled, email)
	change(d)
	return newVerifier(t, g).VerifyEvent(t.Context(), g.Mint(d))
}

func subject(d *googletest.Draft) map[string]any {
	return d.Event(disabled)["subject"].(map[string]any)
}

// Each kind of event is read in Google's form and in that of the Shared Signals Framework.
func TestVerifyEvent(t *testing.T) {
	g := googletest.NewGoogle(clientID)
	v := newVerifier(t, g)
	for kind, wantSubject := range map[googlesession.AccountChangeKind]string{
		googlesession.ChangeSessionsRevoked:    g.Subject(email),
		googlesession.ChangeTokensRevoked:      g.Subject(email),
		googlesession.ChangeTokenRevoked:       "", // names a refresh token
		googlesession.ChangeAccountDisabled:    g.Subject(email),
		googlesession.ChangeAccountEnabled:     g.Subject(email),
		googlesession.ChangeCredentialRequired: g.Subject(email),
		googlesession.ChangeVerification:       "",
		googlesession.ChangeUnknown:            "",
	} {
		google, ssf := g.EventDraft(kind, email), g.EventDraft(kind, email).SSF()
		for _, d := range []*googletest.Draft{google, ssf} {
			got, err := v.VerifyEvent(t.Context(), g.Mint(d))
			require.NoError(t, err, kind)
			require.Equal(t, googlesession.SecurityEvent{
				ID: d.Claims["jti"].(string), IssuedAt: time.Unix(d.Claims["iat"].(int64), 0).UTC(),
				Changes: []googlesession.AccountChange{{Kind: kind, Subject: wantSubject}},
			}, got, kind)
		}
	}
	require.Equal(t, 1, fetches(g))
	require.Empty(t, g.Strays())
}

// Each bad token is refused for its reason. A refusal for form, header, payload or audience
// causes no request.
func TestBadEvents(t *testing.T) {
	g := googletest.NewGoogle(clientID)
	rows := g.BadEvents(email)
	for _, warm := range []bool{false, true} {
		t.Run(fmt.Sprintf("warm=%v", warm), func(t *testing.T) {
			v, begin := newVerifier(t, g), fetches(g)
			if warm {
				_, err := v.VerifyEvent(t.Context(), g.SecurityEvent(disabled, email))
				require.NoError(t, err)
			}
			for _, bad := range rows {
				before := fetches(g)
				got, err := v.VerifyEvent(t.Context(), bad.Token)
				requireBad(t, bad, err)
				require.Zero(t, got, bad.Name)
				switch bad.Reason {
				case googlesession.ReasonMalformed, googlesession.ReasonAlgorithm, googlesession.ReasonAudience:
					require.Equal(t, before, fetches(g), "%s: keys were fetched", bad.Name)
				}
			}
			require.LessOrEqual(t, fetches(g)-begin, 2, "a regular fetch and a forced one")
			require.Zero(t, g.Requests(googletest.IAPCertsURL))
			require.Zero(t, g.Requests(googletest.RISCConfigURL))
			require.Empty(t, g.Strays())
		})
	}
	unknown := 0
	for _, bad := range rows {
		if bad.UnknownKey {
			unknown++
			_, err := newVerifier(t, g).VerifyEvent(t.Context(), bad.Token)
			requireReason(t, googlesession.ReasonSignature, err, "%s: a Verifier that may fetch keys", bad.Name)
		}
	}
	require.Greater(t, unknown, 10)
}

// ID tokens and events have the same keys and clients. Verify refuses events, and
// VerifyEvent refuses ID tokens.
func TestKindsOfTokens(t *testing.T) {
	g := googletest.NewGoogle(clientID)
	v := newVerifier(t, g)
	expired := g.Draft(email, nonce)
	expired.Claims["exp"] = time.Now().Add(-time.Hour).Unix()
	expired.Claims["iat"] = time.Now().Add(-2 * time.Hour).Unix()
	dbsc := g.Draft(email, nonce)
	dbsc.Header["typ"] = "dbsc+jwt"
	for _, tt := range []struct {
		name           string
		token          string
		verify, events googlesession.TokenReason // "" for accepted
	}{
		{"ID token", g.Token(email, nonce), "", googlesession.ReasonMalformed},
		{"expired ID token", g.Mint(expired), googlesession.ReasonTime, googlesession.ReasonMalformed},
		{"event", g.SecurityEvent(disabled, email), googlesession.ReasonMalformed, ""},
		{"event of SSF", g.Mint(g.EventDraft(disabled, email).SSF()), googlesession.ReasonMalformed, ""},
		{"DBSC proof", g.Mint(dbsc), googlesession.ReasonMalformed, googlesession.ReasonMalformed},
	} {
		_, err := v.Verify(t.Context(), tt.token, nonce)
		requireVerdict(t, tt.verify, err, tt.name)
		_, err = v.VerifyEvent(t.Context(), tt.token)
		requireVerdict(t, tt.events, err, tt.name)
	}
}

func requireVerdict(t *testing.T, want googlesession.TokenReason, err error, name string) {
	t.Helper()
	if want == "" {
		require.NoError(t, err, name)
		return
	}
	requireReason(t, want, err, name)
}

// An event may be issued five minutes in the future, and at any time in the past.
func TestEventTimes(t *testing.T) {
	for _, tt := range []struct {
		name string
		iat  time.Duration // from now
		want googlesession.TokenReason
	}{
		{"in five minutes", 5 * time.Minute, ""},
		{"in five minutes and a second", 5*time.Minute + time.Second, googlesession.ReasonTime},
		{"a week ago", -7 * 24 * time.Hour, ""},
		{"ten years ago", -10 * 365 * 24 * time.Hour, ""},
	} {
		synctest.Test(t, func(t *testing.T) {
			g := googletest.NewGoogle(clientID)
			issued := time.Now().Add(tt.iat).UTC()
			got, err := event(t, g, func(d *googletest.Draft) { d.Claims["iat"] = issued.Unix() })
			requireVerdict(t, tt.want, err, tt.name)
			if tt.want == "" {
				require.Equal(t, issued, got.IssuedAt, tt.name)
			}
		})
	}
	for _, iat := range []int64{0, -1, -1 << 63} {
		got, err := event(t, googletest.NewGoogle(clientID), func(d *googletest.Draft) { d.Claims["iat"] = iat })
		require.NoError(t, err, iat)
		require.Equal(t, time.Unix(0, 0).UTC(), got.IssuedAt, iat)
	}
}

// A token that comes twice has the same ID each time.
func TestEventTwice(t *testing.T) {
	g := googletest.NewGoogle(clientID)
	v, token := newVerifier(t, g), g.SecurityEvent(disabled, email)
	first, err := v.VerifyEvent(t.Context(), token)
	require.NoError(t, err)
	second, err := v.VerifyEvent(t.Context(), token)
	require.NoError(t, err)
	require.Equal(t, first, second)
	other, err := v.VerifyEvent(t.Context(), g.SecurityEvent(disabled, email))
	require.NoError(t, err)
	require.NotEqual(t, first.ID, other.ID)
}

// An event is accepted for any of ClientIDs. AuthorizedParties does not matter.
func TestEventAudiences(t *testing.T) {
	g := googletest.NewGoogle(clientID)
	v, err := googletoken.New(googletoken.Config{
		ClientIDs: []string{"first", "second"}, AuthorizedParties: []string{"third"}, HTTPClient: g.Client(),
	})
	require.NoError(t, err)
	for _, tt := range []struct {
		aud  any
		want googlesession.TokenReason
	}{
		{"first", ""},
		{"second", ""},
		{"third", googlesession.ReasonAudience},
		{[]string{"third", "second"}, ""},
		{[]string{"third", clientID}, googlesession.ReasonAudience},
	} {
		d := g.EventDraft(disabled, email)
		d.Claims["aud"] = tt.aud
		_, err := v.VerifyEvent(t.Context(), g.Mint(d))
		requireVerdict(t, tt.want, err, fmt.Sprint(tt.aud))
	}
}

// A token of 16 KiB is accepted, and so are IDs of 255 characters.
func TestLongestEvent(t *testing.T) {
	g := googletest.NewGoogle(clientID)
	v := newVerifier(t, g)
	longest := ""
	for fill := 11_500; fill < 12_500 && len(longest) != 16<<10; fill++ {
		d := g.EventDraft(disabled, email)
		d.Claims["x"] = strings.Repeat("x", fill)
		if longest = g.Mint(d); len(longest) > 16<<10 {
			d.Header["x"] = "x"
			longest = g.Mint(d)
		}
	}
	require.Len(t, longest, 16<<10)
	_, err := v.VerifyEvent(t.Context(), longest)
	require.NoError(t, err)

	long := strings.Repeat("!~", 127) + "1"
	got, err := event(t, g, func(d *googletest.Draft) { d.Claims["jti"], subject(d)["sub"] = long, long })
	require.NoError(t, err)
	require.Equal(t, []string{long, long}, []string{got.ID, got.Changes[0].Subject})
}

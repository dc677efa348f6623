package googletoken_test

import (
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/googletest"
	"github.com/googlesession/googlesession/googletoken"
)

// Any failure inside idtoken is an outage, including a panic. Its text is dropped, because
// it may quote a claim.
func TestIDTokenFails(t *testing.T) {
	for name, tt := range map[string]struct {
		network roundTrip
		want    string
	}{
		"panics with a text": {
			func(*http.Request) (*http.Response, error) { panic(email) },
			"googlesession: unavailable: googletoken: idtoken: panic (string)",
		},
		"panics with an error": {
			func(*http.Request) (*http.Response, error) { panic(errors.New(email)) },
			"googlesession: unavailable: googletoken: idtoken: panic (*errors.errorString)",
		},
		"panics as with a short ES256 signature": {
			func(r *http.Request) (*http.Response, error) { _ = r.Method[32]; return nil, nil },
			"googlesession: unavailable: googletoken: idtoken: panic (runtime.boundsError)",
		},
		"has no keys": {
			func(*http.Request) (*http.Response, error) { return nil, errors.New(email) },
			"googlesession: unavailable: googletoken: idtoken cannot check the signature",
		},
		"has other keys": {
			googletoken.KeyTransport.RoundTrip,
			"googlesession: unavailable: googletoken: idtoken cannot check the signature",
		},
	} {
		t.Run(name, func(t *testing.T) {
			g := googletest.NewGoogle(clientID)
			v := newVerifier(t, g)
			token := g.Token(email, nonce)
			_, err := v.Verify(t.Context(), token, nonce)
			require.NoError(t, err)

			require.NoError(t, googletoken.GiveIDToken(v, tt.network))
			id, err := v.Verify(t.Context(), token, nonce)
			requireUnavailable(t, err)
			require.Zero(t, id)
			require.EqualError(t, err, tt.want)
			requireNoSecret(t, err, token)
		})
	}
}

// A token that expires while idtoken works is refused as expired. It is not an outage.
func TestExpiresInsideIDToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := googletest.NewGoogle(clientID)
		v := newVerifier(t, g)
		token := g.Token(email, nonce)
		_, err := v.Verify(t.Context(), token, nonce)
		require.NoError(t, err)
		require.NoError(t, googletoken.GiveIDToken(v, roundTrip(func(*http.Request) (*http.Response, error) {
			<-time.After(2 * time.Hour)
			return nil, errors.New("too late")
		})))
		_, err = v.Verify(t.Context(), token, nonce)
		requireReason(t, googlesession.ReasonTime, err)
	})
}

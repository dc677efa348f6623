package googlesession_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/googletest"
	"github.com/googlesession/googlesession/googletoken"
)

// restarted is a verifier that starts anew with every token, so that it has no keys yet and
// may ask for them.
type restarted struct{ google *googletest.Google }

func (r *restarted) ClientID() string { return clientID }

func (r *restarted) Verify(ctx context.Context, token, nonce string) (googlesession.Identity, error) {
	v, err := r.new() //nolint:contextcheck // New asks for no keys
	if err != nil {
		return googlesession.Identity{}, err
	}
	return v.Verify(ctx, token, nonce)
}

func (r *restarted) VerifyEvent(ctx context.Context, token string) (googlesession.SecurityEvent, error) {
	v, err := r.new() //nolint:contextcheck // New asks for no keys
	if err != nil {
		return googlesession.SecurityEvent{}, err
	}
	return v.VerifyEvent(ctx, token)
}

func (r *restarted) new() (*googletoken.Verifier, error) {
	return googletoken.New(googletoken.Config{ClientIDs: []string{clientID}, HTTPClient: r.google.Client()})
}

func newRestartedSite(t *testing.T) *site {
	t.Helper()
	v := new(restarted)
	s := newSite(t, func(c *googlesession.Config) { c.Verifier, c.SecurityEventVerifier = v, v })
	v.google = s.google
	return s
}

// A token whose key the verifier may not ask for now answers 503 on every route, and is
// accepted later. The event says that strangers can cause this.
func TestUnknownKeyAnswers503(t *testing.T) {
	for name, send := range map[string]func(t *testing.T, s *site, c *http.Client) answer{
		"sign-in": func(t *testing.T, s *site, c *http.Client) answer {
			return post(t, c, s.google.Token(alice, begin(t, c)))
		},
		"signing in again": func(t *testing.T, s *site, c *http.Client) answer {
			return again(t, c, s.google.Token(alice, begin(t, c)))
		},
		"security event": func(t *testing.T, s *site, _ *http.Client) answer {
			return deliver(t, s, s.google.SecurityEvent(googlesession.ChangeSessionsRevoked, alice))
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newEventSite(t)
				c := s.signIn(t, alice)
				unavailable := func(reason, level string) {
					a := send(t, s, c)
					require.Equal(t, http.StatusServiceUnavailable, a.status, a.body)
					require.Equal(t, googlesession.CodeUnavailable, a.code(t))
					require.NotEmpty(t, a.header.Get("Retry-After"))
					e := s.events[len(s.events)-1]
					require.Equal(t, googlesession.EventUnavailable, e.Kind)
					require.Equal(t, reason, e.Reason)
					log := s.log.String()
					require.Contains(t, log[strings.LastIndex(log[:len(log)-1], "\n")+1:], "level="+level)
					require.Equal(t, http.StatusOK, get(t, c, "/private").status, "nothing has changed")
				}
				wait := advance

				wait(time.Second)
				stranger := s.google.EventDraft(googlesession.ChangeSessionsRevoked, alice)
				stranger.Header["kid"] = "invented"
				require.Equal(t, http.StatusBadRequest, deliver(t, s, s.google.Mint(stranger)).status, "looked for in vain")
				stranger.Header["kid"] = "another"
				require.Equal(t, http.StatusServiceUnavailable, deliver(t, s, s.google.Mint(stranger)).status)
				s.google.Rotate()
				unavailable("unavailable:unknown_key", "WARN")

				wait(time.Minute)
				s.google.Respond(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
				unavailable("unavailable", "ERROR")

				wait(time.Minute)
				s.google.Respond(nil)
				require.Less(t, send(t, s, c).status, 300)
			})
		})
	}
}

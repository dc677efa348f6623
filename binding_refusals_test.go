package googlesession_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
)

// What an application gets about a refused request does not have the secret of the binding, in
// whatever form the application prints it.
func TestRefusalsHoldNoSecretOfBinding(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var denied []googlesession.Denial
		s := newBoundSite(t, func(c *googlesession.Config) {
			c.Deny = func(_ http.ResponseWriter, _ *http.Request, d googlesession.Denial) { denied = append(denied, d) }
		})
		d := newBoundDevice(t, s, alice)
		stolen := d.thief(t, sessionCookie)
		advance(time.Minute)
		get(t, stolen, "/private")
		require.Len(t, denied, 1)
		var shown strings.Builder
		fmt.Fprintf(&shown, "%+v %#v", denied[0], denied[0].Err)
		for _, e := range s.events {
			fmt.Fprintf(&shown, "%+v %#v %#v", e, e, e.Err)
		}
		require.Contains(t, shown.String(), "proofError")
		require.NotContains(t, shown.String(), "Binding:\"\\x01", d.id)
	})
}

// A wrongKind is a faulty store whose sessions all belong to a program.
type wrongKind struct{ googlesession.BindingStore }

func (s wrongKind) CheckSession(ctx context.Context, r googlesession.Ref, d time.Duration) (googlesession.Session, error) {
	session, err := s.BindingStore.CheckSession(ctx, r, d)
	session.Kind = googlesession.KindIssued
	return session, err
}

// A session of another kind is not bound.
func TestOtherKindsAreNotBound(t *testing.T) {
	s := newBoundSite(t, func(c *googlesession.Config) {
		c.Sessions, c.Users = wrongKind{c.Sessions.(googlesession.BindingStore)}, c.Sessions.(googlesession.UserStore)
	})
	d := newDevice(t, s, alice)
	a := d.register(t, d.proof(t, d.offer, true))
	require.Equal(t, http.StatusBadRequest, a.status, a.body)
	require.Empty(t, a.header["Set-Cookie"])
	require.NotContains(t, s.kinds(), googlesession.EventBound)
}

// The sender of a refused refresh needs no cookie, so its event does not say that the user has
// sent it.
func TestRefusedRefreshIsNotTheUsers(t *testing.T) {
	s := newBoundSite(t, nil)
	d, other := newBoundDevice(t, s, alice), newBoundDevice(t, s, bob)
	proof := other.proof(t, d.challenge(t), false)
	a := serve(t, s, http.MethodPost, refreshPath, "", "Sec-Secure-Session-Id", d.id, "Secure-Session-Response", proof)
	require.Equal(t, http.StatusBadRequest, a.status)
	e := s.events[len(s.events)-1]
	require.Equal(t, googlesession.EventBindRefused, e.Kind)
	require.Equal(t, "signature", e.Reason)
	require.Equal(t, "system", e.Actor)
	require.Equal(t, s.google.Subject(alice), e.UserID)
}

// A browser whose proof belongs to its previous session, because the answer to a renewal came
// late, renews its proof after one refusal.
func TestWrongProofIsRenewed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newBoundSite(t, nil)
		b := s.google.BoundBrowser(s)
		c := b.SignIn(t, "/api/login", alice)
		advance(time.Second)
		require.Equal(t, http.StatusOK, get(t, c, "/private").status)
		late := &http.Cookie{Name: boundCookie, Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode, MaxAge: 600}
		for _, ck := range b.Jar().Cookies(siteURL()) {
			if ck.Name == boundCookie {
				late.Value = ck.Value
			}
		}
		require.NotEmpty(t, late.Value)

		b.SignIn(t, "/api/login", alice)
		advance(time.Second)
		require.Equal(t, http.StatusOK, get(t, c, "/private").status)
		b.Jar().SetCookies(siteURL(), []*http.Cookie{late})
		advance(time.Minute)
		a := get(t, c, "/private")
		require.Equal(t, http.StatusUnauthorized, a.status)
		require.Equal(t, []string{boundCookie + "=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Lax"}, a.header["Set-Cookie"])
		require.Equal(t, http.StatusOK, get(t, c, "/private").status, "%v", b.History())
	})
}

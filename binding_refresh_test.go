package googlesession_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
)

// A refresh is answered with a status that the browser understands, and changes no session that
// it is not for.
func TestRefreshes(t *testing.T) {
	const gone = `"continue":false`
	for _, tt := range []struct {
		name   string
		send   func(*testing.T, *device) answer
		status int
		body   string // part of it
		cookie bool   // whether the answer renews the bound cookie
	}{
		{"a proof", func(t *testing.T, d *device) answer { return d.renew(t) }, 200, "", true},
		{"a proof, quoted", func(t *testing.T, d *device) answer {
			proof := d.proof(t, d.challenge(t), false)
			d.id = `"` + d.id + `"`
			return d.refresh(t, `"`+proof+`"`)
		}, 200, "", true},
		{"the same proof again", func(t *testing.T, d *device) answer {
			proof := d.proof(t, d.challenge(t), false)
			d.refresh(t, proof)
			return d.refresh(t, proof)
		}, 200, "", true},
		{"no cookie, as after a link on another site", func(t *testing.T, d *device) answer {
			proof := d.proof(t, d.challenge(t), false)
			return serve(t, d.site, http.MethodPost, refreshPath, "", "Sec-Secure-Session-Id", d.id, "Secure-Session-Response", proof)
		}, 200, "", true},
		{"no proof", func(t *testing.T, d *device) answer { return d.refresh(t, "") }, 403, "proof_missing", false},
		{"a stale challenge", func(t *testing.T, d *device) answer {
			proof := d.proof(t, d.challenge(t), false)
			advance(5*time.Minute + time.Second)
			return d.refresh(t, proof)
		}, 403, "proof_missing", false},
		{"the offer as challenge", func(t *testing.T, d *device) answer { return d.refresh(t, d.proof(t, d.offer, false)) }, 403, "proof_missing", false},
		{"the bound cookie as challenge", func(t *testing.T, d *device) answer {
			return d.refresh(t, d.proof(t, cookie(t, d.Client, boundCookie), false))
		}, 403, "proof_missing", false},
		{"the challenge of another session", func(t *testing.T, d *device) answer {
			return d.refresh(t, d.proof(t, newBoundDevice(t, d.site, bob).challenge(t), false))
		}, 403, "proof_missing", false},
		{"signed by another key", func(t *testing.T, d *device) answer {
			return d.refresh(t, signProof(t, newBoundDevice(t, d.site, bob).key, members{"alg": "ES256", "typ": "dbsc+jwt"}, members{"jti": d.challenge(t)}))
		}, 400, "bad_request", false},
		{"a key in the proof", func(t *testing.T, d *device) answer { return d.refresh(t, d.proof(t, d.challenge(t), true)) }, 400, "bad_request", false},
		{"not a proof", func(t *testing.T, d *device) answer { return d.refresh(t, "x") }, 400, "bad_request", false},
		{"two proofs", func(t *testing.T, d *device) answer { return d.refresh(t, "x", "Secure-Session-Response", "y") }, 400, "bad_request", false},
		{"two names", func(t *testing.T, d *device) answer { return d.refresh(t, "", "Sec-Secure-Session-Id", d.id) }, 400, "bad_request", false},
		{"no name", func(t *testing.T, d *device) answer { return do(t, d.Client, http.MethodPost, refreshPath, "") }, 400, "bad_request", false},
		{"not a name", func(t *testing.T, d *device) answer { d.id += "A"; return d.refresh(t, "") }, 400, "bad_request", false},
		{"another site's page", func(t *testing.T, d *device) answer {
			return do(t, d.Client, http.MethodPost, refreshPath, "", "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site", "Sec-Secure-Session-Id", d.id)
		}, 403, "cross_origin", false},
		{"the session of another user, with one's own cookie", func(t *testing.T, d *device) answer {
			other := newBoundDevice(t, d.site, bob)
			proof := other.proof(t, other.challenge(t), false)
			d.id = other.id
			return d.refresh(t, proof)
		}, 200, gone, false},
		{"an unknown session", func(t *testing.T, d *device) answer { d.id = "A" + d.id[1:]; return d.refresh(t, "") }, 200, gone, false},
		{"a session that is not bound", func(t *testing.T, d *device) answer {
			d = newDevice(t, d.site, bob)
			return d.refresh(t, "")
		}, 200, gone, false},
		{"revoked", func(t *testing.T, d *device) answer {
			proof := d.proof(t, d.challenge(t), false)
			_, err := d.site.manager.RevokeUser(t.Context(), d.site.google.Subject(alice))
			require.NoError(t, err)
			return d.refresh(t, proof)
		}, 200, gone, false},
		{"disabled", func(t *testing.T, d *device) answer {
			proof := d.proof(t, d.challenge(t), false)
			_, err := d.site.manager.SetAccess(t.Context(), d.site.google.Subject(alice), disable)
			require.NoError(t, err)
			return d.refresh(t, proof)
		}, 200, gone, false},
		{"expired", func(t *testing.T, d *device) answer {
			proof := d.proof(t, d.challenge(t), false)
			advance(13 * time.Hour)
			return d.refresh(t, proof)
		}, 200, gone, false},
		{"another generation", func(t *testing.T, d *device) answer {
			proof := d.proof(t, d.challenge(t), false)
			d.site.Handler = routes(newSiteOn(t, d.site, func(c *googlesession.Config) { c.Generation = "2" }))
			return d.refresh(t, proof)
		}, 200, gone, false},
		{"the store is down", func(t *testing.T, d *device) answer {
			proof := d.proof(t, d.challenge(t), false)
			d.site.store.failing("CheckSession", googlesession.ErrUnavailable)
			return d.refresh(t, proof)
		}, 503, "unavailable", false},
		{"the first proof, and the store is down", func(t *testing.T, d *device) answer {
			d = newDevice(t, d.site, bob)
			d.register(t, d.proof(t, d.offer, true))
			proof := d.proof(t, d.challenge(t), false)
			d.site.store.failing("SwapBinding", googlesession.ErrUnavailable)
			return d.refresh(t, proof)
		}, 503, "unavailable", false},
	} {
		inOwnBubble(t, tt.name, func(t *testing.T) {
			s := newBoundSite(t, nil)
			d := newBoundDevice(t, s, alice)
			touched := s.store.count("CheckSession")
			a := tt.send(t, d)
			require.Greater(t, s.store.count("CheckSession")+1, touched)
			require.Equal(t, tt.status, a.status, a.body)
			require.Contains(t, a.body, tt.body)
			if tt.body == "" {
				require.Empty(t, a.body)
			}
			require.Equal(t, "no-store", a.header.Get("Cache-Control"))
			require.Equal(t, "same-origin", a.header.Get("Cross-Origin-Resource-Policy"))
			if tt.cookie {
				require.Regexp(t, `^__Host-bound=[\w-]{40}; Path=/; Max-Age=600; HttpOnly; Secure; SameSite=Lax$`, a.header.Get("Set-Cookie"))
			} else {
				require.Empty(t, a.header["Set-Cookie"])
			}
			if tt.status == http.StatusServiceUnavailable {
				require.NotEmpty(t, a.header.Get("Retry-After"))
			}
		})
	}
}

// A refresh does not count as a use, so the session of a browser that only renews its proof expires.
func TestRefreshRecordsNoUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newBoundSite(t, nil)
		d := newBoundDevice(t, s, alice)
		for range 5 {
			advance(5 * time.Minute)
			require.Equal(t, http.StatusOK, d.renew(t).status)
			require.NotContains(t, s.kinds(), googlesession.EventTouched)
		}
		advance(5*time.Minute + time.Second)
		require.Contains(t, d.refresh(t, "").body, `"continue":false`)
	})
}

// Many refreshes at once all get a stamp, and the session is bound once for all of them. Two that
// bind it in the same millisecond write the same, so both report it.
func TestRefreshesAtOnce(t *testing.T) {
	s := newBoundSite(t, nil)
	d := newDevice(t, s, alice)
	d.register(t, d.proof(t, d.offer, true))
	proof := d.proof(t, d.challenge(t), false)
	d.refreshAtOnce(t, proof)
	bound, binding := s.boundEvents(), d.bindingOf(t)
	require.NotZero(t, bound)
	d.refreshAtOnce(t, proof)
	require.Equal(t, bound, s.boundEvents(), "a later refresh does not bind the session again")
	require.Equal(t, binding, d.bindingOf(t))
}

// refreshAtOnce sends 16 refreshes at once, which are all answered with a stamp.
func (d *device) refreshAtOnce(t *testing.T, proof string) {
	t.Helper()
	done := make(chan int)
	for range 16 {
		go func() {
			r, err := http.NewRequest(http.MethodPost, origin+refreshPath, nil) //nolint:noctx // the test ends it
			if err != nil {
				done <- 0
				return
			}
			r.Header.Set("Sec-Secure-Session-Id", d.id)
			r.Header.Set("Secure-Session-Response", proof)
			resp, err := d.Do(r)
			if err != nil {
				done <- 0
				return
			}
			_ = resp.Body.Close()
			done <- resp.StatusCode
		}()
	}
	for range 16 {
		require.Equal(t, http.StatusOK, <-done)
	}
}

// boundEvents returns how many events say that a session is bound.
func (s *site) boundEvents() (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.events {
		if e.Kind == googlesession.EventBound && e.Reason == "" {
			n++
		}
	}
	return n
}

package googlesession_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
)

// stream runs a request that ends with its session, and returns the cause of its end.
func stream(t *testing.T, guard func(http.Handler) http.Handler, value string) <-chan error {
	t.Helper()
	ended := make(chan error, 1)
	running := make(chan struct{})
	h := guard(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(running)
		<-r.Context().Done()
		ended <- context.Cause(r.Context())
	}))
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, origin+"/events", nil)
	r.AddCookie(&http.Cookie{Name: sessionCookie, Value: value})
	go h.ServeHTTP(httptest.NewRecorder(), r)
	<-running
	return ended
}

// over returns the cause of the end, or nil if the stream goes on.
func over(ended <-chan error) error {
	synctest.Wait()
	select {
	case err := <-ended:
		return err
	default:
		return nil
	}
}

func TestStreamsEndWithTheirSession(t *testing.T) {
	type scene struct {
		*site
		c         *http.Client
		elsewhere *googlesession.Manager // another server on the same store
	}
	id := func(s scene) string { return s.google.Subject(alice) }
	for _, tt := range []struct {
		name  string
		end   func(*testing.T, scene)
		after time.Duration // at once, or with the next recheck
		cause error
	}{
		{"sign-out", func(t *testing.T, s scene) { do(t, s.c, http.MethodPost, "/api/logout", "") }, 0, googlesession.ErrNoSession},
		{"Revoke", func(t *testing.T, s scene) {
			ref, _ := s.manager.RefOf(cookie(t, s.c, sessionCookie))
			require.NoError(t, s.manager.Revoke(t.Context(), ref))
		}, 0, googlesession.ErrNoSession},
		{"RevokeUser", func(t *testing.T, s scene) {
			_, err := s.manager.RevokeUser(t.Context(), id(s))
			require.NoError(t, err)
		}, 0, googlesession.ErrNoSession},
		{"RevokeAll", func(t *testing.T, s scene) {
			_, err := s.manager.RevokeAll(t.Context())
			require.NoError(t, err)
		}, 0, googlesession.ErrNoSession},
		{"SetAccess", func(t *testing.T, s scene) {
			_, err := s.manager.SetAccess(t.Context(), id(s), disable)
			require.NoError(t, err)
		}, 0, googlesession.ErrNoSession},
		{"DeleteUser", func(t *testing.T, s scene) {
			require.NoError(t, s.manager.DeleteUser(t.Context(), id(s)))
		}, 0, googlesession.ErrNoSession},
		{"the next sign-in of the browser", func(t *testing.T, s scene) {
			require.Equal(t, http.StatusOK, post(t, s.c, s.google.Token(alice, begin(t, s.c))).status)
		}, 0, googlesession.ErrNoSession},
		{"on another server", func(t *testing.T, s scene) {
			_, err := s.elsewhere.RevokeUser(t.Context(), id(s))
			require.NoError(t, err)
		}, 20 * time.Second, googlesession.ErrNoSession},
		{"expiry", func(*testing.T, scene) {}, 30 * time.Minute, googlesession.ErrSessionExpired},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := scene{site: newSite(t, nil)}
				s.c = s.signIn(t, alice)
				var err error
				s.elsewhere, err = googlesession.New(googlesession.Config{Sessions: s.store})
				require.NoError(t, err)
				other := stream(t, inside(s.manager, 20*time.Second), cookie(t, s.signIn(t, "bob@gmail.com"), sessionCookie))
				ended := stream(t, inside(s.manager, 20*time.Second), cookie(t, s.c, sessionCookie))
				require.NoError(t, over(ended))
				tt.end(t, s)
				if tt.after > 0 {
					advance(tt.after - time.Second)
					require.NoError(t, over(ended), "not before")
					advance(time.Second)
				}
				require.ErrorIs(t, over(ended), tt.cause)
				if tt.name != "RevokeAll" && tt.name != "expiry" {
					require.NoError(t, over(other), "another user's goes on")
					_, err = s.manager.RevokeAll(t.Context())
					require.NoError(t, err)
				}
				require.Error(t, over(other))
			})
		})
	}
}

func inside(m *googlesession.Manager, recheck time.Duration) func(http.Handler) http.Handler {
	return func(h http.Handler) http.Handler { return m.RequireUser(m.EndWithSession(recheck)(h)) }
}

// It works around a guard too, and the guard then does not ask the store again.
func TestStreamAroundTheGuard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, nil)
		value := cookie(t, s.signIn(t, alice), sessionCookie)
		before := s.store.count("CheckSession")
		ended := stream(t, func(h http.Handler) http.Handler {
			return s.manager.EndWithSession(0)(s.manager.RequireUser(h))
		}, value)
		synctest.Wait()
		require.Equal(t, before+2, s.store.count("CheckSession"), "the guard's, and the stream's own")
		_, err := s.manager.RevokeAll(t.Context())
		require.NoError(t, err)
		require.ErrorIs(t, over(ended), googlesession.ErrNoSession)
	})
	s := newSite(t, nil)
	h := s.manager.EndWithSession(time.Minute)(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	require.Equal(t, http.StatusOK, serve(t, h, http.MethodGet, "/", "").status, "without a session it changes nothing")
}

// The streams of a demoted administrator end. Those of other users go on.
func TestStreamOfADemotedAdmin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, nil)
		c, other := s.signIn(t, alice), s.signIn(t, "bob@gmail.com")
		for _, email := range []string{alice, "bob@gmail.com"} {
			_, err := s.manager.SetAccess(t.Context(), s.google.Subject(email), promote)
			require.NoError(t, err)
		}
		ended := stream(t, inside(s.manager, time.Hour), cookie(t, c, sessionCookie))
		goesOn := stream(t, inside(s.manager, time.Hour), cookie(t, other, sessionCookie))
		require.NoError(t, over(ended))
		_, err := s.manager.SetAccess(t.Context(), s.google.Subject(alice), demote)
		require.NoError(t, err)
		d, ok := errors.AsType[googlesession.Denial](over(ended))
		require.True(t, ok)
		require.Equal(t, googlesession.CodeNotAdmin, d.Code)
		require.NoError(t, over(goesOn))
		_, err = s.manager.RevokeAll(t.Context())
		require.NoError(t, err)
		require.ErrorIs(t, over(goesOn), googlesession.ErrNoSession)
	})
}

// A disable whose answer was lost is noticed too.
func TestStreamWhenTheAnswerIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, nil)
		ended := stream(t, inside(s.manager, time.Hour), cookie(t, s.signIn(t, alice), sessionCookie))
		require.NoError(t, over(ended))
		s.store.lose = true
		_, err := s.manager.SetAccess(t.Context(), s.google.Subject(alice), disable)
		require.ErrorIs(t, err, googlesession.ErrUnavailable)
		require.ErrorIs(t, over(ended), googlesession.ErrNoSession)
	})
}

// A stream ends too if its session ends between the guard's check and the beginning of the
// watch.
func TestStreamOfASessionThatHasJustEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, nil)
		ended := stream(t, func(h http.Handler) http.Handler {
			stream := s.manager.EndWithSession(time.Hour)(h)
			return s.manager.RequireUser(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if _, err := s.manager.RevokeAll(r.Context()); err == nil {
					stream.ServeHTTP(w, r)
				}
			}))
		}, cookie(t, s.signIn(t, alice), sessionCookie))
		require.ErrorIs(t, over(ended), googlesession.ErrNoSession)
	})
}

// A session that expires ends its streams before the next recheck.
func TestStreamOfASessionThatExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, nil)
		ended := stream(t, inside(s.manager, time.Hour), cookie(t, s.signIn(t, alice), sessionCookie))
		advance(30*time.Minute - time.Second)
		require.NoError(t, over(ended))
		advance(2 * time.Second)
		require.ErrorIs(t, over(ended), googlesession.ErrSessionExpired)
	})
}

// An outage ends no stream, and an open stream does not count as a use.
func TestStreamDuringAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, nil)
		c := s.signIn(t, alice)
		ended := stream(t, inside(s.manager, 10*time.Second), cookie(t, c, sessionCookie))
		s.store.failing("CheckSession", context.DeadlineExceeded)
		before := s.store.count("CheckSession")
		advance(29*time.Minute + 5*time.Second)
		require.NoError(t, over(ended))
		require.InDelta(t, before+29*6, s.store.count("CheckSession"), 3)
		s.store.failing("CheckSession", nil)
		advance(50 * time.Second)
		require.NoError(t, over(ended))
		advance(10 * time.Second)
		require.ErrorIs(t, over(ended), googlesession.ErrSessionExpired, "30 minutes without a use")
	})
}

// A stream leaves no goroutine behind, because synctest fails on goroutines that stay.
func TestStreamEndsWithTheClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, nil)
		ctx, hangUp := context.WithCancel(t.Context())
		h := inside(s.manager, 0)(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
		r := httptest.NewRequestWithContext(ctx, http.MethodGet, origin+"/events", nil)
		r.AddCookie(&http.Cookie{Name: sessionCookie, Value: cookie(t, s.signIn(t, alice), sessionCookie)})
		done := make(chan struct{})
		go func() {
			h.ServeHTTP(httptest.NewRecorder(), r)
			close(done)
		}()
		synctest.Wait()
		hangUp()
		<-done
	})
}

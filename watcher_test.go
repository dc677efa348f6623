package googlesession_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
)

// openStreams opens n streams of one session.
func openStreams(t *testing.T, m *googlesession.Manager, recheck time.Duration, value string, n int) []<-chan error {
	t.Helper()
	list := make([]<-chan error, n)
	for i := range list {
		list[i] = stream(t, inside(m, recheck), value)
	}
	synctest.Wait()
	return list
}

// requireEnded requires that all streams have ended by now, with this cause.
func requireEnded(t *testing.T, list []<-chan error, cause error) {
	t.Helper()
	for i, ended := range list {
		require.ErrorIs(t, over(ended), cause, "stream %d", i)
	}
}

// The streams of a session share one question to the store, and a change that has ended
// nothing asks none.
func TestStreamsOfASessionShareTheirQuestions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, nil)
		c, phone := s.signIn(t, alice), s.signIn(t, alice)
		list := openStreams(t, s.manager, time.Minute, cookie(t, c, sessionCookie), 2000)
		checks := func(f func()) int {
			before := s.store.count("CheckSession")
			f()
			synctest.Wait()
			return s.store.count("CheckSession") - before
		}
		forged, _ := s.manager.NewToken(s.google.Subject(alice)) // with the user's tag
		require.Equal(t, 0, checks(func() {
			for range 10 {
				s.signIn(t, alice) // the limit leaves room
				a := serve(t, s, http.MethodPost, "/api/logout", "", "Cookie", sessionCookie+"="+forged)
				require.Equal(t, http.StatusNoContent, a.status)
			}
		})-10, "but for the ten that ask for the name of who signs out")
		_, err := s.manager.RevokeOthers(t.Context(), sessionOf(t, s, phone)) // this ends the session of the streams too
		require.NoError(t, err)
		requireEnded(t, list, googlesession.ErrNoSession)

		list = openStreams(t, s.manager, time.Minute, cookie(t, phone, sessionCookie), 2000)
		require.Equal(t, 25, checks(func() {
			for range 25 {
				require.JSONEq(t, `{"ended":0}`, do(t, phone, http.MethodDelete, "/api/sessions", "").body)
			}
		}), "the guard's own")
		require.Equal(t, 10, checks(func() { advance(10 * time.Minute) }), "one a minute")
		require.Equal(t, 1, checks(func() {
			_, err := s.manager.RevokeUser(t.Context(), s.google.Subject(alice))
			require.NoError(t, err)
		}))
		requireEnded(t, list, googlesession.ErrNoSession)
	})
}

// sessionOf returns the session of a browser.
func sessionOf(t *testing.T, s *site, c *http.Client) googlesession.Session {
	t.Helper()
	ref, ok := s.manager.RefOf(cookie(t, c, sessionCookie))
	require.True(t, ok)
	return googlesession.Session{Ref: ref, User: s.user(t, alice)}
}

// Ending a session wakes the streams of that session only.
func TestStreamsOfOtherSessionsSleepOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, func(c *googlesession.Config) { c.MaxSessions, c.Events = 3, nil }) // an event about an end asks the store too
		first, second, third := s.signIn(t, alice), s.signIn(t, alice), s.signIn(t, alice)
		var streams [][]<-chan error
		for _, c := range []*http.Client{first, second, third} {
			streams = append(streams, openStreams(t, s.manager, time.Hour, cookie(t, c, sessionCookie), 3))
		}
		woken := func(f func()) int {
			before := s.store.count("CheckSession")
			f()
			synctest.Wait()
			return s.store.count("CheckSession") - before
		}
		require.Equal(t, 1, woken(func() { require.NoError(t, s.manager.Revoke(t.Context(), sessionOf(t, s, first).Ref)) }))
		requireEnded(t, streams[0], googlesession.ErrNoSession)

		fourth := s.signIn(t, alice) // the limit leaves room again
		require.Equal(t, 1, woken(func() { s.signIn(t, alice) }), "the limit ends the oldest")
		requireEnded(t, streams[1], googlesession.ErrNoSession)
		require.NoError(t, over(streams[2][0]))

		require.Equal(t, 1, woken(func() {
			_, err := s.manager.RevokeOthers(t.Context(), sessionOf(t, s, fourth))
			require.NoError(t, err)
		}), "and not the one that is kept")
		requireEnded(t, streams[2], googlesession.ErrNoSession)
	})
}

// If the store does not say which session a sign-in has ended, all of the user's streams
// ask.
func TestSignInWakesAllIfTheStoreCannotSay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, func(c *googlesession.Config) { c.MaxSessions = 1 })
		list := openStreams(t, s.manager, time.Hour, cookie(t, s.signIn(t, alice), sessionCookie), 3)
		s.store.failing("Sessions", errors.New("down"))
		s.signIn(t, alice)
		requireEnded(t, list, googlesession.ErrNoSession)
	})
}

// A heldStore can hold back an answer of CheckSession.
type heldStore struct {
	store

	mu   sync.Mutex
	hold chan struct{} // the next answer waits until it is closed
}

func (h *heldStore) CheckSession(ctx context.Context, r googlesession.Ref, d time.Duration) (googlesession.Session, error) {
	s, err := h.store.CheckSession(ctx, r, d)
	h.mu.Lock()
	hold := h.hold
	h.hold = nil
	h.mu.Unlock()
	if hold != nil {
		<-hold
	}
	return s, err
}

// holdNext holds the next answer back until release is called.
func (h *heldStore) holdNext() (release func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	hold := make(chan struct{})
	h.hold = hold
	return func() { close(hold) }
}

// heldSite returns a site whose store can hold back answers, and another server on the same
// store.
func heldSite(t *testing.T) (s *site, h *heldStore, elsewhere *googlesession.Manager) {
	t.Helper()
	h = new(heldStore)
	s = newSite(t, func(c *googlesession.Config) {
		h.store = c.Sessions.(*spy)
		c.Sessions = h
	})
	elsewhere, err := googlesession.New(googlesession.Config{Sessions: s.store})
	require.NoError(t, err)
	return s, h, elsewhere
}

// An answer to a question that began before a stream joined does not keep that stream open.
func TestStreamThatJoinsDuringAQuestion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, held, elsewhere := heldSite(t)
		value := cookie(t, s.signIn(t, alice), sessionCookie)
		first := openStreams(t, s.manager, time.Hour, value, 1)
		release := held.holdNext()
		_, err := s.manager.SetAccess(t.Context(), s.google.Subject(alice), promote) // this wakes the watch
		require.NoError(t, err)
		synctest.Wait()

		second := openStreams(t, s.manager, time.Hour, value, 1)
		_, err = elsewhere.RevokeUser(t.Context(), s.google.Subject(alice))
		require.NoError(t, err)
		require.NoError(t, over(second[0]), "nothing has told this server")
		release()
		requireEnded(t, append(first, second...), googlesession.ErrNoSession)
	})
}

// An answer from before a user became an administrator does not end a stream that was
// opened afterwards.
func TestStreamThatJoinsAsAnAdminDuringAQuestion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, held, _ := heldSite(t)
		value, id := cookie(t, s.signIn(t, alice), sessionCookie), s.google.Subject(alice)
		s.signIn(t, "bob@gmail.com")
		_, err := s.manager.SetAccess(t.Context(), s.google.Subject("bob@gmail.com"), promote) // another administrator, who stays one
		require.NoError(t, err)
		first := openStreams(t, s.manager, time.Hour, value, 1)
		release := held.holdNext()
		_, err = s.manager.SetAccess(t.Context(), id, demote) // this wakes the watch, while alice is not an administrator
		require.NoError(t, err)
		synctest.Wait()
		_, err = s.manager.SetAccess(t.Context(), id, promote)
		require.NoError(t, err)
		second := openStreams(t, s.manager, time.Hour, value, 1)
		release()
		require.NoError(t, over(second[0]))
		require.NoError(t, over(first[0]))

		_, err = s.manager.SetAccess(t.Context(), id, demote)
		require.NoError(t, err)
		for _, ended := range append(first, second...) {
			d, ok := errors.AsType[googlesession.Denial](over(ended))
			require.True(t, ok)
			require.Equal(t, googlesession.CodeNotAdmin, d.Code)
		}
	})
}

// A stream ends too if it joins after its session has ended, while the handler of another
// stream has not yet returned.
func TestStreamThatJoinsAnEndedSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, nil)
		value := cookie(t, s.signIn(t, alice), sessionCookie)
		finish, running, finished := make(chan struct{}), make(chan struct{}), make(chan struct{})
		request := func() *http.Request {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, origin+"/events", nil)
			r.AddCookie(&http.Cookie{Name: sessionCookie, Value: value})
			return r
		}
		lingers := inside(s.manager, time.Hour)(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
			close(running)
			<-finish
		}))
		go func() {
			lingers.ServeHTTP(httptest.NewRecorder(), request())
			close(finished)
		}()
		<-running
		ended := stream(t, func(h http.Handler) http.Handler {
			stream := s.manager.EndWithSession(time.Hour)(h)
			return s.manager.RequireUser(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if _, err := s.manager.RevokeAll(r.Context()); err == nil {
					advance(time.Second) // until the others have been told
					stream.ServeHTTP(w, r)
				}
			}))
		}, value)
		require.ErrorIs(t, over(ended), googlesession.ErrNoSession)
		close(finish)
		<-finished
	})
}

// Each stream of a session gets its own recheck or a shorter one.
func TestStreamsWithDifferentRechecks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, func(c *googlesession.Config) { c.IdleTimeout = 10 * time.Hour })
		value := cookie(t, s.signIn(t, alice), sessionCookie)
		openStreams(t, s.manager, time.Hour, value, 1)
		count := func(d time.Duration) int {
			before := s.store.count("CheckSession")
			advance(d)
			synctest.Wait()
			return s.store.count("CheckSession") - before
		}
		require.Equal(t, 0, count(30*time.Minute))
		ctx, hangUp := context.WithCancel(t.Context())
		left := streamUntil(ctx, t, inside(s.manager, 10*time.Second), value)
		require.Equal(t, 60, count(10*time.Minute+time.Second))
		hangUp()
		<-left
		require.LessOrEqual(t, count(2*time.Hour), 3, "the quick one has left")
		_, err := s.manager.RevokeAll(t.Context())
		require.NoError(t, err)
	})
}

// streamUntil opens a stream whose client leaves when ctx is done. It closes left when the
// handler has returned.
func streamUntil(ctx context.Context, t *testing.T, guard func(http.Handler) http.Handler, value string) (left <-chan struct{}) {
	t.Helper()
	running, gone := make(chan struct{}), make(chan struct{})
	h := guard(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(running)
		<-r.Context().Done()
	}))
	r := httptest.NewRequestWithContext(ctx, http.MethodGet, origin+"/events", nil)
	r.AddCookie(&http.Cookie{Name: sessionCookie, Value: value})
	go func() {
		h.ServeHTTP(httptest.NewRecorder(), r)
		close(gone)
	}()
	<-running
	synctest.Wait() // wait until the watcher sleeps
	return gone
}

// The goroutine that watches over a session ends with the last stream, in whichever order
// they leave. synctest fails on a goroutine that stays.
func TestWatcherEndsWithTheLastStream(t *testing.T) {
	for _, order := range [][]int{{0, 1, 2}, {2, 1, 0}, {1, 0, 2}} {
		t.Run(fmt.Sprint(order), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t, func(c *googlesession.Config) { c.IdleTimeout = 10 * time.Hour })
				value := cookie(t, s.signIn(t, alice), sessionCookie)
				var leave [3]context.CancelFunc
				var left [3]<-chan struct{}
				for i := range leave {
					var ctx context.Context
					ctx, leave[i] = context.WithCancel(t.Context())
					left[i] = streamUntil(ctx, t, inside(s.manager, time.Minute), value)
				}
				for n, i := range order {
					before := s.store.count("CheckSession")
					advance(10*time.Minute + time.Second)
					require.Equal(t, 10, s.store.count("CheckSession")-before, "with %d streams", 3-n)
					leave[i]()
					<-left[i]
				}
				before := s.store.count("CheckSession")
				advance(time.Hour)
				require.Equal(t, before, s.store.count("CheckSession"))

				openStreams(t, s.manager, time.Minute, value, 1) // a new watcher begins
				_, err := s.manager.RevokeAll(t.Context())
				require.NoError(t, err)
			})
		})
	}
}

// The limit of streams counts all sessions of a user, and each user has a limit of their own.
func TestMaxStreams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, func(c *googlesession.Config) { c.MaxStreams = 3 })
		phone, laptop := cookie(t, s.signIn(t, alice), sessionCookie), cookie(t, s.signIn(t, alice), sessionCookie)
		guard := inside(s.manager, time.Hour)
		list := append(openStreams(t, s.manager, time.Hour, phone, 1), openStreams(t, s.manager, time.Hour, laptop, 1)...)
		ctx, hangUp := context.WithCancel(t.Context())
		left := streamUntil(ctx, t, guard, phone)

		for _, value := range []string{phone, laptop} {
			a := serve(t, guard(http.NotFoundHandler()), http.MethodGet, "/events", "", "Cookie", sessionCookie+"="+value)
			require.Equal(t, http.StatusTooManyRequests, a.status)
			require.Equal(t, googlesession.CodeTooManyStreams, a.code(t))
		}
		other := openStreams(t, s.manager, time.Hour, cookie(t, s.signIn(t, "bob@gmail.com"), sessionCookie), 3)
		hangUp()
		<-left
		list = append(list, openStreams(t, s.manager, time.Hour, phone, 1)...)

		_, err := s.manager.RevokeAll(t.Context())
		require.NoError(t, err)
		requireEnded(t, append(list, other...), googlesession.ErrNoSession)
	})
}

// Streams of one user come, go and end at the same time, for the race detector.
func TestStreamsAtOnce(t *testing.T) {
	s := newSite(t, nil)
	for range 20 {
		var values []string
		for range 3 {
			values = append(values, cookie(t, s.signIn(t, alice), sessionCookie))
		}
		ctx, hangUp := context.WithCancel(t.Context())
		h := inside(s.manager, time.Second)(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
		var wg sync.WaitGroup
		for i := range 60 {
			wg.Go(func() {
				own := ctx
				if i%3 == 0 { // this one leaves soon
					var cancel context.CancelFunc
					own, cancel = context.WithTimeout(ctx, time.Duration(i)*100*time.Microsecond)
					defer cancel()
				}
				r := httptest.NewRequestWithContext(own, http.MethodGet, origin+"/events", nil)
				r.AddCookie(&http.Cookie{Name: sessionCookie, Value: values[i%2]})
				h.ServeHTTP(httptest.NewRecorder(), r)
			})
		}
		wg.Go(func() {
			for range 10 {
				_, _ = s.manager.SetAccess(t.Context(), s.google.Subject(alice), promote)
				_, _ = s.manager.SetAccess(t.Context(), s.google.Subject(alice), demote)
			}
			_, _ = s.manager.RevokeUser(t.Context(), s.google.Subject(alice))
		})
		wg.Wait() // all of them have ended, by the revocation or before it
		hangUp()
	}
}

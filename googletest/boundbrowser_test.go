package googletest_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession/googletest"
)

// inBubble runs a test with a server and a browser in a bubble.
func inBubble(t *testing.T, f func(t *testing.T, s *boundServer, b *googletest.BoundBrowser)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		g := googletest.NewGoogle(client)
		s := newBoundServer(g)
		f(t, s, g.BoundBrowser(s))
	})
}

// page gets a page and returns the status and the text.
func page(t *testing.T, c *http.Client, header ...string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, googletest.Origin+"/hello", http.NoBody)
	require.NoError(t, err)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	res, err := c.Do(r)
	require.NoError(t, err)
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return strings.TrimSpace(res.Status[:3] + " " + string(body))
}

func after(d time.Duration) { time.Sleep(d) } //nolint:forbidigo // synctest

func signIn(t *testing.T, b *googletest.BoundBrowser) *http.Client {
	t.Helper()
	return b.SignIn(t, "/api/login", "ada@example.com")
}

// The browser registers, refreshes when two minutes are left, and signs only new challenges.
func TestBoundBrowserWire(t *testing.T) {
	inBubble(t, func(t *testing.T, s *boundServer, b *googletest.BoundBrowser) {
		ada := signIn(t, b)
		require.Same(t, b.Client(), ada)
		require.Equal(t, []string{"GET /api/login 200", "POST /api/login 200", "POST /dbsc/register 200 proof"}, s.taken())
		require.Len(t, b.Sessions(), 1)

		require.Equal(t, "200 bound", page(t, ada), "the first cookie lives a minute, so it is refreshed")
		require.Equal(t, []string{"POST /dbsc/refresh 403", "POST /dbsc/refresh 200 proof", "GET /hello 200"}, s.taken())
		after(8*time.Minute - time.Millisecond)
		require.Equal(t, "200 bound", page(t, ada))
		require.Equal(t, []string{"GET /hello 200"}, s.taken(), "more than two minutes are left")
		after(time.Millisecond)
		require.Equal(t, "200 bound", page(t, ada))
		require.Equal(t, []string{"POST /dbsc/refresh 403 proof", "POST /dbsc/refresh 200 proof", "GET /hello 200"}, s.taken())
		require.Equal(t, s.proofs[1], s.proofs[2], "the first challenge's proof is sent again")
		require.NotEqual(t, s.proofs[2], s.proofs[3])

		for i, r := range s.posts {
			require.Equal(t, int64(0), r.ContentLength)
			require.Equal(t, googletest.Origin, r.Header.Get("Origin"))
			require.Equal(t, "same-origin", r.Header.Get("Sec-Fetch-Site"))
			require.Equal(t, "no-cors", r.Header.Get("Sec-Fetch-Mode"))
			require.Len(t, r.CookiesNamed("__Host-Http-session"), 1)
			require.Equal(t, i > 0, r.Header.Get("Sec-Secure-Session-Id") == b.Sessions()[0])
		}
		require.Equal(t, []string{"registered ", "refreshed ", "refreshed "}, firstWords(b.History()))
		require.Empty(t, s.skipped)
	})
}

// firstWords cuts off what follows the first word of each line.
func firstWords(lines []string) []string {
	words := make([]string, 0, len(lines))
	for _, line := range lines {
		words = append(words, line[:strings.Index(line+" ", " ")+1])
	}
	return words
}

// A copy of the cookies is good until the bound cookie in it ends.
func TestBoundBrowserTheft(t *testing.T) {
	inBubble(t, func(t *testing.T, s *boundServer, b *googletest.BoundBrowser) {
		ada := signIn(t, b)
		early := b.Steal()
		require.Equal(t, "200 unbound", page(t, early))
		require.Equal(t, "200 bound", page(t, ada))
		late := b.Steal()
		require.Equal(t, "200 bound", page(t, early), "its cookie is still good")
		after(90 * time.Second)
		require.Equal(t, "401", page(t, early))
		require.Equal(t, "200 bound", page(t, late))
		after(9 * time.Minute)
		require.Equal(t, "200 bound", page(t, ada))
		require.Equal(t, "401", page(t, late), "the cookie has expired in the thief's jar")
		require.Equal(t, "200 bound", page(t, ada))
	})
}

// The zero quota and browsers without the protocol leave a session unbound.
func TestBoundBrowserQuota(t *testing.T) {
	inBubble(t, func(t *testing.T, s *boundServer, b *googletest.BoundBrowser) {
		b.Quota(2)
		ada := signIn(t, b)
		require.Equal(t, "200 bound", page(t, ada))
		signIn(t, b)
		require.Equal(t, "not registered: quota_exceeded", b.History()[2])
		require.Equal(t, "200 unbound", page(t, ada), "the new session")
		require.Empty(t, b.Sessions(), "the refresh had the cookie of the new session, so it ended the old one")

		after(9 * time.Minute)
		ada = signIn(t, b)
		require.Equal(t, "200 bound", page(t, ada))
		after(8 * time.Minute)
		require.Equal(t, "200 bound", page(t, ada))
		require.Empty(t, s.skipped, "the cookie has two minutes left")
		after(2 * time.Minute)
		b.Quota(0)
		require.Equal(t, "401", page(t, ada))
		require.Equal(t, []string{`quota_exceeded;session_identifier="` + b.Sessions()[0] + `"`}, s.skipped)
		b.Quota(6)
		require.Equal(t, "200 bound", page(t, ada))
	})
}

// The requests of several tabs wait for one refresh.
func TestBoundBrowserRefreshesOnce(t *testing.T) {
	inBubble(t, func(t *testing.T, s *boundServer, b *googletest.BoundBrowser) {
		ada := signIn(t, b)
		s.taken()
		b.Hold()
		ctx, cancel := context.WithCancel(t.Context())
		first := make(chan error, 1)
		go func() {
			r, err := http.NewRequestWithContext(ctx, http.MethodGet, googletest.Origin+"/hello", http.NoBody)
			if err == nil {
				_, err = ada.Do(r)
			}
			first <- err
		}()
		synctest.Wait()
		var wg sync.WaitGroup
		answers := make([]string, 20)
		for i := range answers {
			wg.Go(func() {
				res, err := ada.Get(googletest.Origin + "/hello")
				if err == nil {
					answers[i] = res.Status
					_ = res.Body.Close()
				}
			})
		}
		synctest.Wait()
		require.Empty(t, s.taken())
		cancel()
		require.ErrorIs(t, <-first, context.Canceled)
		b.Release()
		wg.Wait()
		for _, answer := range answers {
			require.Equal(t, "200 OK", answer)
		}
		log := s.taken()
		require.Len(t, log, 22)
		require.Equal(t, []string{"POST /dbsc/refresh 403", "POST /dbsc/refresh 200 proof"}, log[:2])
	})
}

// A request during the registration has no bound cookie.
func TestBoundBrowserHoldsRegistration(t *testing.T) {
	inBubble(t, func(t *testing.T, s *boundServer, b *googletest.BoundBrowser) {
		b.Hold()
		ada := signIn(t, b)
		require.Equal(t, "200 unbound", page(t, ada))
		b.Hold() // changes nothing
		require.Empty(t, b.Sessions())
		b.Release()
		require.Len(t, b.Sessions(), 1)
		require.Equal(t, "200 bound", page(t, ada))
		b.Release()
	})
}

// Each sign-in registers a session of its own, and a refresh ends the older one.
func TestBoundBrowserSignsInAgain(t *testing.T) {
	inBubble(t, func(t *testing.T, s *boundServer, b *googletest.BoundBrowser) {
		ada := signIn(t, b)
		old := b.Sessions()[0]
		require.Equal(t, "200 bound", page(t, ada))
		signIn(t, b)
		require.Len(t, b.Sessions(), 2)
		require.IsIncreasing(t, b.Sessions())
		require.Equal(t, "200 bound", page(t, ada))
		require.Len(t, b.Sessions(), 1)
		require.NotContains(t, b.Sessions(), old)
		require.Contains(t, b.History(), "ended "+old+": the server ended it")
	})
}

package googletest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"time"
)

// Chromium's limits.
const (
	refreshEarly     = 2 * time.Minute // a cookie with as much left, or less, is refreshed
	refreshTimeout   = 20 * time.Second
	maxChallenges    = 4 // in one refresh
	quotaPeriod      = 9 * time.Minute
	failuresNoPause  = 3 // server errors in a row before the first pause
	firstPause       = 500 * time.Millisecond
	longestPause     = 8 * time.Minute
	longestBoundBody = 1 << 20
)

// These are the reasons in Secure-Session-Skipped.
var (
	errUnreachable   = errors.New("unreachable")
	errServerError   = errors.New("server_error")
	errQuotaExceeded = errors.New("quota_exceeded")
)

// A refreshing is a refresh under way, for which requests wait.
type refreshing struct {
	early bool          // the cookie is still there
	done  chan struct{} // closed after the fields below are set
	why   error         // one of the reasons above; nil if the session was refreshed or ended
	err   error         // why the request that refreshes ended before the refresh did
}

// refreshFor refreshes the sessions whose cookies the request needs. It returns the members
// of Secure-Session-Skipped. It fails if the request's context ends.
func (b *BoundBrowser) refreshFor(r *http.Request) (skipped []string, err error) {
	results := make(map[string]error) // by session, because a request refreshes a session once
	early := b.endSoon(r)
	for {
		s, f, first := b.nextRefresh(r, early, results)
		if s == nil {
			break
		}
		if first {
			f.why, f.err = b.refresh(r, s)
			b.finishRefresh(s, f)
		} else {
			select {
			case <-f.done:
			case <-r.Context().Done():
				return nil, context.Cause(r.Context())
			}
		}
		switch {
		case f.err == nil:
			results[s.id] = f.why
		case first:
			return nil, f.err
		}
	}

	b.mu.Lock()
	defer b.mu.Unlock()
	for _, s := range b.sessions {
		if why := results[s.id]; why != nil && s.timeLeft(b.jar, r) <= 0 {
			skipped = append(skipped, fmt.Sprintf("%v;session_identifier=%q", why, s.id))
		}
	}
	return skipped, nil
}

// endSoon returns the sessions whose cookies are to be refreshed before they expire, with how
// often each was refreshed until now. If two sessions have the same cookie, Chromium
// refreshes both, and so the server can end one.
func (b *BoundBrowser) endSoon(r *http.Request) map[*boundSession]int {
	b.mu.Lock()
	defer b.mu.Unlock()
	early := make(map[*boundSession]int)
	for _, s := range b.sessions {
		left := s.timeLeft(b.jar, r)
		if s.covers(r) && !s.triedEarly && 0 < left && left <= refreshEarly {
			early[s] = s.refreshes
		}
	}
	return early
}

// nextRefresh returns a session that the request has to refresh, or nil. It returns true if
// the caller has to do it, and false if the caller has to wait for f.
func (b *BoundBrowser) nextRefresh(r *http.Request, early map[*boundSession]int, results map[string]error) (s *boundSession, f *refreshing, first bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, s := range b.sessions {
		_, done := results[s.id]
		refreshes, soon := early[s]
		left := s.timeLeft(b.jar, r)
		switch {
		case done || !s.covers(r) || left > 0 && (!soon || refreshes != s.refreshes):
			continue
		case s.refreshing != nil:
			return s, s.refreshing, false
		}
		s.refreshing = &refreshing{early: left > 0, done: make(chan struct{})}
		return s, s.refreshing, true
	}
	return nil, nil, false
}

// finishRefresh lets the requests go on that wait for the refresh.
func (b *BoundBrowser) finishRefresh(s *boundSession, f *refreshing) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if f.why != nil {
		b.record("not refreshed", s.id, f.why)
		s.triedEarly = s.triedEarly || f.early
	}
	s.refreshing = nil
	close(f.done)
}

// refresh refreshes or ends a session. It returns the reason if it does neither, and an
// error if the request's context ends.
func (b *BoundBrowser) refresh(r *http.Request, s *boundSession) (why, err error) {
	if err := b.wait(r.Context()); err != nil {
		return nil, err
	}
	b.mu.Lock()
	pause, challenge := time.Until(s.retryAt), s.challenge
	b.mu.Unlock()
	if pause > 0 {
		return errUnreachable, nil
	}

	ctx, cancel := context.WithTimeout(r.Context(), refreshTimeout)
	defer cancel()
	for n := 0; ; {
		var proof string
		if challenge != "" {
			if n++; n > maxChallenges {
				b.end(s, errors.New("too many challenges"))
				return nil, nil
			}
			if proof = b.proveRefresh(s, challenge); proof == "" {
				return errQuotaExceeded, nil
			}
		}
		status, body, header, err := b.post(ctx, r, s.refreshURL, s.id, proof)
		if err != nil && r.Context().Err() != nil {
			return nil, context.Cause(r.Context())
		}
		b.mu.Lock()
		challenge = s.challenge
		b.mu.Unlock()
		switch {
		case err != nil || status == http.StatusProxyAuthRequired:
			return errUnreachable, nil
		case status >= 500:
			b.failed(s)
			return errServerError, nil
		case status == http.StatusForbidden && challenge != "":
		case status >= 300:
			b.end(s, fmt.Errorf("status %d", status))
			return nil, nil
		default:
			b.refreshed(s, body, header)
			return nil, nil
		}
	}
}

// refreshed applies the body of a successful refresh.
func (b *BoundBrowser) refreshed(s *boundSession, body []byte, header http.Header) {
	next := s
	if len(body) > 0 {
		var err error
		next, err = parseBoundSession(s.refreshURL, body)
		if err == nil && next.id != s.id {
			err = errors.New("session_identifier is that of another session")
		}
		if err != nil {
			b.end(s, err)
			return
		}
		next.key, next.proof, next.proves = s.key, s.proof, s.proves
		next.keepChallenge(header) // the older challenge of s is forgotten, as in Chromium
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if !slices.Contains(b.sessions, s) {
		return // a registration with the same identifier has replaced the session
	}
	next.refreshes, next.failures, next.retryAt, next.triedEarly = s.refreshes+1, 0, time.Time{}, false
	b.put(next)
	b.record("refreshed", s.id, nil)
}

// failed counts a server error and sets the pause after it.
func (b *BoundBrowser) failed(s *boundSession) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s.failures++
	if n := s.failures - failuresNoPause; n > 0 {
		pause := min(float64(firstPause)*math.Pow(1.5, float64(n-1)), float64(longestPause))
		s.retryAt = time.Now().Add(time.Duration(pause))
	}
}

// end ends a session. Its cookies stay.
func (b *BoundBrowser) end(s *boundSession, why error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if i := slices.Index(b.sessions, s); i >= 0 {
		b.sessions = slices.Delete(b.sessions, i, i+1)
		b.record("ended", s.id, why)
	}
}

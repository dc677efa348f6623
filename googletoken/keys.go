package googletoken

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/googlesession/googlesession"
)

// certsURL is the address of the public keys of Google accounts, a JWK set. This package
// sends requests to no other address. idtoken has it as a constant too.
const certsURL = "https://www.googleapis.com/oauth2/v3/certs"

const (
	fetchTimeout = 10 * time.Second
	maxBody      = 1 << 20
	maxHeader    = 64 << 10

	minFresh = 5 * time.Minute // keys are fresh for at least this long
	maxFresh = 24 * time.Hour
	maxStale = 24 * time.Hour // how long keys that are not fresh any more are used while fetching fails

	minRetry  = 10 * time.Second // the wait after a failed fetch, doubled with each failure up to maxRetry
	maxRetry  = time.Minute
	forcedGap = time.Minute // the least time between forced fetches, which look for an unknown kid while the keys are fresh

	maxMissing = 256 // how many unknown kids are remembered; that of a token has at most maxKid bytes
)

// A keySource holds Google's current keys. idtoken has a cache too, but each keySet has an
// idtoken.Validator of its own, so that cache cannot outlive the keySet.
//
// A keySource fetches the keys when they are no longer fresh, and when a token names an
// unknown key, as happens when Google begins to use a new key early. During an outage of
// Google it uses the keys that it has for [maxStale].
//
// It reports that Google does not have a key only if Google said so after the kid was
// first seen. Otherwise it reports an outage, because the token may be good. Invented
// kids cause at most one fetch per [forcedGap]. Each fetch brings all keys that Google
// has, so a good token is accepted after forcedGap at most, even if invented kids cause
// every fetch.
type keySource struct {
	client http.Client

	mu         sync.Mutex
	set        *keySet           // from the latest successful fetch; nil before the first
	begun      int               // number of fetches that have begun
	pending    chan struct{}     // closed at the end of the fetch under way; nil if there is none
	nextForced time.Time         // no forced fetch begins before this
	nextRetry  time.Time         // no fetch begins before this, because the latest one failed
	failures   int               // number of failures since the latest success
	lastErr    error             // error of the latest fetch; nil if it succeeded
	missing    map[string]moment // unknown kids, with when each was first seen
}

// A moment is a time and the number of fetches that had begun by then. The number orders
// what happens within one tick of the clock.
type moment struct {
	begun int // number of fetches that had begun
	at    time.Time
}

// now returns the current moment. The caller has locked mu.
func (s *keySource) now() moment { return moment{s.begun, time.Now()} }

// newKeySource returns a keySource without fetching keys. It returns an error if idtoken
// refuses the environment, for example because a client certificate cannot be read.
func newKeySource(client *http.Client) (*keySource, error) {
	if _, err := newValidator(context.Background(), nil); err != nil {
		return nil, err
	}
	if client == nil {
		client = &http.Client{Transport: &http.Transport{
			Proxy:                  http.ProxyFromEnvironment,
			ForceAttemptHTTP2:      true,
			DisableKeepAlives:      true, // the next request is hours away
			MaxResponseHeaderBytes: maxHeader,
		}, Timeout: fetchTimeout}
	}
	s := &keySource{client: *client}
	s.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return s, nil
}

// find returns a key set that has kid. It returns a TokenError if Google has no such key.
// Any other error wraps ErrUnavailable and means that Google may have the key. find waits
// for a fetch, its own or another caller's, until ctx ends.
//
// flaw is the error with which the token would be refused under any key, or nil. If kid is
// unknown, find returns the flaw and does not look for the key.
func (s *keySource) find(ctx context.Context, kid string, flaw error) (*keySet, error) {
	s.mu.Lock()
	arrived := s.now()
	s.mu.Unlock()
	for {
		set, pending, err := s.decide(ctx, kid, arrived, flaw)
		if pending == nil {
			return set, err
		}
		select {
		case <-pending:
		case <-ctx.Done():
			return nil, fmt.Errorf("%w: waiting for Google's keys: %w", googlesession.ErrUnavailable, ctx.Err())
		}
	}
}

// decide answers from the keys at hand, or returns a channel that is closed at the end of
// a fetch. The caller then calls decide again. decide begins a fetch only if nextRetry
// and nextForced allow one. Each fetch moves one of these two times or brings fresh keys,
// so find calls decide at most three times, or more often only if minutes pass meanwhile.
func (s *keySource) decide(ctx context.Context, kid string, arrived moment, flaw error) (set *keySet, pending chan struct{}, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	fresh := s.set != nil && now.Before(s.set.freshUntil)
	known := s.set != nil && s.set.keys[kid] != nil
	first := arrived
	switch {
	case fresh && known:
		return s.set, nil, nil
	case !known && flaw != nil:
		return nil, nil, flaw
	case !known && s.set.isAfter(arrived):
		return nil, nil, errNoSuchKey()
	case !known:
		first = s.remember(kid, arrived)
	}

	switch {
	case s.pending != nil:
		return nil, s.pending, nil
	case now.Before(s.nextRetry), fresh && now.Before(s.nextForced):
		// It is too soon for another fetch.
	default:
		if fresh {
			s.nextForced = now.Add(forcedGap)
		}
		s.begun++
		s.pending = make(chan struct{})
		// The fetch is for all callers that wait, so it does not end with ctx.
		go s.fetch(context.WithoutCancel(ctx), s.begun)
		return nil, s.pending, nil
	}

	switch {
	case s.set == nil || !now.Before(s.set.freshUntil.Add(maxStale)):
		return nil, nil, fmt.Errorf("%w: fetching Google's keys: %w", googlesession.ErrUnavailable, s.lastErr)
	case known:
		return s.set, nil, nil
	case s.lastErr != nil:
		return nil, nil, fmt.Errorf("%w: looking for a key: fetching Google's keys: %w", googlesession.ErrUnavailable, s.lastErr)
	case s.set.isAfter(first):
		return nil, nil, errNoSuchKey()
	}
	return nil, nil, fmt.Errorf("%w: Google was asked less than %v ago", googlesession.ErrUnknownKey, forcedGap)
}

// remember returns when the unknown kid was first seen, which is now if it is not
// remembered yet. Invented kids can push another kid out. The next token with that kid then
// gets ErrUnknownKey once more.
func (s *keySource) remember(kid string, now moment) moment {
	if first, ok := s.missing[kid]; ok {
		return first
	}
	if s.missing == nil {
		s.missing = make(map[string]moment)
	}
	for other := range s.missing {
		if len(s.missing) < maxMissing {
			break
		}
		delete(s.missing, other)
	}
	s.missing[strings.Clone(kid)] = now // cloned, so that kid does not keep the header in memory
	return now
}

func errNoSuchKey() error { return refuse(googlesession.ReasonSignature, "Google has no such key") }

// fetch fetches the keys once. Whatever happens, it wakes the callers that wait.
func (s *keySource) fetch(ctx context.Context, number int) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	var set *keySet
	err := errors.New("fetch was aborted") // err keeps this value if the transport ends the goroutine
	defer func() { s.finish(set, err) }()
	err = catchPanic(func() error {
		set, err = s.request(ctx, number)
		return err
	})
}

// finish records the outcome of a fetch and wakes the callers that wait.
func (s *keySource) finish(set *keySet, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil {
		if s.set != nil {
			for kid := range s.set.keys {
				if set.keys[kid] == nil {
					s.remember(kid, moment{s.set.number, s.set.asOf}) // Google has withdrawn the key
				}
			}
		}
		s.set, s.failures, s.lastErr = set, 0, nil
	} else {
		s.lastErr = err
		s.nextRetry = time.Now().Add(min(minRetry<<s.failures, maxRetry))
		s.failures = min(s.failures+1, 8)
	}
	close(s.pending)
	s.pending = nil
}

// request asks Google for its keys once. It returns an error for any response that is not
// a set of usable keys, so that such a response never replaces good keys.
func (s *keySource) request(ctx context.Context, number int) (*keySet, error) {
	asked := time.Now()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, certsURL, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/json")
	// no-cache makes a cache on the way ask Google (RFC 9111, section 5.2.1.4).
	req.Header.Set("Cache-Control", "no-cache")
	resp, err := s.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK { // a redirect is an error too
		return nil, fmt.Errorf("status %d", resp.StatusCode)
	}
	media, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if err != nil || media != "application/json" && media != "application/jwk-set+json" {
		return nil, errors.New("Content-Type is not JSON")
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	if err != nil {
		return nil, err
	}
	if len(body) > maxBody {
		return nil, errors.New("body is larger than 1 MiB")
	}
	keys, err := parseKeys(body)
	if err != nil {
		return nil, err
	}
	validator, err := newValidator(ctx, keys)
	if err != nil {
		return nil, err
	}
	return &keySet{
		keys:       keys,
		validator:  validator,
		number:     number,
		asOf:       asked.Add(-age(resp.Header)),
		freshUntil: asked.Add(freshness(resp.Header)),
	}, nil
}

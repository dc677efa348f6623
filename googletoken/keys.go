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

// certsURL has the public keys of Google accounts, as a JWK set. It is the only
// address that is ever asked, and idtoken has it as a constant too.
const certsURL = "https://www.googleapis.com/oauth2/v3/certs"

const (
	fetchTimeout = 10 * time.Second
	maxBody      = 1 << 20
	maxHeader    = 64 << 10

	minLife  = 5 * time.Minute
	maxLife  = 24 * time.Hour
	maxStale = 24 * time.Hour // after that, while fetching fails

	minRetry = 10 * time.Second // after a failure, doubled with each further one
	maxRetry = time.Minute
	forceGap = time.Minute // between fetches for a kid that the keys at hand lack

	maxMissing = 256 // kids that are remembered; one has at most maxKid bytes
)

// keySource has Google's current keys. It is the only authority on them: idtoken
// has a cache of its own, but one for each keySet, which goes with it.
//
// It asks Google when the keys have reached the end of their life, and when a
// token names a key that is not among them, as happens when Google begins to use
// a new one early. While Google does not answer, it goes on with the keys it has
// for [maxStale].
//
// It says that Google has no such key only if Google said so after the kid was
// first seen. Everything else is an outage, because the token may be good. Invented
// kids cause one fetch in [forceGap]. That fetch brings every key that Google has,
// so the bearer of a good token waits for no longer than that, even if strangers cause
// every fetch.
type keySource struct {
	client http.Client

	mu       sync.Mutex
	set      *keySet           // the newest good one; nil before the first
	begun    int               // fetches that have begun
	pending  chan struct{}     // closed at the end of the fetch under way; nil without one
	forceAt  time.Time         // no fetch for an unknown kid before this
	retryAt  time.Time         // no fetch at all before this: the last one failed
	failures int               // since the last success
	failed   error             // why the newest fetch failed; nil if it did not
	missing  map[string]moment // when a kid was first seen that the keys lack
}

// moment is a time, and its place among the fetches. A clock alone cannot order
// what happens within one of its ticks.
type moment struct {
	begun int // fetches that had begun
	at    time.Time
}

// now is called with mu locked.
func (s *keySource) now() moment { return moment{s.begun, time.Now()} }

// newKeySource fetches nothing. An error means that the environment makes idtoken
// refuse to start, such as a client certificate that cannot be read.
func newKeySource(client *http.Client) (*keySource, error) {
	if _, err := newValidator(context.Background(), nil); err != nil {
		return nil, err
	}
	if client == nil {
		client = &http.Client{Transport: &http.Transport{
			Proxy:                  http.ProxyFromEnvironment,
			ForceAttemptHTTP2:      true,
			DisableKeepAlives:      true, // one request in hours: no connection waits for the next
			MaxResponseHeaderBytes: maxHeader,
		}, Timeout: fetchTimeout}
	}
	s := &keySource{client: *client}
	s.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return s, nil
}

// find returns a key set that has kid. A TokenError means that Google has no such
// key. Any other error wraps ErrUnavailable: Google may have it. find waits for a
// fetch, its own or another caller's, until ctx ends.
//
// flaw is the error that the token deserves under any key, or nil. A token with a
// flaw is refused with it rather than looked for.
func (s *keySource) find(ctx context.Context, kid string, flaw error) (*keySet, error) {
	s.mu.Lock()
	arrived := s.now()
	s.mu.Unlock()
	for {
		set, pending, err := s.look(ctx, kid, arrived, flaw)
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

// look decides by the keys at hand, or returns the fetch to wait for before
// looking again. It begins one only if retryAt and forceAt allow it, and the end
// of each moves one of these or brings fresh keys: find goes round three times at
// most, or as often as a minute passes.
func (s *keySource) look(ctx context.Context, kid string, arrived moment, flaw error) (set *keySet, pending chan struct{}, err error) {
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
		first = s.miss(kid, arrived)
	}

	switch {
	case s.pending != nil:
		return nil, s.pending, nil
	case now.Before(s.retryAt), fresh && now.Before(s.forceAt):
		// Not again so soon.
	default:
		if fresh {
			s.forceAt = now.Add(forceGap)
		}
		s.begun++
		s.pending = make(chan struct{})
		// For everybody who waits now, so not bound to the life of one request.
		go s.fetch(context.WithoutCancel(ctx), s.begun)
		return nil, s.pending, nil
	}

	switch {
	case s.set == nil || !now.Before(s.set.freshUntil.Add(maxStale)):
		return nil, nil, fmt.Errorf("%w: fetching Google's keys: %w", googlesession.ErrUnavailable, s.failed)
	case known:
		return s.set, nil, nil
	case s.failed != nil:
		return nil, nil, fmt.Errorf("%w: looking for a key: fetching Google's keys: %w", googlesession.ErrUnavailable, s.failed)
	case s.set.isAfter(first):
		return nil, nil, errNoSuchKey()
	}
	return nil, nil, fmt.Errorf("%w: Google was asked less than %v ago", googlesession.ErrUnknownKey, forceGap)
}

// miss returns when kid was first seen, which is now if it is not remembered.
// Strangers can have any kid forgotten by inventing others. Then the next token
// with it is told to come again once more.
func (s *keySource) miss(kid string, now moment) moment {
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
	s.missing[strings.Clone(kid)] = now // not a piece of the whole header
	return now
}

func errNoSuchKey() error { return refuse(googlesession.ReasonSignature, "no such key") }

// fetch asks Google once and lets those who wait look again, whatever happens.
func (s *keySource) fetch(ctx context.Context, number int) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	var set *keySet
	err := errors.New("cut short") // the client's transport has ended this goroutine
	defer func() { s.finish(set, err) }()
	err = recovered(func() error {
		set, err = s.ask(ctx, number)
		return err
	})
}

func (s *keySource) finish(set *keySet, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil {
		if s.set != nil {
			for kid := range s.set.keys {
				if set.keys[kid] == nil {
					s.miss(kid, moment{s.set.number, s.set.asOf}) // withdrawn
				}
			}
		}
		s.set, s.failures, s.failed = set, 0, nil
	} else {
		s.failed = err
		s.retryAt = time.Now().Add(min(minRetry<<s.failures, maxRetry))
		s.failures = min(s.failures+1, 8)
	}
	close(s.pending)
	s.pending = nil
}

// ask makes the request. Whatever is not a set of usable keys is an error, so
// that no strange answer ever replaces good keys.
func (s *keySource) ask(ctx context.Context, number int) (*keySet, error) {
	asked := time.Now()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, certsURL, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/json")
	// RFC 9111, section 5.2.1.4: a cache on the way asks Google as well.
	req.Header.Set("Cache-Control", "no-cache")
	resp, err := s.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK { // a redirect is one of these
		return nil, fmt.Errorf("status %d", resp.StatusCode)
	}
	media, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if err != nil || media != "application/json" && media != "application/jwk-set+json" {
		return nil, errors.New("not JSON by its Content-Type")
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	if err != nil {
		return nil, err
	}
	if len(body) > maxBody {
		return nil, errors.New("more than 1 MiB")
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
		freshUntil: asked.Add(life(resp.Header)),
	}, nil
}

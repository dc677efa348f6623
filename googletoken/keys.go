package googletoken

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
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
)

// keySource has Google's current keys. It is the only authority on them: idtoken
// has a cache of its own, but one for each keySet, which goes with it.
//
// It asks Google when the keys have reached the end of their life, and when a
// token names a key that is not among them, as happens when Google begins to use
// a new one early. While Google does not answer, it goes on with the keys it has
// for [maxStale].
type keySource struct {
	client http.Client

	mu       sync.Mutex
	set      *keySet       // the newest good one; nil before the first
	pending  chan struct{} // closed at the end of the fetch under way; nil if there is none
	forceAt  time.Time     // no fetch for an unknown kid before this
	retryAt  time.Time     // no fetch at all before this: the last one failed
	failures int           // since the last success
	failed   error         // why the last one failed
}

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

// find returns a key set that has kid. If Google has no such key, the error is a
// TokenError; any other wraps ErrUnavailable. It waits for a fetch, its own or
// somebody else's, until ctx ends.
func (s *keySource) find(ctx context.Context, kid string) (*keySet, error) {
	for {
		set, pending, err := s.look(ctx, kid)
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
func (s *keySource) look(ctx context.Context, kid string) (set *keySet, pending chan struct{}, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	fresh := s.set != nil && now.Before(s.set.freshUntil)
	known := s.set != nil && s.set.keys[kid] != nil

	switch {
	case fresh && known:
		return s.set, nil, nil
	case s.pending != nil:
		return nil, s.pending, nil
	case now.Before(s.retryAt), fresh && now.Before(s.forceAt):
		// Not again so soon.
	default:
		if fresh {
			s.forceAt = now.Add(forceGap)
		}
		s.pending = make(chan struct{})
		// For everybody who waits now, so not bound to the life of one request.
		go s.fetch(context.WithoutCancel(ctx))
		return nil, s.pending, nil
	}

	switch {
	case s.set == nil || !now.Before(s.set.freshUntil.Add(maxStale)):
		return nil, nil, fmt.Errorf("%w: fetching Google's keys: %w", googlesession.ErrUnavailable, s.failed)
	case known:
		return s.set, nil, nil
	}
	return nil, nil, refuse(googlesession.ReasonSignature, "no such key")
}

// fetch asks Google once and lets those who wait look again, whatever happens.
func (s *keySource) fetch(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	var set *keySet
	err := errors.New("cut short") // the client's transport has ended this goroutine
	defer func() { s.finish(set, err) }()
	err = recovered(func() error {
		set, err = s.ask(ctx)
		return err
	})
}

func (s *keySource) finish(set *keySet, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil {
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
func (s *keySource) ask(ctx context.Context) (*keySet, error) {
	asked := time.Now()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, certsURL, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/json")
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
	return &keySet{keys: keys, validator: validator, freshUntil: asked.Add(life(resp.Header))}, nil
}

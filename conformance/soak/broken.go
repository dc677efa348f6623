package soak

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/googlesession/googlesession"
)

// A fullStore is a store of sessions and of users.
type fullStore interface {
	googlesession.SessionStore
	googlesession.UserStore
}

// both combines a store of sessions and one of users.
type both struct {
	googlesession.SessionStore
	googlesession.UserStore
}

// breaks maps the name of each mistake to a function that returns a store with that
// mistake. The judge must find every mistake.
var breaks = map[string]func(seed uint64, s both) fullStore{
	// One revocation in a hundred is acknowledged but not carried out.
	"forget": func(seed uint64, s both) fullStore {
		return &forgetful{both: s, random: rand.New(rand.NewPCG(seed, 0))} //nolint:gosec // the random numbers choose what the store forgets and are not secrets
	},
	// A check may be answered from a cache entry that is up to 300 ms old.
	"cache": func(_ uint64, s both) fullStore { return &caching{both: s} },
	// During an outage, a check answers that the session has ended.
	"logout": func(_ uint64, s both) fullStore { return &throwing{s} },
	// Tokens from before a deletion or a security event are accepted.
	"replay": func(_ uint64, s both) fullStore { return &credulous{s} },
	// The limit of sessions is ignored.
	"limit": func(_ uint64, s both) fullStore { return &unlimited{s} },
	// A check that exceeds its deadline returns one second too late.
	"slow": func(_ uint64, s both) fullStore { return &slow{s} },
	// Disabling a user ends the sessions but does not refuse later sign-ins.
	"lenient": func(_ uint64, s both) fullStore { return &lenient{s} },
}

// Breaks returns the values of [Options.Break], sorted.
func Breaks() []string { return slices.Sorted(maps.Keys(breaks)) }

func checkBreak(name string) error {
	if name == "" || breaks[name] != nil {
		return nil
	}
	return fmt.Errorf("soak: unknown break %q: there are %s", name, strings.Join(Breaks(), ", "))
}

// breakStores returns stores that make the mistake called name, or s unchanged if name is
// "".
func breakStores(name string, seed uint64, s stores) stores {
	if name == "" {
		return s
	}
	broken := breaks[name](seed, both{s.sessions, s.users})
	if _, shared := s.sessions.(googlesession.UserStore); shared {
		return stores{broken, broken}
	}
	return stores{broken, s.users}
}

type forgetful struct {
	both

	mu     sync.Mutex
	random *rand.Rand
}

func (f *forgetful) forgets() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.random.IntN(100) == 0
}

func (f *forgetful) RevokeSession(ctx context.Context, r googlesession.Ref) (bool, error) {
	if f.forgets() {
		return true, nil
	}
	return f.both.RevokeSession(ctx, r)
}

func (f *forgetful) RevokeUser(ctx context.Context, userID string, keep *googlesession.Ref) (int, error) {
	if f.forgets() {
		return 1, nil
	}
	return f.both.RevokeUser(ctx, userID, keep)
}

type caching struct {
	both

	cache sync.Map // maps a Ref to a value of type cached
}

type cached struct {
	session googlesession.Session
	until   time.Time
}

func (c *caching) CheckSession(ctx context.Context, r googlesession.Ref, touchAfter time.Duration) (googlesession.Session, error) {
	if v, ok := c.cache.Load(r); ok && time.Now().Before(v.(cached).until) {
		return v.(cached).session, nil
	}
	s, err := c.both.CheckSession(ctx, r, touchAfter)
	if err == nil {
		c.cache.Store(r, cached{s, time.Now().Add(300 * time.Millisecond)})
	}
	return s, err
}

type throwing struct{ both }

func (s *throwing) CheckSession(ctx context.Context, r googlesession.Ref, touchAfter time.Duration) (googlesession.Session, error) {
	session, err := s.both.CheckSession(ctx, r, touchAfter)
	if errors.Is(err, googlesession.ErrUnavailable) {
		err = googlesession.ErrNoSession
	}
	return session, err
}

type credulous struct{ both }

// farAhead returns a time that is later than any TokensAfter of a user.
func farAhead() time.Time { return time.Now().Add(time.Hour).Truncate(time.Second) }

func (s *credulous) SignIn(ctx context.Context, id googlesession.Identity) (googlesession.User, error) {
	id.IssuedAt = farAhead()
	return s.both.SignIn(ctx, id)
}

func (s *credulous) CreateSession(ctx context.Context, n googlesession.NewSession) (googlesession.Session, error) {
	n.TokenIssuedAt = farAhead()
	return s.both.CreateSession(ctx, n)
}

type unlimited struct{ both }

func (s *unlimited) CreateSession(ctx context.Context, n googlesession.NewSession) (googlesession.Session, error) {
	n.Max = 0
	return s.both.CreateSession(ctx, n)
}

type slow struct{ both }

func (s *slow) CheckSession(ctx context.Context, r googlesession.Ref, touchAfter time.Duration) (googlesession.Session, error) {
	session, err := s.both.CheckSession(ctx, r, touchAfter)
	if errors.Is(err, context.DeadlineExceeded) {
		pause(context.WithoutCancel(ctx), time.Second)
	}
	return session, err
}

type lenient struct{ both }

func (s *lenient) SetAccess(ctx context.Context, id string, a googlesession.AccessChange) (googlesession.User, error) {
	if a.Disabled == nil || !*a.Disabled {
		return s.both.SetAccess(ctx, id, a)
	}
	if _, err := s.RevokeUser(ctx, id, nil); err != nil {
		return googlesession.User{}, err
	}
	return s.User(ctx, id)
}

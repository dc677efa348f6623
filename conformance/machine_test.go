package conformance_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"
	"pgregory.net/rapid"

	"github.com/googlesession/googlesession"
	memstore "github.com/googlesession/googlesession/store_memory"
	redisstore "github.com/googlesession/googlesession/store_redis"
	sqlstore "github.com/googlesession/googlesession/store_sql"
)

const (
	machineIdle  = time.Minute
	machineTouch = 15 * time.Second
)

// machineLives are the lifetimes of the machine's sessions. The first ends before a session
// can be idle twice. The second is prolonged some times. The third outlives everything that
// the other sessions leave behind.
var machineLives = []time.Duration{90 * time.Second, 4 * time.Minute, time.Hour}

// An action is one step. Its numbers choose among the sessions and values that exist when
// it runs.
type action struct {
	name               string
	pick, other, token int
}

// actions generates up to 200 steps. Two of three check a session or wait for a deadline of
// one of the three latest, because other steps would hardly ever meet a deadline.
func actions() *rapid.Generator[[]action] {
	var names []string
	for name, weight := range map[string]int{"check": 16, "sleep": 11, "create": 7, "revoke": 2, "revokeUser": 2, "put": 4, "swap": 6} {
		names = append(names, slices.Repeat([]string{name}, weight)...)
	}
	slices.Sort(names)
	one := rapid.Custom(func(t *rapid.T) action {
		number := func(label string) int { return rapid.IntRange(0, 59).Draw(t, label) }
		return action{rapid.SampledFrom(names).Draw(t, "name"), number("pick"), number("other"), number("token")}
	})
	return rapid.Custom(func(t *rapid.T) []action {
		n := rapid.SampledFrom([]int{20, 50, 100, 200}).Draw(t, "length")
		return rapid.SliceOfN(one, n, n).Draw(t, "actions")
	})
}

// A machine runs actions on a store and on the model, and compares the results.
type machine struct {
	handles []googlesession.SessionStore
	perUser []int // the cap of sessions of each handle
	now     func() time.Time
	sleep   func(time.Duration)

	user  string
	model timedModel
}

func (m *machine) run(ctx context.Context, all []action) error {
	m.user, m.model = "machine-"+rand.Text(), timedModel{}
	for i, a := range all {
		if err := m.step(ctx, a); err != nil {
			return fmt.Errorf("step %d, %s: %w", i, a.name, err)
		}
	}
	return nil
}

func (m *machine) step(ctx context.Context, a action) error {
	handle := a.other % len(m.handles)
	store, now := m.handles[handle], m.now()
	s := m.pick(a.pick)
	switch {
	case a.name == "create" || s == nil:
		return m.create(ctx, handle, s, a)
	case a.name == "sleep":
		m.sleep(m.duration(s, a.other))
		return nil
	case a.name == "check":
		return m.check(ctx, store, s, []time.Duration{0, machineTouch, time.Hour, googlesession.NeverTouch}[a.other%4])
	case a.name == "revoke":
		was := s.live(now)
		s.over = true
		ended, err := store.RevokeSession(ctx, s.ref)
		if err != nil || was && !ended {
			return fmt.Errorf("ended %v, %w; it was live: %v", ended, err, was)
		}
		return m.list(ctx, store)
	case a.name == "swap":
		return m.swap(ctx, store, s, a)
	case a.name == "revokeUser":
		if a.other%2 == 0 {
			s = nil
		}
		return m.revokeUser(ctx, store, s)
	default:
		u := m.newUser(a)
		want := m.model.put(u)
		m.model.known = now.Add(googlesession.SignInWindow)
		if applied, err := store.PutUser(ctx, u); err != nil || applied != want {
			return fmt.Errorf("version %d, disabled %v: applied %v, %w; want %v", u.Version, u.Disabled, applied, err, want)
		}
		if a.token%12 == 0 { // RevokeUser must not count the sessions that the user record has ended
			return m.revokeUser(ctx, store, nil)
		}
		return m.list(ctx, store)
	}
}

// revokeUser ends all sessions but one.
func (m *machine) revokeUser(ctx context.Context, store googlesession.SessionStore, but *timedSession) error {
	var keep *googlesession.Ref
	if but != nil {
		keep = &but.ref
	}
	before := len(m.model.list(m.now()))
	m.model.end(but)
	n, err := store.RevokeUser(ctx, m.user, keep)
	if want := before - len(m.model.list(m.now())); err != nil || n != want {
		return fmt.Errorf("ended %d, %w; want %d", n, err, want)
	}
	return m.list(ctx, store)
}

// swap binds a session, or tries to with another binding than the session has.
func (m *machine) swap(ctx context.Context, store googlesession.SessionStore, s *timedSession, a action) error {
	old := []string{s.binding, s.binding, "", "a"}[a.token%4]
	next := []string{"", "a", "b\x00 "}[a.other/4%3]
	live, want := s.live(m.now()), s.swap(old, next, m.now())
	swapped, err := store.(googlesession.BindingStore).SwapBinding(ctx, s.ref, old, next)
	switch {
	case !live && !errors.Is(err, googlesession.ErrNoSession) && !errors.Is(err, googlesession.ErrUserDisabled):
		return fmt.Errorf("swapped %v, %w; it ended at %v, now %v, over %v", swapped, err, s.ends, m.now(), s.over)
	case live && (err != nil || swapped != want):
		return fmt.Errorf("from %q to %q: swapped %v, %w; want %v", old, next, swapped, err, want)
	case !live:
		return nil
	}
	return m.list(ctx, store)
}

// create signs in. One sign-in in three replaces s. Some have a limit of sessions, and some
// of these are refused over it.
func (m *machine) create(ctx context.Context, handle int, s *timedSession, a action) error {
	m.sleep(time.Millisecond) // so that no two sessions are created at the same time
	now, u := m.now(), m.newUser(a)
	u.Disabled = u.Disabled && a.pick%2 == 0
	n := googlesession.NewSession{
		Ref:         googlesession.Ref{Tag: googlesession.UserTag(m.user)},
		User:        u,
		MaxLifetime: machineLives[a.pick%len(machineLives)],
		IdleTimeout: machineIdle,
	}
	n.TokenIssuedAt = m.tokenTime(a)
	if n.MaxLifetime > 10*machineIdle {
		n.IdleTimeout = 20 * machineIdle
	}
	_, _ = rand.Read(n.Ref.ID[:]) // it never fails
	if s != nil && a.pick/6%3 == 0 {
		n.Replaces = &s.ref
	}
	mark(&n, s, a)
	n.Max, n.RefuseOverMax = a.pick/18, a.other%5 < 2
	m.model.put(u)
	got, err := m.handles[handle].CreateSession(ctx, n)
	if m.model.disabled || m.model.stale(n.TokenIssuedAt) {
		m.model.known = now.Add(googlesession.SignInWindow)
		want := googlesession.ErrUserDisabled
		if !m.model.disabled {
			want = googlesession.ErrStaleToken
		}
		if !errors.Is(err, want) {
			return fmt.Errorf("%w; want %w", err, want)
		}
		return m.list(ctx, m.handles[handle])
	}
	want := m.model.create(n, now, m.perUser[handle])
	if want == nil {
		m.model.known = now.Add(googlesession.SignInWindow)
		if !errors.Is(err, googlesession.ErrTooManySessions) {
			return fmt.Errorf("%w; want %w", err, googlesession.ErrTooManySessions)
		}
		return m.list(ctx, m.handles[handle])
	}
	if err := m.same(got, err, want, false); err != nil {
		return err
	}
	err = m.list(ctx, m.handles[handle])
	m.sleep(time.Millisecond)
	return err
}

func (m *machine) check(ctx context.Context, store googlesession.SessionStore, s *timedSession, after time.Duration) error {
	now := m.now()
	got, err := store.CheckSession(ctx, s.ref, after)
	if !s.live(now) {
		if !errors.Is(err, googlesession.ErrNoSession) && !errors.Is(err, googlesession.ErrUserDisabled) {
			return fmt.Errorf("admitted, %w; it ended at %v, now %v, over %v", err, s.ends, now, s.over)
		}
		return m.swap(ctx, store, s, action{})
	}
	due := s.due(now, after)
	if due {
		s.touch(now)
		m.sleep(time.Millisecond)
	}
	return m.same(got, err, s, due)
}

func (m *machine) same(got googlesession.Session, err error, want *timedSession, touched bool) error {
	if err != nil {
		return fmt.Errorf("refused, %w; it ends at %v", err, want.ends)
	}
	if got.Ref != want.ref || !got.CreatedAt.Equal(want.created) || !got.SeenAt.Equal(want.seen) || !got.ExpiresAt.Equal(want.ends) {
		return fmt.Errorf("created %v, seen %v, ends %v; want %v, %v, %v", got.CreatedAt, got.SeenAt, got.ExpiresAt, want.created, want.seen, want.ends)
	}
	if !got.TokenIssuedAt.Equal(want.token) || !got.User.TokensAfter.Equal(m.model.after) {
		return fmt.Errorf("token of %v, tokens after %v; want %v, %v", got.TokenIssuedAt, got.User.TokensAfter, want.token, m.model.after)
	}
	if got.PublicID != want.publicID || got.Kind != want.kind {
		return fmt.Errorf("public ID %v, kind %d; want %v, %d", got.PublicID, got.Kind, want.publicID, want.kind)
	}
	if got.Binding != want.binding {
		return fmt.Errorf("binding %q; want %q", got.Binding, want.binding)
	}
	if got.Touched != touched {
		return fmt.Errorf("touched %v; want %v", got.Touched, touched)
	}
	if got.User.Version != m.model.version || got.User.Disabled || got.User.Data != m.model.data {
		return fmt.Errorf("version %d, disabled %v, data %.10q; want %d, %.10q",
			got.User.Version, got.User.Disabled, got.User.Data, m.model.version, m.model.data)
	}
	return nil
}

// list compares which sessions are live, and what only lists have of them.
func (m *machine) list(ctx context.Context, store googlesession.SessionStore) error {
	all, err := store.Sessions(ctx, m.user)
	want := m.model.list(m.now())
	if err != nil || len(all) != len(want) {
		return fmt.Errorf("%d sessions, %w; want %d", len(all), err, len(want))
	}
	for i, s := range want {
		if all[i].Label != s.label {
			return fmt.Errorf("label %q; want %q", all[i].Label, s.label)
		}
		if err := m.same(all[i], nil, s, false); err != nil {
			return fmt.Errorf("session %d of the list: %w", i, err)
		}
	}
	return nil
}

// Random sequences of calls and waits have the same results on a store as in the model.
func TestMachine(t *testing.T) {
	bubble := func(machine func(*testing.T) *machine) func(*testing.T, []action) error {
		return func(t *testing.T, all []action) (err error) {
			synctest.Test(t, func(t *testing.T) { err = machine(t).run(t.Context(), all) })
			return err
		}
	}
	file, clock := newFile(t), newLiteClock()
	lite := &machine{
		handles: []googlesession.SessionStore{
			openStoreAt(t, clock, file, &sqlstore.Options{PerUser: 5}), openStoreAt(t, clock, file, &sqlstore.Options{PerUser: 2}),
		},
		perUser: []int{5, 2},
		now:     clock.Now,
		sleep:   clock.advance,
	}
	for backend, run := range map[string]func(*testing.T, []action) error{
		"memory": bubble(func(*testing.T) *machine {
			store := memstore.New(&memstore.Options{PerUser: 3})
			return &machine{handles: []googlesession.SessionStore{store}, perUser: []int{3}, now: time.Now, sleep: time.Sleep} //nolint:forbidigo // in a bubble
		}),
		"miniredis": bubble(func(t *testing.T) *machine {
			t.Helper()
			return miniMachine(t)
		}),
		"SQLite": func(t *testing.T, all []action) error {
			t.Helper()
			return lite.run(t.Context(), all)
		},
	} {
		t.Run(backend, func(t *testing.T) {
			t.Parallel()
			steps := 0
			rapid.Check(t, func(rt *rapid.T) {
				all := actions().Draw(rt, "actions")
				if err := run(t, all); err != nil {
					rt.Fatal(err)
				}
				steps += len(all)
			})
			record(backend, "steps of the machine with time", steps)
		})
	}
}

// miniMachine returns a machine on an embedded Redis in the bubble.
func miniMachine(t *testing.T, hooks ...redis.Hook) *machine {
	t.Helper()
	mini := newMini()
	t.Cleanup(mini.Close)
	m := &machine{perUser: []int{5, 2}, now: time.Now, sleep: time.Sleep} //nolint:forbidigo // in a bubble
	for _, perUser := range m.perUser {
		m.handles = append(m.handles, openMini(t, mini, &redisstore.Options{PerUser: perUser}, hooks...))
	}
	return m
}

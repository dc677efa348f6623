package conformance_test

import (
	"context"
	"errors"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/storetest"
)

// A toy is a store as its author may begin with: a lock and two maps. It forgets no
// user, which a store that is used must.
type toy struct {
	spares bool // a mistake: who is disabled keeps the sessions

	mu       sync.Mutex
	users    map[string]googlesession.User
	sessions map[googlesession.Ref]*toySession
}

type toySession struct {
	googlesession.Session

	last time.Time // the absolute end
	idle time.Duration
}

func newToy() *toy {
	return &toy{users: make(map[string]googlesession.User), sessions: make(map[googlesession.Ref]*toySession)}
}

func (s *toy) CreateSession(ctx context.Context, n googlesession.NewSession) (googlesession.Session, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	life, idle := n.MaxLifetime.Truncate(time.Millisecond), n.IdleTimeout.Truncate(time.Millisecond)
	switch {
	case refuse(ctx, n.User) != nil:
		return googlesession.Session{}, refuse(ctx, n.User)
	case n.Ref.Tag != googlesession.UserTag(n.User.ID), life <= 0, idle <= 0, n.Max < 0,
		!isText(n.Device.IP, 64), !isText(n.Device.UserAgent, 512), !isTime(n.TokenIssuedAt):
		return googlesession.Session{}, googlesession.ErrUnavailable
	case s.sessions[n.Ref] != nil:
		return googlesession.Session{}, googlesession.ErrExists
	}
	s.apply(n.User)
	switch newest := s.users[n.User.ID]; {
	case newest.Disabled:
		return googlesession.Session{}, googlesession.ErrUserDisabled
	case isStale(n.TokenIssuedAt, newest):
		return googlesession.Session{}, googlesession.ErrStaleToken
	}
	limit := 100
	if n.Max > 0 {
		limit = min(limit, n.Max)
	}
	others := slices.DeleteFunc(s.live(n.User.ID), func(o *toySession) bool { return n.Replaces != nil && o.Ref == *n.Replaces })
	over := max(0, len(others)+1-limit)
	if over > 0 && n.RefuseOverMax {
		return googlesession.Session{}, googlesession.ErrTooManySessions
	}
	for _, oldest := range others[:over] {
		delete(s.sessions, oldest.Ref)
	}
	now := time.Now().UTC()
	created := &toySession{
		googlesession.Session{Ref: n.Ref, CreatedAt: now, SeenAt: now, Device: n.Device, TokenIssuedAt: n.TokenIssuedAt.UTC()},
		now.Add(life), idle,
	}
	s.sessions[n.Ref] = created
	return s.answer(created), nil
}

func (s *toy) CheckSession(ctx context.Context, r googlesession.Ref, touchAfter time.Duration) (googlesession.Session, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := done(ctx); err != nil {
		return googlesession.Session{}, err
	}
	session := s.sessions[r]
	if session == nil || !session.alive() {
		return googlesession.Session{}, googlesession.ErrNoSession
	}
	now := time.Now().UTC()
	touched := now.Sub(session.SeenAt) >= touchAfter
	if touched {
		session.SeenAt = now
	}
	answer := s.answer(session)
	answer.Device, answer.Touched = googlesession.Device{}, touched
	return answer, nil
}

func (s *toy) RevokeSession(ctx context.Context, r googlesession.Ref) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := done(ctx); err != nil {
		return false, err
	}
	session := s.sessions[r]
	delete(s.sessions, r)
	return session != nil && session.alive(), nil
}

func (s *toy) RevokeUser(ctx context.Context, userID string, keep *googlesession.Ref) (n int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := done(ctx); err != nil {
		return 0, err
	}
	for _, session := range s.live(userID) {
		if keep == nil || session.Ref != *keep {
			delete(s.sessions, session.Ref)
			n++
		}
	}
	return n, nil
}

func (s *toy) PutUser(ctx context.Context, u googlesession.User) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := refuse(ctx, u); err != nil {
		return false, err
	}
	return s.apply(u), nil
}

func (s *toy) Sessions(ctx context.Context, userID string) ([]googlesession.Session, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := []googlesession.Session{}
	for _, session := range s.live(userID) {
		all = append(all, s.answer(session))
	}
	slices.SortFunc(all, func(a, b googlesession.Session) int { return b.CreatedAt.Compare(a.CreatedAt) })
	return all, done(ctx)
}

// done is an outage for who cannot wait any more.
func done(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return errors.Join(googlesession.ErrUnavailable, err)
	}
	return nil
}

func refuse(ctx context.Context, u googlesession.User) error {
	all := len(u.ID) + len(u.Email) + len(u.Name) + len(u.Picture)
	switch {
	case u.ID == "", !isText(u.ID, 255), u.Version <= 0, u.Version >= 1<<53, !isTime(u.TokensAfter), all > 2<<10,
		!isText(u.Email, all), !isText(u.Name, all), !isText(u.Picture, all):
		return googlesession.ErrUnavailable
	}
	return done(ctx)
}

func isText(s string, most int) bool {
	return len(s) <= most && utf8.ValidString(s) && !strings.Contains(s, "\x00")
}

func isTime(t time.Time) bool { return t.IsZero() || t.UnixMilli() > 0 && t.UTC().Year() < 10000 }

// apply takes a newer record over. The caller holds the lock, here and below.
func (s *toy) apply(u googlesession.User) bool {
	if u.Version <= s.users[u.ID].Version {
		return false
	}
	s.users[u.ID] = u
	maps.DeleteFunc(s.sessions, func(r googlesession.Ref, session *toySession) bool {
		return r.Tag == googlesession.UserTag(u.ID) && (u.Disabled && !s.spares || isStale(session.TokenIssuedAt, u))
	})
	return true
}

func isStale(issued time.Time, u googlesession.User) bool {
	return !u.TokensAfter.IsZero() && !issued.After(u.TokensAfter)
}

// live returns the user's sessions, the least recently seen first.
func (s *toy) live(userID string) (all []*toySession) {
	for r, session := range s.sessions {
		if r.Tag == googlesession.UserTag(userID) && session.alive() {
			all = append(all, session)
		}
	}
	slices.SortFunc(all, func(a, b *toySession) int { return a.SeenAt.Compare(b.SeenAt) })
	return all
}

func (s *toySession) ends() time.Time {
	if idle := s.SeenAt.Add(s.idle); idle.Before(s.last) {
		return idle
	}
	return s.last
}

func (s *toySession) alive() bool { return time.Now().Before(s.ends()) }

func (s *toy) answer(session *toySession) googlesession.Session {
	answer := session.Session
	answer.ExpiresAt = session.ends()
	for _, u := range s.users {
		if googlesession.UserTag(u.ID) == session.Ref.Tag {
			answer.User = u
		}
	}
	return answer
}

const toyMistake = "GOOGLESESSION_TEST_TOY_MISTAKE"

// As README.md says, for a store in memory.
func TestToy(t *testing.T) {
	var store *toy
	storetest.TestSessions(t, storetest.SessionSuite{
		Open:    func(testing.TB) googlesession.SessionStore { return store },
		Advance: time.Sleep,
		Run: func(t *testing.T, rule func(*testing.T)) {
			synctest.Test(t, func(t *testing.T) {
				store = newToy()
				store.spares = os.Getenv(toyMistake) != ""
				rule(t)
			})
		},
	})
}

// Its author is told what is wrong, by name, and no more than that.
func TestToyMistake(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestToy$", "-test.v")
	cmd.Env = append(os.Environ(), toyMistake+"=1")
	out, err := cmd.Output()
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit)
	var failed []string
	passed := 0
	for line := range strings.Lines(string(out)) {
		line = strings.TrimSpace(line)
		if name, ok := strings.CutPrefix(line, "--- FAIL: TestToy/"); ok {
			name, _, _ = strings.Cut(name, " ")
			failed = append(failed, name)
		} else if strings.HasPrefix(line, "--- PASS: TestToy/") {
			passed++
		}
	}
	require.Subset(t, failed, []string{"disable", "disabled_at_sign-in", "enable", "stale_sign-in"})
	for _, name := range failed {
		require.Regexp(t, `disable|enable|sign-in|second_handle|use_after_the_end|ended_Ref`, name)
	}
	require.Greater(t, passed, 50)
}

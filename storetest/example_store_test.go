package storetest_test

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/storekit"
)

// A whole store of users and sessions, to copy from. It passes TestSessions and TestUsers. Its
// methods of UserStore are in example_store_users_test.go.
func Example_store() {
	ada, err := NewStore().SignIn(context.Background(), googlesession.Identity{Subject: "1", Name: "Ada"})
	fmt.Println(ada.Name, err)
	// Output: Ada <nil>
}

// A Store keeps sessions and users in memory. Its lock makes each method one atomic step. It
// is not for many users, because it reads all sessions to find a user's, and forgets no user.
type Store struct {
	mu       sync.Mutex
	users    map[string]googlesession.User // by ID, the newest version that the store was given
	exists   map[string]bool               // the IDs that SignIn has made and DeleteUser has not removed
	sessions map[googlesession.Ref]*session
	browsers map[string][]googlesession.BrowserID // by user, the most recent one first
}

type session struct {
	googlesession.Session

	maxLifetime, idleTimeout time.Duration
}

func NewStore() *Store {
	return &Store{
		users: map[string]googlesession.User{}, exists: map[string]bool{},
		sessions: map[googlesession.Ref]*session{}, browsers: map[string][]googlesession.BrowserID{},
	}
}

// CreateSession decides in the order of the contract: arguments, Ref, flags, token, limit.
func (s *Store) CreateSession(ctx context.Context, n googlesession.NewSession) (googlesession.Session, error) {
	if err := s.lock(ctx, storekit.CheckNewSession(n)); err != nil {
		return googlesession.Session{}, err
	}
	defer s.mu.Unlock()
	if s.sessions[n.Ref] != nil {
		return googlesession.Session{}, googlesession.ErrExists
	}
	s.apply(n.User)
	u := s.users[n.User.ID] // n.User or a newer version
	switch {
	case u.Disabled:
		return googlesession.Session{}, googlesession.ErrUserDisabled
	case storekit.IsStaleToken(n.TokenIssuedAt, u):
		return googlesession.Session{}, googlesession.ErrStaleToken
	}
	others := s.live(&u.ID, n.Replaces)
	tooMany := max(0, len(others)+1-storekit.SessionLimit(n, 100)) // 100 is this store's cap
	if tooMany > 0 && n.RefuseOverMax {
		return googlesession.Session{}, googlesession.ErrTooManySessions
	}
	for _, leastRecentlySeen := range others[:tooMany] {
		delete(s.sessions, leastRecentlySeen.Ref)
	}
	created := &session{maxLifetime: n.MaxLifetime, idleTimeout: n.IdleTimeout}
	created.Ref, created.User, created.Device = n.Ref, u, n.Device
	created.PublicID, created.Kind, created.Label = storekit.PublicID(n), n.Kind, n.Label
	created.CreatedAt, created.TokenIssuedAt = now(), n.TokenIssuedAt.UTC()
	created.use(created.CreatedAt)
	s.sessions[n.Ref] = created
	return created.Session, nil
}

// CheckSession need not look at Disabled, because apply ends the sessions of a disabled user.
func (s *Store) CheckSession(ctx context.Context, r googlesession.Ref, touchAfter time.Duration) (googlesession.Session, error) {
	if err := s.lock(ctx, nil); err != nil {
		return googlesession.Session{}, err
	}
	defer s.mu.Unlock()
	found, at := s.sessions[r], now() // by the whole Ref, so another user's Tag finds nothing
	if found == nil || !at.Before(found.ExpiresAt) {
		return googlesession.Session{}, googlesession.ErrNoSession
	}
	touched := at.Sub(found.SeenAt) >= storekit.TouchAfter(touchAfter, found.idleTimeout)
	if touched {
		found.use(at)
	}
	checked := found.Session
	checked.Device, checked.Label, checked.Touched = googlesession.Device{}, "", touched
	return checked, nil
}

func (s *Store) RevokeSession(ctx context.Context, r googlesession.Ref) (bool, error) {
	if err := s.lock(ctx, nil); err != nil {
		return false, err
	}
	defer s.mu.Unlock()
	found := s.sessions[r]
	delete(s.sessions, r)
	return found != nil && now().Before(found.ExpiresAt), nil
}

func (s *Store) RevokeUser(ctx context.Context, userID string, keep *googlesession.Ref) (int, error) {
	if err := s.lock(ctx, nil); err != nil {
		return 0, err
	}
	defer s.mu.Unlock()
	ending := s.live(&userID, keep)
	for _, x := range ending {
		delete(s.sessions, x.Ref)
	}
	return len(ending), nil
}

func (s *Store) PutUser(ctx context.Context, u googlesession.User) (bool, error) {
	if err := s.lock(ctx, storekit.CheckUser(u)); err != nil {
		return false, err
	}
	defer s.mu.Unlock()
	return s.apply(u), nil
}

func (s *Store) Sessions(ctx context.Context, userID string) ([]googlesession.Session, error) {
	if err := s.lock(ctx, nil); err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	live := s.live(&userID, nil)
	slices.SortFunc(live, func(a, b googlesession.Session) int { return b.CreatedAt.Compare(a.CreatedAt) })
	return live, nil
}

// AllSessions is in order of the Refs, and next is the last Ref of the page. So a place in that
// order outlasts the session.
func (s *Store) AllSessions(ctx context.Context, after string, limit int) (page []googlesession.Session, next string, err error) {
	if err := s.lock(ctx, nil); err != nil {
		return nil, "", err
	}
	defer s.mu.Unlock()
	if _, err := googlesession.ParseRef(after); after != "" && err != nil {
		return nil, "", googlesession.ErrNotFound
	}
	all := s.live(nil, nil)
	slices.SortFunc(all, func(a, b googlesession.Session) int { return cmp.Compare(a.Ref.String(), b.Ref.String()) })
	for _, x := range all {
		if r := x.Ref.String(); r > after && len(page) < limit {
			page, next = append(page, x), r
		}
	}
	if len(page) < limit {
		next = ""
	}
	return page, next, nil
}

// lock takes the lock, or refuses the call for a bad argument or a done context.
func (s *Store) lock(ctx context.Context, badArgument error) error {
	if err := cmp.Or(badArgument, ctx.Err()); err != nil {
		return fmt.Errorf("%w: %w", googlesession.ErrUnavailable, err)
	}
	s.mu.Lock()
	return nil
}

// live returns the live sessions of the user, or of all users if userID is nil, without one of
// them, the least recently seen first.
func (s *Store) live(userID *string, without *googlesession.Ref) []googlesession.Session {
	live := []googlesession.Session{}
	for r, x := range s.sessions {
		if !now().Before(x.ExpiresAt) {
			delete(s.sessions, r) // of any user, so that expired sessions do not pile up
		} else if (userID == nil || x.User.ID == *userID) && (without == nil || r != *without) {
			live = append(live, x.Session)
		}
	}
	slices.SortFunc(live, func(a, b googlesession.Session) int { return a.SeenAt.Compare(b.SeenAt) })
	return live
}

// apply takes u over if it is newer, and ends the sessions that it no longer admits. Every
// change of a user comes through here, so none can forget to end sessions.
func (s *Store) apply(u googlesession.User) bool {
	old := s.users[u.ID]
	if u.Version <= old.Version {
		return false
	}
	if !s.exists[u.ID] && u.TokensAfter.Before(old.TokensAfter) {
		u.TokensAfter = old.TokensAfter // PutUser does not undo DeleteUser or RefuseTokens
	}
	s.users[u.ID] = u
	for r, x := range s.sessions {
		if x.User.ID == u.ID {
			x.User = u
			if u.Disabled || storekit.IsStaleToken(x.TokenIssuedAt, u) {
				delete(s.sessions, r)
			}
		}
	}
	return true
}

// use records a use, which moves ExpiresAt, but not past the end of MaxLifetime.
func (x *session) use(at time.Time) {
	x.SeenAt, x.ExpiresAt = at, at.Add(x.idleTimeout)
	if end := x.CreatedAt.Add(x.maxLifetime); end.Before(x.ExpiresAt) {
		x.ExpiresAt = end
	}
}

func now() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }

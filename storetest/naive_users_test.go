package storetest_test

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/googlesession/googlesession"
)

// A naiveUsers is a handle on users in a plain map. It tells its session store of each change
// before it returns. It is correct except for one bug, by name. mutants_users_test.go lists
// the bugs.
type naiveUsers struct {
	*naiveUserData
	googlesession.SessionStore

	bug  string
	seen map[string]googlesession.User // what this server has read, only for a bug
}

// naiveUserData holds the data that the handles share.
type naiveUserData struct {
	mu    sync.Mutex
	users map[string]googlesession.User
	gone  map[string]naiveBare // records of deleted users, and of users who have never signed in
	put   map[string]int64     // Versions from PutUser

	browsers map[string][]googlesession.BrowserID // by user, the most recent one first
	naiveUserBugs
}

func newNaiveUserData() *naiveUserData {
	return &naiveUserData{
		users: map[string]googlesession.User{},
		gone:  map[string]naiveBare{},
		put:   map[string]int64{},

		browsers: map[string][]googlesession.BrowserID{},
		naiveUserBugs: naiveUserBugs{
			putAdmin:    map[string]bool{},
			putDisabled: map[string]bool{},
			hidden:      map[string]googlesession.User{},
			copies:      map[string]googlesession.User{},
			olds:        map[string][]googlesession.User{},
			flags:       map[string][2]bool{},
			setting:     make(chan struct{}, 1),
			deleting:    make(chan struct{}, 1),
		},
	}
}

func (s *naiveUsers) has(bug string) bool { return s.bug == bug }

func (s *naiveUsers) lock(ctx context.Context) error {
	if !s.has("done context ignored") && !s.has("done context noticed too late") {
		if err := interrupted(ctx); err != nil {
			return err
		}
	}
	s.mu.Lock()
	s.forget()
	return nil
}

func interrupted(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%w: %w", googlesession.ErrUnavailable, err)
	}
	return nil
}

func (s *naiveUsers) now() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }

func (s *naiveUsers) version(old int64) int64 {
	if s.has("Versions only counted") {
		return old + 1
	}
	return max(old+1, s.now().UnixMilli())
}

func (s *naiveUsers) SignIn(ctx context.Context, id googlesession.Identity) (googlesession.User, error) {
	u := googlesession.User{ID: id.Subject, Email: id.Email, Name: id.Name, Picture: id.Picture, Version: 1}
	if err := s.check(u, id); err != nil {
		s.storeAnyway(u)
		return googlesession.User{}, err
	}
	if err := s.lock(ctx); err != nil {
		return googlesession.User{}, err
	}
	defer s.mu.Unlock()
	key := s.keyOf(id)
	stale := s.lookFirst(id)
	old, known := s.find(key)
	s.pause("sign-in looks first")
	if known && old.Disabled && !s.has("disabled user refreshed") {
		return old, nil
	}
	u.CreatedAt, u.SeenAt, u.TokensAfter = s.now(), s.now(), s.refusedOf(key, old, known)
	if !s.has("token looked at first") {
		stale = s.stale(id, u.TokensAfter, known)
	}
	if stale && !s.has("stale sign-in refreshes") {
		return googlesession.User{}, googlesession.ErrStaleToken
	}
	if known {
		u.ID, u.CreatedAt, u.Admin, u.Disabled, u.Data = old.ID, old.CreatedAt, old.Admin, old.Disabled, old.Data
		if !s.has("SeenAt may be CreatedAt again") && !u.SeenAt.After(u.CreatedAt) {
			u.SeenAt = u.CreatedAt.Add(time.Millisecond)
		}
	} else {
		old.Version = s.gone[key].version
	}
	version, err := s.next(key, old.Version)
	if err != nil {
		return googlesession.User{}, err
	}
	u.Version = version
	s.storeWrongly(&u, old, known)
	s.forgetData(&u, "sign-in")
	s.users[key] = u
	if !s.has("sessions not told of sign-ins") {
		s.tellSessions(ctx, u)
	}
	if stale {
		return googlesession.User{}, googlesession.ErrStaleToken
	}
	return u, s.lateError(ctx)
}

func (s *naiveUsers) User(ctx context.Context, id string) (googlesession.User, error) {
	if err := s.lock(ctx); err != nil {
		return googlesession.User{}, err
	}
	defer s.mu.Unlock()
	u, ok := s.users[s.key(id)]
	if old, cached := s.seen[id]; cached && s.has("cache") {
		u = old
	}
	if !ok {
		return googlesession.User{}, googlesession.ErrNotFound
	}
	if s.seen != nil {
		s.seen[id] = u
	}
	return u, s.lateError(ctx)
}

func (s *naiveUsers) SetAccess(ctx context.Context, id string, a googlesession.AccessChange) (googlesession.User, error) {
	defer s.exclude(s.setting)()
	if err := s.lock(ctx); err != nil {
		return googlesession.User{}, err
	}
	defer s.mu.Unlock()
	old, ok := s.users[s.key(id)]
	if !ok && s.has("SetAccess makes users") && id != "" {
		old, ok = googlesession.User{ID: id, Version: s.version(0)}, true
	}
	if !ok {
		return googlesession.User{}, googlesession.ErrNotFound
	}
	u := old
	u.Admin, u.Disabled = s.flag(a.Admin, u.Admin), s.flag(a.Disabled, u.Disabled)
	s.pause("access reads first")
	if s.has("change revokes first") && u.Disabled {
		_, _ = s.RevokeUser(ctx, id, nil)
	}
	if err := s.mayChange(old, u); err != nil {
		if s.has("last administrator refused too late") {
			s.users[s.key(id)] = u
		}
		return googlesession.User{}, err
	}
	if u != old && !s.has("Version not raised by access") || s.has("Version raised by nothing") {
		var err error
		if u.Version, err = s.next(s.key(id), old.Version); err != nil {
			return googlesession.User{}, err
		}
	}
	if s.has("access accepts all tokens") || s.has("demotion accepts all tokens") && old.Admin && !u.Admin {
		u.TokensAfter = time.Time{}
	}
	s.forgetData(&u, "access")
	s.users[s.key(id)] = u
	if !s.has("disable keeps sessions") {
		s.tellSessions(ctx, u)
	}
	return u, s.lateError(ctx)
}

func (s *naiveUsers) DeleteUser(ctx context.Context, id string) error {
	defer s.exclude(s.deleting)()
	if err := s.lock(ctx); err != nil {
		return err
	}
	defer s.mu.Unlock()
	old, ok := s.users[s.key(id)]
	if !ok {
		if s.has("deleting an unknown user succeeds") {
			return nil
		}
		return googlesession.ErrNotFound
	}
	if s.has("change revokes first") {
		_, _ = s.RevokeUser(ctx, id, nil)
	}
	version, err := s.next(s.key(id), old.Version)
	if err != nil {
		return err
	}
	bare := googlesession.User{ID: id, Disabled: true, Version: version, TokensAfter: s.deletedAt(old)}
	if err := s.mayChange(old, bare); err != nil && !s.has("last administrator can be deleted") {
		return err
	}
	if s.has("deletion tells sessions first") && !old.Admin {
		s.tellSessions(ctx, bare)
		s.pause(s.bug)
	}
	s.remove(old, bare)
	if !s.has("delete keeps sessions") && !s.has("deletion tells sessions first") {
		s.tellSessions(ctx, bare)
	}
	return s.lateError(ctx)
}

// mayChange returns ErrLastAdmin if the change from old to u removes the last administrator.
func (s *naiveUsers) mayChange(old, u googlesession.User) error {
	counts := func(u googlesession.User) bool {
		return u.Admin && (!u.Disabled || s.has("disabled administrators count"))
	}
	protected := counts(old) && !counts(u) ||
		s.has("disabled administrators protected") && old.Admin && !counts(u) ||
		s.has("administrator always needed") && !counts(u)
	if !protected || s.has("last administrator not protected") {
		return nil
	}
	others := 0
	for _, other := range s.users {
		if other.ID != old.ID && counts(other) {
			others++
		}
	}
	s.pause("administrators counted first")
	s.pause("access and deletion locked apart")
	if others == 0 && !s.copiesAreAdmins() {
		return googlesession.ErrLastAdmin
	}
	return nil
}

// tellSessions tells the session store of a change.
func (s *naiveUsers) tellSessions(ctx context.Context, u googlesession.User) {
	s.page = nil
	if validNaive(u) == nil {
		_, _ = s.SessionStore.PutUser(ctx, u)
	}
}

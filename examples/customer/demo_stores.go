package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/googlesession/googlesession"
)

// A demoOutage makes the stores of a demo fail for a while, as if their database did not
// answer.
type demoOutage struct {
	mu    sync.Mutex
	until time.Time
}

// begin makes the stores fail for the duration. It replaces an outage that has begun before.
func (o *demoOutage) begin(d time.Duration) (until time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.until = time.Now().Add(d)
	return o.until
}

func (o *demoOutage) end() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.until = time.Time{}
}

var errDemoOutage = errors.New("the demo pretends that the store does not answer")

// err returns the error of every call of a store during the outage, and nil otherwise.
func (o *demoOutage) err() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !time.Now().Before(o.until) {
		return nil
	}
	return fmt.Errorf("%w: %w", googlesession.ErrUnavailable, errDemoOutage)
}

// wrapStores puts the demo between the program and its stores of sessions and users. There
// the demo can feign an outage, and it learns when the store has ended a session. The two
// stores stay one store if they were one.
func (d *demo) wrapStores(s *stores) {
	sessions, users := demoSessions{s.sessions, d}, demoUsers{s.users, d}
	if any(s.sessions) == any(s.users) {
		both := demoStore{sessions, users}
		s.sessions, s.users = both, both
		return
	}
	s.sessions, s.users = sessions, users
}

// A demoStore holds sessions and users.
type demoStore struct {
	demoSessions
	demoUsers
}

// demoSessions is the SessionStore of a demo.
type demoSessions struct {
	store googlesession.SessionStore
	demo  *demo
}

func (s demoSessions) CreateSession(ctx context.Context, n googlesession.NewSession) (googlesession.Session, error) {
	if err := s.demo.outage.err(); err != nil {
		return googlesession.Session{}, err
	}
	return s.store.CreateSession(ctx, n)
}

func (s demoSessions) CheckSession(ctx context.Context, r googlesession.Ref, touchAfter time.Duration) (googlesession.Session, error) {
	if err := s.demo.outage.err(); err != nil {
		return googlesession.Session{}, err
	}
	return s.store.CheckSession(ctx, r, touchAfter)
}

func (s demoSessions) RevokeSession(ctx context.Context, r googlesession.Ref) (bool, error) {
	if err := s.demo.outage.err(); err != nil {
		return false, err
	}
	ended, err := s.store.RevokeSession(ctx, r)
	if err == nil {
		s.demo.browsers.noteEnd(func(ref googlesession.Ref) bool { return ref == r })
	}
	return ended, err
}

func (s demoSessions) RevokeUser(ctx context.Context, userID string, keep *googlesession.Ref) (int, error) {
	if err := s.demo.outage.err(); err != nil {
		return 0, err
	}
	n, err := s.store.RevokeUser(ctx, userID, keep)
	if err == nil {
		isUsers := ofUser(userID)
		s.demo.browsers.noteEnd(func(ref googlesession.Ref) bool { return isUsers(ref) && (keep == nil || ref != *keep) })
	}
	return n, err
}

func (s demoSessions) PutUser(ctx context.Context, u googlesession.User) (bool, error) {
	if err := s.demo.outage.err(); err != nil {
		return false, err
	}
	applied, err := s.store.PutUser(ctx, u)
	if err == nil && applied && u.Disabled {
		s.demo.browsers.noteEnd(ofUser(u.ID))
	}
	return applied, err
}

func (s demoSessions) Sessions(ctx context.Context, userID string) ([]googlesession.Session, error) {
	if err := s.demo.outage.err(); err != nil {
		return nil, err
	}
	return s.store.Sessions(ctx, userID)
}

func (s demoSessions) AllSessions(ctx context.Context, after string, limit int) (page []googlesession.Session, next string, err error) {
	if err := s.demo.outage.err(); err != nil {
		return nil, "", err
	}
	return s.store.AllSessions(ctx, after, limit)
}

// SwapBinding asks a store that can bind sessions, as all stores of this program can.
func (s demoSessions) SwapBinding(ctx context.Context, r googlesession.Ref, old, next string) (bool, error) {
	if err := s.demo.outage.err(); err != nil {
		return false, err
	}
	return s.store.(googlesession.BindingStore).SwapBinding(ctx, r, old, next)
}

// demoUsers is the UserStore of a demo.
type demoUsers struct {
	store googlesession.UserStore
	demo  *demo
}

func (s demoUsers) SignIn(ctx context.Context, id googlesession.Identity) (googlesession.User, error) {
	if err := s.demo.outage.err(); err != nil {
		return googlesession.User{}, err
	}
	return s.store.SignIn(ctx, id)
}

func (s demoUsers) User(ctx context.Context, id string) (googlesession.User, error) {
	if err := s.demo.outage.err(); err != nil {
		return googlesession.User{}, err
	}
	return s.store.User(ctx, id)
}

func (s demoUsers) Users(ctx context.Context, q googlesession.UserQuery) ([]googlesession.User, error) {
	if err := s.demo.outage.err(); err != nil {
		return nil, err
	}
	return s.store.Users(ctx, q)
}

func (s demoUsers) SetAccess(ctx context.Context, id string, a googlesession.AccessChange) (googlesession.User, error) {
	if err := s.demo.outage.err(); err != nil {
		return googlesession.User{}, err
	}
	u, err := s.store.SetAccess(ctx, id, a)
	if err == nil && u.Disabled {
		s.demo.browsers.noteEnd(ofUser(id))
	}
	return u, err
}

func (s demoUsers) SetData(ctx context.Context, id, data string, old *string) (googlesession.User, error) {
	if err := s.demo.outage.err(); err != nil {
		return googlesession.User{}, err
	}
	return s.store.SetData(ctx, id, data, old)
}

func (s demoUsers) RefuseTokens(ctx context.Context, id string, t time.Time) (googlesession.User, error) {
	if err := s.demo.outage.err(); err != nil {
		return googlesession.User{}, err
	}
	return s.store.RefuseTokens(ctx, id, t)
}

func (s demoUsers) DeleteUser(ctx context.Context, id string) error {
	if err := s.demo.outage.err(); err != nil {
		return err
	}
	err := s.store.DeleteUser(ctx, id)
	if err == nil {
		s.demo.browsers.noteEnd(ofUser(id))
	}
	return err
}

func (s demoUsers) Browsers(ctx context.Context, id string, seen *googlesession.BrowserID) ([]googlesession.BrowserID, error) {
	if err := s.demo.outage.err(); err != nil {
		return nil, err
	}
	return s.store.Browsers(ctx, id, seen)
}

// ofUser returns a function that reports whether a session is one of the user's.
func ofUser(userID string) func(googlesession.Ref) bool {
	tag := googlesession.UserTag(userID)
	return func(ref googlesession.Ref) bool { return ref.Tag == tag }
}

package storetest_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/storekit"
)

// SignIn decides in the order of the contract: arguments, flags, token.
func (s *Store) SignIn(ctx context.Context, id googlesession.Identity) (googlesession.User, error) {
	if err := s.lock(ctx, storekit.CheckIdentity(id)); err != nil {
		return googlesession.User{}, err
	}
	defer s.mu.Unlock()
	old := s.users[id.Subject]
	switch {
	case s.exists[id.Subject] && old.Disabled:
		return old, nil
	case storekit.IsStaleToken(id.IssuedAt, old):
		return googlesession.User{}, googlesession.ErrStaleToken
	}
	u := googlesession.User{ID: id.Subject, Email: id.Email, Name: id.Name, Picture: id.Picture, SeenAt: now()}
	u.CreatedAt, u.TokensAfter = u.SeenAt, old.TokensAfter
	if s.exists[u.ID] { // if not, old is of a deleted user or from PutUser, and gives no rights
		u.CreatedAt, u.Admin, u.Data = old.CreatedAt, old.Admin, old.Data
		if !u.SeenAt.After(u.CreatedAt) { // in the same millisecond
			u.SeenAt = u.CreatedAt.Add(time.Millisecond)
		}
	}
	return s.change(u, true)
}

func (s *Store) User(ctx context.Context, id string) (googlesession.User, error) {
	return s.SetAccess(ctx, id, googlesession.AccessChange{}) // which changes nothing
}

// Users is in byte order of ID for every query, so q.After.ID is the place.
func (s *Store) Users(ctx context.Context, q googlesession.UserQuery) ([]googlesession.User, error) {
	if err := s.lock(ctx, storekit.CheckUserQuery(q)); err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	page := []googlesession.User{}
	for _, id := range slices.Sorted(maps.Keys(s.users)) {
		follows := q.After == nil || id > q.After.ID
		if s.exists[id] && follows && storekit.MatchesQuery(s.users[id], q) && len(page) < q.Limit {
			page = append(page, s.users[id])
		}
	}
	return page, nil
}

func (s *Store) SetAccess(ctx context.Context, id string, a googlesession.AccessChange) (googlesession.User, error) {
	if err := s.lock(ctx, nil); err != nil {
		return googlesession.User{}, err
	}
	defer s.mu.Unlock()
	if !s.exists[id] {
		return googlesession.User{}, googlesession.ErrNotFound
	}
	u := s.users[id]
	if a.Admin != nil {
		u.Admin = *a.Admin
	}
	if a.Disabled != nil {
		u.Disabled = *a.Disabled
	}
	if u == s.users[id] {
		return u, nil
	}
	return s.change(u, true)
}

func (s *Store) SetData(ctx context.Context, id, data string, old *string) (googlesession.User, error) {
	if err := s.lock(ctx, storekit.CheckData(data)); err != nil {
		return googlesession.User{}, err
	}
	defer s.mu.Unlock()
	u := s.users[id]
	switch {
	case !s.exists[id]:
		return googlesession.User{}, googlesession.ErrNotFound
	case old != nil && u.Data != *old:
		return googlesession.User{}, googlesession.ErrDataChanged
	case u.Data == data:
		return u, nil
	}
	u.Data = data
	return s.change(u, true)
}

func (s *Store) RefuseTokens(ctx context.Context, id string, t time.Time) (u googlesession.User, err error) {
	if err := s.lock(ctx, storekit.CheckTokenTime(t)); err != nil {
		return googlesession.User{}, err
	}
	defer s.mu.Unlock()
	u = s.users[id]
	t = storekit.TokenTime(storekit.TokenUnixMilli(t)) // rounded up
	if t.After(u.TokensAfter) && storekit.ValidUserID(id) {
		u.ID, u.TokensAfter = id, t // also for a user who was deleted or has never signed in
		u, err = s.change(u, s.exists[id])
	}
	if err == nil && !s.exists[id] {
		return googlesession.User{}, googlesession.ErrNotFound
	}
	return u, err
}

// DeleteUser leaves a disabled version without a profile. It is newer than what a sign-in
// in flight has read, and its TokensAfter refuses every earlier token.
func (s *Store) DeleteUser(ctx context.Context, id string) error {
	if err := s.lock(ctx, nil); err != nil {
		return err
	}
	defer s.mu.Unlock()
	if !s.exists[id] {
		return googlesession.ErrNotFound
	}
	last := max(now().UnixMilli(), storekit.TokenUnixMilli(s.users[id].TokensAfter))
	_, err := s.change(googlesession.User{ID: id, Disabled: true, TokensAfter: storekit.TokenTime(last)}, false)
	if err == nil {
		delete(s.browsers, id)
	}
	return err
}

func (s *Store) Browsers(ctx context.Context, id string, seen *googlesession.BrowserID) ([]googlesession.BrowserID, error) {
	if err := s.lock(ctx, nil); err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	if !s.exists[id] {
		return nil, googlesession.ErrNotFound
	}
	before := s.browsers[id]
	if seen != nil {
		s.browsers[id] = storekit.SeenBrowsers(before, *seen)
	}
	return slices.Clone(before), nil
}

// change makes u the next version of the user, unless that removes the last administrator.
func (s *Store) change(u googlesession.User, exists bool) (googlesession.User, error) {
	old, admins := s.users[u.ID], 0
	for id, other := range s.users {
		if s.exists[id] && other.Admin && !other.Disabled {
			admins++
		}
	}
	wasAdmin, isAdmin := s.exists[u.ID] && old.Admin && !old.Disabled, exists && u.Admin && !u.Disabled
	if wasAdmin && !isAdmin && admins == 1 {
		return googlesession.User{}, googlesession.ErrLastAdmin
	}
	version, err := storekit.NextVersion(old.Version, now().UnixMilli())
	if err != nil {
		return googlesession.User{}, fmt.Errorf("%w: %w", googlesession.ErrUnavailable, err)
	}
	u.Version, s.exists[u.ID] = version, exists
	s.apply(u)
	return u, nil
}

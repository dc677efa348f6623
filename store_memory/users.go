package memstore

import (
	"cmp"
	"context"
	"strings"
	"time"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/storekit"
)

// SignIn implements [googlesession.UserStore].
func (s *Store) SignIn(ctx context.Context, id googlesession.Identity) (googlesession.User, error) {
	if err := cmp.Or(ctx.Err(), storekit.CheckIdentity(id)); err != nil {
		return googlesession.User{}, unavailable(err)
	}
	signedIn := compact(googlesession.User{ID: id.Subject, Email: id.Email, Name: id.Name, Picture: id.Picture})
	tag := googlesession.UserTag(id.Subject)
	shard := s.shard(tag)
	shard.mu.Lock()
	defer shard.mu.Unlock()
	u := shard.users[id.Subject]
	switch {
	case u == nil:
		u = shard.addUser(signedIn.ID, tag)
	case u.owned && u.Disabled:
		return u.User, nil
	case storekit.IsStaleToken(id.IssuedAt, u.User):
		return googlesession.User{}, googlesession.ErrStaleToken
	}
	now := s.now()
	version, err := storekit.NextVersion(u.Version, now)
	if err != nil {
		return googlesession.User{}, unavailable(err)
	}
	signedIn.Version, signedIn.TokensAfter = version, u.TokensAfter
	signedIn.CreatedAt, signedIn.SeenAt = fromUnixMilli(now), fromUnixMilli(now)
	wasAdmin := u.isAdmin()
	// A user who is not owned was deleted, came by PutUser, CreateSession or RefuseTokens, or
	// is new. Such a user's record passes on only TokensAfter, not CreatedAt and Admin.
	if u.owned {
		signedIn.CreatedAt, signedIn.Admin = u.CreatedAt, u.Admin
	}
	u.owned, u.tombstone = true, false
	shard.setRecord(u, signedIn)
	s.countAdmin(wasAdmin, u.isAdmin())
	return signedIn, nil
}

// User implements [googlesession.UserStore].
func (s *Store) User(ctx context.Context, id string) (googlesession.User, error) {
	if err := ctx.Err(); err != nil {
		return googlesession.User{}, unavailable(err)
	}
	u, ok := s.ownedUser(id)
	if !ok {
		return googlesession.User{}, googlesession.ErrNotFound
	}
	return u, nil
}

// Users implements [googlesession.UserStore].
func (s *Store) Users(ctx context.Context, after string, limit int) ([]googlesession.User, error) {
	if err := ctx.Err(); err != nil {
		return nil, unavailable(err)
	}
	page := []googlesession.User{}
	for len(page) < limit {
		ids := s.ids.after(after, limit-len(page))
		if len(ids) == 0 {
			break
		}
		for _, id := range ids {
			if u, ok := s.ownedUser(id); ok { // ok is false if the user was deleted meanwhile
				page = append(page, u)
			}
		}
		after = ids[len(ids)-1]
	}
	return page, nil
}

// ownedUser returns the user with this ID. ok is false if the user is not in the UserStore.
func (s *Store) ownedUser(id string) (u googlesession.User, ok bool) {
	shard := s.shardOf(id)
	shard.mu.RLock()
	defer shard.mu.RUnlock()
	if u := shard.users[id]; u != nil && u.owned {
		return u.User, true
	}
	return googlesession.User{}, false
}

// SetAccess implements [googlesession.UserStore].
func (s *Store) SetAccess(ctx context.Context, id string, a googlesession.AccessChange) (googlesession.User, error) {
	return s.changeUser(ctx, id, func(shard *shard, u *user, now int64) error {
		changed := u.User
		if a.Admin != nil {
			changed.Admin = *a.Admin
		}
		if a.Disabled != nil {
			changed.Disabled = *a.Disabled
		}
		if changed == u.User {
			return nil
		}
		if s.isLastAdmin(u) && (!changed.Admin || changed.Disabled) {
			return googlesession.ErrLastAdmin
		}
		version, err := storekit.NextVersion(u.Version, now)
		if err != nil {
			return unavailable(err)
		}
		changed.Version = version
		shard.replace(u, changed, now)
		return nil
	})
}

// RefuseTokens implements [googlesession.UserStore].
func (s *Store) RefuseTokens(ctx context.Context, id string, t time.Time) (googlesession.User, error) {
	if err := cmp.Or(ctx.Err(), storekit.CheckTokenTime(t)); err != nil {
		return googlesession.User{}, unavailable(err)
	}
	if !storekit.ValidUserID(id) {
		return googlesession.User{}, googlesession.ErrNotFound
	}
	tag := googlesession.UserTag(id)
	shard := s.shard(tag)
	shard.mu.Lock()
	defer shard.mu.Unlock()
	now := s.now()
	u := shard.users[id]
	if u == nil {
		u = shard.addUser(strings.Clone(id), tag)
		u.Disabled = true
	}
	if after := storekit.TokenTime(storekit.TokenUnixMilli(t)); after.After(u.TokensAfter) {
		version, err := storekit.NextVersion(u.Version, now)
		if err != nil {
			return googlesession.User{}, unavailable(err)
		}
		changed := u.User
		changed.TokensAfter, changed.Version = after, version
		shard.replace(u, changed, now)
	}
	if u.owned {
		return u.User, nil
	}
	u.tombstone = true
	u.rememberUntil = max(u.rememberUntil, now+googlesession.TokenWindow.Milliseconds())
	shard.scheduleForget(u, now)
	return googlesession.User{}, googlesession.ErrNotFound
}

// DeleteUser implements [googlesession.UserStore]. It leaves a disabled record without a
// profile for [googlesession.TokenWindow]. So neither a sign-in that has begun nor a token
// that was issued before the deletion can bring the user back.
func (s *Store) DeleteUser(ctx context.Context, id string) error {
	_, err := s.changeUser(ctx, id, func(shard *shard, u *user, now int64) error {
		if s.isLastAdmin(u) {
			return googlesession.ErrLastAdmin
		}
		version, err := storekit.NextVersion(u.Version, now)
		if err != nil {
			return unavailable(err)
		}
		shard.replace(u, googlesession.User{
			ID:          strings.Clone(u.ID), // a copy, because u.ID is a part of the profile's text
			Disabled:    true,
			Version:     version,
			TokensAfter: fromUnixMilli(max(now, storekit.TokenUnixMilli(u.TokensAfter))),
		}, now)
		u.owned, u.tombstone = false, true
		u.rememberUntil = now + googlesession.TokenWindow.Milliseconds()
		s.ids.remove(u.ID)
		shard.scheduleForget(u, now)
		return nil
	})
	return err
}

// changeUser locks the shard of a user of the UserStore, calls change with the user, and
// returns the user's record as change has left it. One changeUser runs at a time, so that
// two calls cannot each remove one of the last two administrators.
func (s *Store) changeUser(ctx context.Context, id string, change func(*shard, *user, int64) error) (googlesession.User, error) {
	if err := ctx.Err(); err != nil {
		return googlesession.User{}, unavailable(err)
	}
	s.access.Lock()
	defer s.access.Unlock()
	shard := s.shardOf(id)
	shard.mu.Lock()
	defer shard.mu.Unlock()
	u := shard.users[id]
	if u == nil || !u.owned {
		return googlesession.User{}, googlesession.ErrNotFound
	}
	if err := change(shard, u, s.now()); err != nil {
		return googlesession.User{}, err
	}
	return u.User, nil
}

// isAdmin reports whether the user is an enabled administrator of the UserStore.
func (u *user) isAdmin() bool { return u.owned && u.Admin && !u.Disabled }

func (s *Store) isLastAdmin(u *user) bool { return u.isAdmin() && s.admins.Load() == 1 }

// countAdmin updates the number of enabled administrators after a change of a user. The
// arguments say whether the user was an administrator before the change, and after it.
func (s *Store) countAdmin(was, is bool) {
	switch {
	case was && !is:
		s.admins.Add(-1)
	case is && !was:
		s.admins.Add(1)
	}
}

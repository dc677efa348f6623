package memstore

import (
	"cmp"
	"context"
	"time"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/storekit"
)

// SignIn implements [googlesession.UserStore].
func (s *Store) SignIn(ctx context.Context, id googlesession.Identity) (googlesession.User, error) {
	if err := cmp.Or(ctx.Err(), storekit.CheckIdentity(id)); err != nil {
		return googlesession.User{}, unavailable(err)
	}
	signedIn := googlesession.User{ID: id.Subject, Email: id.Email, Name: id.Name, Picture: id.Picture}
	tag := googlesession.UserTag(id.Subject)
	shard := s.shard(tag)
	shard.mu.Lock()
	defer shard.mu.Unlock()
	u := shard.users[id.Subject]
	switch {
	case u == nil:
		u = shard.addUser(newProfile(signedIn), tag)
	case u.owned && u.disabled():
		return u.user(), nil
	case u.isStale(id.IssuedAt):
		return googlesession.User{}, googlesession.ErrStaleToken
	}
	now := s.now()
	version, err := storekit.NextVersion(u.version, now)
	if err != nil {
		return googlesession.User{}, unavailable(err)
	}
	older := u.user()
	signedIn.Version, signedIn.TokensAfter = version, older.TokensAfter
	signedIn.CreatedAt, signedIn.SeenAt = fromUnixMilli(now), fromUnixMilli(now)
	wasAdmin := u.isAdmin()
	// A user who is not owned was deleted, came by PutUser, CreateSession or RefuseTokens, or
	// is new. Such a user's record passes on only TokensAfter.
	if u.owned {
		signedIn.SeenAt = fromUnixMilli(max(now, u.createdAt+1))
		signedIn.CreatedAt, signedIn.Admin, signedIn.Data = older.CreatedAt, older.Admin, older.Data
	}
	u.owned, u.tombstone = true, false
	shard.setRecord(u, signedIn)
	s.countAdmin(wasAdmin, u.isAdmin())
	return u.user(), nil
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

// SetAccess implements [googlesession.UserStore].
func (s *Store) SetAccess(ctx context.Context, id string, a googlesession.AccessChange) (googlesession.User, error) {
	s.access.Lock()
	defer s.access.Unlock()
	return s.changeUser(ctx, id, func(shard *shard, u *user, now int64) error {
		older := u.user()
		changed := older
		if a.Admin != nil {
			changed.Admin = *a.Admin
		}
		if a.Disabled != nil {
			changed.Disabled = *a.Disabled
		}
		if s.isLastAdmin(u) && (!changed.Admin || changed.Disabled) {
			return googlesession.ErrLastAdmin
		}
		if changed == older {
			return nil
		}
		return shard.replaceByNext(u, changed, now)
	})
}

// SetData implements [googlesession.UserStore].
func (s *Store) SetData(ctx context.Context, id, data string, old *string) (googlesession.User, error) {
	if err := cmp.Or(ctx.Err(), storekit.CheckData(data)); err != nil {
		return googlesession.User{}, unavailable(err)
	}
	return s.changeUser(ctx, id, func(shard *shard, u *user, now int64) error {
		switch {
		case old != nil && *old != u.data():
			return googlesession.ErrDataChanged
		case data == u.data():
			return nil
		}
		changed := u.user()
		changed.Data = data
		return shard.replaceByNext(u, changed, now)
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
		u = shard.addUser(newProfile(googlesession.User{ID: id, Disabled: true}), tag)
	}
	if after := storekit.TokenUnixMilli(t); after > u.tokensAfter {
		changed := u.user()
		changed.TokensAfter = storekit.TokenTime(after)
		if err := shard.replaceByNext(u, changed, now); err != nil {
			return googlesession.User{}, err
		}
	}
	if u.owned {
		return u.user(), nil
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
	s.access.Lock()
	defer s.access.Unlock()
	_, err := s.changeUser(ctx, id, func(shard *shard, u *user, now int64) error {
		if s.isLastAdmin(u) {
			return googlesession.ErrLastAdmin
		}
		err := shard.replaceByNext(u, googlesession.User{
			ID:          u.id(),
			Disabled:    true,
			TokensAfter: fromUnixMilli(max(now, u.tokensAfter)),
		}, now)
		if err != nil {
			return err
		}
		s.directory.remove(u.listed)
		u.listed, u.browsers = 0, ""
		u.owned, u.tombstone = false, true
		u.rememberUntil = now + googlesession.TokenWindow.Milliseconds()
		shard.scheduleForget(u, now)
		return nil
	})
	return err
}

// changeUser locks the shard of a user of the UserStore, calls change with the user, and
// returns the user's record as change has left it.
func (s *Store) changeUser(ctx context.Context, id string, change func(*shard, *user, int64) error) (googlesession.User, error) {
	if err := ctx.Err(); err != nil {
		return googlesession.User{}, unavailable(err)
	}
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
	return u.user(), nil
}

// isLastAdmin reports whether the user is the only enabled administrator. The caller holds
// s.access.
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

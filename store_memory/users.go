package memstore

import (
	"context"
	"strings"
	"time"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/storekit"
)

// SignIn implements [googlesession.UserStore].
func (s *Store) SignIn(ctx context.Context, id googlesession.Identity) (googlesession.User, error) {
	if err := ctx.Err(); err != nil {
		return googlesession.User{}, done(err)
	}
	if err := storekit.CheckIdentity(id); err != nil {
		return googlesession.User{}, invalid(err)
	}
	n := compact(googlesession.User{ID: id.Subject, Email: id.Email, Name: id.Name, Picture: id.Picture})
	tag := googlesession.UserTag(n.ID)
	sh := s.shard(tag)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	now := s.now()
	u := sh.users[n.ID]
	switch {
	case u == nil:
		u = sh.add(n.ID, tag)
	case u.Disabled && u.known:
		return u.User, nil
	case storekit.IsStaleToken(id.IssuedAt, u.User):
		return googlesession.User{}, googlesession.ErrStaleToken
	}
	version, err := storekit.NextVersion(u.Version, now)
	if err != nil {
		return googlesession.User{}, invalid(err)
	}
	n.Version, n.CreatedAt, n.SeenAt, n.TokensAfter = version, fromUnixMilli(now), fromUnixMilli(now), u.TokensAfter
	if u.known { // nothing else comes back of a deleted user, or comes from PutUser
		n.CreatedAt, n.Admin = u.CreatedAt, u.Admin
	}
	before := u.isAdmin()
	if !u.known {
		s.order.add(n.ID)
	}
	u.known, u.gone = true, false
	u.User = n
	s.countAdmin(before, u.isAdmin())
	return n, nil
}

// User implements [googlesession.UserStore].
func (s *Store) User(ctx context.Context, id string) (googlesession.User, error) {
	if err := ctx.Err(); err != nil {
		return googlesession.User{}, done(err)
	}
	u, ok := s.known(id)
	if !ok {
		return googlesession.User{}, googlesession.ErrNotFound
	}
	return u, nil
}

// Users implements [googlesession.UserStore].
func (s *Store) Users(ctx context.Context, after string, limit int) ([]googlesession.User, error) {
	if err := ctx.Err(); err != nil {
		return nil, done(err)
	}
	page := []googlesession.User{}
	for len(page) < limit {
		ids := s.order.after(after, limit-len(page))
		if len(ids) == 0 {
			break
		}
		for _, id := range ids {
			if u, ok := s.known(id); ok { // or deleted just now
				page = append(page, u)
			}
		}
		after = ids[len(ids)-1]
	}
	return page, nil
}

// known returns a user of the UserStore.
func (s *Store) known(id string) (googlesession.User, bool) {
	sh := s.shard(googlesession.UserTag(id))
	sh.mu.RLock()
	defer sh.mu.RUnlock()
	if u := sh.users[id]; u != nil && u.known {
		return u.User, true
	}
	return googlesession.User{}, false
}

// SetAccess implements [googlesession.UserStore].
func (s *Store) SetAccess(ctx context.Context, id string, a googlesession.AccessChange) (googlesession.User, error) {
	return s.change(ctx, id, func(sh *shard, u *user, now int64) error {
		n := u.User
		if a.Admin != nil {
			n.Admin = *a.Admin
		}
		if a.Disabled != nil {
			n.Disabled = *a.Disabled
		}
		if n == u.User {
			return nil
		}
		if s.isLastAdmin(u) && (!n.Admin || n.Disabled) {
			return googlesession.ErrLastAdmin
		}
		version, err := storekit.NextVersion(u.Version, now)
		if err != nil {
			return invalid(err)
		}
		n.Version = version
		sh.set(u, n, now)
		return nil
	})
}

// RefuseTokens implements [googlesession.UserStore].
func (s *Store) RefuseTokens(ctx context.Context, id string, t time.Time) (googlesession.User, error) {
	if err := ctx.Err(); err != nil {
		return googlesession.User{}, done(err)
	}
	if err := storekit.CheckTokenTime(t); err != nil {
		return googlesession.User{}, invalid(err)
	}
	if !storekit.ValidUserID(id) {
		return googlesession.User{}, googlesession.ErrNotFound
	}
	tag := googlesession.UserTag(id)
	sh := s.shard(tag)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	now := s.now()
	u := sh.users[id]
	if u == nil {
		u = sh.add(strings.Clone(id), tag)
		u.Disabled = true
	}
	if after := storekit.TokenTime(storekit.TokenUnixMilli(t)); after.After(u.TokensAfter) {
		version, err := storekit.NextVersion(u.Version, now)
		if err != nil {
			return googlesession.User{}, invalid(err)
		}
		n := u.User
		n.TokensAfter, n.Version = after, version
		sh.set(u, n, now)
	}
	if !u.known {
		u.gone = true
		u.until = max(u.until, now+googlesession.TokenWindow.Milliseconds())
		sh.release(u, now)
		return googlesession.User{}, googlesession.ErrNotFound
	}
	return u.User, nil
}

// DeleteUser implements [googlesession.UserStore]. What stays, for TokenWindow, is
// a disabled record without a profile, so that neither a sign-in in flight nor an
// earlier token brings the user back.
func (s *Store) DeleteUser(ctx context.Context, id string) error {
	_, err := s.change(ctx, id, func(sh *shard, u *user, now int64) error {
		if s.isLastAdmin(u) {
			return googlesession.ErrLastAdmin
		}
		version, err := storekit.NextVersion(u.Version, now)
		if err != nil {
			return invalid(err)
		}
		after := fromUnixMilli(max(now, storekit.TokenUnixMilli(u.TokensAfter)))
		sh.set(u, googlesession.User{ID: strings.Clone(u.ID), Disabled: true, Version: version, TokensAfter: after}, now)
		u.known, u.gone = false, true
		s.order.remove(u.ID)
		u.until = now + googlesession.TokenWindow.Milliseconds()
		sh.release(u, now)
		return nil
	})
	return err
}

// change runs f on a user while nobody else can change who is an administrator.
func (s *Store) change(ctx context.Context, id string, f func(*shard, *user, int64) error) (googlesession.User, error) {
	if err := ctx.Err(); err != nil {
		return googlesession.User{}, done(err)
	}
	s.access.Lock()
	defer s.access.Unlock()
	sh := s.shard(googlesession.UserTag(id))
	sh.mu.Lock()
	defer sh.mu.Unlock()
	u := sh.users[id]
	if u == nil || !u.known {
		return googlesession.User{}, googlesession.ErrNotFound
	}
	if err := f(sh, u, s.now()); err != nil {
		return googlesession.User{}, err
	}
	return u.User, nil
}

func (s *Store) isLastAdmin(u *user) bool { return u.isAdmin() && s.admins.Load() == 1 }

// apply takes over a newer version of a user, and ends the sessions if that one is
// disabled. It returns the newest version known.
func (sh *shard) apply(n googlesession.User, tag [12]byte, now int64) (u *user, applied bool) {
	u = sh.users[n.ID]
	if u != nil && n.Version <= u.Version {
		u.until = max(u.until, now+googlesession.SignInWindow.Milliseconds())
		return u, false
	}
	n = compact(n)
	if u == nil {
		u = sh.add(n.ID, tag)
	}
	n.CreatedAt = fromUnixMilli(n.CreatedAt.UnixMilli())
	n.SeenAt = fromUnixMilli(n.SeenAt.UnixMilli())
	n.TokensAfter = storekit.TokenTime(storekit.TokenUnixMilli(n.TokensAfter))
	if u.gone && u.TokensAfter.After(n.TokensAfter) {
		n.TokensAfter = u.TokensAfter // SignIn goes by it, whatever PutUser brings
	}
	sh.set(u, n, now)
	u.until = max(u.until, now+googlesession.SignInWindow.Milliseconds())
	return u, true
}

// compact makes one text of a user's four, so that the garbage collector has one to look
// at. They share nothing with the caller's either, such as a whole request.
func compact(u googlesession.User) googlesession.User {
	id, email, name := len(u.ID), len(u.ID)+len(u.Email), len(u.ID)+len(u.Email)+len(u.Name)
	all := u.ID + u.Email + u.Name + u.Picture
	u.ID, u.Email, u.Name, u.Picture = all[:id], all[id:email], all[email:name], all[name:]
	return u
}

// set replaces a user's record. Disabling ends the sessions for good, and a later
// TokensAfter those of earlier tokens.
func (sh *shard) set(u *user, n googlesession.User, now int64) {
	before, after := u.isAdmin(), u.TokensAfter
	u.User = n
	switch {
	case n.Disabled:
		sh.end(u, nil, now)
	case n.TokensAfter.After(after):
		last := storekit.TokenUnixMilli(n.TokensAfter)
		sh.endIf(u, now, func(r *record) bool { return r.token <= last })
	}
	sh.store.countAdmin(before, u.isAdmin())
}

func (u *user) isAdmin() bool { return u.known && u.Admin && !u.Disabled }

func (s *Store) countAdmin(before, after bool) {
	switch {
	case before && !after:
		s.admins.Add(-1)
	case after && !before:
		s.admins.Add(1)
	}
}

func (sh *shard) add(id string, tag [12]byte) *user {
	var i uint32
	if n := len(sh.vacant); n > 0 {
		i = sh.vacant[n-1]
		sh.vacant = sh.vacant[:n-1]
	} else {
		i = sh.owned
		sh.owned++
		if i%userSlabLen == 0 {
			sh.owners = append(sh.owners, new([userSlabLen]user))
		}
	}
	u := sh.owner(i)
	*u = user{User: googlesession.User{ID: id}, tag: tag, index: i}
	sh.users[id] = u
	return u
}

package storetest_test

import (
	"context"
	"time"

	"github.com/googlesession/googlesession"
)

// A naiveBare is the record of a user who was deleted or has never signed in.
type naiveBare struct {
	version int64
	after   time.Time // TokensAfter
	since   time.Time // when it was made
}

func (s *naiveUsers) RefuseTokens(ctx context.Context, id string, t time.Time) (googlesession.User, error) {
	if s.has("done context ignored by RefuseTokens") {
		ctx = context.WithoutCancel(ctx)
	}
	if err := s.lock(ctx); err != nil {
		return googlesession.User{}, err
	}
	defer s.mu.Unlock()
	if badTime(t) && !s.has("times of refused tokens not checked") {
		return googlesession.User{}, unavailable("bad time")
	}
	after := s.roundUp(t)
	key := s.key(id)
	old, ok := s.users[key]
	s.pause("refusing tokens reads first")
	if !ok {
		s.refuseAbsent(key, after)
		if s.has("refusing tokens makes users") && id != "" {
			s.users[key] = googlesession.User{ID: id, TokensAfter: after, Version: 1}
		}
		return googlesession.User{}, googlesession.ErrNotFound
	}
	if !after.After(old.TokensAfter) && !s.has("earlier time refuses less") {
		if s.has("Version raised by an earlier time") || s.has("Version raised by the same time") && after.Equal(old.TokensAfter) && !after.IsZero() {
			old.Version++
			s.users[key] = old
		}
		return old, nil
	}
	if old.Disabled && s.has("tokens of disabled users not refused") {
		return old, nil
	}
	u := old
	version, err := s.next(key, old.Version)
	if err != nil {
		return googlesession.User{}, err
	}
	u.TokensAfter, u.Version = after, version
	if s.has("refusing tokens disables") {
		u.Disabled = true
	}
	if s.has("Version not raised by refusing tokens") {
		u.Version = old.Version
	}
	u = s.twoSteps(ctx, key, u)
	s.forgetData(&u, "refusing tokens")
	s.users[key] = u
	switch {
	case s.has("refusing tokens keeps sessions"), s.has("refusing tokens tells sessions first"):
	case s.has("refusing tokens ends all sessions"):
		_, _ = s.RevokeUser(ctx, id, nil)
		fallthrough
	default:
		s.tellSessions(ctx, u)
	}
	return u, s.lateError(ctx)
}

// twoSteps splits RefuseTokens into two steps, in a store with such a bug.
func (s *naiveUsers) twoSteps(ctx context.Context, key string, u googlesession.User) googlesession.User {
	switch {
	case s.has("refusing tokens tells sessions first"):
		s.tellSessions(ctx, u)
		s.pause(s.bug)
		now := s.users[key]
		if u.TokensAfter.After(now.TokensAfter) {
			now.TokensAfter = u.TokensAfter
		}
		now.Version = max(u.Version, now.Version+1)
		return now
	case s.has("refusing tokens reads flags first"):
		s.pause(s.bug)
		now := s.users[key]
		if u.TokensAfter.After(now.TokensAfter) {
			now.TokensAfter = u.TokensAfter
		}
		now.Admin, now.Disabled, now.Version = u.Admin, u.Disabled, max(u.Version, now.Version+1)
		return now
	}
	return u
}

// roundUp returns t in UTC, rounded up to whole milliseconds.
func (s *naiveUsers) roundUp(t time.Time) time.Time {
	switch {
	case t.IsZero():
		return t
	case s.has("TokensAfter rounded down"):
		return t.UTC().Truncate(time.Millisecond)
	case s.has("TokensAfter as given"):
		return t
	}
	return t.UTC().Add(time.Millisecond - 1).Truncate(time.Millisecond)
}

// refuseAbsent remembers the time for an ID that has no user.
func (s *naiveUsers) refuseAbsent(key string, after time.Time) {
	bare := s.gone[key]
	deleted := bare.version > 0
	switch {
	case s.has("tokens of unknown users not refused") && !deleted,
		s.has("tokens of deleted users not refused") && deleted,
		!s.has("earlier time refuses less after a deletion") && deleted && !after.After(bare.after),
		!s.has("earlier time refuses less before the first sign-in") && !deleted && !after.After(bare.after),
		after.IsZero(),
		validNaive(googlesession.User{ID: key}) != nil:
		return
	}
	bare.after, bare.since = after, s.now()
	s.gone[key] = bare
}

// refusedOf returns the TokensAfter of a user, who may be deleted or may never have signed in.
func (s *naiveUsers) refusedOf(key string, old googlesession.User, known bool) time.Time {
	if known {
		return old.TokensAfter
	}
	bare := s.gone[key]
	switch {
	case s.has("tokens remembered too shortly") && s.now().Sub(bare.since) > googlesession.SignInWindow,
		s.has("deletion refuses no tokens") && bare.version > 0,
		s.has("PutUser undoes a deletion") && s.put[key] > 0:
		return time.Time{}
	}
	return bare.after
}

// stale reports whether the token of a sign-in is stale.
func (s *naiveUsers) stale(id googlesession.Identity, after time.Time, known bool) bool {
	switch {
	case after.IsZero(), s.has("tokens not looked at"):
		return false
	case s.has("equal token accepted"):
		return id.IssuedAt.Before(after)
	case s.has("token without time accepted") && id.IssuedAt.IsZero():
		return false
	case s.has("token without time accepted of a known user") && known && id.IssuedAt.IsZero():
		return false
	}
	return !id.IssuedAt.After(after)
}

// lookFirst reports whether the token is stale before SignIn reads the user.
func (s *naiveUsers) lookFirst(id googlesession.Identity) (stale bool) {
	key := s.keyOf(id)
	old, known := s.users[key]
	stale = s.stale(id, s.refusedOf(key, old, known), known)
	s.pause("token looked at first")
	return stale
}

// deletedAt returns the TokensAfter that a deletion leaves.
func (s *naiveUsers) deletedAt(old googlesession.User) time.Time {
	if old.TokensAfter.After(s.now()) && !s.has("deletion lowers TokensAfter") {
		return old.TokensAfter
	}
	if s.has("time of a deletion with a zone") {
		return s.now().In(time.FixedZone("", 3600))
	}
	return s.now()
}

// PutUser replaces the record of a known user, and otherwise is for the sessions. The users
// remember its Version, because their next Version must be greater.
func (s *naiveUsers) PutUser(ctx context.Context, u googlesession.User) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	applied, err := s.SessionStore.PutUser(ctx, u)
	if applied {
		key := s.key(u.ID)
		s.put[key], s.copies[key] = u.Version, u
		old, known := s.users[key]
		if known && !s.has("PutUser keeps the record") {
			if s.has("PutUser keeps Data") {
				u.Data = old.Data
			}
			s.users[key] = u
		}
		bare := s.gone[key]
		if !known && (s.has("PutUser brings users") && bare.version == 0 || s.has("PutUser brings deleted users back") && bare.version > 0) {
			s.users[key] = u
		}
		s.putAdmin[key], s.putDisabled[key] = u.Admin, u.Disabled
		if !known {
			s.putTokensAfter(key, u.TokensAfter)
		}
	}
	return applied, err
}

// putTokensAfter remembers the TokensAfter that PutUser brought for an ID that has no user,
// for the first SignIn.
func (s *naiveUsers) putTokensAfter(key string, after time.Time) {
	bare := s.gone[key]
	later := after.After(bare.after)
	switch {
	case after.IsZero(), s.has("TokensAfter from PutUser ignored"),
		s.has("TokensAfter from PutUser ignored after a deletion") && bare.version > 0,
		!later && bare.version > 0 && !s.has("PutUser shortens a deletion"),
		!later && bare.version == 0 && !s.has("PutUser refuses less before the first sign-in"):
		return
	}
	bare.after, bare.since = after, s.now()
	s.gone[key] = bare
}

// next returns the Version of a user's next record.
func (s *naiveUsers) next(key string, old int64) (int64, error) {
	version := max(s.version(old), s.version(s.put[key]))
	if version >= 1<<53 && !s.has("Versions without an end") {
		return 0, unavailable("no next Version")
	}
	return version, nil
}

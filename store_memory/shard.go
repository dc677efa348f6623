package memstore

import (
	"sync"
	"time"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/storekit"
)

// shardCount divides the users among locks, so that requests rarely wait for each other.
const shardCount = 64

// A shard holds the users whose tags lead to it, and their sessions. Its lock makes each
// call one atomic step. The methods of shard need the write lock.
type shard struct {
	store *Store

	mu sync.RWMutex
	table
	forgetQueue []forgetting
}

// An account is what the store knows about a user.
type account struct {
	googlesession.User // the newest version

	// owned says that the user came by SignIn, so that this store's record is the truth.
	// The others came by PutUser or CreateSession, or are tombstones.
	owned bool

	// tombstone says that the user was deleted, or had never signed in when RefuseTokens was
	// called. Its TokensAfter is remembered for TokenWindow, and PutUser cannot lower it.
	tombstone bool

	queued        bool  // the forget queue has an entry
	rememberUntil int64 // the user is not forgotten before, in Unix milliseconds
}

// apply replaces the shard's record of a user with u, if u has a greater Version. It
// returns the user, whose record is now u or one that is as new or newer.
func (s *shard) apply(u googlesession.User, tag [12]byte, now int64) (known *user, applied bool) {
	known = s.users[u.ID]
	applied = known == nil || u.Version > known.Version
	if applied {
		u = compact(u)
		if known == nil {
			known = s.addUser(u.ID, tag)
		}
		u.CreatedAt = fromUnixMilli(u.CreatedAt.UnixMilli())
		u.SeenAt = fromUnixMilli(u.SeenAt.UnixMilli())
		u.TokensAfter = storekit.TokenTime(storekit.TokenUnixMilli(u.TokensAfter))
		if known.tombstone && known.TokensAfter.After(u.TokensAfter) {
			u.TokensAfter = known.TokensAfter
		}
		s.replace(known, u, now)
	}
	known.rememberUntil = max(known.rememberUntil, now+googlesession.SignInWindow.Milliseconds())
	return known, applied
}

// replace replaces the record of a user. A disabled record ends all sessions of the user
// for good, and a later TokensAfter ends those of earlier tokens.
func (s *shard) replace(u *user, newer googlesession.User, now int64) {
	wasAdmin, older := u.isAdmin(), u.User
	s.setRecord(u, newer)
	s.store.countAdmin(wasAdmin, u.isAdmin())
	switch {
	case newer.Disabled:
		s.endSessions(u, now, func(*record) bool { return true })
	case newer.TokensAfter.After(older.TokensAfter):
		after := storekit.TokenUnixMilli(newer.TokensAfter)
		s.endSessions(u, now, func(rec *record) bool { return rec.tokenIssued <= after })
	}
}

// setRecord sets the user's record to one with the same ID. The keys by which the user is
// found become the ID of that record, because the ID of the older one is a part of its
// texts and would keep them in memory.
func (s *shard) setRecord(u *user, newer googlesession.User) {
	u.User = newer
	s.users[newer.ID] = u
	if u.owned {
		s.store.ids.set(newer.ID)
	}
}

// compact returns u with its four texts as parts of a new one, so that the garbage
// collector has one to look at instead of four. The store then keeps nothing of the
// caller's alive, such as the request that a text is a part of.
func compact(u googlesession.User) googlesession.User {
	id, email, name := len(u.ID), len(u.ID)+len(u.Email), len(u.ID)+len(u.Email)+len(u.Name)
	all := u.ID + u.Email + u.Name + u.Picture
	u.ID, u.Email, u.Name, u.Picture = all[:id], all[id:email], all[email:name], all[name:]
	return u
}

// makeRoom reports whether the user may have one more session, which is n. Until there is
// room it ends sessions that have expired, then the least recently seen, or none of those
// if n.RefuseOverMax is set. The session that n replaces does not count and is not ended.
func (s *shard) makeRoom(u *user, n googlesession.NewSession, now int64) bool {
	limit := storekit.SessionLimit(n, s.store.perUser)
	for rec := range s.sessions(u) {
		if u.count < limit {
			break
		}
		if !rec.live(now) {
			s.endSession(rec, now)
		}
	}
	replaced := s.sessionOf(u, n.Replaces)
	if replaced != nil {
		limit++
	}
	if u.count >= limit && n.RefuseOverMax {
		return false
	}
	for u.count >= limit {
		s.endSession(s.leastRecentlySeen(u, replaced), now)
	}
	return true
}

// sessionOf returns the session of u that r names, or nil if r is nil or names none.
func (s *shard) sessionOf(u *user, r *googlesession.Ref) *record {
	if r == nil {
		return nil
	}
	if rec, owner := s.lookup(*r); owner == u {
		return rec
	}
	return nil
}

// leastRecentlySeen returns a session of u other than except. Of those seen at the same
// time it returns the oldest. It returns nil if there is no other session.
func (s *shard) leastRecentlySeen(u *user, except *record) (least *record) {
	for rec := range s.sessions(u) {
		if rec != except && (least == nil || rec.seen.Load() <= least.seen.Load()) {
			least = rec
		}
	}
	return least
}

// create adds a session, which makeRoom and the limit of the store have room for.
func (s *shard) create(u *user, n googlesession.NewSession, now int64) *record {
	s.store.held.Add(1)
	return s.insert(u, &n.Ref.ID, times{
		created:     now,
		absoluteEnd: now + n.MaxLifetime.Milliseconds(),
		idleTimeout: n.IdleTimeout.Milliseconds(),
		tokenIssued: storekit.TokenUnixMilli(n.TokenIssuedAt),
	}, n.Device)
}

// endSession removes a session.
func (s *shard) endSession(rec *record, now int64) {
	u := s.remove(rec)
	s.store.held.Add(-1)
	s.scheduleForget(u, now)
}

// endSessions ends the user's sessions that match, and returns how many of them were live.
func (s *shard) endSessions(u *user, now int64, match func(*record) bool) (n int) {
	for rec := range s.sessions(u) {
		if !match(rec) {
			continue
		}
		if rec.live(now) {
			n++
		}
		s.endSession(rec, now)
	}
	return n
}

// describe sets session to what the shard knows about rec, a session of u. It leaves
// Device and Touched as they are. A result would be copied on the way to every request.
func describe(session *googlesession.Session, u *user, rec *record) {
	seen := rec.seen.Load()
	session.Ref = googlesession.Ref{Tag: u.tag, ID: rec.id}
	session.User = u.User
	session.CreatedAt = fromUnixMilli(rec.created)
	session.SeenAt = fromUnixMilli(seen)
	session.ExpiresAt = fromUnixMilli(min(rec.absoluteEnd, seen+rec.idleTimeout))
	session.TokenIssuedAt = storekit.TokenTime(rec.tokenIssued)
}

// fromUnixMilli returns ms, in Unix milliseconds, as a time in UTC.
func fromUnixMilli(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

package memstore

import (
	"sync"
	"time"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/storekit"
)

// shardCount is the number of shards. Each shard has its own lock, so that requests rarely
// wait for each other.
const shardCount = 64

// A shard holds the users whose tags select the shard, and their sessions. A method of
// Store holds the shard's lock, so each call is one atomic step. The methods of shard itself
// need the write lock.
type shard struct {
	store *Store

	mu sync.RWMutex
	table
	forgetQueue []forgetting
}

// An account is a user's record, with what decides how long the store keeps the record.
type account struct {
	googlesession.User // the newest version of the record

	// owned says that the user came by SignIn, so the user belongs to the UserStore. A user
	// who is not owned came by PutUser or CreateSession, or is a tombstone.
	owned bool

	// tombstone says that the user was deleted, or had never signed in when RefuseTokens was
	// called. The store remembers TokensAfter of a tombstone for TokenWindow, and PutUser
	// cannot make it earlier.
	tombstone bool

	queued        bool  // forgetQueue has an entry for the user
	rememberUntil int64 // the user is not forgotten before this time, in Unix milliseconds
}

// apply stores u as the record of its user if the shard has no record of the user or one
// with a smaller Version. It returns the user, and whether it stored u.
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

// replace replaces the record of u with newer. If newer is disabled, replace ends all
// sessions of u for good. If newer has a later TokensAfter, replace ends the sessions whose
// tokens were not issued after that time.
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

// setRecord replaces the record of u with newer, which has the same ID. It also makes
// newer.ID the key of the user in users and ids. The older ID is a part of the older
// record's texts, and as a key it would keep these texts in memory.
func (s *shard) setRecord(u *user, newer googlesession.User) {
	u.User = newer
	s.users[newer.ID] = u
	if u.owned {
		s.store.ids.set(newer.ID)
	}
}

// compact returns u with its four texts as parts of one new text, so that the garbage
// collector has one text to look at instead of four. The store then keeps none of the
// caller's memory alive, such as a request that contains one of the texts.
func compact(u googlesession.User) googlesession.User {
	id, email, name := len(u.ID), len(u.ID)+len(u.Email), len(u.ID)+len(u.Email)+len(u.Name)
	all := u.ID + u.Email + u.Name + u.Picture
	u.ID, u.Email, u.Name, u.Picture = all[:id], all[id:email], all[email:name], all[name:]
	return u
}

// makeRoom reports whether the user may have the session n. Until there is room for n, it
// ends sessions that have expired, and then, unless n.RefuseOverMax is set, the live
// sessions that were least recently seen. A live session in n.Replaces does not count and
// is not ended.
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

// sessionOf returns the session that r names. It returns nil if r is nil or does not name a
// session of u.
func (s *shard) sessionOf(u *user, r *googlesession.Ref) *record {
	if r == nil {
		return nil
	}
	if rec, owner := s.lookup(*r); owner == u {
		return rec
	}
	return nil
}

// leastRecentlySeen returns the session of u, other than except, that was seen the longest
// ago. Of several sessions that were seen at the same time it returns the oldest. It
// returns nil if u has no session other than except.
func (s *shard) leastRecentlySeen(u *user, except *record) (least *record) {
	for rec := range s.sessions(u) {
		if rec != except && (least == nil || rec.seen.Load() <= least.seen.Load()) {
			least = rec
		}
	}
	return least
}

// create adds the session n. The caller has checked that the limits of the user and of the
// store leave room for n.
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

// describe sets the fields of session from rec, a session of u, except Device and Touched.
// It does not return a Session, because the result would be copied for every request.
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

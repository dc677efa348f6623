package memstore

import (
	"sync"

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

// apply stores u as the record of its user if the shard has no record of the user or one
// with a smaller Version. It returns the user, and whether it stored u.
func (s *shard) apply(u googlesession.User, tag [12]byte, now int64) (known *user, applied bool) {
	known = s.users[u.ID]
	applied = known == nil || u.Version > known.version
	if applied {
		if known == nil {
			known = s.addUser(newProfile(u), tag)
		}
		if known.tombstone && known.tokensAfter > storekit.TokenUnixMilli(u.TokensAfter) {
			u.TokensAfter = storekit.TokenTime(known.tokensAfter)
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
	wasAdmin, tokensAfter := u.isAdmin(), u.tokensAfter
	s.setRecord(u, newer)
	s.store.countAdmin(wasAdmin, u.isAdmin())
	switch {
	case u.disabled():
		s.endSessions(u, now, func(*record) bool { return true })
	case u.tokensAfter > tokensAfter:
		s.endSessions(u, now, func(rec *record) bool { return rec.tokenIssued <= u.tokensAfter })
	}
}

// replaceByNext replaces the record of u with newer and the next Version.
func (s *shard) replaceByNext(u *user, newer googlesession.User, now int64) error {
	version, err := storekit.NextVersion(u.version, now)
	if err != nil {
		return unavailable(err)
	}
	newer.Version = version
	s.replace(u, newer, now)
	return nil
}

// setRecord replaces the record of u with newer, which has the same ID. If the text of the
// record changes, setRecord also makes the new ID the key of the user in users. The older ID
// is a part of the older text, and as a key it would keep that text in memory. A sign-in
// without a change of the profile leaves the text and the directory as they are.
func (s *shard) setRecord(u *user, newer googlesession.User) {
	older := u.profile
	u.set(newer)
	if u.profile != older {
		s.users[u.id()] = u
	}
	if u.owned && (u.listed == 0 || u.profile != older) {
		u.listed = s.store.directory.set(u.listed, u.profile)
	}
}

// makeRoom reports whether the user may have the session n. Until there is room for n, it
// ends sessions that have expired, and then, unless n.RefuseOverMax is set, the live
// sessions that were least recently seen. A live session in n.Replaces does not count and
// is not ended.
func (s *shard) makeRoom(u *user, n googlesession.NewSession, now int64) bool {
	limit := storekit.SessionLimit(n, s.store.perUser)
	for rec := range s.sessions(u) {
		if int(u.count) < limit {
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
	if int(u.count) >= limit && n.RefuseOverMax {
		return false
	}
	for int(u.count) >= limit {
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
	}, s.details.intern(n))
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

// describe sets the fields of session from rec, a session of u, except Device, Label and
// Touched. It does not return a Session, because the result would be copied for every
// request.
func (s *shard) describe(session *googlesession.Session, u *user, rec *record) {
	seen := rec.seen.Load()
	session.Ref = googlesession.Ref{Tag: u.tag, ID: rec.id}
	u.describe(&session.User)
	session.CreatedAt = fromUnixMilli(rec.created)
	session.SeenAt = fromUnixMilli(seen)
	session.ExpiresAt = fromUnixMilli(min(rec.absoluteEnd, seen+rec.idleTimeout))
	session.TokenIssuedAt = storekit.TokenTime(rec.tokenIssued)
	session.PublicID = session.Ref.PublicID()
	if extra := s.details.extra(rec.details); extra != nil {
		session.PublicID, session.Kind, session.Binding = extra.publicID, extra.kind, extra.binding()
	}
}

// describeAll sets all fields of session but Touched.
func (s *shard) describeAll(session *googlesession.Session, u *user, rec *record) {
	s.describe(session, u, rec)
	session.Device, session.Label = s.details.device(rec.details), s.details.label(rec.details)
}

package memstore

import "github.com/googlesession/googlesession"

// sweepSteps is how many sessions, and how many users, a call of sweep removes at most. It
// is more than the one session that a call of CreateSession adds, so sweeping keeps up. It
// is small, so that no call takes long.
const sweepSteps = 8

// sweep removes expired sessions, and users for whom the time in forgetQueue has come. If a
// session is due but was used meanwhile, sweep postpones it to its new deadline.
func (s *shard) sweep(now int64) {
	for range sweepSteps {
		rec := s.due.first(now)
		if rec == nil {
			break
		}
		if rec.live(now) {
			s.due.postpone(rec)
		} else {
			s.endSession(rec, now)
		}
	}
	for range sweepSteps {
		if len(s.forgetQueue) == 0 || s.forgetQueue[0].at > now {
			break
		}
		s.forgetFirst(now)
	}
}

// A forgetting is an entry of forgetQueue. It says from when the shard may forget the user.
// The shard keeps the user until the entry is taken from the queue.
type forgetting struct {
	user *user
	at   int64 // in Unix milliseconds
}

// scheduleForget adds u to forgetQueue if u is forgettable and not in the queue. It is
// called whenever u may have become forgettable. An entry waits for the entries before it.
// So a user behind a user who is kept for TokenWindow may be forgotten later than the entry
// says, but never earlier.
func (s *shard) scheduleForget(u *user, now int64) {
	if u.queued || !u.forgettable() {
		return
	}
	u.queued = true
	at := max(u.rememberUntil, now+googlesession.SignInWindow.Milliseconds())
	s.forgetQueue = append(s.forgetQueue, forgetting{u, at})
}

// forgetFirst takes the first entry from forgetQueue. It forgets the entry's user, unless
// the user has a session, belongs to the UserStore or is to be remembered for longer.
func (s *shard) forgetFirst(now int64) {
	u := s.forgetQueue[0].user
	s.forgetQueue[0] = forgetting{} // so that the slice does not keep the user in memory
	s.forgetQueue = s.forgetQueue[1:]
	u.queued = false
	switch {
	case u.rememberUntil > now:
		s.scheduleForget(u, now)
	case u.forgettable():
		s.removeUser(u)
	}
}

// forgettable reports whether the user has no session and is not a user of the UserStore.
func (u *user) forgettable() bool { return !u.owned && u.count == 0 }

package memstore

import "github.com/googlesession/googlesession"

// sweepSteps bounds how many sessions, and how many users, a call removes. It is more than
// the one session that a call adds, so sweeping keeps up. It is small, so no call takes
// long.
const sweepSteps = 8

// sweep removes sessions that have expired and users to forget. A session that was used
// since it was last due is due again at its new deadline.
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
	at   int64 // Unix milliseconds
}

// scheduleForget adds the user to the queue if nothing but the queue has a reason to keep
// it. It is called whenever such a reason may have gone. An entry waits for those before
// it, so a user behind one that is kept for TokenWindow may be forgotten later than its
// own time, never earlier.
func (s *shard) scheduleForget(u *user, now int64) {
	if u.queued || !u.forgettable() {
		return
	}
	u.queued = true
	at := max(u.rememberUntil, now+googlesession.SignInWindow.Milliseconds())
	s.forgetQueue = append(s.forgetQueue, forgetting{u, at})
}

// forgetFirst takes the first entry from the queue, and forgets its user unless the store
// was told of the user since.
func (s *shard) forgetFirst(now int64) {
	u := s.forgetQueue[0].user
	s.forgetQueue[0] = forgetting{} // so that the slice does not keep the user
	s.forgetQueue = s.forgetQueue[1:]
	u.queued = false
	switch {
	case u.rememberUntil > now:
		s.scheduleForget(u, now)
	case u.forgettable():
		s.removeUser(u)
	}
}

// forgettable reports whether the user has no session and is not one of the UserStore.
func (u *user) forgettable() bool { return !u.owned && u.count == 0 }

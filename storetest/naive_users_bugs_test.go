package storetest_test

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/googlesession/googlesession"
)

// naiveUserBugs holds the data that only bugs need.
type naiveUserBugs struct {
	putAdmin          map[string]bool // the flags that PutUser brought
	putDisabled       map[string]bool
	hidden            map[string]googlesession.User   // deleted users
	copies            map[string]googlesession.User   // from PutUser
	olds              map[string][]googlesession.User // earlier records
	flags             map[string][2]bool              // Admin and Disabled when first seen
	doubled           []googlesession.User            // second records of users
	page              []googlesession.User            // the last page, until something changes
	pageOf            string
	setting, deleting chan struct{} // locks, as channels, because a bubble's clock stops while a goroutine waits for a mutex
}

// pause releases the lock for a moment in a store with that bug, which splits one atomic step
// into two.
func (s *naiveUsers) pause(bug string) {
	if s.has(bug) {
		s.mu.Unlock()
		time.Sleep(time.Microsecond) //nolint:forbidigo // synctest
		s.mu.Lock()
	}
}

// exclude excludes other calls of its kind until the returned function is called.
func (s *naiveUsers) exclude(lock chan struct{}) func() {
	if !s.has("access and deletion locked apart") {
		return func() {}
	}
	lock <- struct{}{}
	return func() { <-lock }
}

// lateError returns the error of a done context after the work is done, in a store with that
// bug.
func (s *naiveUsers) lateError(ctx context.Context) error {
	if !s.has("done context noticed too late") {
		return nil
	}
	return interrupted(ctx)
}

// key returns the text by which the store finds a user.
func (s *naiveUsers) key(id string) string {
	switch {
	case s.has("subjects folded"):
		return strings.ToLower(id)
	case s.has("subjects trimmed"):
		return strings.TrimRight(id, " ")
	}
	return id
}

// keyOf returns the key of the user who signs in.
func (s *naiveUsers) keyOf(id googlesession.Identity) string {
	if s.has("e-mail address identifies the user") {
		for key, u := range s.users {
			if u.Email == id.Email {
				return key
			}
		}
	}
	return s.key(id.Subject)
}

// find returns the user who signs in, and whether the store knows the user.
func (s *naiveUsers) find(key string) (u googlesession.User, known bool) {
	u, known = s.users[key]
	if hidden, ok := s.hidden[key]; ok && !known && s.has("delete only hides") {
		return hidden, true
	}
	if s.has("insert without a key") && !known {
		s.pause(s.bug)
		if u, known = s.users[key]; known {
			s.doubled = append(s.doubled, u)
		}
	}
	return u, known
}

// storeAnyway stores an invalid user that is refused, in a store with such a bug.
func (s *naiveUsers) storeAnyway(u googlesession.User) {
	badID := u.ID == "" || len(u.ID) > 255 || !isText(u.ID)
	if s.has("bad subjects refused too late") && badID || s.has("bad profiles refused too late") && !badID {
		s.users[s.key(u.ID)] = u
	}
}

// storeWrongly changes the record of a sign-in, in a store with such a bug.
func (s *naiveUsers) storeWrongly(u *googlesession.User, old googlesession.User, known bool) {
	if known {
		s.olds[u.ID] = append(s.olds[u.ID], old)
	} else {
		s.flags[u.ID] = [2]bool{}
	}
	switch {
	case s.has("sign-in accepts all tokens") && known:
		u.TokensAfter = time.Time{}
	case s.has("new user accepts all tokens") && !known:
		u.TokensAfter = time.Time{}
	case s.has("PutUser makes administrators") && !known:
		u.Admin = s.putAdmin[u.ID]
	case s.has("PutUser makes disabled users") && !known:
		u.Disabled = s.putDisabled[u.ID]
	case s.has("delete keeps Data") && !known:
		u.Data = s.hidden[u.ID].Data
	case s.has("PutUser makes data") && !known:
		u.Data = s.copies[u.ID].Data
	case s.has("sign-in resets access"):
		u.Admin = false
	case s.has("Version not raised by sign-in") && known:
		u.Version = old.Version
	case s.has("CreatedAt overwritten"):
		u.CreatedAt = s.now()
	case s.has("SeenAt of the first sign-in") && known:
		u.SeenAt = old.SeenAt
	case s.has("profile of the first sign-in") && known:
		u.Email, u.Name, u.Picture = old.Email, old.Name, old.Picture
	case s.has("empty profile means unchanged") && known:
		u.Email, u.Name, u.Picture = cmp.Or(u.Email, old.Email), cmp.Or(u.Name, old.Name), cmp.Or(u.Picture, old.Picture)
	case s.has("profile cut"):
		u.Picture = u.Picture[:min(len(u.Picture), 1024)]
	case s.has("times with a zone"):
		u.CreatedAt, u.SeenAt = u.CreatedAt.In(time.FixedZone("", 3600)), u.SeenAt.In(time.FixedZone("", 3600))
	}
}

// listed returns all users, in any order.
func (s *naiveUsers) listed() []googlesession.User {
	users := slices.Collect(maps.Values(s.users))
	if s.has("delete hides from User only") {
		users = slices.AppendSeq(users, maps.Values(s.hidden))
	}
	return append(users, s.doubled...)
}

// flag returns the flag after a SetAccess.
func (s *naiveUsers) flag(set *bool, old bool) bool {
	switch {
	case set != nil:
		return *set
	case s.has("nil flag means false"):
		return false
	}
	return old
}

// remove deletes a user. It keeps the Version of the bare record, so that a later Version is
// greater.
func (s *naiveUsers) remove(old, bare googlesession.User) {
	key := s.key(old.ID)
	delete(s.users, key)
	if !s.has("delete keeps browsers") {
		delete(s.browsers, key)
	}
	old.Version = bare.Version
	s.hidden[key] = old
	switch {
	case s.has("Version restarts after delete"):
	case s.has("delete has no Version"):
		s.gone[key] = naiveBare{bare.Version - 1, bare.TokensAfter, s.now()}
	default:
		s.gone[key] = naiveBare{bare.Version, bare.TokensAfter, s.now()}
	}
}

// forget removes or changes users who have not signed in for long, in a store with such a
// bug.
func (s *naiveUsers) forget() {
	for key, u := range s.users {
		switch since := s.now().Sub(u.SeenAt); {
		case s.has("users forgotten after SignInWindow") && since > googlesession.SignInWindow,
			s.has("users forgotten after TokenWindow") && since > googlesession.TokenWindow,
			s.has("disabled users forgotten") && since > googlesession.TokenWindow && u.Disabled:
			delete(s.users, key)
		case s.has("Data forgotten") && since > googlesession.TokenWindow:
			u.Data = ""
			s.users[key] = u
		case s.has("browsers forgotten") && since > googlesession.TokenWindow:
			delete(s.browsers, key)
		case s.has("flags forgotten") && since > googlesession.TokenWindow:
			u.Admin, u.Disabled = false, false
			s.users[key] = u
		}
	}
}

// copiesAreAdmins reports whether a store with such a bug counts an administrator whom only
// PutUser brought.
func (s *naiveUsers) copiesAreAdmins() bool {
	for key, isAdmin := range s.putAdmin {
		_, known := s.users[key]
		wasDeleted := s.gone[key].version > 0
		if isAdmin && !known && (s.has("copies count as administrators") && !wasDeleted || s.has("copies of deleted users count as administrators") && wasDeleted) {
			return true
		}
	}
	return false
}

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

// naiveUserBugs is what only users with bugs have.
type naiveUserBugs struct {
	putAdmin          map[string]bool
	hidden            map[string]googlesession.User // the deleted
	doubled           []googlesession.User          // second records
	page              []googlesession.User          // the last one, until something changes
	pageOf            string
	setting, deleting chan struct{} // locks: synctest goes on while somebody waits for one
}

// pause lets the others go on between two steps that belong together.
func (s *naiveUsers) pause(bug string) {
	if s.has(bug) {
		s.mu.Unlock()
		time.Sleep(time.Microsecond) //nolint:forbidigo // synctest
		s.mu.Lock()
	}
}

// only keeps calls like this one out until the returned function is called.
func (s *naiveUsers) only(lock chan struct{}) func() {
	if !s.has("access and deletion locked apart") {
		return func() {}
	}
	lock <- struct{}{}
	return func() { <-lock }
}

// late is the error of a context that was looked at only after the work.
func (s *naiveUsers) late(ctx context.Context) error {
	if !s.has("done context noticed too late") {
		return nil
	}
	return interrupted(ctx)
}

// key is what the user is found by.
func (s *naiveUsers) key(id string) string {
	switch {
	case s.has("subjects folded"):
		return strings.ToLower(id)
	case s.has("subjects trimmed"):
		return strings.TrimRight(id, " ")
	}
	return id
}

func (s *naiveUsers) keyOf(id googlesession.Identity) string {
	if s.has("e-mail as identity") {
		for key, u := range s.users {
			if u.Email == id.Email {
				return key
			}
		}
	}
	return s.key(id.Subject)
}

// find is how a sign-in finds its user.
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

func (s *naiveUsers) storeAnyway(u googlesession.User) {
	badID := u.ID == "" || len(u.ID) > 255 || !isText(u.ID)
	if s.has("bad subjects refused too late") && badID || s.has("bad profiles refused too late") && !badID {
		s.users[s.key(u.ID)] = u
	}
}

// spoil changes what a sign-in stores.
func (s *naiveUsers) spoil(u *googlesession.User, old googlesession.User, known bool) {
	switch {
	case s.has("sign-in accepts all tokens") && known:
		u.TokensAfter = time.Time{}
	case s.has("new user accepts all tokens") && !known:
		u.TokensAfter = time.Time{}
	case s.has("PutUser makes administrators") && !known:
		u.Admin = s.putAdmin[u.ID]
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

func (s *naiveUsers) listed() []googlesession.User {
	users := slices.Collect(maps.Values(s.users))
	if s.has("delete hides from User only") {
		users = slices.AppendSeq(users, maps.Values(s.hidden))
	}
	return append(users, s.doubled...)
}

func (s *naiveUsers) flag(set *bool, old bool) bool {
	switch {
	case set != nil:
		return *set
	case s.has("nil flag means false"):
		return false
	}
	return old
}

// remove leaves the Version of the bare record, so that it never goes back.
func (s *naiveUsers) remove(old, bare googlesession.User) {
	key := s.key(old.ID)
	delete(s.users, key)
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

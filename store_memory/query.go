package memstore

import (
	"cmp"
	"context"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/storekit"
)

// maxFound is how many users Users looks up in the directory at once, so that a long page
// does not keep sign-ins waiting.
const maxFound = 512

// Users implements [googlesession.UserStore]. With a prefix, users are in the order of their
// e-mail addresses or names.
func (s *Store) Users(ctx context.Context, q googlesession.UserQuery) ([]googlesession.User, error) {
	if err := cmp.Or(ctx.Err(), storekit.CheckUserQuery(q)); err != nil {
		return nil, unavailable(err)
	}
	o, prefix, after := startOf(q)
	classes := classesOf(q)
	page := []googlesession.User{}
	for len(page) < q.Limit {
		wanted := min(q.Limit-len(page), maxFound)
		found := s.directory.page(o, prefix, after, classes, wanted)
		for i := range found {
			after = o.of(&found[i])
			// The user may have been changed or deleted meanwhile. A user whose position has
			// changed is left out, because the caller continues after the position of the last
			// user of the page.
			u, ok := s.ownedUser(after.id)
			if ok && storekit.MatchesQuery(u, q) && o.position(u.ID, u.Email, u.Name).compare(after) == 0 {
				page = append(page, u)
			}
		}
		if len(found) < wanted {
			break
		}
	}
	return page, nil
}

// startOf returns the order in which the users of q are neighbours, the prefix of their
// text in that order, and the position after which the page begins.
func startOf(q googlesession.UserQuery) (o order, prefix string, after position) {
	switch {
	case q.EmailPrefix != "":
		o, prefix = byEmail, q.EmailPrefix
	case q.NamePrefix != "":
		o, prefix = byName, q.NamePrefix
	}
	if q.After != nil {
		after = o.position(q.After.ID, q.After.Email, q.After.Name)
	}
	return o, prefix, after
}

// classesOf returns the classes of the users whom q selects.
func classesOf(q googlesession.UserQuery) (classes []class) {
	for c := range classCount {
		admin, disabled := c&adminClass != 0, c&disabledClass != 0
		if (q.Admin == nil || *q.Admin == admin) && (q.Disabled == nil || *q.Disabled == disabled) {
			classes = append(classes, c)
		}
	}
	return classes
}

// ownedUser returns the user with this ID. ok is false if the user is not in the UserStore.
func (s *Store) ownedUser(id string) (u googlesession.User, ok bool) {
	shard := s.shardOf(id)
	shard.mu.RLock()
	defer shard.mu.RUnlock()
	if known := shard.users[id]; known != nil && known.owned {
		return known.user(), true
	}
	return u, false
}

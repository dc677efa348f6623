package memstore

import (
	"context"
	"slices"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/storekit"
)

// Browsers implements [googlesession.UserStore].
func (s *Store) Browsers(ctx context.Context, id string, seen *googlesession.BrowserID) (known []googlesession.BrowserID, err error) {
	if err := ctx.Err(); err != nil {
		return nil, unavailable(err)
	}
	shard := s.shardOf(id)
	shard.mu.Lock()
	defer shard.mu.Unlock()
	u := shard.users[id]
	if u == nil || !u.owned {
		return nil, googlesession.ErrNotFound
	}
	known = u.browserIDs()
	if seen != nil {
		u.see(*seen, known)
	}
	return known, nil
}

// browserIDs returns the browsers from which the user has signed in, the most recent first.
func (u *user) browserIDs() (ids []googlesession.BrowserID) {
	for id := range slices.Chunk([]byte(u.browsers), len(googlesession.BrowserID{})) {
		ids = append(ids, googlesession.BrowserID(id))
	}
	return ids
}

// see makes seen the most recent browser of the user, after known.
func (u *user) see(seen googlesession.BrowserID, known []googlesession.BrowserID) {
	if len(known) > 0 && known[0] == seen {
		return
	}
	var all []byte
	for _, id := range storekit.SeenBrowsers(known, seen) {
		all = append(all, id[:]...)
	}
	u.browsers = string(all)
}

package main

import (
	"context"
	"errors"
	"net/http"

	"github.com/googlesession/googlesession"
)

const (
	// directorySize is how many users are read for one answer. The library's stores find users
	// by ID and by the beginning of an address or a name only, because nothing else costs a
	// page at a million users. So this application reads all users to search, sort and count
	// them, which takes milliseconds for a few thousand. A larger application has a table of
	// accounts with the indexes that its lists need, as docs/own-users.md shows.
	directorySize = 10_000

	// directorySessions is how many live sessions are read for one answer.
	directorySessions = 2 * directorySize

	// directoryPart is how many users or sessions one call reads, which is short enough for
	// the library's timeout of a call.
	directoryPart = 500

	directoryTimeout = 5 * storeTimeout
)

// A directory holds the users, and how many live sessions each of them has.
type directory struct {
	users  []googlesession.User
	live   map[string]int // by user ID; a user without a live session is missing
	counts peopleCounts

	partial      bool // there are more users or sessions than were read, and the counts are too low
	moreSessions bool // the numbers in live are too low
	inStoreOrder bool // users has the store's order, because it does not have all users
}

// readDirectory reads the users and their live sessions. If there are more than directorySize
// users, it reads those whom the library's own query finds for q. That query compares the
// text with the beginning of the address.
func (a *app) readDirectory(ctx context.Context, q peopleQuery) (d directory, err error) {
	var moreUsers bool
	if d.users, moreUsers, err = a.readUsers(ctx, googlesession.UserQuery{}); err != nil {
		return d, err
	}
	if d.live, d.moreSessions, err = a.readLive(ctx); err != nil {
		return d, err
	}
	d.count()
	d.partial = moreUsers || d.moreSessions
	if moreUsers {
		d.inStoreOrder = true
		d.users, _, err = a.readUsers(ctx, googlesession.UserQuery{EmailPrefix: q.text, Admin: q.admin, Disabled: q.disabled})
	}
	return d, err
}

// readUsers reads the first directorySize users of a query. The bool reports whether there
// are more.
func (a *app) readUsers(ctx context.Context, q googlesession.UserQuery) (users []googlesession.User, more bool, err error) {
	q.Limit = directoryPart
	for {
		part, err := a.sessions.Users(ctx, q)
		if err != nil {
			return nil, false, err
		}
		users = append(users, part...)
		switch {
		case len(users) > directorySize:
			return users[:directorySize], true, nil
		case len(part) < q.Limit:
			return users, false, nil
		}
		q.After = &part[len(part)-1]
	}
}

// readLive counts the first directorySessions live sessions by user. The bool reports whether
// there are more.
func (a *app) readLive(ctx context.Context) (live map[string]int, more bool, err error) {
	live = make(map[string]int)
	seen := make(map[googlesession.Ref]bool) // a store may list a session twice
	for after := ""; ; {
		part, next, err := a.sessions.AllSessions(ctx, after, directoryPart)
		if err != nil {
			return nil, false, err
		}
		for _, s := range part {
			if !seen[s.Ref] {
				seen[s.Ref] = true
				live[s.User.ID]++
			}
		}
		if next == "" || len(seen) >= directorySessions {
			return live, next != "", nil
		}
		after = next
	}
}

// count counts the users for each filter.
func (d *directory) count() {
	d.counts.All = len(d.users)
	for _, u := range d.users {
		if u.Admin {
			d.counts.Administrators++
		}
		if u.Disabled {
			d.counts.Disabled++
		}
		if d.live[u.ID] > 0 {
			d.counts.Active++
		}
	}
}

// liveSessions returns the number of the user's live sessions. It asks the store if the
// directory does not have all sessions.
func (a *app) liveSessions(ctx context.Context, d directory, userID string) (int, error) {
	if !d.moreSessions {
		return d.live[userID], nil
	}
	list, err := a.sessions.Sessions(ctx, userID)
	return len(list), err
}

// noUser converts the library's ErrNotFound to a Denial. It returns any other error
// unchanged.
func noUser(err error) error {
	if errors.Is(err, googlesession.ErrNotFound) && !errors.Is(err, googlesession.ErrUnavailable) {
		return newDenial(http.StatusNotFound, googlesession.CodeNotFound, "There is no such user.")
	}
	return err
}

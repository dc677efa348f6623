package storetest

import (
	"context"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/googlesession/googlesession"
)

// directoryRules returns the rules about reading and deleting users.
func directoryRules() []rule[*userEnv] {
	return []rule[*userEnv]{
		{"unknown user", "User returns ErrNotFound for an unknown ID, an empty one and an invalid one", (*userEnv).unknownUser},
		{"pages", "Users returns every user once, in pages of any size, in byte order of ID, after the ID given", (*userEnv).pages},
		{"limit", "Users returns as many users as there are, but at most limit, and for a limit of zero or less an empty page and no error", (*userEnv).limit},
		{"empty page", "after the last user, Users returns an empty page and no error", (*userEnv).emptyPage},
		{"delete", "User and Users find a deleted user on no handle, and the other users stay", (*userEnv).delete},
		{"delete an unknown user", "DeleteUser of an unknown or deleted user returns ErrNotFound", (*userEnv).deleteUnknown},
		{"access of a deleted user", "SetAccess of a deleted user returns ErrNotFound", (*userEnv).deletedUser},
		{"sign-in after delete", "a subject that signs in after its deletion is a new, enabled user without rights, with a greater Version", (*userEnv).signInAfterDelete},
		{"users are kept", "a user keeps all fields and browsers for longer than TokenWindow, Disabled and Admin too, without sessions and while other users sign in and are put", (*userEnv).usersAreKept},
		{"no shared memory", "the results of Users and Browsers, and the seen of Browsers, share no memory with the store", (*userEnv).usersShareNoMemory},
		{"done context in reading and deleting", "User, Users and DeleteUser with a done context change nothing, and their errors wrap the context's error and ErrUnavailable", (*userEnv).doneAtReading},
	}
}

func (e *userEnv) unknownUser(ctx context.Context) error {
	u := e.signIn(ctx, newIdentity())
	e.absent(ctx, freshID(), "unknown")
	e.absent(ctx, "", "empty ID")
	e.absent(ctx, u.ID+" ", "an ID and a blank")
	e.absent(ctx, u.ID[:len(u.ID)-1], "an ID cut by a byte")
	for what, id := range invalidIDs() {
		e.absent(ctx, id, what)
	}
	return e.err
}

// all pages through every user of the store, size users at a time, and
// returns the users whose ID is in ids.
func (e *userEnv) all(ctx context.Context, ids []string, size int) (users []googlesession.User) {
	last := ""
	for !e.failed() {
		page, err := e.second.Users(ctx, googlesession.UserQuery{After: &googlesession.User{ID: last}, Limit: size})
		e.expect(err == nil, "Users: got error %v, want none", err)
		e.expect(len(page) <= size, "Users: got %d, want at most %d", len(page), size)
		for _, u := range page {
			e.expect(u.ID > last, "Users after %q: got %q, want only IDs after that, in byte order", last, u.ID)
			if last = u.ID; slices.Contains(ids, u.ID) {
				users = append(users, u)
			}
		}
		if len(page) < size {
			break
		}
	}
	return users
}

func (e *userEnv) pages(ctx context.Context) error {
	ids := slices.Concat(caseIDs(), blankIDs(), unusualIDs())
	var want []googlesession.User
	for _, id := range ids {
		want = append(want, e.signIn(ctx, identity(id)))
	}
	slices.SortFunc(want, func(a, b googlesession.User) int {
		if a.ID < b.ID {
			return -1
		}
		return 1
	})
	for _, size := range []int{1, 2, 3, 7, 1000} {
		got := e.all(ctx, ids, size)
		for i := range min(len(got), len(want)) {
			e.expect(got[i] == want[i], "Users in pages of %d: got %+v as user %d, want %+v", size, got[i], i+1, want[i])
		}
		e.expect(len(got) == len(want), "Users in pages of %d: got %d users, want %d", size, len(got), len(want))
	}
	return e.err
}

func (e *userEnv) limit(ctx context.Context) error {
	for range 3 {
		e.signIn(ctx, newIdentity())
	}
	for limit := range 4 {
		users, err := e.first.Users(ctx, googlesession.UserQuery{Limit: limit})
		e.expect(err == nil && len(users) == limit, "Users with limit %d: got %d, %v, want %d, <nil>", limit, len(users), err, limit)
	}
	for _, limit := range []int{-1, math.MinInt} {
		users, err := e.first.Users(ctx, googlesession.UserQuery{Limit: limit})
		e.expect(err == nil && len(users) == 0, "Users with limit %d: got %d, %v, want 0, <nil>", limit, len(users), err)
	}
	return e.err
}

func (e *userEnv) emptyPage(ctx context.Context) error {
	e.signIn(ctx, newIdentity())
	last := ""
	for !e.failed() {
		page, err := e.first.Users(ctx, googlesession.UserQuery{After: &googlesession.User{ID: last}, Limit: 100})
		e.expect(err == nil, "Users after %q: got error %v, want none", last, err)
		if len(page) == 0 {
			break
		}
		e.expect(page[0].ID > last, "Users after %q: got %q, want only IDs after that, in byte order", last, page[0].ID)
		last = page[len(page)-1].ID
	}
	e.expect(last != "", "Users: got no users, want one at least")
	return e.err
}

func (e *userEnv) delete(ctx context.Context) error {
	ids := caseIDs()
	var want []googlesession.User
	for i, id := range ids {
		if u := e.signIn(ctx, identity(id)); i != 1 {
			want = append(want, u)
		}
	}
	e.deleteUser(ctx, ids[1])
	e.absent(ctx, ids[1], "deleted")
	got := e.all(ctx, ids, 100)
	e.expect(e.failed() || len(got) == len(want), "Users after a deletion: got %d, want %d", len(got), len(want))
	for _, u := range want {
		e.is(ctx, u, "another user deleted")
		e.expect(slices.Contains(got, u), "Users after another user's deletion: no %q", u.ID)
	}
	return e.err
}

func (e *userEnv) deleteUnknown(ctx context.Context) error {
	u := e.signIn(ctx, newIdentity())
	e.deleteUser(ctx, u.ID)
	for what, id := range map[string]string{"deleted": u.ID, "unknown": freshID(), "empty": ""} {
		err := e.second.DeleteUser(ctx, id)
		e.expect(says(err, googlesession.ErrNotFound), "DeleteUser of a user ID that is %s: got %v, want ErrNotFound", what, err)
	}
	return e.err
}

func (e *userEnv) deletedUser(ctx context.Context) error {
	u := e.signIn(ctx, newIdentity())
	e.deleteUser(ctx, u.ID)
	for _, a := range []googlesession.AccessChange{{}, {Admin: &yes}, {Disabled: &no}} {
		_, err := e.second.SetAccess(ctx, u.ID, a)
		e.expect(says(err, googlesession.ErrNotFound), "SetAccess(%s) of a deleted user: got %v, want ErrNotFound", show(a), err)
		e.absent(ctx, u.ID, "deleted, and access set")
	}
	return e.err
}

func (e *userEnv) signInAfterDelete(ctx context.Context) error {
	e.keepAnAdmin(ctx)
	for i, a := range []googlesession.AccessChange{{}, {Admin: &yes}, {Disabled: &yes}, {Admin: &yes, Disabled: &yes}} {
		old := e.signIn(ctx, newIdentity())
		for range 3 * i { // each sign-in raises Version, so Version gets ahead of a clock that stands still
			old = e.signIn(ctx, identity(old.ID))
		}
		old = e.setAccess(ctx, old.ID, a)
		e.deleteUser(ctx, old.ID)
		id := e.newToken(ctx, old.ID)
		id.Email, id.Name = "new@example.com", "New "+strconv.Itoa(i)
		u := e.signIn(ctx, id)
		when := "signed in after the deletion of one with " + show(a)
		e.expect(u.Version > old.Version, "%s: got Version %d, want more than %d", when, u.Version, old.Version)
		e.expect(u.CreatedAt.After(old.CreatedAt) && u.CreatedAt.Equal(u.SeenAt), "%s: got CreatedAt %v, SeenAt %v, want the time of the sign-in", when, u.CreatedAt, u.SeenAt)
		e.expect(!u.Admin && !u.Disabled, "%s: got Admin %v, Disabled %v, want neither", when, u.Admin, u.Disabled)
		e.expect(u.Email == id.Email && u.Name == id.Name, "%s: got %q, %q", when, u.Email, u.Name)
		e.is(ctx, u, when)
	}
	return e.err
}

// usersAreKept moves the clock past SignInWindow and TokenWindow, after
// which a store may forget what it keeps for these times. It expects users
// not to be forgotten. If the clock cannot be moved, the rule looks at once.
func (e *userEnv) usersAreKept(ctx context.Context) error {
	var kept []googlesession.User
	var browsers [][]googlesession.BrowserID
	for _, a := range []googlesession.AccessChange{{}, {Admin: &yes}, {Disabled: &yes}, {Admin: &yes, Disabled: &yes}} {
		u := e.signIn(ctx, newIdentity())
		e.refuse(ctx, u.ID, refusedUntil)
		e.setData(ctx, u.ID, "kept", nil)
		browsers = append(browsers, e.see(ctx, u.ID, newBrowser(), newBrowser()))
		kept = append(kept, e.setAccess(ctx, u.ID, a))
	}
	start := e.now(ctx)
	parts := 8
	if e.waits {
		parts = 1
	}
	for i := range parts {
		if !e.waits {
			end := start.Add(googlesession.TokenWindow * time.Duration(i+1) / time.Duration(parts-1))
			e.moveTo(e.clock, end, func() time.Time { return e.now(ctx) })
		}
		e.signIn(ctx, newIdentity())
		if e.sessions != nil { // PutUser makes a store look for users that it can forget
			e.sessions.put(ctx, newUser(), true, "another user")
		}
	}
	for i, u := range kept {
		e.browsers(ctx, e.first, u.ID, nil, browsers[i], "kept for longer than TokenWindow")
		e.listed(ctx, u, "kept for longer than TokenWindow")
		again := e.signInAt(ctx, u.ID, refusedUntil.Add(time.Millisecond))
		e.expect(e.failed() || again.Disabled == u.Disabled && again.Admin == u.Admin && again.CreatedAt.Equal(u.CreatedAt) && again.TokensAfter.Equal(u.TokensAfter),
			"kept for longer than TokenWindow: SignIn: got %+v, want the flags and times of %+v", again, u)
	}
	return e.err
}

func (e *userEnv) usersShareNoMemory(ctx context.Context) error {
	u := e.signIn(ctx, newIdentity())
	for range 2 {
		before := e.all(ctx, []string{u.ID}, 10)
		users, err := e.second.Users(ctx, googlesession.UserQuery{Limit: 10})
		e.expect(err == nil, "Users: got error %v, want none", err)
		for i := range users {
			users[i] = googlesession.User{ID: "overwritten"}
		}
		after := e.all(ctx, []string{u.ID}, 10)
		e.expect(e.failed() || slices.Equal(before, after), "Users after its result was overwritten: got %v, want %v", after, before)
	}
	e.is(ctx, u, "results of Users overwritten")
	seen := newBrowser()
	before := e.see(ctx, u.ID, newBrowser(), seen, newBrowser())
	for _, next := range []*googlesession.BrowserID{nil, &seen} {
		browsers, err := e.first.Browsers(ctx, u.ID, next)
		e.expect(err == nil, "Browsers: got error %v, want none", err)
		clear(browsers)
	}
	want := []googlesession.BrowserID{seen, before[0], before[2]}
	seen = googlesession.BrowserID{}
	e.browsers(ctx, e.first, u.ID, nil, want, "results of Browsers and the seen overwritten")
	return e.err
}

func (e *userEnv) doneAtReading(ctx context.Context) error {
	u := e.signIn(ctx, newIdentity())
	doneContexts(ctx, func(ctx context.Context, cause error) {
		_, err := e.first.User(ctx, u.ID)
		e.interrupted(err, cause, "User")
		_, err = e.first.Users(ctx, googlesession.UserQuery{Limit: 10})
		e.interrupted(err, cause, "Users")
		e.interrupted(e.first.DeleteUser(ctx, u.ID), cause, "DeleteUser")
	})
	e.is(ctx, u, "deletion interrupted")
	return e.err
}

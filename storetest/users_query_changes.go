package storetest

import (
	"context"

	"github.com/googlesession/googlesession"
)

// queriesBetweenChanges changes the last user of each page before it reads the next one. A
// changed user may be on a second page, or on none. Every other user is on one page.
func (e *userEnv) queriesBetweenChanges(ctx context.Context) error {
	for what, change := range map[string]func(u googlesession.User){
		"renamed to the front": func(u googlesession.User) { e.rename(ctx, u, "!") },
		"renamed to the end":   func(u googlesession.User) { e.rename(ctx, u, u.Email+"\U0010ffff") },
		"deleted":              func(u googlesession.User) { e.deleteUser(ctx, u.ID) },
		"disabled":             func(u googlesession.User) { e.setAccess(ctx, u.ID, googlesession.AccessChange{Disabled: &yes}) },
	} {
		for _, size := range []int{1, 2, 3} {
			prefix, users := e.alike(ctx)
			for _, q := range []googlesession.UserQuery{{EmailPrefix: prefix}, {NamePrefix: prefix, Admin: &no}, {EmailPrefix: prefix, Disabled: &no}} {
				e.pagesBetween(ctx, q, size, users, what, change)
				if what == "deleted" || what == "disabled" && q.Disabled != nil {
					break // The next query would find fewer users.
				}
			}
		}
	}
	return e.err
}

func (e *userEnv) rename(ctx context.Context, u googlesession.User, text string) {
	id := identity(u.ID)
	id.Email, id.Name = text, text
	e.signIn(ctx, id)
}

func (e *userEnv) pagesBetween(ctx context.Context, q googlesession.UserQuery, size int, users []googlesession.User, what string, change func(googlesession.User)) {
	left, changed, again := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, u := range users {
		u, err := e.first.User(ctx, u.ID)
		e.expect(err == nil, "User: got error %v, want none", err)
		if matches(u, q) {
			left[u.ID] = true
		}
	}
	for q.Limit = size; !e.failed(); {
		page, err := e.first.Users(ctx, q)
		e.expect(err == nil, "After was %s: Users %s: got error %v, want none", what, shownQuery(q), err)
		for _, u := range page {
			e.expect(left[u.ID] || changed[u.ID] && !again[u.ID], "After was %s: Users %s in pages of %d: got user %q again", what, shownQuery(q), size, u.ID)
			again[u.ID] = !left[u.ID]
			delete(left, u.ID)
		}
		if len(page) < size {
			break
		}
		last := page[size-1]
		q.After = place(last, q)
		if !changed[last.ID] {
			changed[last.ID] = true
			change(last)
		}
	}
	e.expect(len(left) == 0, "After was %s: Users %s in pages of %d: %d users are on no page", what, shownQuery(q), size, len(left))
}

func (e *userEnv) queriesAfterChanges(ctx context.Context) error {
	e.keepAnAdmin(ctx)
	id := newIdentity()
	var u googlesession.User
	var texts [][2]string // the e-mail addresses and names so far
	signIn := func(when string, email, name string) {
		id.Email, id.Name = email, name
		texts = append(texts, [2]string{email, name})
		u = e.signIn(ctx, id)
		e.findsByNewest(ctx, u, texts, when)
	}
	signIn("signed in", freshID()+"@example.com", freshID())
	signIn("renamed", freshID()+"@example.com", freshID())
	signIn("renamed back", texts[0][0], texts[0][1])
	signIn("renamed to no texts", "", "")
	signIn("renamed again", freshID()+"@example.com", freshID())
	for _, a := range []googlesession.AccessChange{{Admin: &yes}, {Disabled: &yes}, {Admin: &no}, {Disabled: &no}} {
		u = e.setAccess(ctx, u.ID, a)
		e.findsByNewest(ctx, u, texts, "after SetAccess("+show(a)+")")
	}
	u = e.setData(ctx, u.ID, "data", nil)
	u = e.refuse(ctx, u.ID, refusedUntil)
	e.findsByNewest(ctx, u, texts, "after SetData and RefuseTokens")
	e.deleteUser(ctx, u.ID)
	for _, t := range texts {
		e.findsNone(ctx, googlesession.User{ID: u.ID, Email: t[0], Name: t[1]}, "deleted")
	}
	id = e.newToken(ctx, u.ID)
	signIn("deleted, then signed in", freshID()+"@example.com", freshID())
	return e.err
}

// findsByNewest expects queries to find u if u matches. The texts are the e-mail addresses and
// names that u has had.
func (e *userEnv) findsByNewest(ctx context.Context, u googlesession.User, texts [][2]string, when string) {
	for _, t := range texts {
		for _, q := range []googlesession.UserQuery{{EmailPrefix: t[0]}, {NamePrefix: t[1]}} {
			e.finds(ctx, q, 1000, []googlesession.User{u}, when)
		}
	}
	for _, q := range queries(u.Email, u.Name) {
		e.finds(ctx, q, 1000, []googlesession.User{u}, when)
	}
}

// findsNone expects no query to find the user with this ID.
func (e *userEnv) findsNone(ctx context.Context, u googlesession.User, when string) {
	for _, q := range queries(u.Email, u.Name) {
		found := e.find(ctx, q, 1000, []string{u.ID})
		e.expect(len(found) == 0, "%s: Users %s: got %+v, want no user", when, shownQuery(q), found)
	}
}

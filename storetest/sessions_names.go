package storetest

import (
	"context"
	"fmt"
	"time"

	"github.com/googlesession/googlesession"
)

// nameRules returns the rules about Refs and user IDs, and about handles and contexts.
func nameRules() []rule[*sessionEnv] {
	return []rule[*sessionEnv]{
		{"user IDs that differ in case", "user IDs that differ only in case are different users", (*sessionEnv).userIDsByCase},
		{"user IDs that differ in blanks", "user IDs that differ only in trailing blanks are different users", (*sessionEnv).userIDsByBlanks},
		{"unusual user IDs", "a user ID is any valid UTF-8 without NUL, is compared byte by byte, and is never a pattern", (*sessionEnv).unusualUserIDs},
		{"invalid users", "CreateSession and PutUser refuse a user whose ID is empty, longer than 255 bytes, not valid UTF-8 or contains NUL, or whose Version is not between 1 and 2^53-1, and such an ID has no sessions", (*sessionEnv).invalidUsers},
		{"unknown Ref", "CheckSession of a Ref that was never created returns ErrNoSession, and RevokeSession returns false", (*sessionEnv).unknownRef},
		{"tag of another user", "a Ref whose Tag is not the tag of the session's user finds no session and keeps none, and CreateSession refuses it", (*sessionEnv).foreignTag},
		{"Ref in use", "CreateSession with the Ref of a live session returns ErrExists and changes nothing, not even the User", (*sessionEnv).refInUse},
		{"no shared memory", "the arguments and results of the store share no memory with its data", (*sessionEnv).ownMemory},
		{"second handle", "a change made through one handle is seen through another one at once", (*sessionEnv).secondHandle},
		{"done context", "a call that begins with a done context changes nothing, and its error wraps the context's error and ErrUnavailable", (*sessionEnv).doneContext},
	}
}

func (e *sessionEnv) userIDsByCase(ctx context.Context) error {
	return e.differentUsers(ctx, caseIDs())
}

func (e *sessionEnv) userIDsByBlanks(ctx context.Context) error {
	return e.differentUsers(ctx, blankIDs())
}

func (e *sessionEnv) unusualUserIDs(ctx context.Context) error {
	return e.differentUsers(ctx, unusualIDs())
}

// differentUsers expects the store to treat each ID as the ID of another user.
func (e *sessionEnv) differentUsers(ctx context.Context, ids []string) error {
	sessions := make([]googlesession.Session, len(ids))
	for i, id := range ids {
		u := newUser()
		u.ID, u.Name = id, id
		sessions[i] = e.signIn(ctx, u)
	}
	for i, id := range ids {
		when := fmt.Sprintf("%d users, one session each", len(ids))
		u := e.live(ctx, e.first, sessions[i].Ref, when).User
		e.expect(u.ID == id && u.Name == id, "CheckSession: got user %q, want %q", u.ID, id)
		e.list(ctx, id, []googlesession.Ref{sessions[i].Ref}, when)
	}
	for i, id := range ids {
		e.live(ctx, e.first, sessions[i].Ref, "other users revoked")
		e.revokeUser(ctx, id, nil, 1, fmt.Sprintf("user %q", id))
	}
	return e.err
}

func (e *sessionEnv) invalidUsers(ctx context.Context) error {
	bystander := e.signIn(ctx, newUser())
	bad := map[string]googlesession.User{}
	for what, id := range invalidIDs() {
		u := newUser()
		u.ID = id
		bad[what] = u
		n, _ := e.first.RevokeUser(ctx, id, nil) // The store may refuse the ID.
		e.expect(n == 0, "%s: RevokeUser: got %d, want 0", what, n)
		sessions, _ := e.first.Sessions(ctx, id)
		e.expect(len(sessions) == 0, "%s: Sessions: got %d, want 0", what, len(sessions))
	}
	for _, version := range []int64{0, -1, 1 << 53} {
		u := newUser()
		u.Version = version
		bad[fmt.Sprintf("Version %d", version)] = u
	}
	for what, u := range bad {
		e.refused(ctx, newSession(u), googlesession.ErrUnavailable, what)
		_, err := e.first.PutUser(ctx, u)
		e.unavailable(err, what+": PutUser")
	}
	e.live(ctx, e.first, bystander.Ref, "another user's")
	return e.err
}

func (e *sessionEnv) unknownRef(ctx context.Context) error {
	u := newUser()
	s := e.signIn(ctx, u)
	for what, r := range map[string]googlesession.Ref{
		"zero Ref":                {},
		"Ref of an unknown user":  newRef(freshID()),
		"unknown Ref of the user": newRef(u.ID),
	} {
		e.noSession(ctx, e.first, r, what)
		e.revoke(ctx, r, false, what)
	}
	e.live(ctx, e.first, s.Ref, "unknown Refs revoked")
	return e.err
}

func (e *sessionEnv) foreignTag(ctx context.Context) error {
	u, other := newUser(), newUser()
	s := e.signIn(ctx, u)
	e.signIn(ctx, other)

	foreign := map[string]googlesession.Ref{}
	for what, edit := range map[string]func(tag *[12]byte){
		"another user's tag": func(tag *[12]byte) { *tag = googlesession.UserTag(other.ID) },
		"zero tag":           func(tag *[12]byte) { *tag = [12]byte{} },
		"first bit of tag":   func(tag *[12]byte) { tag[0] ^= 0x80 },
		"last bit of tag":    func(tag *[12]byte) { tag[11] ^= 0x01 },
	} {
		r := s.Ref
		edit(&r.Tag)
		foreign[what] = r
	}
	for what, r := range foreign {
		e.noSession(ctx, e.first, r, what)
		e.revoke(ctx, r, false, what)
		ns := newSession(u)
		ns.Ref.Tag = r.Tag
		e.refused(ctx, ns, googlesession.ErrUnavailable, what)
	}
	e.live(ctx, e.first, s.Ref, "named with foreign tags")
	e.list(ctx, u.ID, []googlesession.Ref{s.Ref}, "named with foreign tags")

	keep := foreign["another user's tag"]
	e.revokeUser(ctx, u.ID, &keep, 1, "keep with another user's tag")
	e.noSession(ctx, e.first, s.Ref, "kept with another user's tag")
	return e.err
}

func (e *sessionEnv) refInUse(ctx context.Context) error {
	u := newUser()
	first := newSession(u)
	created := e.create(ctx, first)
	e.tick(ctx)
	second := newSession(next(u, admin))
	second.Ref = first.Ref
	second.MaxLifetime, second.IdleTimeout = time.Hour, time.Hour
	second.Device = googlesession.Device{IP: "198.51.100.1"}
	_, err := e.first.CreateSession(ctx, second)
	e.expect(says(err, googlesession.ErrExists), "CreateSession with a Ref in use: got %v, want ErrExists", err)
	e.asCreated(e.live(ctx, e.first, first.Ref, "created twice"), first, created.CreatedAt, "CheckSession")
	for _, s := range e.list(ctx, u.ID, []googlesession.Ref{first.Ref}, "created twice") {
		e.expect(s.Device == first.Device, "Sessions: got Device %+v, want the first, %+v", s.Device, first.Device)
	}
	return e.err
}

func (e *sessionEnv) ownMemory(ctx context.Context) error {
	u := newUser()
	refs := []googlesession.Ref{e.signIn(ctx, u).Ref, e.signIn(ctx, u).Ref}
	clear(e.list(ctx, u.ID, refs, "two sessions"))
	e.list(ctx, u.ID, refs, "the slice it returned was changed")
	found := map[googlesession.Ref]bool{}
	for range 2 {
		e.walk(ctx, 1000, func(page []googlesession.Session, _ string) bool {
			for i := range page {
				found[page[i].Ref] = true
			}
			clear(page)
			return true
		})
		e.expect(found[refs[0]] && found[refs[1]], "AllSessions: the slice it returned was changed, and a session is missing")
		clear(found)
	}

	keep := refs[0]
	e.revokeUser(ctx, u.ID, &keep, 1, "keep one")
	keep = googlesession.Ref{}
	e.live(ctx, e.first, refs[0], "kept, and the variable changed")
	return e.err
}

func (e *sessionEnv) secondHandle(ctx context.Context) error {
	u := newUser()
	both := func(r googlesession.Ref) {
		e.live(ctx, e.first, r, "on the first handle")
		e.live(ctx, e.second, r, "created through the first handle, on the second")
	}
	one, two, three := e.signIn(ctx, u), e.signIn(ctx, u), e.signIn(ctx, u)
	both(one.Ref)
	both(two.Ref)
	both(three.Ref)

	e.tick(ctx)
	e.touch(ctx, one.Ref)
	seen := e.live(ctx, e.second, one.Ref, "touched through the first handle").SeenAt
	e.expect(seen.After(one.SeenAt), "touched through the first handle: the second says SeenAt %v, want later than %v", seen, one.SeenAt)

	u = next(u, admin)
	e.put(ctx, u, true, "newer")
	got := e.live(ctx, e.second, one.Ref, "user changed through the first handle").User
	e.expect(got == u, "user changed through the first handle: the second says %+v, want %+v", got, u)

	e.revoke(ctx, one.Ref, true, "live")
	e.noSession(ctx, e.second, one.Ref, "revoked through the first handle")
	e.revokeUser(ctx, u.ID, &two.Ref, 1, "two live")
	e.noSession(ctx, e.second, three.Ref, "user revoked through the first handle")
	e.live(ctx, e.second, two.Ref, "kept through the first handle")
	e.put(ctx, next(u, disabled), true, "newer")
	e.notAdmitted(ctx, e.second, two.Ref, "user disabled through the first handle")
	return e.err
}

func (e *sessionEnv) doneContext(ctx context.Context) error {
	u := newUser()
	s := e.signIn(ctx, u)
	e.tick(ctx)
	doneContexts(ctx, func(done context.Context, cause error) {
		ns := newSession(next(u, admin))
		_, err := e.first.CreateSession(done, ns)
		e.interrupted(err, cause, "CreateSession")
		_, err = e.first.CheckSession(done, s.Ref, 0)
		e.interrupted(err, cause, "CheckSession")
		_, err = e.first.RevokeSession(done, s.Ref)
		e.interrupted(err, cause, "RevokeSession")
		_, err = e.first.RevokeUser(done, u.ID, nil)
		e.interrupted(err, cause, "RevokeUser")
		_, err = e.first.PutUser(done, next(u, disabled))
		e.interrupted(err, cause, "PutUser")
		_, err = e.first.Sessions(done, u.ID)
		e.interrupted(err, cause, "Sessions")
		_, _, err = e.first.AllSessions(done, "", 10)
		e.interrupted(err, cause, "AllSessions")
		e.noSession(ctx, e.first, ns.Ref, "CreateSession with a done context")
	})
	e.expect(e.failed() || e.live(ctx, e.first, s.Ref, "calls with a done context") == withoutListed(s), "calls with a done context changed the session")
	return e.err
}

// withoutListed returns s without the fields that only lists have.
func withoutListed(s googlesession.Session) googlesession.Session {
	s.Device, s.Label = googlesession.Device{}, ""
	return s
}

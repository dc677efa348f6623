package storetest

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/googlesession/googlesession"
)

// signInRules returns the rules about SignIn.
func signInRules() []rule[*userEnv] {
	return []rule[*userEnv]{
		{"first sign-in", "the first SignIn of a subject makes an enabled user without rights, at the store's time", (*userEnv).firstSignIn},
		{"later sign-in", "a later SignIn refreshes the profile and SeenAt, raises Version, and keeps CreatedAt and Admin", (*userEnv).nextSignIn},
		{"subject is the identity", "only the subject identifies a user, because an e-mail address may change and other users may have it", (*userEnv).identityIsSubject},
		{"subjects that differ in a byte", "subjects that differ in one byte are different users", (*userEnv).subjectsBytewise},
		{"invalid subjects", "SignIn refuses a subject that is empty, longer than 255 bytes, not valid UTF-8 or contains NUL, and stores nothing", (*userEnv).invalidSubjects},
		{"longest user", "a subject of 255 bytes and a user of 2 KiB in all come back complete", (*userEnv).longestUser},
		{"sign-in of a disabled user", "SignIn of a disabled user returns the user unchanged, and no error", (*userEnv).disabledSignIn},
		{"first sign-ins at once", "many first sign-ins of one subject at once leave one user, each returns another Version, and in exactly one of them CreatedAt is SeenAt", (*userEnv).firstSignInsAtOnce},
		{"versions follow the clock", "a new Version is at least the time in Unix milliseconds, and less than 2^53", (*userEnv).versionsFollowClock},
		{"done context in SignIn", "SignIn with a done context changes nothing, and its error wraps the context's error and ErrUnavailable", (*userEnv).doneAtSignIn},
	}
}

func (e *userEnv) firstSignIn(ctx context.Context) error {
	id := newIdentity()
	before := e.now(ctx)
	u := e.signIn(ctx, id)
	after := e.now(ctx)
	want := googlesession.User{
		ID: id.Subject, Email: id.Email, Name: id.Name, Picture: id.Picture,
		Version: u.Version, CreatedAt: u.CreatedAt, SeenAt: u.SeenAt,
	}
	e.expect(u == want, "SignIn: got %+v, want %+v", u, want)
	e.expect(wellFormed(u.CreatedAt) && wellFormed(u.SeenAt), "SignIn: got times %v in location %v and %v in %v, want whole milliseconds in time.UTC",
		u.CreatedAt, u.CreatedAt.Location(), u.SeenAt, u.SeenAt.Location())
	e.expect(u.CreatedAt.Equal(u.SeenAt), "SignIn: got CreatedAt %v, SeenAt %v, want the same", u.CreatedAt, u.SeenAt)
	e.expect(!u.CreatedAt.Before(before) && !u.CreatedAt.After(after), "SignIn: got CreatedAt %v, want the store's time, %v to %v", u.CreatedAt, before, after)
	e.is(ctx, u, "signed in")
	return e.err
}

func (e *userEnv) nextSignIn(ctx context.Context) error {
	id := newIdentity()
	first := e.signIn(ctx, id)
	u := e.setAccess(ctx, id.Subject, googlesession.AccessChange{Admin: &yes})
	for _, profile := range []googlesession.Identity{
		{Email: "lovelace@example.org", Name: "A. Lovelace", Picture: "https://example.org/?a=1&b={c}"},
		{Name: `"Ada" \ 😀`},
		{},
	} {
		e.tick(ctx)
		profile.Subject = id.Subject
		before := e.now(ctx)
		got := e.signIn(ctx, profile)
		want := u
		want.Email, want.Name, want.Picture = profile.Email, profile.Name, profile.Picture
		want.Version, want.SeenAt = got.Version, got.SeenAt
		e.expect(got == want, "SignIn again: got %+v, want %+v", got, want)
		e.expect(got.Version > u.Version, "SignIn again: got Version %d, want more than %d", got.Version, u.Version)
		e.expect(wellFormed(got.SeenAt) && !got.SeenAt.Before(before), "SignIn again: got SeenAt %v, want the store's time, %v or later", got.SeenAt, before)
		e.expect(got.CreatedAt.Equal(first.CreatedAt), "SignIn again: got CreatedAt %v, want %v", got.CreatedAt, first.CreatedAt)
		e.is(ctx, got, "signed in again")
		u = got
	}
	return e.err
}

func (e *userEnv) identityIsSubject(ctx context.Context) error {
	first, second := newIdentity(), newIdentity()
	second.Email = first.Email
	a, b := e.signIn(ctx, first), e.signIn(ctx, second)
	e.expect(a.ID != b.ID, "two subjects, one e-mail address: got one user")
	e.is(ctx, a, "another user signed in with the same address")
	moved := identity(a.ID)
	moved.Email = "moved-" + a.ID + "@example.com"
	e.expect(e.signIn(ctx, moved).ID == a.ID, "SignIn with another address: got another user")
	taken := identity(b.ID)
	taken.Email = moved.Email
	b = e.signIn(ctx, taken)
	e.expect(e.failed() || b.ID == taken.Subject, "SignIn with another user's address: got user %q, want %q", b.ID, taken.Subject)
	e.is(ctx, b, "has another user's address")
	return e.err
}

func (e *userEnv) subjectsBytewise(ctx context.Context) error {
	for _, ids := range [][]string{caseIDs(), blankIDs(), unusualIDs()} {
		users := map[string]googlesession.User{}
		for _, id := range ids {
			given := identity(id)
			given.Name = "Name of " + id[:min(len(id), 64)]
			given.Name = strings.ToValidUTF8(given.Name, "")
			u := e.signIn(ctx, given)
			e.expect(e.failed() || u.ID == id && u.Name == given.Name, "SignIn of %q: got user %q, %q", id, u.ID, u.Name)
			users[id] = u
		}
		for _, id := range ids {
			e.is(ctx, users[id], "others have signed in under IDs like it")
		}
	}
	return e.err
}

func (e *userEnv) invalidSubjects(ctx context.Context) error {
	for what, id := range invalidIDs() {
		_, err := e.first.SignIn(ctx, identity(id))
		e.unavailable(err, "SignIn with "+what)
		e.absent(ctx, id, what+", refused")
	}
	return e.err
}

func (e *userEnv) longestUser(ctx context.Context) error {
	l := longestUser()
	u := e.signIn(ctx, googlesession.Identity{Subject: l.ID, Email: l.Email, Name: l.Name, Picture: l.Picture})
	e.expect(e.failed() || u.ID == l.ID && u.Email == l.Email && u.Name == l.Name && u.Picture == l.Picture,
		"SignIn: got %+v, want the profile whole", u)
	e.is(ctx, u, "longest")
	return e.err
}

func (e *userEnv) disabledSignIn(ctx context.Context) error {
	id := newIdentity()
	e.signIn(ctx, id)
	off := e.setAccess(ctx, id.Subject, googlesession.AccessChange{Disabled: &yes})
	e.tick(ctx)
	id.Email, id.Name, id.Picture = "other@example.com", "Other", ""
	got := e.signIn(ctx, id)
	e.expect(got == off, "SignIn of a disabled user: got %+v, want %+v", got, off)
	e.is(ctx, off, "disabled, tried to sign in")
	return e.err
}

func (e *userEnv) firstSignInsAtOnce(ctx context.Context) error {
	type answer struct {
		user googlesession.User
		err  error
	}
	var ids []string
	for range rounds {
		id := newIdentity()
		ids = append(ids, id.Subject)
		answers := atOnce(6, func(i int) answer {
			u, err := e.handle(i).SignIn(ctx, id)
			return answer{u, err}
		})
		var versions []int64
		for _, a := range answers {
			e.expect(a.err == nil, "SignIn at once: got error %v, want none", a.err)
			e.expect(a.user.CreatedAt.Equal(answers[0].user.CreatedAt), "SignIn at once: got CreatedAt %v and %v, want one", a.user.CreatedAt, answers[0].user.CreatedAt)
			versions = append(versions, a.user.Version)
		}
		isNew := 0
		for _, a := range answers {
			if a.user.SeenAt.Equal(a.user.CreatedAt) {
				isNew++
			}
		}
		e.expect(e.failed() || isNew == 1, "SignIn at once: got %d users whose CreatedAt is SeenAt, want 1, the one whose sign-in created the user", isNew)
		slices.Sort(versions)
		e.expect(len(slices.Compact(slices.Clone(versions))) == len(versions), "SignIn at once: got Versions %d, want each once", versions)
		if e.failed() {
			break
		}
		u, err := e.first.User(ctx, id.Subject)
		e.expect(err == nil && u.Version == versions[len(versions)-1], "User: got Version %d, %v, want %d", u.Version, err, versions[len(versions)-1])
	}
	listed := e.all(ctx, ids, 100)
	e.expect(e.failed() || len(listed) == len(ids), "Users after %d subjects signed in, each many times at once: got %d", len(ids), len(listed))
	return e.err
}

// handle returns the handle for the i-th goroutine, which is the second one if i is odd.
func (e *userEnv) handle(i int) googlesession.UserStore {
	if i%2 == 0 {
		return e.first
	}
	return e.second
}

func (e *userEnv) versionsFollowClock(ctx context.Context) error {
	id := newIdentity()
	for range 3 {
		u := e.signIn(ctx, id)
		e.expect(u.Version >= u.SeenAt.UnixMilli() && u.Version < 1<<53, "SignIn at %v: got Version %d, want %d or more", u.SeenAt, u.Version, u.SeenAt.UnixMilli())
		e.moveTo(e.clock, u.SeenAt.Add(e.unit), func() time.Time { return e.now(ctx) })
	}
	for _, yes := range []bool{true, false} {
		now := e.now(ctx)
		u := e.setAccess(ctx, id.Subject, googlesession.AccessChange{Disabled: &yes})
		e.expect(u.Version >= now.UnixMilli() && u.Version < 1<<53, "SetAccess at %v: got Version %d, want %d or more", now, u.Version, now.UnixMilli())
	}
	return e.err
}

func (e *userEnv) doneAtSignIn(ctx context.Context) error {
	id := newIdentity()
	u := e.signIn(ctx, id)
	unknown := newIdentity()
	e.tick(ctx)
	doneContexts(ctx, func(ctx context.Context, cause error) {
		_, err := e.first.SignIn(ctx, id)
		e.interrupted(err, cause, "SignIn")
		_, err = e.first.SignIn(ctx, unknown)
		e.interrupted(err, cause, "SignIn")
	})
	e.is(ctx, u, "sign-in interrupted")
	e.absent(ctx, unknown.Subject, "first sign-in interrupted")
	return e.err
}

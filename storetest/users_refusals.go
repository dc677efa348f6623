package storetest

import (
	"context"

	"github.com/googlesession/googlesession"
)

// userRefusalRules are about calls that a store refuses, and what it says then.
func userRefusalRules() []rule[*userEnv] {
	return []rule[*userEnv]{
		{"invalid profiles", "SignIn refuses a text that is not valid UTF-8 or contains NUL, more than 2 KiB in all, and a token time that is neither zero nor between the beginning of 1970 and the year 10000, and changes nothing", (*userEnv).badProfiles},
		{"invalid times of tokens", "RefuseTokens refuses a time that is neither zero nor between the beginning of 1970 and the year 10000, and changes nothing", (*userEnv).badRefusedTimes},
		{"errors hold no arguments", "the text of an error holds no user ID and no profile of the call", (*userEnv).errorsHoldNothing},
	}
}

// badIdentities change who signs in to one who is refused, by what is wrong.
func badIdentities() map[string]func(*googlesession.Identity) {
	edits := map[string]func(*googlesession.Identity){}
	for what, edit := range badProfiles() {
		edits[what] = func(id *googlesession.Identity) {
			u := googlesession.User{ID: id.Subject, Email: id.Email, Name: id.Name, Picture: id.Picture}
			edit(&u)
			id.Email, id.Name, id.Picture = u.Email, u.Name, u.Picture
		}
	}
	for what, at := range badTimes() {
		edits["token of "+what] = func(id *googlesession.Identity) { id.IssuedAt = at }
	}
	return edits
}

func (e *userEnv) badProfiles(ctx context.Context) error {
	u := e.signIn(ctx, newIdentity())
	for what, edit := range badIdentities() {
		for _, subject := range []string{u.ID, freshID()} {
			id := identity(subject)
			edit(&id)
			if e.failed() {
				break
			}
			_, err := e.a.SignIn(ctx, id)
			e.unavailable(err, "SignIn with "+what)
			if subject != u.ID {
				e.unlisted(ctx, subject, what+" refused")
			}
		}
		e.is(ctx, u, what+" refused")
	}
	return e.err
}

func (e *userEnv) badRefusedTimes(ctx context.Context) error {
	u := e.signIn(ctx, newIdentity())
	unknown := freshID()
	for what, at := range badTimes() {
		for _, id := range []string{u.ID, unknown} {
			if e.failed() {
				break
			}
			_, err := e.a.RefuseTokens(ctx, id, at)
			e.unavailable(err, "RefuseTokens with "+what)
		}
		e.is(ctx, u, what+" refused")
	}
	e.signInAt(ctx, unknown, longAgo)
	return e.err
}

func (e *userEnv) errorsHoldNothing(ctx context.Context) error {
	marked := func() (googlesession.Identity, marks) {
		id := newIdentity()
		id.Email, id.Name, id.Picture = "mail-"+freshID(), "name-"+freshID(), "picture-"+freshID()
		u := googlesession.User{ID: id.Subject, Email: id.Email, Name: id.Name, Picture: id.Picture}
		return id, marksOf(u, googlesession.Device{}, newRef(u.ID))
	}
	for what, bad := range badTexts() {
		for field, edit := range map[string]func(*googlesession.Identity){
			"Subject": func(id *googlesession.Identity) { id.Subject += bad },
			"Email":   func(id *googlesession.Identity) { id.Email += bad },
			"Name":    func(id *googlesession.Identity) { id.Name += bad },
			"Picture": func(id *googlesession.Identity) { id.Picture += bad },
		} {
			id, m := marked()
			edit(&id)
			_, err := e.a.SignIn(ctx, id)
			e.clean(err, m, field+" with "+what+": SignIn")
			e.errorsOfID(ctx, id.Subject, m, field+" with "+what)
		}
	}
	id, m := marked()
	e.errorsOfID(ctx, id.Subject, m, "unknown user")
	doneContexts(ctx, func(done context.Context, _ error) {
		_, err := e.a.SignIn(done, id)
		e.clean(err, m, "done context: SignIn")
		e.errorsOfID(done, id.Subject, m, "done context")
	})
	id, m = marked()
	e.signIn(ctx, id)
	e.refuse(ctx, id.Subject, refusedUntil)
	_, err := e.a.SignIn(ctx, id)
	e.clean(err, m, "stale token: SignIn")
	e.deleteUser(ctx, id.Subject)
	_, err = e.a.SignIn(ctx, id)
	e.clean(err, m, "deleted: SignIn")
	e.errorsOfID(ctx, id.Subject, m, "deleted")
	return e.err
}

// errorsOfID looks at the errors of all calls that name a user by ID.
func (e *userEnv) errorsOfID(ctx context.Context, id string, m marks, when string) {
	_, err := e.a.User(ctx, id)
	e.clean(err, m, when+": User")
	_, err = e.a.Users(ctx, id, 1)
	e.clean(err, m, when+": Users")
	_, err = e.a.SetAccess(ctx, id, googlesession.AccessChange{Admin: &no})
	e.clean(err, m, when+": SetAccess")
	_, err = e.a.RefuseTokens(ctx, id, longAgo)
	e.clean(err, m, when+": RefuseTokens")
	e.clean(e.a.DeleteUser(ctx, id), m, when+": DeleteUser")
}

package storetest

import (
	"context"
	"strings"

	"github.com/googlesession/googlesession"
)

// userRefusalRules returns the rules about arguments that a store refuses, and about error
// texts.
func userRefusalRules() []rule[*userEnv] {
	return []rule[*userEnv]{
		{"invalid profiles", "SignIn refuses a text that is not valid UTF-8 or contains NUL, more than 2 KiB in all, and a token time that is neither zero nor between the beginning of 1970 and the year 10000, and changes nothing", (*userEnv).invalidProfiles},
		{"invalid times of tokens", "RefuseTokens refuses a time that is neither zero nor between the beginning of 1970 and the year 10000, and changes nothing", (*userEnv).invalidRefusedTimes},
		{"errors hold no arguments", "the text of an error holds no user ID, profile, data or prefix of the call", (*userEnv).errorsHoldNothing},
	}
}

// invalidIdentities returns changes that turn an identity into one that
// SignIn refuses, keyed by what is wrong with the changed identity.
func invalidIdentities() map[string]func(*googlesession.Identity) {
	edits := map[string]func(*googlesession.Identity){}
	for what, edit := range invalidProfiles() {
		edits[what] = func(id *googlesession.Identity) {
			u := googlesession.User{ID: id.Subject, Email: id.Email, Name: id.Name, Picture: id.Picture}
			edit(&u)
			id.Email, id.Name, id.Picture = u.Email, u.Name, u.Picture
		}
	}
	for what, at := range invalidTimes() {
		edits["token of "+what] = func(id *googlesession.Identity) { id.IssuedAt = at }
	}
	return edits
}

func (e *userEnv) invalidProfiles(ctx context.Context) error {
	u := e.signIn(ctx, newIdentity())
	for what, edit := range invalidIdentities() {
		for _, subject := range []string{u.ID, freshID()} {
			id := identity(subject)
			edit(&id)
			if e.failed() {
				break
			}
			_, err := e.first.SignIn(ctx, id)
			e.unavailable(err, "SignIn with "+what)
			if subject != u.ID {
				e.unlisted(ctx, subject, what+" refused")
			}
		}
		e.is(ctx, u, what+" refused")
	}
	return e.err
}

func (e *userEnv) invalidRefusedTimes(ctx context.Context) error {
	u := e.signIn(ctx, newIdentity())
	unknown := freshID()
	for what, at := range invalidTimes() {
		for _, id := range []string{u.ID, unknown} {
			if e.failed() {
				break
			}
			_, err := e.first.RefuseTokens(ctx, id, at)
			e.unavailable(err, "RefuseTokens with "+what)
		}
		e.is(ctx, u, what+" refused")
	}
	e.signInAt(ctx, unknown, longAgo)
	return e.err
}

func (e *userEnv) errorsHoldNothing(ctx context.Context) error {
	withSecrets := func() (googlesession.Identity, secrets) {
		id := newIdentity()
		id.Email, id.Name, id.Picture = "mail-"+freshID(), "name-"+freshID(), "picture-"+freshID()
		u := googlesession.User{ID: id.Subject, Email: id.Email, Name: id.Name, Picture: id.Picture}
		m := secretsOf(u, googlesession.Device{}, newRef(u.ID))
		m["Data"], m["old"], m["prefix"] = "data-"+freshID(), "old-"+freshID(), "prefix-"+freshID()
		return id, m
	}
	for what, bad := range invalidTexts() {
		for field, edit := range map[string]func(*googlesession.Identity){
			"Subject": func(id *googlesession.Identity) { id.Subject += bad },
			"Email":   func(id *googlesession.Identity) { id.Email += bad },
			"Name":    func(id *googlesession.Identity) { id.Name += bad },
			"Picture": func(id *googlesession.Identity) { id.Picture += bad },
			"none":    func(*googlesession.Identity) {},
		} {
			id, m := withSecrets()
			edit(&id)
			_, err := e.first.SignIn(ctx, id)
			e.clean(err, m, field+" with "+what+": SignIn")
			e.errorsOfID(ctx, id.Subject, m, field+" with "+what)
			e.errorsOfTexts(ctx, id.Subject, bad, m, what)
		}
	}
	id, m := withSecrets()
	e.errorsOfID(ctx, id.Subject, m, "unknown user")
	doneContexts(ctx, func(done context.Context, _ error) {
		_, err := e.first.SignIn(done, id)
		e.clean(err, m, "done context: SignIn")
		e.errorsOfID(done, id.Subject, m, "done context")
		e.errorsOfTexts(done, id.Subject, "", m, "done context")
	})
	id, m = withSecrets()
	e.signIn(ctx, id)
	e.errorsOfTexts(ctx, id.Subject, "", m, "signed in")
	e.errorsOfTexts(ctx, id.Subject, strings.Repeat("x", 1024), m, "long")
	e.refuse(ctx, id.Subject, refusedUntil)
	_, err := e.first.SignIn(ctx, id)
	e.clean(err, m, "stale token: SignIn")
	e.deleteUser(ctx, id.Subject)
	_, err = e.first.SignIn(ctx, id)
	e.clean(err, m, "deleted: SignIn")
	e.errorsOfID(ctx, id.Subject, m, "deleted")
	e.errorsOfTexts(ctx, id.Subject, "", m, "deleted")
	return e.err
}

// errorsOfID expects the errors of all calls that have a user ID as argument
// to contain none of the secrets.
func (e *userEnv) errorsOfID(ctx context.Context, id string, m secrets, when string) {
	_, err := e.first.User(ctx, id)
	e.clean(err, m, when+": User")
	_, err = e.first.Users(ctx, googlesession.UserQuery{After: &googlesession.User{ID: id}, Limit: 1})
	e.clean(err, m, when+": Users")
	_, err = e.first.SetAccess(ctx, id, googlesession.AccessChange{Admin: &no})
	e.clean(err, m, when+": SetAccess")
	_, err = e.first.Browsers(ctx, id, &googlesession.BrowserID{})
	e.clean(err, m, when+": Browsers")
	_, err = e.first.RefuseTokens(ctx, id, longAgo)
	e.clean(err, m, when+": RefuseTokens")
	e.clean(e.first.DeleteUser(ctx, id), m, when+": DeleteUser")
}

// errorsOfTexts expects the errors of calls with data and prefixes, which end in this text, to
// contain none of the secrets.
func (e *userEnv) errorsOfTexts(ctx context.Context, id, end string, m secrets, when string) {
	data, old, prefix := m["Data"]+end, m["old"]+end, m["prefix"]+end
	_, err := e.first.SetData(ctx, id, data, nil)
	e.clean(err, m, when+": SetData")
	_, err = e.first.SetData(ctx, id, data, &old)
	e.clean(err, m, when+": SetData with old")
	for _, q := range []googlesession.UserQuery{{EmailPrefix: prefix}, {NamePrefix: prefix}, {EmailPrefix: prefix, NamePrefix: prefix}} {
		q.After, q.Limit = &googlesession.User{ID: id, Email: prefix, Name: prefix}, 1
		_, err = e.first.Users(ctx, q)
		e.clean(err, m, when+": Users with a prefix")
	}
}

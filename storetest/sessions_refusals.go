package storetest

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/googlesession/googlesession"
)

// refusalRules returns the rules about arguments that a store refuses, and about error texts.
func refusalRules() []rule[*sessionEnv] {
	return []rule[*sessionEnv]{
		{"invalid texts", "CreateSession and PutUser refuse a User or Device with a text that is not valid UTF-8, contains NUL or is longer than documented, and change nothing", (*sessionEnv).invalidTexts},
		{"invalid times", "CreateSession and PutUser refuse a TokenIssuedAt or TokensAfter that is neither zero nor between the beginning of 1970 and the year 10000, and change nothing", (*sessionEnv).invalidTimes},
		{"errors hold no arguments", "the text of an error holds no user ID, profile, data, Device, label or Ref of the call", (*sessionEnv).errorsHoldNothing},
	}
}

// invalidTexts returns texts that a store refuses, keyed by what is wrong with each.
func invalidTexts() map[string]string {
	return map[string]string{
		"NUL":           "a\x00b",
		"byte FF":       "Ada \xff",
		"half a symbol": "😀"[:2],
		"a surrogate":   "\xed\xa0\x80",
	}
}

// invalidProfiles returns changes that turn a user into one that a store
// refuses, keyed by what is wrong with the changed user.
func invalidProfiles() map[string]func(*googlesession.User) {
	edits := map[string]func(*googlesession.User){
		"a symbol in two halves": func(u *googlesession.User) { u.Email, u.Name = "😀"[:2], "😀"[2:] },
		"2 KiB and a byte in all": func(u *googlesession.User) {
			u.Picture = strings.Repeat("p", 2049-len(u.ID)-len(u.Email)-len(u.Name))
		},
	}
	for what, text := range invalidTexts() {
		edits["Email with "+what] = func(u *googlesession.User) { u.Email = text + "@example.com" }
		edits["Name with "+what] = func(u *googlesession.User) { u.Name = text }
		edits["Picture with "+what] = func(u *googlesession.User) { u.Picture = "https://example.com/" + text }
	}
	return edits
}

// invalidDevices returns devices that a store refuses, keyed by what is wrong with each.
func invalidDevices() map[string]googlesession.Device {
	devices := map[string]googlesession.Device{
		"IP of 65 bytes":          {IP: strings.Repeat("f", 65)},
		"UserAgent of 513 bytes":  {UserAgent: strings.Repeat("u", 513)},
		"UserAgent of 64 Ki":      {UserAgent: strings.Repeat("u", 64<<10)},
		"UserAgent of 129 emojis": {UserAgent: strings.Repeat("😀", 129)},
	}
	for what, text := range invalidTexts() {
		devices["IP with "+what] = googlesession.Device{IP: text}
		devices["UserAgent with "+what] = googlesession.Device{UserAgent: text}
	}
	return devices
}

// refusedUser applies edit to a user that the store knows and to a user that
// it does not know. It expects CreateSession and PutUser to refuse the
// edited users and to change nothing.
func (e *sessionEnv) refusedUser(ctx context.Context, edit func(*googlesession.User), what string) {
	known, unknown := newUser(), newUser()
	refs := e.signIns(ctx, known, 1)
	for _, u := range []googlesession.User{known, unknown} {
		bad := next(next(u, admin), edit)
		e.refused(ctx, newSession(bad), googlesession.ErrUnavailable, what)
		if e.failed() {
			return
		}
		_, err := e.first.PutUser(ctx, bad)
		e.unavailable(err, what+": PutUser")
	}
	e.haveUser(ctx, e.second, known, refs, what+" refused")
	unknown.Version = 1
	e.put(ctx, unknown, true, what+" refused, Version 1")
}

func (e *sessionEnv) invalidTexts(ctx context.Context) error {
	for what, edit := range invalidProfiles() {
		e.refusedUser(ctx, edit, what)
	}
	u := newUser()
	refs := e.signIns(ctx, u, 1)
	for what, device := range invalidDevices() {
		ns := newSession(next(u, admin))
		ns.Device = device
		e.refused(ctx, ns, googlesession.ErrUnavailable, what)
		e.haveUser(ctx, e.second, u, refs, what+" refused")
	}
	return e.err
}

// invalidTimes returns times that a store refuses as the time of a token or
// as TokensAfter, keyed by what is wrong with each.
func invalidTimes() map[string]time.Time {
	return map[string]time.Time{
		"the time before 1970": time.UnixMilli(-1),
		"the first of 1970":    time.Unix(0, 0),
		"the year 1":           time.Time{}.Add(time.Second),
		"the year 10000":       time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC),
		"the year 300000000":   time.Date(300_000_000, 1, 1, 0, 0, 0, 0, time.UTC),
	}
}

func (e *sessionEnv) invalidTimes(ctx context.Context) error {
	u := newUser()
	refs := e.signIns(ctx, u, 1)
	for what, at := range invalidTimes() {
		e.refusedUser(ctx, tokensAfter(at), "TokensAfter of "+what)
		e.refused(ctx, issued(next(u, admin), at), googlesession.ErrUnavailable, "TokenIssuedAt of "+what)
		e.haveUser(ctx, e.second, u, refs, "TokenIssuedAt of "+what+" refused")
	}
	return e.err
}

// secrets are texts that no error text may contain, keyed by what each of them is.
type secrets map[string]string

func secretsOf(u googlesession.User, d googlesession.Device, r googlesession.Ref) secrets {
	return secrets{
		"user ID": u.ID, "Email": u.Email, "Name": u.Name, "Picture": u.Picture, "Data": u.Data, "IP": d.IP, "UserAgent": d.UserAgent,
		"Ref": r.String(), "Ref in hexadecimal": hex.EncodeToString(r.ID[:]), "Tag in hexadecimal": hex.EncodeToString(r.Tag[:]),
		"Ref in base64": base64.RawStdEncoding.EncodeToString(r.ID[:]), "bytes of the Ref": string(r.ID[:]),
		"numbers of the Ref": strings.Trim(fmt.Sprintf("%d", r.ID), "[]"),
	}
}

// clean expects the text of err to contain none of the secrets, in upper or
// lower case. A nil err is clean.
func (o *outcome) clean(err error, m secrets, call string) {
	if err == nil {
		return
	}
	text := strings.ToLower(err.Error())
	for what, mark := range m {
		o.expect(mark == "" || !strings.Contains(text, strings.ToLower(mark)), "%s: the error holds the %s: %q", call, what, err)
	}
}

// withSecrets returns a new session and its texts, which are random, so that
// clean finds them in an error only if the error quotes the session.
func withSecrets() (googlesession.NewSession, secrets) {
	u := newUser()
	u.Email, u.Name, u.Picture, u.Data = "mail-"+freshID(), "name-"+freshID(), "picture-"+freshID(), "data-"+freshID()
	ns := newSession(u)
	ns.Label = "label-" + freshID()
	ns.Device = googlesession.Device{IP: "ip-" + freshID(), UserAgent: "agent-" + freshID()}
	m := secretsOf(u, ns.Device, ns.Ref)
	m["Label"] = ns.Label
	return ns, m
}

func (e *sessionEnv) errorsHoldNothing(ctx context.Context) error {
	e.errorsOfBadCalls(ctx)
	e.errorsOfRefusals(ctx)
	ns, m := withSecrets()
	doneContexts(ctx, func(done context.Context, _ error) {
		_, err := e.first.CreateSession(done, ns)
		e.clean(err, m, "CreateSession with a done context")
		_, err = e.first.CheckSession(done, ns.Ref, 0)
		e.clean(err, m, "CheckSession with a done context")
		_, err = e.first.RevokeSession(done, ns.Ref)
		e.clean(err, m, "RevokeSession with a done context")
		_, err = e.first.RevokeUser(done, ns.User.ID, &ns.Ref)
		e.clean(err, m, "RevokeUser with a done context")
		_, err = e.first.PutUser(done, ns.User)
		e.clean(err, m, "PutUser with a done context")
		_, err = e.first.Sessions(done, ns.User.ID)
		e.clean(err, m, "Sessions with a done context")
		_, _, err = e.first.AllSessions(done, ns.Ref.String(), 1)
		e.clean(err, m, "AllSessions with a done context")
	})
	return e.err
}

// errorsOfBadCalls expects the errors of calls with invalid texts to contain no secrets.
func (e *sessionEnv) errorsOfBadCalls(ctx context.Context) {
	for what, bad := range invalidTexts() {
		for field, edit := range map[string]func(*googlesession.NewSession){
			"ID":        func(ns *googlesession.NewSession) { ns.User.ID += bad },
			"Email":     func(ns *googlesession.NewSession) { ns.User.Email += bad },
			"Name":      func(ns *googlesession.NewSession) { ns.User.Name += bad },
			"Picture":   func(ns *googlesession.NewSession) { ns.User.Picture += bad },
			"IP":        func(ns *googlesession.NewSession) { ns.Device.IP += bad },
			"UserAgent": func(ns *googlesession.NewSession) { ns.Device.UserAgent += bad },
			"Data":      func(ns *googlesession.NewSession) { ns.User.Data += bad },
			"Label":     func(ns *googlesession.NewSession) { ns.Label += bad },
		} {
			ns, m := withSecrets()
			edit(&ns)
			ns.Ref.Tag = googlesession.UserTag(ns.User.ID)
			_, err := e.first.CreateSession(ctx, ns)
			e.clean(err, m, field+" with "+what+": CreateSession")
			_, err = e.first.PutUser(ctx, ns.User)
			e.clean(err, m, field+" with "+what+": PutUser")
			_, err = e.first.Sessions(ctx, ns.User.ID)
			e.clean(err, m, field+" with "+what+": Sessions")
			_, err = e.first.RevokeUser(ctx, ns.User.ID, &ns.Ref)
			e.clean(err, m, field+" with "+what+": RevokeUser")
		}
	}
}

// errorsOfRefusals expects the errors of calls that a store refuses for
// other reasons than an invalid text to contain no secrets.
func (e *sessionEnv) errorsOfRefusals(ctx context.Context) {
	for what, edit := range map[string]func(*googlesession.NewSession){
		"Ref in use":          func(*googlesession.NewSession) {},
		"tag of another user": func(ns *googlesession.NewSession) { ns.Ref.Tag[3]++ },
		"no lifetime":         func(ns *googlesession.NewSession) { ns.MaxLifetime = 0 },
		"negative Max":        func(ns *googlesession.NewSession) { ns.Max = -1 },
		"Version 0":           func(ns *googlesession.NewSession) { ns.User.Version = 0 },
		"over Max":            func(ns *googlesession.NewSession) { ns.Ref.ID[0]++; ns.Max, ns.RefuseOverMax = 1, true },
		"stale token":         func(ns *googlesession.NewSession) { ns.Ref.ID[0]++; ns.User = next(ns.User, tokensAfter(refusedUntil)) },
		"disabled user":       func(ns *googlesession.NewSession) { ns.Ref.ID[0]++; ns.User = next(ns.User, disabled) },
		"too long a label":    func(ns *googlesession.NewSession) { ns.Label += strings.Repeat("l", 100) },
		"too much data":       func(ns *googlesession.NewSession) { ns.User.Data += strings.Repeat("d", 1024) },
		"too long a record":   func(ns *googlesession.NewSession) { ns.User.Picture += strings.Repeat("p", 3000) },
	} {
		ns, m := withSecrets()
		e.create(ctx, ns)
		edit(&ns)
		_, err := e.first.CreateSession(ctx, ns)
		e.clean(err, secretsOf(ns.User, ns.Device, ns.Ref), what+": CreateSession")
		e.clean(err, m, what+": CreateSession")
		unknown := newRef(ns.User.ID)
		_, err = e.first.CheckSession(ctx, unknown, 0)
		e.clean(err, secretsOf(ns.User, ns.Device, unknown), "unknown Ref: CheckSession")
	}
}

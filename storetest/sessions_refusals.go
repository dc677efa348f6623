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

// refusalRules are about calls that a store refuses, and what it says then.
func refusalRules() []rule[*sessionEnv] {
	return []rule[*sessionEnv]{
		{"invalid texts", "CreateSession and PutUser refuse a User or Device with a text that is not valid UTF-8, contains NUL or is longer than documented, and change nothing", (*sessionEnv).badTexts},
		{"invalid times", "CreateSession and PutUser refuse a TokenIssuedAt or TokensAfter that is neither zero nor between the beginning of 1970 and the year 10000, and change nothing", (*sessionEnv).badTimes},
		{"errors hold no arguments", "the text of an error holds no user ID, profile, Device or Ref of the call", (*sessionEnv).errorsHoldNothing},
	}
}

// badTexts are no texts, by what is wrong with them.
func badTexts() map[string]string {
	return map[string]string{
		"NUL":          "a\x00b",
		"byte FF":      "Ada \xff",
		"a cut symbol": "😀"[:2],
		"a surrogate":  "\xed\xa0\x80",
	}
}

// badProfiles change a user to one that is refused, by what is wrong with it.
func badProfiles() map[string]func(*googlesession.User) {
	edits := map[string]func(*googlesession.User){
		"a symbol in two halves": func(u *googlesession.User) { u.Email, u.Name = "😀"[:2], "😀"[2:] },
		"2 KiB and a byte in all": func(u *googlesession.User) {
			u.Picture = strings.Repeat("p", 2049-len(u.ID)-len(u.Email)-len(u.Name))
		},
	}
	for what, text := range badTexts() {
		edits["Email with "+what] = func(u *googlesession.User) { u.Email = text + "@example.com" }
		edits["Name with "+what] = func(u *googlesession.User) { u.Name = text }
		edits["Picture with "+what] = func(u *googlesession.User) { u.Picture = "https://example.com/" + text }
	}
	return edits
}

func badDevices() map[string]googlesession.Device {
	devices := map[string]googlesession.Device{
		"IP of 65 bytes":          {IP: strings.Repeat("f", 65)},
		"UserAgent of 513 bytes":  {UserAgent: strings.Repeat("u", 513)},
		"UserAgent of 64 Ki":      {UserAgent: strings.Repeat("u", 64<<10)},
		"UserAgent of 129 emojis": {UserAgent: strings.Repeat("😀", 129)},
	}
	for what, text := range badTexts() {
		devices["IP with "+what] = googlesession.Device{IP: text}
		devices["UserAgent with "+what] = googlesession.Device{UserAgent: text}
	}
	return devices
}

// refusedUser expects neither CreateSession nor PutUser to take what edit makes of a
// user, whether the store knows the user or not.
func (e *sessionEnv) refusedUser(ctx context.Context, edit func(*googlesession.User), what string) {
	known, unknown := newUser(), newUser()
	refs := e.signIns(ctx, known, 1)
	for _, u := range []googlesession.User{known, unknown} {
		bad := next(next(u, admin), edit)
		e.refused(ctx, newSession(bad), googlesession.ErrUnavailable, what)
		if e.failed() {
			return
		}
		_, err := e.a.PutUser(ctx, bad)
		e.unavailable(err, what+": PutUser")
	}
	e.users(ctx, e.b, known, refs, what+" refused")
	unknown.Version = 1
	e.put(ctx, unknown, true, what+" refused, Version 1")
}

func (e *sessionEnv) badTexts(ctx context.Context) error {
	for what, edit := range badProfiles() {
		e.refusedUser(ctx, edit, what)
	}
	u := newUser()
	refs := e.signIns(ctx, u, 1)
	for what, device := range badDevices() {
		ns := newSession(next(u, admin))
		ns.Device = device
		e.refused(ctx, ns, googlesession.ErrUnavailable, what)
		e.users(ctx, e.b, u, refs, what+" refused")
	}
	return e.err
}

// badTimes are no times of tokens.
func badTimes() map[string]time.Time {
	return map[string]time.Time{
		"the time before 1970": time.UnixMilli(-1),
		"the first of 1970":    time.Unix(0, 0),
		"the year 1":           time.Time{}.Add(time.Second),
		"the year 10000":       time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC),
		"the year 300000000":   time.Date(300_000_000, 1, 1, 0, 0, 0, 0, time.UTC),
	}
}

func (e *sessionEnv) badTimes(ctx context.Context) error {
	u := newUser()
	refs := e.signIns(ctx, u, 1)
	for what, at := range badTimes() {
		e.refusedUser(ctx, tokensAfter(at), "TokensAfter of "+what)
		e.refused(ctx, issued(next(u, admin), at), googlesession.ErrUnavailable, "TokenIssuedAt of "+what)
		e.users(ctx, e.b, u, refs, "TokenIssuedAt of "+what+" refused")
	}
	return e.err
}

// marks are texts that no error may hold, by what they are of.
type marks map[string]string

func marksOf(u googlesession.User, d googlesession.Device, r googlesession.Ref) marks {
	return marks{
		"user ID": u.ID, "Email": u.Email, "Name": u.Name, "Picture": u.Picture, "IP": d.IP, "UserAgent": d.UserAgent,
		"Ref": r.String(), "Ref in hexadecimal": hex.EncodeToString(r.ID[:]), "Tag in hexadecimal": hex.EncodeToString(r.Tag[:]),
		"Ref in base64": base64.RawStdEncoding.EncodeToString(r.ID[:]), "bytes of the Ref": string(r.ID[:]),
		"numbers of the Ref": strings.Trim(fmt.Sprintf("%d", r.ID), "[]"),
	}
}

// clean expects the error's text to hold none of the marks, in any case.
func (o *outcome) clean(err error, m marks, call string) {
	if err == nil {
		return
	}
	text := strings.ToLower(err.Error())
	for what, mark := range m {
		o.expect(mark == "" || !strings.Contains(text, strings.ToLower(mark)), "%s: the error holds the %s: %q", call, what, err)
	}
}

// marked returns a sign-in whose every text can be told from all others.
func marked() (googlesession.NewSession, marks) {
	u := newUser()
	u.Email, u.Name, u.Picture = "mail-"+freshID(), "name-"+freshID(), "picture-"+freshID()
	ns := newSession(u)
	ns.Device = googlesession.Device{IP: "ip-" + freshID(), UserAgent: "agent-" + freshID()}
	return ns, marksOf(u, ns.Device, ns.Ref)
}

func (e *sessionEnv) errorsHoldNothing(ctx context.Context) error {
	e.errorsOfBadCalls(ctx)
	e.errorsOfRefusals(ctx)
	ns, m := marked()
	doneContexts(ctx, func(done context.Context, _ error) {
		_, err := e.a.CreateSession(done, ns)
		e.clean(err, m, "CreateSession with a done context")
		_, err = e.a.CheckSession(done, ns.Ref, 0)
		e.clean(err, m, "CheckSession with a done context")
		_, err = e.a.RevokeSession(done, ns.Ref)
		e.clean(err, m, "RevokeSession with a done context")
		_, err = e.a.RevokeUser(done, ns.User.ID, &ns.Ref)
		e.clean(err, m, "RevokeUser with a done context")
		_, err = e.a.PutUser(done, ns.User)
		e.clean(err, m, "PutUser with a done context")
		_, err = e.a.Sessions(done, ns.User.ID)
		e.clean(err, m, "Sessions with a done context")
	})
	return e.err
}

// errorsOfBadCalls looks at the errors of calls that bring what cannot be kept.
func (e *sessionEnv) errorsOfBadCalls(ctx context.Context) {
	for what, bad := range badTexts() {
		for field, edit := range map[string]func(*googlesession.NewSession){
			"ID":        func(ns *googlesession.NewSession) { ns.User.ID += bad },
			"Email":     func(ns *googlesession.NewSession) { ns.User.Email += bad },
			"Name":      func(ns *googlesession.NewSession) { ns.User.Name += bad },
			"Picture":   func(ns *googlesession.NewSession) { ns.User.Picture += bad },
			"IP":        func(ns *googlesession.NewSession) { ns.Device.IP += bad },
			"UserAgent": func(ns *googlesession.NewSession) { ns.Device.UserAgent += bad },
		} {
			ns, m := marked()
			edit(&ns)
			ns.Ref.Tag = googlesession.UserTag(ns.User.ID)
			_, err := e.a.CreateSession(ctx, ns)
			e.clean(err, m, field+" with "+what+": CreateSession")
			_, err = e.a.PutUser(ctx, ns.User)
			e.clean(err, m, field+" with "+what+": PutUser")
			_, err = e.a.Sessions(ctx, ns.User.ID)
			e.clean(err, m, field+" with "+what+": Sessions")
			_, err = e.a.RevokeUser(ctx, ns.User.ID, &ns.Ref)
			e.clean(err, m, field+" with "+what+": RevokeUser")
		}
	}
}

// errorsOfRefusals looks at the errors of calls that are refused for what is in the store.
func (e *sessionEnv) errorsOfRefusals(ctx context.Context) {
	for what, edit := range map[string]func(*googlesession.NewSession){
		"Ref in use":        func(*googlesession.NewSession) {},
		"tag of another":    func(ns *googlesession.NewSession) { ns.Ref.Tag[3]++ },
		"no lifetime":       func(ns *googlesession.NewSession) { ns.MaxLifetime = 0 },
		"negative Max":      func(ns *googlesession.NewSession) { ns.Max = -1 },
		"Version 0":         func(ns *googlesession.NewSession) { ns.User.Version = 0 },
		"over Max":          func(ns *googlesession.NewSession) { ns.Ref.ID[0]++; ns.Max, ns.RefuseOverMax = 1, true },
		"stale token":       func(ns *googlesession.NewSession) { ns.Ref.ID[0]++; ns.User = next(ns.User, tokensAfter(refusedUntil)) },
		"disabled user":     func(ns *googlesession.NewSession) { ns.Ref.ID[0]++; ns.User = next(ns.User, disabled) },
		"too long a record": func(ns *googlesession.NewSession) { ns.User.Picture += strings.Repeat("p", 3000) },
	} {
		ns, m := marked()
		e.create(ctx, ns)
		edit(&ns)
		_, err := e.a.CreateSession(ctx, ns)
		e.clean(err, marksOf(ns.User, ns.Device, ns.Ref), what+": CreateSession")
		e.clean(err, m, what+": CreateSession")
		unknown := newRef(ns.User.ID)
		_, err = e.a.CheckSession(ctx, unknown, 0)
		e.clean(err, marksOf(ns.User, ns.Device, unknown), "unknown Ref: CheckSession")
	}
}

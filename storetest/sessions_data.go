package storetest

import (
	"context"
	"fmt"
	"maps"
	"strings"

	"github.com/googlesession/googlesession"
)

// dataRules returns the rules about the Data of the User that a session store is given.
func dataRules() []rule[*sessionEnv] {
	return []rule[*sessionEnv]{
		{"data", "CreateSession, CheckSession and Sessions return the User's Data exactly, of up to 1 KiB", (*sessionEnv).data},
		{"data of a newer User", "all sessions of the user return the Data of the newest User, which PutUser or a sign-in brought", (*sessionEnv).newerData},
		{"invalid data", "CreateSession and PutUser refuse Data that is not valid UTF-8, contains NUL or is longer than 1 KiB, and change nothing", (*sessionEnv).invalidData},
	}
}

// dataTexts returns data that a store may cut, trim, quote, normalize or fail on.
func dataTexts() []string {
	return []string{
		`{"account":7,"roles":["editor"],"note":"\"a\" 'b' \\ %s ? $1 :x {y}"}`,
		"ends in blanks  ", " begins with a blank", " ", "line\r\nanother\ttab\x01\x1f\x7f",
		"e\u0301 \u00e9 \u2028 \ufeff", "null", "0", "NaN",
		strings.Repeat("d", 1024), strings.Repeat("😀", 256), strings.Repeat("é", 512), strings.Repeat(`"`, 1024), strings.Repeat("\n", 1024),
		"",
	}
}

// invalidDataTexts returns data that a store refuses, keyed by what is wrong with each.
func invalidDataTexts() map[string]string {
	texts := map[string]string{
		"1025 bytes":        strings.Repeat("d", 1025),
		"257 emojis":        strings.Repeat("😀", 257),
		"1024 é":            strings.Repeat("é", 1024),
		"1 KiB and a blank": strings.Repeat("d", 1024) + " ",
		"64 KiB":            strings.Repeat("d", 64<<10),
	}
	maps.Copy(texts, invalidTexts())
	return texts
}

func data(text string) func(*googlesession.User) {
	return func(u *googlesession.User) { u.Data = text }
}

func (e *sessionEnv) data(ctx context.Context) error {
	for _, text := range dataTexts() {
		ns := newSession(next(newUser(), data(text)))
		created := e.create(ctx, ns)
		when := fmt.Sprintf("Data %q: ", text)
		e.asCreated(created, ns, created.CreatedAt, when+"CreateSession")
		e.asCreated(e.live(ctx, e.second, ns.Ref, when), ns, created.CreatedAt, when+"CheckSession")
		for _, s := range e.list(ctx, ns.User.ID, []googlesession.Ref{ns.Ref}, when) {
			e.asCreated(s, ns, created.CreatedAt, when+"Sessions")
		}
	}
	return e.err
}

func (e *sessionEnv) newerData(ctx context.Context) error {
	u := next(newUser(), data("at the sign-in"))
	refs := e.signIns(ctx, u, 2)
	for _, text := range dataTexts() {
		older := u
		u = next(u, data(text))
		e.put(ctx, u, true, fmt.Sprintf("newer, with Data %q", text))
		e.haveUser(ctx, e.second, u, refs, "newer Data put")
		e.put(ctx, older, false, "older Data")
		equal := u
		equal.Data = "other"
		e.put(ctx, equal, false, "other Data, equal Version")
		e.haveUser(ctx, e.second, u, refs, "older Data put")
	}
	older := u
	u = next(u, data("at the second sign-in"))
	refs = append(refs, e.signIn(ctx, u).Ref)
	e.haveUser(ctx, e.second, u, refs, "newer Data at a sign-in")
	if s := e.signIn(ctx, older); !e.failed() {
		e.expect(s.User == u, "older Data at a sign-in: CreateSession: got User %+v, want %+v", s.User, u)
		refs = append(refs, s.Ref)
	}
	e.haveUser(ctx, e.second, u, refs, "older Data at a sign-in")
	return e.err
}

func (e *sessionEnv) invalidData(ctx context.Context) error {
	for what, text := range invalidDataTexts() {
		e.refusedUser(ctx, data(text), "Data with "+what)
	}
	return e.err
}

package storetest

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/googlesession/googlesession"
)

// userDataRules returns the rules about SetData.
func userDataRules() []rule[*userEnv] {
	return []rule[*userEnv]{
		{"SetData", "SetData sets Data exactly, of up to 1 KiB, keeps all other fields, and raises Version if that changes Data", (*userEnv).setsData},
		{"SetData with old", "SetData sets Data if it is *old, byte for byte, and otherwise returns ErrDataChanged and changes nothing", (*userEnv).setsDataWithOld},
		{"data at once", "of many calls of SetData at once with one old, exactly one succeeds, and the others return ErrDataChanged", (*userEnv).dataAtOnce},
		{"data during sign-ins", "SetData, SetAccess, RefuseTokens and SignIn at once do not undo each other", (*userEnv).dataDuringSignIns},
		{"data is kept", "SignIn, SetAccess and RefuseTokens keep Data", (*userEnv).dataIsKept},
		{"data of a disabled user", "SetData works for a disabled user, who stays disabled", (*userEnv).disabledData},
		{"data of other users", "SetData of one user changes no other user", (*userEnv).dataOfOthers},
		{"data of a deleted user", "SetData of a deleted user returns ErrNotFound, and a new user with the ID has no Data", (*userEnv).deletedData},
		{"data of an unknown user", "SetData of an unknown user returns ErrNotFound, with and without old, and makes no user", (*userEnv).unknownData},
		{"invalid data", "SetData refuses data that is not valid UTF-8, contains NUL or is longer than 1 KiB, and changes nothing", (*userEnv).invalidData},
		{"done context in SetData", "SetData with a done context changes nothing, and its error wraps the context's error and ErrUnavailable", (*userEnv).doneAtData},
	}
}

// setData calls SetData, expects it to succeed, and returns the user.
func (e *userEnv) setData(ctx context.Context, id, data string, old *string) googlesession.User {
	if e.failed() {
		return googlesession.User{}
	}
	u, err := e.first.SetData(ctx, id, data, old)
	e.expect(err == nil, "SetData with %q: got error %v, want none", data, err)
	return u
}

// changesData calls SetData, and expects it to give the user this Data, and another Version if
// that is a change. It returns the user.
func (e *userEnv) changesData(ctx context.Context, u googlesession.User, data string, old *string) googlesession.User {
	got, want := e.setData(ctx, u.ID, data, old), u
	want.Data, want.Version = data, got.Version
	e.expect(got == want, "SetData with %q: got %+v, want %+v", data, got, want)
	e.expect(e.failed() || (got.Version > u.Version) == (u.Data != data), "SetData with %q after %q: got Version %d after %d", data, u.Data, got.Version, u.Version)
	e.expect(e.failed() || got.Version >= u.Version, "SetData with %q: got Version %d after %d", data, got.Version, u.Version)
	e.listed(ctx, got, fmt.Sprintf("after SetData with %q", data))
	return got
}

func (e *userEnv) setsData(ctx context.Context) error {
	e.keepAnAdmin(ctx)
	u := e.signIn(ctx, newIdentity())
	u = e.refuse(ctx, u.ID, refusedUntil)
	u = e.setAccess(ctx, u.ID, googlesession.AccessChange{Admin: &yes})
	for _, text := range dataTexts() {
		u = e.changesData(ctx, u, text, nil)
		u = e.changesData(ctx, u, text, nil)
	}
	return e.err
}

// differentData returns texts that a database may take for equal, because they differ in case,
// in trailing blanks, in how é is spelled, or not at all for a prefix.
func differentData() []string {
	return []string{"", "a", "A", "a ", "a\t", "ab", "é", "e\u0301", "É", "ß", "ss", "k", "\u212a", "0", "00", "0.0", "null"}
}

func (e *userEnv) setsDataWithOld(ctx context.Context) error {
	u := e.signIn(ctx, newIdentity())
	for _, text := range differentData() {
		old := u.Data
		u = e.changesData(ctx, u, text, &old)
		u = e.changesData(ctx, u, text, &text)
		for _, other := range append(differentData(), old+" ", text+"\x00", "\xff") {
			if other == text || e.failed() {
				continue
			}
			for _, data := range []string{"changed", text} {
				_, err := e.second.SetData(ctx, u.ID, data, &other)
				e.expect(says(err, googlesession.ErrDataChanged), "SetData with old %q, while Data is %q: got %v, want ErrDataChanged", other, text, err)
			}
		}
		e.is(ctx, u, "SetData with another old")
	}
	return e.err
}

func (e *userEnv) dataAtOnce(ctx context.Context) error {
	type answer struct {
		user googlesession.User
		err  error
	}
	u := e.signIn(ctx, newIdentity())
	for round := range rounds {
		old := u.Data
		if e.failed() {
			break
		}
		won := 0
		for i, a := range race(6, func(i int) answer {
			u, err := e.handle(i).SetData(ctx, u.ID, fmt.Sprintf("round %d, call %d", round, i), &old)
			return answer{u, err}
		}) {
			if a.err == nil {
				won++
				e.expect(a.user.Data == fmt.Sprintf("round %d, call %d", round, i), "SetData at once: got Data %q from call %d", a.user.Data, i)
				u = a.user
				continue
			}
			e.expect(says(a.err, googlesession.ErrDataChanged), "SetData at once: got %v, want <nil> or ErrDataChanged", a.err)
		}
		e.expect(won == 1, "SetData at once with one old: %d calls succeeded, want one", won)
		e.is(ctx, u, "SetData at once")
	}
	return e.countAtOnce(ctx)
}

// countAtOnce counts in Data, and expects no step to be lost.
func (e *userEnv) countAtOnce(ctx context.Context) error {
	const counters, steps = 3, 10
	u := e.signIn(ctx, newIdentity())
	e.setData(ctx, u.ID, "0", nil)
	if e.failed() {
		return e.err
	}
	for _, err := range race(counters, func(i int) error {
		for n := 0; n < steps; {
			u, err := e.handle(i).User(ctx, u.ID)
			if err != nil {
				return err
			}
			count, err := strconv.Atoi(u.Data)
			if err != nil {
				return fmt.Errorf("counting: got Data %q", u.Data)
			}
			_, err = e.handle(i+1).SetData(ctx, u.ID, strconv.Itoa(count+1), &u.Data)
			switch {
			case err == nil:
				n++
			case !errors.Is(err, googlesession.ErrDataChanged):
				return err
			}
		}
		return nil
	}) {
		e.expect(err == nil, "counting at once: %v", err)
	}
	got, err := e.first.User(ctx, u.ID)
	e.expect(err == nil && got.Data == strconv.Itoa(counters*steps), "counting at once: got Data %q, %v, want %d", got.Data, err, counters*steps)
	return e.err
}

func (e *userEnv) dataDuringSignIns(ctx context.Context) error {
	e.keepAnAdmin(ctx)
	for range rounds {
		u := e.signIn(ctx, newIdentity())
		if e.failed() {
			break
		}
		for _, err := range race(4, func(i int) (err error) {
			switch i {
			case 0:
				_, err = e.first.SetData(ctx, u.ID, "set", nil)
			case 1:
				_, err = e.second.SetAccess(ctx, u.ID, googlesession.AccessChange{Admin: &yes})
			case 2:
				_, err = e.first.RefuseTokens(ctx, u.ID, longAgo.Add(-time.Second))
			default:
				_, err = e.second.SignIn(ctx, identity(u.ID))
			}
			return err
		}) {
			e.expect(err == nil, "SetData during sign-ins: got error %v, want none", err)
		}
		got, err := e.first.User(ctx, u.ID)
		e.expect(err == nil && got.Data == "set" && got.Admin && !got.TokensAfter.IsZero(), "SetData, SetAccess and RefuseTokens during sign-ins: got %+v, %v, want all three changes", got, err)
	}
	return e.err
}

func (e *userEnv) dataIsKept(ctx context.Context) error {
	e.keepAnAdmin(ctx)
	for _, text := range []string{"kept", "kept too  "} {
		u := e.signIn(ctx, newIdentity())
		e.setData(ctx, u.ID, text, nil)
		for call, change := range map[string]func() googlesession.User{
			"SignIn":                 func() googlesession.User { return e.signInAt(ctx, u.ID, refusedUntil.Add(time.Second)) },
			"SetAccess":              func() googlesession.User { return e.setAccess(ctx, u.ID, googlesession.AccessChange{Admin: &yes}) },
			"SetAccess with nothing": func() googlesession.User { return e.setAccess(ctx, u.ID, googlesession.AccessChange{}) },
			"RefuseTokens":           func() googlesession.User { return e.refuse(ctx, u.ID, refusedUntil) },
		} {
			got := change()
			e.expect(e.failed() || got.Data == text, "%s: got Data %q, want %q", call, got.Data, text)
			e.is(ctx, got, call)
		}
	}
	return e.err
}

func (e *userEnv) disabledData(ctx context.Context) error {
	u := e.signIn(ctx, newIdentity())
	u = e.setAccess(ctx, u.ID, googlesession.AccessChange{Disabled: &yes})
	u = e.changesData(ctx, u, "of a disabled user", nil)
	old := u.Data
	u = e.changesData(ctx, u, "of a disabled user, again", &old)
	_, err := e.second.SetData(ctx, u.ID, "other", &old)
	e.expect(says(err, googlesession.ErrDataChanged), "disabled user: SetData with another old: got %v, want ErrDataChanged", err)
	refused := e.signIn(ctx, identity(u.ID))
	e.expect(e.failed() || refused == u, "SignIn of a disabled user with Data: got %+v, want %+v", refused, u)
	return e.err
}

func (e *userEnv) dataOfOthers(ctx context.Context) error {
	for _, ids := range [][]string{caseIDs(), blankIDs()} {
		var others []googlesession.User
		for i, id := range ids {
			e.signIn(ctx, identity(id))
			others = append(others, e.setData(ctx, id, "data "+strconv.Itoa(i), nil))
		}
		others[1] = e.setData(ctx, ids[1], "changed", nil)
		for _, u := range others {
			e.is(ctx, u, "SetData of one of them")
		}
	}
	return e.err
}

// noData expects SetData of this ID to return ErrNotFound and to make no user.
func (e *userEnv) noData(ctx context.Context, id, when string) {
	empty, other := "", "old"
	for _, old := range []*string{nil, &empty, &other} {
		if e.failed() {
			return
		}
		_, err := e.second.SetData(ctx, id, "data", old)
		e.expect(says(err, googlesession.ErrNotFound), "%s: SetData: got %v, want ErrNotFound", when, err)
		e.unlisted(ctx, id, when+", and data set")
	}
}

func (e *userEnv) deletedData(ctx context.Context) error {
	u := e.signIn(ctx, newIdentity())
	e.setData(ctx, u.ID, "old", nil)
	e.deleteUser(ctx, u.ID)
	e.noData(ctx, u.ID, "deleted")
	first := e.signIn(ctx, e.newToken(ctx, u.ID))
	e.expect(e.failed() || first.Data == "", "deleted, then signed in: got Data %q, want none", first.Data)
	e.listed(ctx, first, "deleted, then signed in")
	e.changesData(ctx, first, "new", new(string))
	return e.err
}

func (e *userEnv) unknownData(ctx context.Context) error {
	e.signIn(ctx, newIdentity())
	e.noData(ctx, freshID(), "unknown")
	e.noData(ctx, "", "empty ID")
	for what, id := range invalidIDs() {
		e.noData(ctx, id, what)
	}
	e.noData(ctx, e.refusedUnknown(ctx, refusedUntil), "unknown, tokens refused")
	return e.err
}

func (e *userEnv) invalidData(ctx context.Context) error {
	u := e.signIn(ctx, newIdentity())
	u = e.setData(ctx, u.ID, "valid", nil)
	for what, text := range invalidDataTexts() {
		for _, old := range []*string{nil, &u.Data} {
			if e.failed() {
				break
			}
			_, err := e.first.SetData(ctx, u.ID, text, old)
			e.unavailable(err, "SetData with "+what)
		}
		e.is(ctx, u, "SetData with "+what+" refused")
	}
	return e.err
}

func (e *userEnv) doneAtData(ctx context.Context) error {
	u := e.signIn(ctx, newIdentity())
	doneContexts(ctx, func(ctx context.Context, cause error) {
		for _, old := range []*string{nil, &u.Data} {
			_, err := e.first.SetData(ctx, u.ID, "set", old)
			e.interrupted(err, cause, "SetData")
		}
	})
	e.is(ctx, u, "SetData interrupted")
	return e.err
}

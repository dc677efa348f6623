package storetest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"

	"github.com/googlesession/googlesession"
)

func (e *sessionEnv) disableDuringSignIns(ctx context.Context) error {
	for round := range rounds {
		u := newUser()
		refs := e.signIns(ctx, u, 1)
		for range 4 {
			refs = append(refs, newRef(u.ID))
		}
		if e.failed() {
			break
		}
		e.all(race(5, func(i int) error {
			ns := newSession(u)
			if i == 4 {
				ns = newSession(next(u, disabled))
				if round%2 == 0 {
					_, err := e.handle(round/2).PutUser(ctx, ns.User)
					return err
				}
			} else {
				ns.Ref = refs[1+i]
			}
			_, err := e.handle(i).CreateSession(ctx, ns)
			if errors.Is(err, googlesession.ErrUserDisabled) {
				return nil
			}
			if err == nil && ns.User.Disabled {
				return errors.New("CreateSession with a disabled User: got no error, want ErrUserDisabled")
			}
			return err
		}))
		e.noneAdmitted(ctx, refs, "disabled during sign-ins")
		e.list(ctx, u.ID, nil, "disabled during sign-ins")
		e.put(ctx, next(next(u, disabled), enabled), true, "newer")
		e.list(ctx, u.ID, nil, "disabled during sign-ins, and enabled")
	}
	return e.err
}

func (e *sessionEnv) signInsWithOneRef(ctx context.Context) error {
	for range rounds {
		u := newUser()
		r := newRef(u.ID)
		agent := func(i int) googlesession.Device {
			return googlesession.Device{UserAgent: fmt.Sprintf("suite/%d", i)}
		}
		first := -1
		for i, err := range race(6, func(i int) error {
			ns := newSession(u)
			ns.Ref, ns.Device = r, agent(i)
			_, err := e.handle(i).CreateSession(ctx, ns)
			return err
		}) {
			if err == nil {
				e.expect(first < 0, "CreateSession with one Ref at once: two calls succeeded, want one")
				first = i
				continue
			}
			e.expect(errors.Is(err, googlesession.ErrExists) || errors.Is(err, googlesession.ErrUnavailable),
				"CreateSession with one Ref at once: got %v, want ErrExists or an error that wraps ErrUnavailable", err)
		}
		e.expect(first >= 0, "CreateSession with one Ref at once: no call succeeded, want one")
		for _, s := range e.list(ctx, u.ID, []googlesession.Ref{r}, "created by many at once") {
			e.expect(s.Device == agent(first), "created by many at once: Sessions: got Device %v, want that of the call that succeeded, %v", s.Device, agent(first))
		}
		e.revoke(ctx, r, true, "created by many at once")
		e.gone(ctx, r, "created by many at once, revoked once")
	}
	return e.err
}

func (e *sessionEnv) capDuringSignIns(ctx context.Context) error {
	u := newUser()
	refs := e.signIns(ctx, u, e.perUser-1)
	for range rounds {
		if e.failed() {
			break
		}
		sessions := make([]googlesession.NewSession, 4)
		for i := range sessions {
			sessions[i] = newSession(u)
			refs = append(refs, sessions[i].Ref)
		}
		e.all(race(len(sessions), func(i int) error {
			_, err := e.handle(i).CreateSession(ctx, sessions[i])
			return err
		}))
		refs = e.remaining(ctx, u.ID, refs, e.perUser, "more than the cap at once")
	}
	return e.err
}

func (e *sessionEnv) versionsAtOnce(ctx context.Context) error {
	for range rounds {
		users := versions(newUser(), 9)
		r := e.signIn(ctx, users[0]).Ref
		newest := users[8]
		if e.failed() {
			break
		}
		order := rand.Perm(8)
		verdicts := race(8, func(i int) verdict {
			u := users[1+order[i]]
			if u != newest && i%4 == 0 {
				s, err := e.handle(i).CreateSession(ctx, newSession(u))
				if err == nil && s.User.Version < u.Version {
					err = fmt.Errorf("CreateSession: got Version %d, want %d or a newer one", s.User.Version, u.Version)
				}
				return verdict{err: err}
			}
			applied, err := e.handle(i).PutUser(ctx, u)
			return verdict{applied, err}
		})
		n := e.yes(verdicts, "PutUser or CreateSession")
		e.expect(n > 0, "versions at once: PutUser: got false from all calls, want true for the newest")
		for i, a := range verdicts {
			e.expect(users[1+order[i]] != newest || a.yes, "versions at once: PutUser of the newest: got false, want true")
		}
		for _, st := range []googlesession.SessionStore{e.first, e.second} {
			got := e.live(ctx, st, r, "versions put at once").User
			e.expect(got == newest, "versions put at once: CheckSession: got %+v, want the newest, %+v", got, newest)
		}
		e.put(ctx, newest, false, "the newest again")
	}
	return e.err
}

// versions returns n versions of a user, oldest first. The first is u itself.
func versions(u googlesession.User, n int) []googlesession.User {
	users := make([]googlesession.User, n)
	for i := range users {
		users[i] = u
		u = next(u, func(u *googlesession.User) { u.Name = fmt.Sprintf("Version %d", u.Version) })
	}
	return users
}

func (e *sessionEnv) disableAmongVersions(ctx context.Context) error {
	for range rounds {
		users := versions(newUser(), 7)
		r := e.signIn(ctx, users[0]).Ref
		off := 1 + rand.IntN(6)
		users[off].Disabled = true
		if e.failed() {
			break
		}
		order := rand.Perm(6)
		verdicts := race(6, func(i int) verdict {
			applied, err := e.handle(i).PutUser(ctx, users[1+order[i]])
			return verdict{applied, err}
		})
		e.yes(verdicts, "PutUser")
		ended := false
		for i, a := range verdicts {
			ended = ended || a.yes && 1+order[i] == off
		}
		switch {
		case off == 6:
			e.expect(ended, "versions at once, the newest disabled: PutUser of it: got false, want true")
			e.noneAdmitted(ctx, []googlesession.Ref{r}, "versions at once, the newest disabled")
		case ended:
			e.gone(ctx, r, "versions at once, a disabled one applied")
		default:
			got := e.live(ctx, e.second, r, "versions at once, the disabled one not applied").User
			e.expect(got == users[6], "versions at once: CheckSession: got %+v, want the newest, %+v", got, users[6])
		}
	}
	return e.err
}

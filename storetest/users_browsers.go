package storetest

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"time"

	"github.com/googlesession/googlesession"
)

// browserRules returns the rules about Browsers.
func browserRules() []rule[*userEnv] {
	return []rule[*userEnv]{
		{"browsers", "Browsers returns the browsers from before the call, the most recent one first, and makes seen the most recent one", (*userEnv).browsersInOrder},
		{"most browsers", "Browsers forgets the least recent browsers, so that MaxBrowsers are left", (*userEnv).mostBrowsers},
		{"browsers of each user", "the browsers of one user are not those of another", (*userEnv).browsersOfEach},
		{"browsers change no user", "Browsers does not change the User and its Version", (*userEnv).browsersChangeNothing},
		{"browsers are kept", "SignIn, SetAccess, SetData and RefuseTokens keep the browsers, and a disabled user has browsers", (*userEnv).browsersAreKept},
		{"browsers of a deleted user", "Browsers of a deleted user returns ErrNotFound, and a new user with the ID has no browsers", (*userEnv).browsersOfDeleted},
		{"browsers of an unknown user", "Browsers of an unknown user returns ErrNotFound and remembers nothing", (*userEnv).browsersOfUnknown},
		{"browsers at once", "of many calls of Browsers at once each returns what the ones before it have left, so no browser is lost and each is new once", (*userEnv).browsersAtOnce},
		{"done context in Browsers", "Browsers with a done context changes nothing, and its error wraps the context's error and ErrUnavailable", (*userEnv).doneAtBrowsers},
	}
}

func newBrowser() (b googlesession.BrowserID) {
	_, _ = rand.Read(b[:]) // it never fails
	return b
}

// browsers calls Browsers on one handle and expects it to return want.
func (e *userEnv) browsers(ctx context.Context, st googlesession.UserStore, id string, seen *googlesession.BrowserID, want []googlesession.BrowserID, when string) {
	if e.failed() {
		return
	}
	got, err := st.Browsers(ctx, id, seen)
	e.expect(err == nil && slices.Equal(got, want), "%s: Browsers: got %x, %v, want %x, <nil>", when, got, err, want)
}

// see makes the browsers the most recent ones of the user, one after the other. It returns all
// browsers of the user, who had none before.
func (e *userEnv) see(ctx context.Context, id string, seen ...googlesession.BrowserID) (now []googlesession.BrowserID) {
	for i := range seen {
		e.browsers(ctx, e.handle(i), id, &seen[i], now, fmt.Sprintf("browser %d", i))
		now = slices.DeleteFunc(slices.Clone(now), func(b googlesession.BrowserID) bool { return b == seen[i] })
		now = slices.Insert(now, 0, seen[i])
		now = now[:min(len(now), googlesession.MaxBrowsers)]
		e.browsers(ctx, e.handle(i+1), id, nil, now, fmt.Sprintf("browser %d seen", i))
	}
	e.browsers(ctx, e.first, id, nil, now, "all seen")
	return now
}

func (e *userEnv) browsersInOrder(ctx context.Context) error {
	u := e.signIn(ctx, newIdentity())
	e.browsers(ctx, e.first, u.ID, nil, nil, "new user")
	var all googlesession.BrowserID
	for i := range all {
		all[i] = 0xff
	}
	odd := []googlesession.BrowserID{{}, all, {15: '\n'}, {0: ','}, googlesession.BrowserID([]byte("ends in blanks  ")), googlesession.BrowserID([]byte("ENDS IN BLANKS  "))}
	e.see(ctx, u.ID, append(odd, odd[2], odd[2], odd[0], odd[5], odd[1], odd[0])...)
	return e.err
}

func (e *userEnv) mostBrowsers(ctx context.Context) error {
	u := e.signIn(ctx, newIdentity())
	var seen []googlesession.BrowserID
	for range googlesession.MaxBrowsers + 3 {
		seen = append(seen, newBrowser())
	}
	seen = append(seen, seen[5], seen[3], seen[0], seen[12], seen[1]) // seen[1] and seen[0] are forgotten by then
	e.see(ctx, u.ID, seen...)
	return e.err
}

func (e *userEnv) browsersOfEach(ctx context.Context) error {
	shared := newBrowser()
	for _, ids := range [][]string{caseIDs(), blankIDs(), unusualIDs()} {
		browsers := make([][]googlesession.BrowserID, len(ids))
		for i, id := range ids {
			e.signIn(ctx, identity(id))
			browsers[i] = e.see(ctx, id, shared, newBrowser())
		}
		e.deleteUser(ctx, ids[1])
		for i, id := range ids {
			if i != 1 {
				e.browsers(ctx, e.second, id, nil, browsers[i], "other users' browsers seen, and another user deleted")
			}
		}
	}
	return e.err
}

func (e *userEnv) browsersChangeNothing(ctx context.Context) error {
	u := e.signIn(ctx, newIdentity())
	e.tick(ctx)
	e.see(ctx, u.ID, newBrowser(), newBrowser())
	e.listed(ctx, u, "browsers seen")
	return e.err
}

func (e *userEnv) browsersAreKept(ctx context.Context) error {
	e.keepAnAdmin(ctx)
	u := e.signIn(ctx, newIdentity())
	browsers := e.see(ctx, u.ID, newBrowser(), newBrowser())
	kept := func(when string) { e.browsers(ctx, e.second, u.ID, nil, browsers, when) }
	e.signInAt(ctx, u.ID, refusedUntil.Add(time.Second))
	kept("signed in again")
	e.setData(ctx, u.ID, "data", nil)
	kept("data set")
	e.refuse(ctx, u.ID, refusedUntil)
	kept("tokens refused")
	e.setAccess(ctx, u.ID, googlesession.AccessChange{Admin: &yes})
	kept("flag set")
	e.setAccess(ctx, u.ID, googlesession.AccessChange{Disabled: &yes})
	kept("disabled")
	e.browsers(ctx, e.first, u.ID, &browsers[1], browsers, "disabled")
	slices.Reverse(browsers)
	kept("disabled, and a browser seen")
	return e.err
}

// noBrowsers expects Browsers of this ID to return ErrNotFound, whatever was seen.
func (e *userEnv) noBrowsers(ctx context.Context, id, when string) {
	b := newBrowser()
	for i, seen := range []*googlesession.BrowserID{nil, &b, nil} {
		if e.failed() {
			return
		}
		_, err := e.handle(i).Browsers(ctx, id, seen)
		e.expect(says(err, googlesession.ErrNotFound), "%s: Browsers: got %v, want ErrNotFound", when, err)
	}
}

func (e *userEnv) browsersOfDeleted(ctx context.Context) error {
	u := e.signIn(ctx, newIdentity())
	e.see(ctx, u.ID, newBrowser(), newBrowser())
	e.deleteUser(ctx, u.ID)
	e.noBrowsers(ctx, u.ID, "deleted")
	e.signIn(ctx, e.newToken(ctx, u.ID))
	e.browsers(ctx, e.first, u.ID, nil, nil, "deleted, then signed in")
	e.see(ctx, u.ID, newBrowser(), newBrowser())
	return e.err
}

func (e *userEnv) browsersOfUnknown(ctx context.Context) error {
	e.signIn(ctx, newIdentity())
	unknown, refused := freshID(), e.refusedUnknown(ctx, refusedUntil)
	e.noBrowsers(ctx, unknown, "unknown")
	e.noBrowsers(ctx, refused, "unknown, tokens refused")
	for what, id := range invalidIDs() {
		e.noBrowsers(ctx, id, what)
	}
	for _, id := range []string{unknown, refused} {
		e.signIn(ctx, e.newToken(ctx, id))
		e.browsers(ctx, e.first, id, nil, nil, "unknown, then signed in")
	}
	return e.err
}

func (e *userEnv) browsersAtOnce(ctx context.Context) error {
	type answer struct {
		browsers []googlesession.BrowserID
		err      error
	}
	for round := range rounds {
		u := e.signIn(ctx, newIdentity())
		if e.failed() {
			break
		}
		all := make([]googlesession.BrowserID, 6)
		for i := range all {
			all[i] = newBrowser()
			if round%2 == 1 {
				all[i] = all[0]
			}
		}
		answers := race(len(all), func(i int) answer {
			browsers, err := e.handle(i).Browsers(ctx, u.ID, &all[i])
			return answer{browsers, err}
		})
		lengths := map[int]int{}
		for _, a := range answers {
			e.expect(a.err == nil, "Browsers at once: got error %v, want none", a.err)
			lengths[len(a.browsers)]++
		}
		if e.failed() {
			break
		}
		last, err := e.first.Browsers(ctx, u.ID, nil)
		if round%2 == 1 {
			e.expect(err == nil && slices.Equal(last, all[:1]), "one browser seen at once: got %x, %v, want it alone", last, err)
			e.expect(lengths[0] == 1 && lengths[1] == len(all)-1, "one browser seen at once: %d of %d calls returned a list without it, want one", lengths[0], len(all))
			continue
		}
		e.expect(err == nil && len(last) == len(all), "%d browsers seen at once: got %d, %v", len(all), len(last), err)
		for i, a := range answers {
			n := len(a.browsers)
			e.expect(e.failed() || n < len(last) && slices.Equal(a.browsers, last[len(last)-n:]) && last[len(last)-n-1] == all[i],
				"browsers seen at once: got %x before %x, and %x in the end, which is not what calls in some order leave", a.browsers, all[i], last)
		}
	}
	return e.err
}

func (e *userEnv) doneAtBrowsers(ctx context.Context) error {
	u := e.signIn(ctx, newIdentity())
	browsers := e.see(ctx, u.ID, newBrowser(), newBrowser())
	other := newBrowser()
	doneContexts(ctx, func(ctx context.Context, cause error) {
		for _, seen := range []*googlesession.BrowserID{nil, &other, &browsers[1]} {
			_, err := e.first.Browsers(ctx, u.ID, seen)
			e.interrupted(err, cause, "Browsers")
		}
	})
	e.browsers(ctx, e.second, u.ID, nil, browsers, "Browsers interrupted")
	return e.err
}

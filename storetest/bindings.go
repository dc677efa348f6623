package storetest

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/googlesession/googlesession"
)

// TestBindings runs the rules that every [googlesession.BindingStore] must keep besides those of
// [TestSessions]. Each handle that s.Open returns must be a BindingStore. All else is as
// in TestSessions.
func TestBindings(t *testing.T, s SessionSuite) {
	t.Helper()
	testRules(t, bindingRules(), s.Run, s.env)
}

// bindingRules returns the rules of TestBindings. Besides the steps for sessions they have
// these:
//
//   - swap, notSwapped and notFound call SwapBinding. swap expects true and then bound,
//     notSwapped expects false, and notFound expects ErrNoSession.
//   - bound expects a session to be live and to have the Binding want, on both handles.
func bindingRules() []rule[*sessionEnv] {
	return slices.Concat([]rule[*sessionEnv]{
		{"new session", "CreateSession, CheckSession, Sessions and AllSessions return an empty Binding for a new session", (*sessionEnv).newUnbound},
		{"swap", "SwapBinding replaces the Binding old, which may be empty, by next, which may be empty, and returns true", (*sessionEnv).swapped},
		{"swap on the second handle", "SwapBinding compares with the newest Binding, and CheckSession and Sessions return it at once, on every handle", (*sessionEnv).swappedOnHandles},
		{"another Binding", "SwapBinding returns false and changes nothing if the Binding is neither old nor next, which it compares byte by byte", (*sessionEnv).oldDiffers},
		{"repeated swap", "SwapBinding returns true and changes nothing if the Binding is next already, whatever old is", (*sessionEnv).swappedAgain},
		{"bytes of bindings", "a Binding has any bytes, and CheckSession, Sessions and AllSessions return it exactly", (*sessionEnv).anyBytes},
		{"longest binding", "a Binding may have 64 bytes, and SwapBinding with an old or next of more bytes returns an error that wraps ErrUnavailable, and changes nothing", (*sessionEnv).longestBinding},
		{"bound sessions in lists", "Sessions and AllSessions return the Binding of each session", (*sessionEnv).boundInLists},
	}, keptBindingRules(), endedBindingRules(), bindingRaceRules())
}

// newBinding returns a random Binding of usual length, in printable ASCII. Only the rules
// about bytes use others, so that a store that changes bytes breaks these rules alone.
func newBinding() string { return "binding-" + strings.Repeat(rand.Text(), 2)[:49] }

var errNoBindingStore = errors.New("the store that Open has returned is not a googlesession.BindingStore")

// swapBinding calls SwapBinding of st, which must be a BindingStore.
func swapBinding(ctx context.Context, st googlesession.SessionStore, r googlesession.Ref, old, next string) (bool, error) {
	store, ok := st.(googlesession.BindingStore)
	if !ok {
		return false, errNoBindingStore
	}
	return store.SwapBinding(ctx, r, old, next)
}

// swap expects SwapBinding on the first handle to return true, and the session to be bound.
func (e *sessionEnv) swap(ctx context.Context, s googlesession.Session, old, next, when string) {
	e.swapOn(ctx, e.first, s.Ref, old, next, true, when)
	e.bound(ctx, s, next, when)
}

// notSwapped expects SwapBinding to return false, and the session to have the Binding has.
func (e *sessionEnv) notSwapped(ctx context.Context, s googlesession.Session, old, next, has, when string) {
	e.swapOn(ctx, e.first, s.Ref, old, next, false, when)
	e.bound(ctx, s, has, when)
}

// swapOn expects SwapBinding on a handle to return want and no error.
func (e *sessionEnv) swapOn(ctx context.Context, st googlesession.SessionStore, r googlesession.Ref, old, next string, want bool, when string) {
	if e.failed() {
		return
	}
	swapped, err := swapBinding(ctx, st, r, old, next)
	e.expect(err == nil && swapped == want, "%s: SwapBinding: got %v, %v, want %v, <nil>", when, swapped, err, want)
}

// bound expects CheckSession and Sessions, on both handles, to return the session with the
// Binding want.
func (e *sessionEnv) bound(ctx context.Context, s googlesession.Session, want, when string) {
	for _, st := range []googlesession.SessionStore{e.second, e.first} {
		e.bindingIs(e.live(ctx, st, s.Ref, when), want, when+": CheckSession")
		if e.failed() {
			return
		}
		sessions, err := st.Sessions(ctx, s.User.ID)
		i := slices.IndexFunc(sessions, func(listed googlesession.Session) bool { return listed.Ref == s.Ref })
		e.expect(err == nil && i >= 0, "%s: Sessions: got %d sessions and error %v, want the session %v", when, len(sessions), err, s.Ref)
		if !e.failed() {
			e.bindingIs(sessions[i], want, when+": Sessions")
		}
	}
}

// bindingIs expects s to have the Binding want.
func (e *sessionEnv) bindingIs(s googlesession.Session, want, call string) {
	e.expect(s.Binding == want, "%s: got Binding %q, want %q", call, s.Binding, want)
}

// boundInAll expects AllSessions to return exactly the sessions of the user whose Bindings
// are given.
func (e *sessionEnv) boundInAll(ctx context.Context, userID string, want map[googlesession.Ref]string, when string) {
	found := 0
	e.walk(ctx, 1000, func(page []googlesession.Session, _ string) bool {
		for _, s := range page {
			if s.User.ID == userID {
				e.bindingIs(s, want[s.Ref], when+": AllSessions")
				found++
			}
		}
		return found < len(want)
	})
	e.expect(found == len(want), "%s: AllSessions: got %d sessions of the user, want %d", when, found, len(want))
}

func (e *sessionEnv) newUnbound(ctx context.Context) error {
	s := e.signIn(ctx, newUser())
	e.bindingIs(s, "", "CreateSession")
	e.bound(ctx, s, "", "new")
	e.boundInAll(ctx, s.User.ID, map[googlesession.Ref]string{s.Ref: ""}, "new")
	return e.err
}

func (e *sessionEnv) swapped(ctx context.Context) error {
	s := e.signIn(ctx, newUser())
	one, two := newBinding(), newBinding()
	e.swap(ctx, s, "", one, "not bound")
	e.swap(ctx, s, one, two, "bound")
	e.swap(ctx, s, two, one, "bound a second time")
	e.swap(ctx, s, one, "", "next is empty")
	e.swap(ctx, s, "", two, "not bound any more")
	return e.err
}

func (e *sessionEnv) swappedOnHandles(ctx context.Context) error {
	s := e.signIn(ctx, newUser())
	e.bound(ctx, s, "", "not bound")
	old := ""
	for i := range 6 {
		next := newBinding()
		when := fmt.Sprintf("swap %d, the handles take turns", i)
		e.swapOn(ctx, e.handle(i), s.Ref, old, next, true, when)
		e.bound(ctx, s, next, when)
		e.swapOn(ctx, e.handle(i+1), s.Ref, old, newBinding(), false, when+", old is of the swap before")
		e.bound(ctx, s, next, when)
		old = next
	}
	return e.err
}

// similar returns texts that differ from binding and that a store may confuse with it.
// The binding must contain the letter K.
func similar(binding string) map[string]string {
	return map[string]string{
		"empty":             "",
		"unlike":            newBinding(),
		"in lower case":     strings.ReplaceAll(binding, "K", "k"),
		"a byte less":       binding[:len(binding)-1],
		"a zero byte more":  binding + "\x00",
		"a blank more":      binding + " ",
		"a blank before":    " " + binding,
		"another last byte": binding[:len(binding)-1] + "\xfe",
		"a pattern":         "%",
		"another pattern":   "*",
	}
}

func (e *sessionEnv) oldDiffers(ctx context.Context) error {
	unbound, bound := e.signIn(ctx, newUser()), e.signIn(ctx, newUser())
	binding := "\x01K-" + newBinding()[:20] + "\x00K\xff"
	e.swap(ctx, bound, "", binding, "not bound")
	for what, old := range similar(binding) {
		e.notSwapped(ctx, bound, old, newBinding(), binding, "old differs: "+what)
		if old != "" {
			e.notSwapped(ctx, unbound, old, newBinding(), "", "not bound, old is not empty: "+what)
		}
	}
	e.notSwapped(ctx, bound, "", "", binding, "old and next are empty")
	e.notSwapped(ctx, unbound, binding, binding, "", "old and next are equal, and not bound")
	return e.err
}

func (e *sessionEnv) swappedAgain(ctx context.Context) error {
	s := e.signIn(ctx, newUser())
	e.swap(ctx, s, "", "", "not bound, old and next are empty")
	e.swap(ctx, s, newBinding(), "", "not bound, next is empty")
	binding := "\x01K-" + newBinding()[:20] + "\x00K\xff"
	for range 3 {
		e.swap(ctx, s, "", binding, "the same call three times")
	}
	e.swap(ctx, s, binding, binding, "old and next are equal")
	e.swap(ctx, s, newBinding(), binding, "bound to next, and old differs")
	for what, next := range similar(binding) {
		e.swap(ctx, s, binding, next, "next is not the same: "+what)
		e.swap(ctx, s, next, binding, "and back")
	}
	return e.err
}

// bindings returns bindings with every byte, and bindings that a store may confuse or fail on.
func bindings() []string {
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	list := []string{
		"\x00", "\x00\x00", " ", "  ", "trailing zero\x00", "\x00leading zero", "in \x00 it", "blanks  ", "\r\n", "0", "null", "NULL", "''", `\x00`, `\`,
		"\xff", "\xff\xfe", "\xc0\x80", "\xed\xa0\x80", "😀", "😀"[:2], "e\u0301", "\u00e9", "%", "1e3", "-1", "{}", `"`,
	}
	for chunk := range slices.Chunk(every, googlesession.MaxBinding) {
		list = append(list, string(chunk))
	}
	slices.Reverse(every)
	for chunk := range slices.Chunk(every, googlesession.MaxBinding-1) {
		list = append(list, string(chunk))
	}
	return list
}

func (e *sessionEnv) anyBytes(ctx context.Context) error {
	s := e.signIn(ctx, newUser())
	old := ""
	for _, next := range bindings() {
		when := fmt.Sprintf("from %q to %q", old, next)
		e.swap(ctx, s, old, next, when)
		e.notSwapped(ctx, s, old, newBinding(), next, when+", and old is of the swap before")
		old = next
	}
	for _, next := range []string{"\x00\xff\x00", "\xed\xa0\x80  "} {
		e.swap(ctx, s, old, next, "for AllSessions")
		e.boundInAll(ctx, s.User.ID, map[googlesession.Ref]string{s.Ref: next}, "bound")
		old = next
	}
	return e.err
}

func (e *sessionEnv) longestBinding(ctx context.Context) error {
	s := e.signIn(ctx, newUser())
	old := ""
	for _, b := range []byte{'x', 0, 0xff, ' '} {
		longest := string(bytes.Repeat([]byte{b}, googlesession.MaxBinding))
		e.swap(ctx, s, old, longest, fmt.Sprintf("64 times %q", b))
		old = longest
		for what, more := range map[string]string{"65 bytes": longest + string([]byte{b}), "64 Ki": strings.Repeat(longest, 1<<10)} {
			e.tooLong(ctx, s, longest, more, "next of "+what)
			e.tooLong(ctx, s, more, newBinding(), "old of "+what)
			e.tooLong(ctx, s, more, longest, "old of "+what+", and bound to next")
			e.bound(ctx, s, longest, what+" refused")
		}
	}
	return e.err
}

// tooLong expects SwapBinding to refuse its arguments.
func (e *sessionEnv) tooLong(ctx context.Context, s googlesession.Session, old, next, what string) {
	if e.failed() {
		return
	}
	swapped, err := swapBinding(ctx, e.first, s.Ref, old, next)
	e.expect(!swapped, "%s: SwapBinding: got true, want false", what)
	e.unavailable(err, what+": SwapBinding")
}

func (e *sessionEnv) boundInLists(ctx context.Context) error {
	u := newUser()
	want := map[googlesession.Ref]string{}
	for i := range 4 {
		s := e.signIn(ctx, u)
		if want[s.Ref] = ""; i%2 == 1 {
			want[s.Ref] = newBinding()
			e.swap(ctx, s, "", want[s.Ref], "not bound")
		}
	}
	for _, s := range e.list(ctx, u.ID, slices.Collect(maps.Keys(want)), "two of four bound") {
		e.bindingIs(s, want[s.Ref], "Sessions")
	}
	e.boundInAll(ctx, u.ID, want, "two of four bound")
	return e.err
}

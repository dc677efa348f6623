package storetest

import (
	"strings"
	"testing"
)

// A Rule is a rule of [TestSessions], [TestBindings] or [TestUsers], for tests of the suites themselves.
type Rule[Suite any] struct {
	Name  string
	Words string
	Check func(testing.TB, Suite) error // returns how the store breaks the rule
}

// Races reports whether the rule makes calls at once. Such a rule plays many rounds, so it
// takes most of the time that a suite takes.
func (r Rule[Suite]) Races() bool {
	return strings.Contains(r.Name, " during ") || strings.Contains(r.Name, " at once")
}

// SessionRules returns the rules of TestSessions.
func SessionRules() []Rule[SessionSuite] {
	return exportRules(sessionRules(), SessionSuite.env)
}

// BindingRules returns the rules of TestBindings.
func BindingRules() []Rule[SessionSuite] {
	return exportRules(bindingRules(), SessionSuite.env)
}

// UserRules returns the rules of TestUsers for stores that are session stores too.
func UserRules() []Rule[UserSuite] {
	return exportRules(UserSuite{AlsoSessionStore: true}.rules(), UserSuite.env)
}

func exportRules[Env, Suite any](rules []rule[Env], open func(Suite, testing.TB) Env) []Rule[Suite] {
	var exported []Rule[Suite]
	for _, r := range rules {
		check := func(tb testing.TB, s Suite) error {
			tb.Helper()
			return r.check(open(s, tb), tb.Context())
		}
		exported = append(exported, Rule[Suite]{r.name, r.words, check})
	}
	return exported
}

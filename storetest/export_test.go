package storetest

import "testing"

// A SessionRule is one of those that TestSessions runs.
type SessionRule struct {
	Name  string
	Check func(testing.TB, SessionSuite) error // what is wrong with the store
}

func SessionRules() []SessionRule {
	var rules []SessionRule
	for _, r := range sessionRules() {
		rules = append(rules, SessionRule{r.name, func(tb testing.TB, s SessionSuite) error {
			tb.Helper()
			return r.check(s.env(tb), tb.Context())
		}})
	}
	return rules
}

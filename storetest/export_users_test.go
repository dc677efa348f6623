package storetest

import "testing"

// A UserRule is one of those that TestUsers runs.
type UserRule struct {
	Name  string
	Check func(testing.TB, UserSuite) error // what is wrong with the store
}

func UserRules() []UserRule {
	var rules []UserRule
	for _, r := range (UserSuite{AlsoSessionStore: true}).rules() {
		rules = append(rules, UserRule{r.name, func(tb testing.TB, u UserSuite) error {
			tb.Helper()
			return r.check(u.env(tb), tb.Context())
		}})
	}
	return rules
}

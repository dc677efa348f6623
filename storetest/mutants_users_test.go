package storetest_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/storetest"
)

// userMutants are the bugs of a naiveUsers.
var userMutants = slices.Concat(directoryMutants, userTokenMutants, userRefusalMutants, userDataMutants, browserMutants, queryMutants)

var directoryMutants = []mutant{
	{"e-mail address identifies the user", []string{
		"subject is the identity", "sign-in after delete", "limit of a query", "pages of a query", "queries by flags",
	}},
	{"subjects folded", []string{
		"subjects that differ in a byte", "access of other users", "pages", "delete", "browsers of each user", "data of other users",
	}},
	{"subjects trimmed", []string{
		"subjects that differ in a byte", "access of other users", "unknown user", "pages", "browsers of each user",
		"data of other users",
	}},
	{"bad subjects accepted", []string{"invalid subjects"}},
	{"bad subjects refused too late", []string{"invalid subjects"}},
	{"insert without a key", []string{"first sign-ins at once"}},
	{"sign-in looks first", []string{
		"access during sign-ins", "delete during SignIn", "delete during whole sign-ins", "first sign-ins at once",
		"RefuseTokens at once", "RefuseTokens during whole sign-ins", "data during sign-ins",
	}},
	{"sign-in resets access", []string{
		"access during sign-ins", "later sign-in", "RefuseTokens at once", "users are kept", "PutUser of a known user",
		"data during sign-ins",
	}},
	{"disabled user refreshed", []string{"sign-in of a disabled user", "stale token", "data of a disabled user"}},
	{"CreatedAt overwritten", []string{"later sign-in", "users are kept"}},
	{"SeenAt of the first sign-in", []string{"first sign-ins at once", "later sign-in"}},
	{"SeenAt may be CreatedAt again", []string{"first sign-ins at once"}},
	{"profile of the first sign-in", []string{"later sign-in"}},
	{"empty profile means unchanged", []string{"later sign-in"}},
	{"profile cut", []string{"longest user"}},
	{"times with a zone", []string{"first sign-in", "later sign-in"}},
	{"Version not raised by sign-in", []string{
		"first sign-ins at once", "later sign-in", "profile in checks", "sessions of refused tokens", "stale token", "versions follow the clock",
		"PutUser of a known user",
	}},
	{"Versions only counted", []string{"versions follow the clock"}},
	{"cache", []string{
		"TokensAfter is kept", "access on every handle", "later sign-in", "RefuseTokens", "SetAccess", "SetData", "SetData with old",
		"changes between pages of a query", "data is kept", "data of a deleted user", "data of a disabled user", "data at once",
	}},
	{"done context ignored", []string{
		"done context in SetAccess", "done context in reading and deleting", "done context in RefuseTokens", "done context in SignIn",
		"done context in Browsers", "done context in SetData",
	}},
	{"done context noticed too late", []string{
		"done context in SetAccess", "done context in reading and deleting", "done context in RefuseTokens", "done context in SignIn",
		"done context in Browsers", "done context in SetData",
	}},

	{"access reads first", []string{"flags at once", "RefuseTokens at once", "data during sign-ins"}},
	{"SetAccess makes users", []string{"PutUser makes no user", "access of an unknown user", "access of a deleted user"}},
	{"nil flag means false", []string{"SetAccess", "flags at once", "no administrator"}},
	{"Version not raised by access", []string{
		"access in checks", "disable during CreateSession", "sessions of a disabled user", "no next Version", "PutUser keeps access",
		"SetAccess", "sign-in overtaken by disable", "versions follow the clock",
	}},
	{"Version raised by nothing", []string{"last administrator", "no next Version", "SetAccess"}},

	{"last administrator not protected", []string{
		"last administrator", "disabled administrator", "one of two administrators",
		"deleted administrator", "administrators at once", "refused change ends no session", "administrator from PutUser",
	}},
	{"last administrator can be deleted", []string{
		"last administrator", "disabled administrator", "one of two administrators",
		"deleted administrator", "administrators at once", "refused change ends no session", "administrator from PutUser",
	}},
	{"disabled administrators count", []string{
		"last administrator", "disabled administrator", "one of two administrators",
		"no administrator", "administrators at once", "refused change ends no session", "administrator from PutUser",
	}},
	{"disabled administrators protected", []string{"no administrator"}},
	{"administrator always needed", []string{
		"TokenWindow", "delete", "delete during SignIn", "delete during whole sign-ins", "delete an unknown user",
		"delete during CreateSession", "access of a deleted user", "sessions of a deleted user", "disable during CreateSession",
		"sign-in of a disabled user", "sessions of a disabled user", "errors hold no arguments", "delete keeps TokensAfter",
		"new user with an old ID", "no administrator", "RefuseTokens of a deleted user", "sign-in overtaken by delete",
		"sign-in overtaken by disable", "stale token", "versions follow the clock", "users are kept", "TokensAfter from PutUser",
		"disabled by PutUser", "browsers of a deleted user", "browsers of each user", "changes between pages of a query",
		"data from PutUser", "data of a deleted user", "data of a disabled user", "queries and PutUser",
	}},
	{"last administrator refused too late", []string{
		"last administrator", "disabled administrator", "one of two administrators",
		"administrators at once", "refused change ends no session", "administrator from PutUser",
	}},
	{"access and deletion locked apart", []string{"administrators at once"}},
	{"administrators counted first", []string{"administrators at once"}},

	{"after included", []string{"pages", "empty page", "changes between pages of a query", "pages of a query"}},
	{"limit ignored", []string{"pages", "limit", "changes between pages of a query", "limit of a query", "pages of a query"}},
	{"order folds case", []string{"pages", "delete"}},
	{"empty page returns ErrNotFound", []string{
		"empty page", "limit", "pages", "RefuseTokens of an unknown user", "PutUser of a known user",
		"changes between pages of a query", "data of a deleted user", "e-mail prefix", "limit of a query", "name prefix",
		"pages of a query", "queries after changes", "queries and PutUser", "queries by flags",
	}},
	{"shared memory", []string{"no shared memory"}},
	{"deleting an unknown user succeeds", []string{"PutUser makes no user", "delete an unknown user"}},
	{"delete only hides", []string{
		"PutUser makes no user", "TokenWindow", "delete during SignIn", "delete during whole sign-ins", "deleted administrator",
		"earlier tokens after delete", "RefuseTokens of a deleted user", "sign-in after delete", "TokensAfter from PutUser",
		"data from PutUser", "data of a deleted user",
	}},
	{"delete hides from User only", []string{
		"PutUser makes no user", "TokenWindow", "administrators at once", "delete", "earlier tokens after delete",
		"one of two administrators", "RefuseTokens of a deleted user", "TokensAfter from PutUser", "disabled by PutUser",
		"data from PutUser", "data of a deleted user", "queries after changes", "queries and PutUser",
	}},
	{"delete has no Version", []string{"new user with an old ID"}},
	{"Version restarts after delete", []string{
		"PutUser makes no user", "TokenWindow", "delete during SignIn", "delete during whole sign-ins",
		"earlier tokens after delete", "delete keeps TokensAfter", "new user with an old ID", "RefuseTokens of a deleted user",
		"sign-in after delete", "TokensAfter from PutUser",
	}},

	{"users forgotten after SignInWindow", []string{"users are kept"}},
	{"users forgotten after TokenWindow", []string{"users are kept"}},
	{"disabled users forgotten", []string{"users are kept"}},
	{"flags forgotten", []string{"users are kept"}},

	{"disable keeps sessions", []string{
		"sessions of a disabled user", "sign-in overtaken by disable", "access in checks",
		"PutUser keeps access", "disable during CreateSession",
	}},
	{"delete keeps sessions", []string{
		"delete during whole sign-ins", "delete during CreateSession", "sessions of a deleted user", "sign-in overtaken by delete",
	}},
	{"change revokes first", []string{"no next Version", "refused change ends no session"}},
	{"sessions not told of sign-ins", []string{"profile in checks", "sessions of refused tokens", "PutUser of a known user"}},
}

// Each mutant breaks the rules that its list names. Of the others, it may break those of
// byChance.
func TestUserMutants(t *testing.T) {
	t.Parallel()
	for _, m := range userMutants {
		t.Run(m.bug, func(t *testing.T) {
			t.Parallel()
			found := broken(t, m.bug, rulesFor(m, storetest.UserRules()))
			require.Subset(t, found, m.found, "%q", found)
			for _, name := range found {
				if !slices.Contains(m.found, name) {
					require.Contains(t, byChance, name, "%q", found)
				}
			}
		})
	}
}

// byChance are the rules that run sign-ins of two calls beside another call. They may find a
// mutant of other rules, if the calls meet in the right order.
var byChance = []string{"delete during whole sign-ins", "RefuseTokens during whole sign-ins"}

// No rule fails on a store without a bug, and each rule fails on a store with some bug.
func TestUserRules(t *testing.T) {
	t.Parallel()
	require.Empty(t, broken(t, "", storetest.UserRules()))
	var found []string
	for _, m := range userMutants {
		found = append(found, m.found...)
	}
	for _, r := range storetest.UserRules() {
		require.Contains(t, found, r.Name)
	}
}

// broken returns the names of the rules that a store with that bug breaks.
func broken(t *testing.T, bug string, rules []storetest.Rule[storetest.UserSuite]) (names []string) {
	t.Helper()
	for _, r := range rules {
		synctest.Test(t, func(t *testing.T) {
			users, sessions := newNaiveUserData(), newNaiveData()
			err := r.Check(t, storetest.UserSuite{
				Open: func(testing.TB) googlesession.UserStore {
					return &naiveUsers{
						naiveUserData: users, bug: bug, seen: map[string]googlesession.User{},
						SessionStore: &naive{naiveData: sessions, perUser: 100},
					}
				},
				AlsoSessionStore: true,
				Advance:          func(d time.Duration) { time.Sleep(d) }, //nolint:forbidigo // synctest
			})
			if err != nil {
				t.Logf("%s: %v", r.Name, err)
				names = append(names, r.Name)
			}
		})
	}
	slices.Sort(names)
	return names
}

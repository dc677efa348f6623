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

// userMutants are the bugs that naive users may have.
var userMutants = slices.Concat(directoryMutants, userTokenMutants, userRefusalMutants)

var directoryMutants = []mutant{
	{"e-mail as identity", []string{"identity", "sign-in after delete"}},
	{"subjects folded", []string{"subjects bytewise", "access of other users", "pages", "delete"}},
	{"subjects trimmed", []string{"subjects bytewise", "access of other users", "unknown user", "pages"}},
	{"bad subjects accepted", []string{"bad subjects"}},
	{"bad subjects refused too late", []string{"bad subjects"}},
	{"insert without a key", []string{"first sign-ins at once"}},
	{"sign-in looks first", []string{
		"access during sign-ins", "delete during sign-ins of one token", "delete during whole sign-ins", "first sign-ins at once",
		"refuse tokens at once", "refuse tokens during whole sign-ins",
	}},
	{"sign-in resets access", []string{"access during sign-ins", "next sign-in", "refuse tokens at once"}},
	{"disabled user refreshed", []string{"disabled sign-in", "stale token at sign-in"}},
	{"CreatedAt overwritten", []string{"next sign-in"}},
	{"SeenAt of the first sign-in", []string{"next sign-in"}},
	{"profile of the first sign-in", []string{"next sign-in"}},
	{"empty profile means unchanged", []string{"next sign-in"}},
	{"profile cut", []string{"longest user"}},
	{"times with a zone", []string{"first sign-in", "next sign-in"}},
	{"Version not raised by sign-in", []string{
		"first sign-ins at once", "next sign-in", "profile in checks", "stale token at sign-in", "versions follow the clock",
	}},
	{"Versions only counted", []string{"versions follow the clock"}},
	{"cache", []string{"TokensAfter is kept", "access on every handle", "next sign-in", "refuse tokens", "set access"}},
	{"done context ignored", []string{
		"done context at access", "done context at reading", "done context at refusing", "done context at sign-in",
	}},
	{"done context noticed too late", []string{
		"done context at access", "done context at reading", "done context at refusing", "done context at sign-in",
	}},

	{"access reads first", []string{"flags at once", "refuse tokens at once"}},
	{"access makes users", []string{"PutUser makes no user", "access of nobody", "deleted user"}},
	{"nil flag means false", []string{"set access", "flags at once", "no administrator"}},
	{"Version not raised by access", []string{
		"access in checks", "disable user during sign-ins", "disabled user's sessions", "no next Version", "put user keeps access",
		"set access", "sign-in overtaken by disable", "versions follow the clock",
	}},
	{"Version raised by nothing", []string{"last administrator", "no next Version", "set access"}},

	{"last administrator not protected", []string{
		"last administrator", "disabled administrator", "one of two administrators",
		"deleted administrator", "administrators at once", "refused change ends nothing",
	}},
	{"last administrator can be deleted", []string{
		"last administrator", "disabled administrator", "one of two administrators",
		"deleted administrator", "administrators at once", "refused change ends nothing",
	}},
	{"disabled administrators count", []string{
		"last administrator", "disabled administrator", "one of two administrators",
		"no administrator", "administrators at once", "refused change ends nothing",
	}},
	{"disabled administrators protected", []string{"no administrator"}},
	{"administrator always needed", []string{
		"TokenWindow", "delete", "delete during sign-ins of one token", "delete during whole sign-ins", "delete nobody",
		"delete user during sign-ins", "deleted user", "deleted user's sessions", "disable user during sign-ins",
		"disabled sign-in", "disabled user's sessions", "errors about users hold no argument", "later TokensAfter and delete",
		"new user of an old ID", "no administrator", "refuse tokens of a deleted user", "sign-in overtaken by delete",
		"sign-in overtaken by disable", "stale token at sign-in", "versions follow the clock",
	}},
	{"last administrator refused too late", []string{
		"last administrator", "disabled administrator", "one of two administrators",
		"administrators at once", "refused change ends nothing",
	}},
	{"access and deletion locked apart", []string{"administrators at once"}},
	{"administrators counted first", []string{"administrators at once"}},

	{"after included", []string{"pages", "empty page"}},
	{"limit ignored", []string{"pages", "limit"}},
	{"order folds case", []string{"pages", "delete"}},
	{"empty page is not found", []string{"empty page", "limit", "pages", "refuse tokens of an unknown user"}},
	{"shared memory", []string{"users share no memory"}},
	{"deleting nobody is fine", []string{"PutUser makes no user", "delete nobody"}},
	{"delete only hides", []string{
		"PutUser makes no user", "TokenWindow", "delete during sign-ins of one token", "delete during whole sign-ins",
		"deleted administrator", "earlier tokens after delete", "refuse tokens of a deleted user", "sign-in after delete",
	}},
	{"delete hides from User only", []string{
		"PutUser makes no user", "TokenWindow", "administrators at once", "delete", "earlier tokens after delete",
		"one of two administrators", "refuse tokens of a deleted user",
	}},
	{"delete has no Version", []string{"new user of an old ID"}},
	{"Version restarts after delete", []string{
		"PutUser makes no user", "TokenWindow", "delete during sign-ins of one token", "delete during whole sign-ins",
		"earlier tokens after delete", "later TokensAfter and delete", "new user of an old ID", "refuse tokens of a deleted user",
		"sign-in after delete",
	}},

	{"disable keeps sessions", []string{
		"disabled user's sessions", "sign-in overtaken by disable", "access in checks",
		"put user keeps access", "disable user during sign-ins",
	}},
	{"delete keeps sessions", []string{
		"delete during whole sign-ins", "delete user during sign-ins", "deleted user's sessions", "sign-in overtaken by delete",
	}},
	{"change revokes first", []string{"no next Version", "refused change ends nothing"}},
	{"sessions not told of sign-ins", []string{"profile in checks", "refused tokens' sessions"}},
}

func TestUserMutants(t *testing.T) {
	t.Parallel()
	for _, m := range userMutants {
		t.Run(m.bug, func(t *testing.T) {
			t.Parallel()
			found := broken(t, m.bug)
			require.Subset(t, found, m.found, "%q", found)
			for _, name := range found {
				if !slices.Contains(m.found, name) {
					require.Contains(t, byChance, name, "%q", found)
				}
			}
		})
	}
}

// byChance are the rules that race a sign-in of two calls with another call. They may
// find a mutant of another rule, if its calls meet in the right order.
var byChance = []string{"delete during whole sign-ins", "refuse tokens during whole sign-ins"}

// No rule fails on users without a bug, and each fails on some with one.
func TestUserRules(t *testing.T) {
	t.Parallel()
	require.Empty(t, broken(t, ""))
	var found []string
	for _, m := range userMutants {
		found = append(found, m.found...)
	}
	for _, r := range storetest.UserRules() {
		require.Contains(t, found, r.Name)
	}
}

// broken returns the rules that the store does not keep.
func broken(t *testing.T, bug string) (names []string) {
	t.Helper()
	for _, r := range storetest.UserRules() {
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

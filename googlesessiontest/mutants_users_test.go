package googlesessiontest_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/googlesessiontest"
)

// userMutants are the bugs that naive users may have.
var userMutants = []mutant{
	{"e-mail as identity", []string{"identity", "sign-in after delete"}},
	{"subjects folded", []string{"subjects bytewise", "access of other users", "pages", "delete"}},
	{"subjects trimmed", []string{"subjects bytewise", "access of other users", "unknown user", "pages"}},
	{"bad subjects accepted", []string{"bad subjects"}},
	{"bad subjects refused too late", []string{"bad subjects"}},
	{"insert without a key", []string{"first sign-ins at once"}},
	{"sign-in looks first", []string{"first sign-ins at once", "access during sign-ins"}},
	{"sign-in resets access", []string{"next sign-in", "access during sign-ins"}},
	{"disabled user refreshed", []string{"disabled sign-in"}},
	{"CreatedAt overwritten", []string{"next sign-in"}},
	{"SeenAt of the first sign-in", []string{"next sign-in"}},
	{"profile of the first sign-in", []string{"next sign-in"}},
	{"empty profile means unchanged", []string{"next sign-in"}},
	{"profile cut", []string{"longest user"}},
	{"times with a zone", []string{"first sign-in", "next sign-in"}},
	{"Version not raised by sign-in", []string{
		"next sign-in", "first sign-ins at once", "versions follow the clock", "profile in checks",
	}},
	{"Versions only counted", []string{"versions follow the clock"}},
	{"cache", []string{"next sign-in", "set access", "access on every handle"}},
	{"done context ignored", []string{"done context at sign-in", "done context at access", "done context at reading"}},
	{"done context noticed too late", []string{"done context at sign-in", "done context at access", "done context at reading"}},

	{"access reads first", []string{"flags at once"}},
	{"access makes users", []string{"access of nobody", "deleted user"}},
	{"nil flag means false", []string{"set access", "flags at once", "no administrator"}},
	{"Version not raised by access", []string{
		"versions follow the clock", "set access", "disabled user's sessions", "sign-in overtaken by disable",
		"access in checks", "put user keeps access", "disable user during sign-ins",
	}},
	{"Version raised by nothing", []string{"set access", "last administrator"}},

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
		"no administrator", "disabled sign-in", "versions follow the clock", "delete", "delete nobody", "deleted user",
		"disabled user's sessions", "deleted user's sessions", "sign-in overtaken by disable", "sign-in overtaken by delete",
		"new user of an old ID", "disable user during sign-ins", "delete user during sign-ins",
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
	{"empty page is not found", []string{"empty page", "pages", "limit"}},
	{"shared memory", []string{"users share no memory"}},
	{"deleting nobody is fine", []string{"delete nobody"}},
	{"delete only hides", []string{"sign-in after delete", "deleted administrator"}},
	{"delete hides from User only", []string{"delete", "one of two administrators", "administrators at once"}},
	{"delete has no Version", []string{"new user of an old ID"}},
	{"Version restarts after delete", []string{"sign-in after delete", "new user of an old ID"}},

	{"disable keeps sessions", []string{
		"disabled user's sessions", "sign-in overtaken by disable", "access in checks",
		"put user keeps access", "disable user during sign-ins",
	}},
	{"delete keeps sessions", []string{
		"deleted user's sessions", "sign-in overtaken by delete",
		"new user of an old ID", "delete user during sign-ins",
	}},
	{"change revokes first", []string{"refused change ends nothing"}},
	{"sessions not told of sign-ins", []string{"profile in checks"}},
}

func TestUserMutants(t *testing.T) {
	t.Parallel()
	for _, m := range userMutants {
		t.Run(m.bug, func(t *testing.T) {
			t.Parallel()
			require.ElementsMatch(t, m.found, broken(t, m.bug))
		})
	}
}

// No rule fails on users without a bug, and each fails on some with one.
func TestUserRules(t *testing.T) {
	t.Parallel()
	require.Empty(t, broken(t, ""))
	var found []string
	for _, m := range userMutants {
		found = append(found, m.found...)
	}
	for _, r := range googlesessiontest.UserRules() {
		require.Contains(t, found, r.Name)
	}
}

// broken returns the rules that the store does not keep.
func broken(t *testing.T, bug string) (names []string) {
	t.Helper()
	for _, r := range googlesessiontest.UserRules() {
		synctest.Test(t, func(t *testing.T) {
			users, sessions := newNaiveUserData(), newNaiveData()
			err := r.Check(t, googlesessiontest.Users{
				Open: func(testing.TB) googlesession.UserStore {
					return &naiveUsers{
						naiveUserData: users, bug: bug, seen: map[string]googlesession.User{},
						SessionStore: &naive{naiveData: sessions, perUser: 100},
					}
				},
				Sessions: true,
				Advance:  func(d time.Duration) { time.Sleep(d) }, //nolint:forbidigo // synctest
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

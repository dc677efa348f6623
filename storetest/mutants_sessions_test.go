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

// A mutant is a bug, and the rules that must find it: these and no others.
type mutant struct {
	bug   string
	found []string
}

// sessionMutants are the bugs that a naive store may have.
var sessionMutants = slices.Concat(storeMutants, limitMutants, tokenMutants, refusalMutants)

var storeMutants = []mutant{
	{"idle not checked", []string{"idle timeout", "expired sessions", "cap and expired sessions", "refused over Max, expired sessions"}},
	{"absolute not checked", []string{
		"absolute timeout", "expired sessions", "revoke expired", "ended Ref", "keep an ended session", "cap and expired sessions",
		"refused over Max, expired sessions", "nothing replaced",
	}},
	{"admitted at the end", []string{
		"idle timeout", "absolute timeout", "expired sessions", "revoke expired", "ended Ref", "keep an ended session",
		"cap and expired sessions", "refused over Max, expired sessions", "nothing replaced",
	}},
	{"no lifetime is for ever", []string{"no lifetime"}},
	{"expired sessions listed", []string{"expired sessions", "ended Ref", "keep an ended session"}},
	{"expired sessions counted", []string{"expired sessions", "revoke expired"}},

	{"touch shortens", []string{"idle timeout", "absolute timeout", "touch ends with the session"}},
	{"touch does not extend", []string{
		"absolute timeout", "touch when due", "touch ends with the session", "second handle", "cap goes by use", "touched", "Max", "uses at once",
	}},
	{"touch by the caller's clock", []string{"touch goes forward", "cap goes by use", "touched", "uses at once"}},
	{"touch at every check", []string{
		"idle timeout", "no touch before", "Ref in use", "done context", "cap goes by use", "cap and expired sessions", "touched", "Max",
		"refused over Max", "uses at once",
	}},
	{"touch too late", []string{"touch when due", "uses at once"}},
	{"touch recreates", []string{
		"revoke during uses", "revoke user during uses", "disable during uses", "cap during uses", "uses at once",
		"tokens refused during uses",
	}},
	{"touch revives", []string{
		"use after the end", "revoke during uses", "revoke user during uses", "disable during uses", "cap during uses",
		"tokens refused during uses",
	}},
	{"singleflight", []string{"revoke during uses", "revoke user during uses", "disable during uses", "uses at once"}},
	{"cache", []string{
		"touched", "second handle", "revoke", "revoke user", "keep", "user versions", "versions of other users",
		"newer user at sign-in", "disable", "enable", "later TokensAfter", "later TokensAfter at sign-in", "cap",
		"cap and expired sessions", "Max", "Max over the cap", "refused over Max", "revoke during uses", "revoke user during uses",
		"disable during uses", "uses at once", "tokens refused during uses",
	}},

	{"ExpiresAt past the end", []string{"touch ends with the session"}},
	{"local time", []string{"round trip", "longest record", "touch when due", "touch ends with the session", "Ref in use", "ended Ref"}},
	{"Device in CheckSession", []string{"device", "done context"}},
	{"Device lost", []string{"device", "longest record", "Ref in use", "ended Ref", "sign-ins with one Ref"}},
	{"Device cut", []string{"longest record"}},
	{"oldest first", []string{"order"}},
	{"last used first", []string{"order"}},
	{"shared memory", []string{"own memory"}},
	{"done context ignored", []string{"done context"}},
	{"done context without its error", []string{"done context"}},

	{"user IDs folded", []string{"user IDs by case"}},
	{"user IDs trimmed", []string{"user IDs by blanks"}},
	{"user IDs are patterns", []string{"odd user IDs"}},
	{"no validation", []string{"bad users", "bad texts", "bad times"}},
	{"tag ignored", []string{"foreign tag", "refused sign-in at the cap"}},
	{"tag of keep ignored", []string{"foreign tag"}},
	{"existing Ref overwritten", []string{"Ref in use", "refused sign-in at the cap", "sign-ins with one Ref"}},
	{"last use of an ended session kept", []string{"ended Ref"}},

	{"revoke forgets", []string{
		"second handle", "revoke", "revoke once", "use after the end", "ended Ref", "revoke user", "revoke other users", "keep an ended session",
		"cap and ended sessions", "revoke during uses", "revoke at once", "sign-ins with one Ref", "refused over Max", "replaced session",
		"nothing replaced",
	}},
	{"revoke ends all", []string{
		"second handle", "revoke", "revoke user", "revoke other users", "cap and ended sessions", "refused over Max", "replaced session",
	}},
	{"revoke is always true", []string{"unknown Ref", "foreign tag", "revoke once", "later TokensAfter", "revoke at once"}},
	{"revoke of an expired session fails", []string{"revoke expired"}},
	{"revoke looks first", []string{"revoke at once"}},
	{"RevokeUser counts first", []string{"revoke user during sign-ins"}},
	{"unknown user is an error", []string{"unknown user"}},
	{"keep ignored", []string{"own memory", "second handle", "revoke other users", "keep", "cap and ended sessions", "revoke user during sign-ins"}},
	{"keep revives", []string{"keep an ended session"}},
	{"keep takes over", []string{"unknown user", "keep a foreign session"}},

	{"disable keeps sessions", []string{
		"second handle", "use after the end", "ended Ref", "disable", "enable", "enabled at sign-in", "disabled at sign-in",
		"stale sign-in", "User of a sign-in over Max", "disable during uses", "disable during sign-ins", "disable among versions",
	}},
	{"enabling revives", []string{
		"use after the end", "ended Ref", "disable", "enable", "enabled at sign-in", "disabled at sign-in", "stale sign-in",
		"disable during uses", "disable during sign-ins", "disable among versions",
	}},
	{"disabled at sign-in keeps sessions", []string{"disabled at sign-in", "disable during sign-ins"}},
	{"older version applied", []string{
		"user versions", "versions are numbers", "newer user at sign-in", "older user at sign-in", "disabled at sign-in",
		"stale sign-in", "user without sessions", "user outlives sessions", "stale token", "User of a stale sign-in",
		"older TokensAfter", "TokensAfter without sessions", "User of a sign-in over Max", "disable during sign-ins",
		"versions at once", "tokens refused during sign-ins",
	}},
	{"equal version applied", []string{
		"user versions", "versions are numbers", "newer user at sign-in", "older user at sign-in", "disabled at sign-in",
		"stale sign-in", "User of a stale sign-in", "older TokensAfter", "versions at once",
	}},
	{"versions are text", []string{"user versions", "versions are numbers"}},
	{"versions lose digits", []string{"versions are numbers"}},
	{"versions for all users", []string{
		"use after the end", "ended Ref", "versions of other users", "user outlives sessions", "later TokensAfter at sign-in",
		"User of a sign-in over Max", "revoke during uses", "revoke user during uses", "disable during uses",
		"disable during sign-ins", "versions at once", "disable among versions", "tokens refused during sign-ins",
		"tokens refused during uses",
	}},
	{"PutUser takes flags only", []string{
		"ended Ref", "user fields", "versions are numbers", "newer user at sign-in", "User of a stale sign-in", "later TokensAfter",
		"later TokensAfter at sign-in", "versions at once", "disable among versions", "tokens refused during sign-ins",
		"tokens refused during uses",
	}},
	{"PutUser reads first", []string{"versions at once"}},
	{"PutUser answers from its first read", []string{"disable among versions"}},
	{"session keeps its User", []string{
		"second handle", "user versions", "user fields", "versions are numbers", "versions of other users", "newer user at sign-in",
		"older user at sign-in", "user without sessions", "user outlives sessions", "stale token", "User of a stale sign-in",
		"later TokensAfter", "later TokensAfter at sign-in", "older TokensAfter", "TokensAfter without sessions",
		"User of a sign-in over Max", "versions at once", "disable among versions", "tokens refused during sign-ins",
		"tokens refused during uses",
	}},
	{"sign-in changes no User", []string{
		"newer user at sign-in", "enabled at sign-in", "disabled at sign-in", "User of a stale sign-in",
		"later TokensAfter at sign-in", "User of a sign-in over Max", "disable during sign-ins", "versions at once",
		"tokens refused during sign-ins",
	}},
	{"sign-in replaces the User", []string{
		"older user at sign-in", "disabled at sign-in", "stale sign-in", "user without sessions", "user outlives sessions",
		"stale token", "User of a stale sign-in", "later TokensAfter at sign-in", "older TokensAfter",
		"TokensAfter without sessions", "User of a sign-in over Max", "disable during sign-ins", "versions at once",
		"tokens refused during sign-ins",
	}},
	{"sign-in goes by its own User", []string{
		"older user at sign-in", "stale sign-in", "user without sessions", "user outlives sessions", "disable during sign-ins",
		"User of a sign-in over Max",
	}},
	{"users without sessions forgotten", []string{
		"stale sign-in", "user without sessions", "user outlives sessions", "TokensAfter without sessions",
		"disable during sign-ins", "tokens refused during sign-ins",
	}},
	{"user forgotten with the last session", []string{
		"disabled at sign-in", "stale sign-in", "user outlives sessions", "User of a stale sign-in", "User of a sign-in over Max",
		"disable during sign-ins", "tokens refused during sign-ins",
	}},
	{"users remembered too shortly", []string{
		"user without sessions", "user outlives sessions", "User of a stale sign-in", "TokensAfter without sessions",
	}},

	{"always Touched", []string{"touched", "done context", "uses at once"}},
	{"never Touched", []string{"touched", "uses at once"}},
	{"once Touched, always Touched", []string{"touched", "uses at once"}},
	{"Touched by sign-ins", []string{"touched", "done context"}},
	{"touch looks first", []string{"uses at once", "tokens refused during uses"}},
}

func TestSessionMutants(t *testing.T) {
	t.Parallel()
	rules := storetest.SessionRules()
	for _, m := range sessionMutants {
		t.Run(m.bug, func(t *testing.T) {
			t.Parallel()
			var found []string
			for _, rule := range rules {
				synctest.Test(t, func(t *testing.T) {
					if rule.Check(t, naiveSessions(m.bug)) != nil {
						found = append(found, rule.Name)
					}
				})
			}
			require.ElementsMatch(t, m.found, found, "%q", found)
		})
	}
}

// Who finds nothing is no rule.
func TestEverySessionRuleFindsAMutant(t *testing.T) {
	t.Parallel()
	var found []string
	for _, m := range sessionMutants {
		found = append(found, m.found...)
	}
	slices.Sort(found)
	var names []string
	for _, rule := range storetest.SessionRules() {
		names = append(names, rule.Name)
	}
	require.ElementsMatch(t, names, slices.Compact(found))
}

// The store that the mutants are made of has no bug of its own.
func TestNaiveSessions(t *testing.T) {
	t.Parallel()
	for _, rule := range storetest.SessionRules() {
		synctest.Test(t, func(t *testing.T) {
			require.NoError(t, rule.Check(t, naiveSessions("")), rule.Name)
		})
	}
}

// A clock that is moved and yet runs on by itself, as a database's does.
func TestSessionsWithARunningClock(t *testing.T) {
	t.Parallel()
	storetest.TestSessions(t, naiveSessions(""))
}

// naiveSessions are two servers on data of their own.
func naiveSessions(bug string) storetest.SessionSuite {
	data := newNaiveData()
	servers := 0
	return storetest.SessionSuite{
		Open: func(testing.TB) googlesession.SessionStore {
			servers++
			return &naive{
				naiveData: data, bug: bug, perUser: 5,
				second: servers > 1, cache: map[googlesession.Ref]googlesession.Session{},
			}
		},
		Advance: func(d time.Duration) { data.offset += d },
		PerUser: 5,
	}
}

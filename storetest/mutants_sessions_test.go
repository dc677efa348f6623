package storetest_test

import (
	"os"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/storetest"
)

// A mutant is a bug, by name, and the rules that must find it. No other rule may find it.
type mutant struct {
	bug   string
	found []string
}

// sessionMutants are the bugs of a naive.
var sessionMutants = slices.Concat(storeMutants, limitMutants, tokenMutants, refusalMutants, markMutants, allMutants)

var storeMutants = []mutant{
	{"idle not checked", []string{
		"idle timeout", "expired sessions", "cap and expired sessions", "RefuseOverMax and expired sessions",
		"all sessions but ended ones",
	}},
	{"absolute not checked", []string{
		"absolute timeout", "expired sessions", "revoke an expired session", "Ref of an ended session", "keep an ended session",
		"cap and expired sessions", "RefuseOverMax and expired sessions", "nothing to replace", "all sessions but ended ones",
	}},
	{"admitted at the end", []string{
		"idle timeout", "absolute timeout", "expired sessions", "revoke an expired session", "Ref of an ended session",
		"keep an ended session", "cap and expired sessions", "RefuseOverMax and expired sessions", "nothing to replace",
		"all sessions but ended ones",
	}},
	{"no lifetime means for ever", []string{"lifetime not positive"}},
	{"expired sessions listed", []string{"expired sessions", "Ref of an ended session", "keep an ended session", "all sessions but ended ones"}},
	{"expired sessions counted", []string{"expired sessions", "revoke an expired session"}},

	{"touch shortens", []string{"idle timeout", "absolute timeout", "MaxLifetime is not extended", "use recorded at half the idle timeout"}},
	{"touch does not extend", []string{
		"absolute timeout", "use recorded when due", "use recorded at half the idle timeout", "MaxLifetime is not extended", "second handle", "cap ends the least recently seen", "Touched", "Max", "uses at once",
	}},
	{"touch by the caller's clock", []string{"SeenAt never goes back", "cap ends the least recently seen", "Touched", "uses at once"}},
	{"touch at every check", []string{
		"idle timeout", "use not recorded before due", "use not recorded before half the idle timeout", "NeverTouch", "Ref in use", "done context", "cap ends the least recently seen", "cap and expired sessions", "Touched", "Max",
		"RefuseOverMax", "uses at once",
	}},
	{"touch too late", []string{"use recorded when due", "use recorded at half the idle timeout", "uses at once"}},
	{"touch not clamped", []string{"use recorded at half the idle timeout"}},
	{"touch clamped to the idle timeout", []string{"use recorded at half the idle timeout"}},
	{"touch clamped to an eighth", []string{"use not recorded before half the idle timeout"}},
	{"NeverTouch clamped", []string{"NeverTouch", "idle timeout"}},
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
		"Touched", "second handle", "revoke one session", "revoke a user", "keep one session", "user versions",
		"versions of other users", "newer user at sign-in", "disable", "enable", "later TokensAfter", "later TokensAfter at sign-in",
		"cap", "cap and expired sessions", "Max", "Max over the cap", "RefuseOverMax", "revoke during uses", "revoke user during uses",
		"disable during uses", "uses at once", "tokens refused during uses", "public ID of two sessions", "data of a newer User",
	}},

	{"ExpiresAt past the end", []string{"MaxLifetime is not extended"}},
	{"local time", []string{
		"round trip", "longest record", "use recorded when due", "use recorded at half the idle timeout",
		"MaxLifetime is not extended", "Ref in use", "Ref of an ended session", "data",
	}},
	{"Device in CheckSession", []string{"device in lists", "done context"}},
	{"Device lost", []string{"device in lists", "longest record", "Ref in use", "Ref of an ended session", "sign-ins at once with one Ref"}},
	{"Device cut", []string{"longest record"}},
	{"oldest first", []string{"newest first"}},
	{"last used first", []string{"newest first"}},
	{"shared memory", []string{"no shared memory"}},
	{"done context ignored", []string{"done context"}},
	{"done context without its error", []string{"done context"}},

	{"user IDs folded", []string{"user IDs that differ in case"}},
	{"user IDs trimmed", []string{"user IDs that differ in blanks"}},
	{"user IDs are patterns", []string{"unusual user IDs", "all sessions"}},
	{"no validation", []string{"invalid users", "invalid texts", "invalid times", "invalid labels", "invalid data"}},
	{"tag ignored", []string{"tag of another user", "refused sign-in at the cap"}},
	{"tag of keep ignored", []string{"tag of another user"}},
	{"existing Ref overwritten", []string{"Ref in use", "refused sign-in at the cap", "sign-ins at once with one Ref"}},
	{"last use of an ended session kept", []string{"Ref of an ended session"}},

	{"revoke does nothing", []string{
		"second handle", "revoke one session", "revoke again", "use after the end", "Ref of an ended session", "revoke a user",
		"other users stay signed in", "keep an ended session", "cap and revoked sessions", "revoke during uses", "revoke at once",
		"sign-ins at once with one Ref", "RefuseOverMax", "replaced session", "nothing to replace", "public ID of two sessions",
		"marks are kept", "all sessions but ended ones", "all sessions during changes",
	}},
	{"revoke ends all", []string{
		"second handle", "revoke one session", "revoke a user", "other users stay signed in", "cap and revoked sessions",
		"RefuseOverMax", "replaced session", "public ID of two sessions", "marks are kept", "all sessions but ended ones",
		"all sessions during changes",
	}},
	{"revoke is always true", []string{"unknown Ref", "tag of another user", "revoke again", "later TokensAfter", "revoke at once"}},
	{"revoke of an expired session fails", []string{"revoke an expired session"}},
	{"revoke looks first", []string{"revoke at once"}},
	{"RevokeUser counts first", []string{"revoke user during sign-ins"}},
	{"unknown user is an error", []string{"unknown user"}},
	{"keep ignored", []string{
		"no shared memory", "second handle", "other users stay signed in", "keep one session", "cap and revoked sessions",
		"revoke user during sign-ins", "marks are kept",
	}},
	{"keep revives", []string{"keep an ended session"}},
	{"keep takes over", []string{"unknown user", "keep another user's session"}},

	{"disable keeps sessions", []string{
		"second handle", "use after the end", "Ref of an ended session", "disable", "enable", "enabled at sign-in", "disabled at sign-in",
		"sign-in overtaken by disable", "user of a sign-in over Max", "disable during uses", "disable during sign-ins", "disable among versions at once",
	}},
	{"enabling revives", []string{
		"use after the end", "Ref of an ended session", "disable", "enable", "enabled at sign-in", "disabled at sign-in", "sign-in overtaken by disable",
		"disable during uses", "disable during sign-ins", "disable among versions at once",
	}},
	{"disabled at sign-in keeps sessions", []string{"disabled at sign-in", "disable during sign-ins"}},
	{"older version applied", []string{
		"user versions", "versions are numbers", "newer user at sign-in", "older user at sign-in", "disabled at sign-in",
		"sign-in overtaken by disable", "user without sessions", "user outlives sessions", "stale token", "user of a stale sign-in",
		"older TokensAfter", "TokensAfter without sessions", "user of a sign-in over Max", "disable during sign-ins",
		"versions at once", "tokens refused during sign-ins", "data of a newer User",
	}},
	{"equal version applied", []string{
		"user versions", "versions are numbers", "newer user at sign-in", "older user at sign-in", "disabled at sign-in",
		"sign-in overtaken by disable", "user of a stale sign-in", "older TokensAfter", "versions at once", "data of a newer User",
	}},
	{"versions are text", []string{"user versions", "versions are numbers"}},
	{"versions lose digits", []string{"versions are numbers"}},
	{"versions for all users", []string{
		"use after the end", "Ref of an ended session", "versions of other users", "user outlives sessions",
		"later TokensAfter at sign-in", "user of a sign-in over Max", "revoke during uses", "revoke user during uses",
		"disable during uses", "disable during sign-ins", "versions at once", "disable among versions at once",
		"tokens refused during sign-ins", "tokens refused during uses", "all sessions", "all sessions but ended ones",
	}},
	{"PutUser takes flags only", []string{
		"Ref of an ended session", "user fields", "versions are numbers", "newer user at sign-in", "user of a stale sign-in",
		"later TokensAfter", "later TokensAfter at sign-in", "versions at once", "disable among versions at once",
		"tokens refused during sign-ins", "tokens refused during uses", "data of a newer User", "all sessions but ended ones",
	}},
	{"PutUser reads first", []string{"versions at once"}},
	{"PutUser answers from its first read", []string{"disable among versions at once"}},
	{"session keeps its User", []string{
		"second handle", "user versions", "user fields", "versions are numbers", "versions of other users", "newer user at sign-in",
		"older user at sign-in", "user without sessions", "user outlives sessions", "stale token", "user of a stale sign-in",
		"later TokensAfter", "later TokensAfter at sign-in", "older TokensAfter", "TokensAfter without sessions",
		"user of a sign-in over Max", "versions at once", "disable among versions at once", "tokens refused during sign-ins",
		"tokens refused during uses", "data of a newer User",
	}},
	{"sign-in changes no User", []string{
		"newer user at sign-in", "enabled at sign-in", "disabled at sign-in", "user of a stale sign-in",
		"later TokensAfter at sign-in", "user of a sign-in over Max", "disable during sign-ins", "versions at once",
		"tokens refused during sign-ins", "data of a newer User",
	}},
	{"sign-in replaces the User", []string{
		"older user at sign-in", "disabled at sign-in", "sign-in overtaken by disable", "user without sessions",
		"user outlives sessions", "stale token", "user of a stale sign-in", "later TokensAfter at sign-in", "older TokensAfter",
		"TokensAfter without sessions", "user of a sign-in over Max", "disable during sign-ins", "versions at once",
		"tokens refused during sign-ins", "data of a newer User",
	}},
	{"sign-in goes by its own User", []string{
		"older user at sign-in", "sign-in overtaken by disable", "user without sessions", "user outlives sessions", "disable during sign-ins",
		"user of a sign-in over Max",
	}},
	{"users without sessions forgotten", []string{
		"sign-in overtaken by disable", "user without sessions", "user outlives sessions", "TokensAfter without sessions",
		"disable during sign-ins", "tokens refused during sign-ins",
	}},
	{"user forgotten with the last session", []string{
		"disabled at sign-in", "sign-in overtaken by disable", "user outlives sessions", "user of a stale sign-in", "user of a sign-in over Max",
		"disable during sign-ins", "tokens refused during sign-ins",
	}},
	{"users remembered too shortly", []string{
		"user without sessions", "user outlives sessions", "user of a stale sign-in", "TokensAfter without sessions",
	}},

	{"always Touched", []string{"NeverTouch", "Touched", "done context", "uses at once"}},
	{"never Touched", []string{"Touched", "uses at once"}},
	{"once Touched, always Touched", []string{"Touched", "uses at once"}},
	{"Touched by sign-ins", []string{"Touched", "done context"}},
	{"touch looks first", []string{"uses at once", "tokens refused during uses"}},
}

// Each mutant breaks the rules that its list names, and no others.
func TestSessionMutants(t *testing.T) {
	t.Parallel()
	for _, m := range sessionMutants {
		t.Run(m.bug, func(t *testing.T) {
			t.Parallel()
			var found []string
			for _, rule := range rulesFor(m, storetest.SessionRules()) {
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

// long reports whether the tests run every rule on every mutant. With the race detector this
// takes some minutes of processor time.
func long() bool { return os.Getenv("GOOGLESESSION_TEST_LONG") != "" }

// rulesFor returns the rules to run on a mutant. Rules that must find nothing run as well, but
// if they make calls at once, which takes most of the time, only in long tests.
func rulesFor[Suite any](m mutant, rules []storetest.Rule[Suite]) []storetest.Rule[Suite] {
	return slices.DeleteFunc(rules, func(r storetest.Rule[Suite]) bool {
		return r.Races() && !long() && !slices.Contains(m.found, r.Name)
	})
}

// A rule that finds no mutant may be unable to fail.
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

// The store from which the mutants are made has no bug of its own.
func TestNaiveSessions(t *testing.T) {
	t.Parallel()
	for _, rule := range storetest.SessionRules() {
		synctest.Test(t, func(t *testing.T) {
			require.NoError(t, rule.Check(t, naiveSessions("")), rule.Name)
		})
	}
}

// The rules hold with a clock that runs on between calls of Advance, as a database's does.
func TestSessionsWithARunningClock(t *testing.T) {
	t.Parallel()
	storetest.TestSessions(t, naiveSessions(""))
}

// naiveSessions returns the suite for a store with that bug. Each handle is a server.
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

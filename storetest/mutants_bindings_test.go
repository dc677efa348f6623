package storetest_test

import (
	"slices"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession/storetest"
)

// bindingMutants are the bugs of a naive that TestBindings must find.
var bindingMutants = []mutant{
	{"new session is bound", []string{
		"new session", "swap", "swap on the second handle", "another Binding", "repeated swap", "bytes of bindings",
		"longest binding", "bound sessions in lists", "swap changes the Binding only", "deadlines of bound sessions",
		"bindings are kept", "bindings are not inherited", "sessions after bound ones", "swap of an unknown Ref",
		"swap with another user's tag", "swap of an ended session", "swap of an expired session",
		"swap of a disabled user's session", "swap with a done context", "errors hold no binding", "swaps at once",
		"equal swaps at once", "swap during uses", "swap during changes",
	}},
	{"binding inherited by Replaces", []string{"bindings are not inherited"}},
	{"binding moved by Replaces", []string{"bindings are not inherited"}},
	{"bindings are of PublicIDs", []string{"bindings are not inherited"}},
	{"bindings are of users", []string{"bound sessions in lists", "bindings are kept"}},
	{"binding of the last ended session kept", []string{"sessions after bound ones", "swap of an ended session"}},
	{"binding of an ended Ref kept", []string{"sessions after bound ones"}},

	{"CheckSession without Binding", []string{
		"swap", "swap on the second handle", "another Binding", "repeated swap", "bytes of bindings", "longest binding",
		"bound sessions in lists", "swap changes the Binding only", "bindings are kept",
		"bindings are not inherited", "sessions after bound ones", "swap of an unknown Ref", "swap with another user's tag",
		"swap of an ended session", "swap of an expired session", "swap of a disabled user's session",
		"swap with a done context", "errors hold no binding", "swaps at once", "equal swaps at once", "swap during uses",
		"swap during changes",
	}},
	{"Sessions without Binding", []string{
		"swap", "swap on the second handle", "another Binding", "repeated swap", "bytes of bindings", "longest binding",
		"bound sessions in lists", "swap changes the Binding only", "bindings are kept",
		"bindings are not inherited", "sessions after bound ones", "swap of an unknown Ref", "swap with another user's tag",
		"swap of an ended session", "swap of an expired session", "swap of a disabled user's session",
		"swap with a done context", "errors hold no binding", "swaps at once", "equal swaps at once", "swap during uses",
		"swap during changes",
	}},
	{"AllSessions without Binding", []string{"bytes of bindings", "bound sessions in lists"}},
	{"Binding from an old copy", []string{
		"swap", "swap on the second handle", "repeated swap", "bytes of bindings", "longest binding",
		"swap changes the Binding only", "bindings are kept", "sessions after bound ones",
		"swap with another user's tag", "swaps at once", "equal swaps at once", "swap during uses", "swap during changes",
	}},
	{"Sessions with an old Binding", []string{
		"swap", "swap on the second handle", "repeated swap", "bytes of bindings", "longest binding",
		"swap changes the Binding only", "bindings are kept", "sessions after bound ones",
		"swap with another user's tag", "swaps at once", "equal swaps at once", "swap during uses", "swap during changes",
	}},
	{"cache", []string{
		"swap", "swap on the second handle", "repeated swap", "bytes of bindings", "longest binding",
		"swap changes the Binding only", "bindings are kept", "sessions after bound ones",
		"swap with another user's tag", "swap during uses",
	}},

	{"swap is always true", []string{
		"swap on the second handle", "another Binding", "bytes of bindings", "swap changes the Binding only",
		"swaps at once",
	}},
	{"swap is always false", []string{
		"swap", "swap on the second handle", "another Binding", "repeated swap", "bytes of bindings", "longest binding",
		"bound sessions in lists", "swap changes the Binding only", "deadlines of bound sessions", "bindings are kept",
		"bindings are not inherited", "sessions after bound ones", "swap of an unknown Ref", "swap with another user's tag",
		"swap of an ended session", "swap of an expired session", "swap of a disabled user's session",
		"swap with a done context", "errors hold no binding", "swaps at once", "equal swaps at once", "swap during uses",
		"swap during changes",
	}},
	{"swap is false if next is there", []string{"repeated swap", "swap changes the Binding only", "equal swaps at once"}},
	{"swap ignores old", []string{
		"swap on the second handle", "another Binding", "bytes of bindings", "swap changes the Binding only",
		"swaps at once",
	}},
	{"empty old means any", []string{
		"swap", "swap on the second handle", "another Binding", "repeated swap", "bytes of bindings",
		"swap changes the Binding only", "swaps at once",
	}},
	{"old is a pattern", []string{"another Binding", "repeated swap", "bytes of bindings"}},
	{"swap compares with an old copy", []string{
		"swap", "swap on the second handle", "another Binding", "repeated swap", "bytes of bindings", "longest binding",
		"swap changes the Binding only", "bindings are kept", "swaps at once",
		"equal swaps at once", "swap during uses", "swap during changes",
	}},
	{"bindings compared without case", []string{"another Binding", "repeated swap", "bytes of bindings"}},
	{"bindings compared without blanks", []string{"another Binding", "repeated swap", "bytes of bindings"}},
	{"bindings compared up to a zero byte", []string{"another Binding", "repeated swap", "bytes of bindings"}},
	{"only the beginnings of bindings compared", []string{"another Binding", "repeated swap", "bytes of bindings"}},

	{"bindings cut at a zero byte", []string{"another Binding", "repeated swap", "bytes of bindings", "longest binding"}},
	{"bindings are UTF-8", []string{"another Binding", "repeated swap", "bytes of bindings", "longest binding"}},
	{"bindings have 7 bits", []string{"another Binding", "repeated swap", "bytes of bindings", "longest binding"}},
	{"bindings trimmed", []string{"another Binding", "repeated swap", "bytes of bindings", "longest binding"}},
	{"bindings of 63 bytes", []string{"bytes of bindings", "longest binding"}},
	{"bindings of any length", []string{"longest binding", "errors hold no binding"}},
	{"long bindings cut", []string{"longest binding", "errors hold no binding"}},
	{"old of any length", []string{"longest binding", "errors hold no binding"}},

	{"swap touches", []string{"swap changes the Binding only", "deadlines of bound sessions"}},
	{"swap moves the deadline", []string{"swap changes the Binding only", "deadlines of bound sessions"}},
	{"swap postpones the end", []string{"deadlines of bound sessions", "swap of an expired session"}},
	{"swap resets the marks", []string{"swap changes the Binding only"}},

	{"use forgets the Binding", []string{"bindings are kept", "swap during uses"}},
	{"newer User forgets the Binding", []string{"bindings are kept", "swap during changes"}},
	{"newer User of a sign-in forgets the Binding", []string{"bindings are kept"}},
	{"sign-in forgets the Bindings", []string{
		"bound sessions in lists", "bindings are kept", "bindings are not inherited", "swap of an unknown Ref",
	}},
	{"end of a session forgets the bindings", []string{"bindings are kept", "bindings are not inherited"}},

	{"tag ignored", []string{"swap with another user's tag", "errors hold no binding"}},
	{"swap ignores the tag", []string{"swap with another user's tag", "errors hold no binding"}},
	{"swap revives", []string{
		"swap of an ended session", "swap of a disabled user's session", "errors hold no binding", "revoke during swaps",
		"revoke user during swaps", "disable during swaps",
	}},
	{"swap of an ended session", []string{
		"swap of an ended session", "swap of a disabled user's session", "errors hold no binding", "revoke during swaps",
		"revoke user during swaps", "disable during swaps",
	}},
	{"swap of an ended session if next is there", []string{
		"swap of an ended session", "swap of a disabled user's session", "revoke during swaps", "revoke user during swaps",
		"disable during swaps",
	}},
	{"swap of an expired session", []string{"swap of an expired session"}},
	{"swap revives an expired session", []string{"swap of an expired session"}},
	{"swap of a disabled user's session", []string{
		"swap of a disabled user's session", "errors hold no binding", "disable during swaps",
	}},
	{"disable keeps sessions", []string{
		"swap of an ended session", "swap of a disabled user's session", "errors hold no binding", "disable during swaps",
	}},
	{"swap of an unknown Ref creates a session", []string{"swap of an unknown Ref", "swap with another user's tag"}},
	{"swap of an unknown Ref uses the Ref", []string{"swap of an unknown Ref"}},
	{"swap of an unknown Ref is false", []string{
		"swap of an unknown Ref", "swap with another user's tag", "swap of an ended session",
		"swap of a disabled user's session", "errors hold no binding", "revoke during swaps", "revoke user during swaps",
		"disable during swaps",
	}},
	{"swap of an unknown Ref is true", []string{
		"swap of an unknown Ref", "swap with another user's tag", "swap of an ended session",
		"swap of a disabled user's session", "errors hold no binding", "revoke during swaps", "revoke user during swaps",
		"disable during swaps",
	}},
	{"swap of an unknown Ref is an outage", []string{
		"swap of an unknown Ref", "swap with another user's tag", "swap of an ended session",
		"swap of a disabled user's session", "revoke during swaps", "revoke user during swaps", "disable during swaps",
	}},

	{"done context ignored", []string{"swap with a done context", "errors hold no binding"}},
	{"done context without its error", []string{"swap with a done context"}},
	{"swap ignores a done context", []string{"swap with a done context", "errors hold no binding"}},
	{"errors hold old", []string{"errors hold no binding"}},
	{"errors hold next", []string{"errors hold no binding"}},
	{"errors of swaps hold the Ref", []string{"errors hold no binding"}},

	{"swap looks first", []string{"swaps at once"}},
	{"overtaken swap fails", []string{
		"swaps at once", "equal swaps at once", "revoke during swaps", "revoke user during swaps", "disable during swaps",
	}},
	{"swap writes the session back", []string{
		"swaps at once", "revoke during swaps", "revoke user during swaps", "disable during swaps",
	}},
	{"swap writes the last use back", []string{"swaps at once", "swap during uses"}},
	{"swap writes the User back", []string{"swaps at once", "swap during changes"}},
	{"use writes the Binding back", []string{"swap during uses"}},
	{"PutUser writes the Bindings back", []string{"swap during changes"}},
}

// Each mutant breaks the rules that its list names, and no others.
func TestBindingMutants(t *testing.T) {
	t.Parallel()
	for _, m := range bindingMutants {
		t.Run(m.bug, func(t *testing.T) {
			t.Parallel()
			var found []string
			for _, rule := range rulesFor(m, storetest.BindingRules()) {
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

// A rule that finds no mutant may be unable to fail.
func TestEveryBindingRuleFindsAMutant(t *testing.T) {
	t.Parallel()
	var found []string
	for _, m := range bindingMutants {
		found = append(found, m.found...)
	}
	slices.Sort(found)
	var names []string
	for _, rule := range storetest.BindingRules() {
		names = append(names, rule.Name)
	}
	require.ElementsMatch(t, names, slices.Compact(found))
}

// The store from which the mutants are made has no bug of its own.
func TestNaiveBindings(t *testing.T) {
	t.Parallel()
	for _, rule := range storetest.BindingRules() {
		synctest.Test(t, func(t *testing.T) {
			require.NoError(t, rule.Check(t, naiveSessions("")), rule.Name)
		})
	}
}

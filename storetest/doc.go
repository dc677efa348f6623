// Package storetest checks stores against the contracts of
// [googlesession.SessionStore], [googlesession.BindingStore] and [googlesession.UserStore].
//
// [TestSessions], [TestBindings] and [TestUsers] are the suites. A store that passes them
// needs no other tests of the contract, except of its durability, because the suites stop no
// server. Each rule is a subtest, and a failure says what the store answered, what it should
// have answered, and the rule in words. The example is a whole store of sessions and users,
// and docs/writing-a-store.md is a guide.
//
// # How to use
//
// Call the suites from a test of your store:
//
//	func TestMyStore(t *testing.T) {
//		storetest.TestSessions(t, storetest.SessionSuite{
//			Open:    func(tb testing.TB) googlesession.SessionStore { return open(tb) },
//			Advance: clock.Advance,
//		})
//	}
//
// Open returns a handle on the store's data, with connections of its own. The suite opens
// two handles for each rule and expects them to behave as two servers.
//
// Advance moves the clock by which the store decides. If it is nil, the suite waits until
// its sessions, which live for fractions of a second, have expired.
//
// Run wraps each rule, to give it data of its own or a bubble of testing/synctest. In a
// bubble, time.Sleep is the Advance. Only a store in the test's own process can run in a
// bubble.
//
// Run the suites with -race, because a data race need not break a rule. The file RULES.md lists
// the name of each rule and what must hold.
//
// # Could not measure
//
// Some rules look at a session shortly before it expires. If the machine or the store is
// slow, the session may have expired before the look. Such a rule repeats itself with
// sessions that live longer. If these expire too early as well, the rule fails with
// "could not measure". This is the one failure that says nothing about the store. Run
// the suite on a quieter machine, or set Advance.
package storetest

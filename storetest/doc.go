// Package storetest has the suites that every store must pass.
//
// [TestSessions] and [TestUsers] check, as tests, what every implementation of
// [googlesession.SessionStore] and [googlesession.UserStore] must do. A store that passes
// them needs no further tests of the contract. A failure names the rule, and says what
// the store answered and what it should have answered. "Could not measure" is the one
// failure that says nothing about the store, because the machine was too slow.
//
// The package imports the standard library and this module only.
package storetest

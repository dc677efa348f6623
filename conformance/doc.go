// Package conformance holds tests that need what users of the library should not
// carry: database drivers, and other people's implementations to compare with.
package conformance

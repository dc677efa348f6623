// Package conformance holds tests with dependencies that a user of the library should not
// get: database drivers, and other implementations to compare with.
package conformance

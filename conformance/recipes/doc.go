// Package recipes has the code of docs/frameworks.md, docs/instead.md, docs/own-users.md,
// docs/proxies.md and docs/operations.md. Most recipes are the code that an application needs with a framework or
// a proxy, and a test that the guards keep their promises with it.
//
// It is a module of its own, because the frameworks would otherwise be in the module graph of
// the other tests.
package recipes

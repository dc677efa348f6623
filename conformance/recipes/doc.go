// Package recipes has the code of docs/frameworks.md, docs/instead.md and docs/proxies.md.
// Each recipe is the code that an application needs with a framework or a proxy, and a test
// that the guards keep their promises with it.
//
// It is a module of its own, because the frameworks would otherwise be in the module graph of
// the other tests.
package recipes

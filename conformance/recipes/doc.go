// Package recipes has the programs of docs/frameworks.md as tests. Each recipe is the
// code that an application needs with one framework or proxy, and a test that it keeps
// what the guards promise there.
//
// It is a module of its own, because the frameworks would otherwise be in the module graph of
// the other tests.
package recipes

// Package snippets has the code that the tour on the example's first page shows. Each file
// has one function. The page shows it without the package clause and the imports.
package snippets

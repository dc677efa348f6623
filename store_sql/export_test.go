package sqlstore

import "errors"

// Expand returns text as a store with the prefix "gs_" would send it.
func Expand(d Dialect, text string) (string, error) {
	dialect, err := lookUp(d)
	if err != nil {
		return "", err
	}
	e := newExpander(dialect, "gs_")
	return e.expand(text), errors.Join(e.errs...)
}

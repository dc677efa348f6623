package main

import (
	"slices"
	"strings"
	"time"
)

// An auditFilter selects entries of the audit. The zero filter selects every entry.
type auditFilter struct {
	Action string // "" selects every action

	// Actors and Targets select the entries with one of these actors or one of these
	// targets. If both are empty, they select every entry. Targets does not select an
	// entry about a customer, because its target is the number of a customer.
	Actors  []string
	Targets []string

	From time.Time // the zero time selects entries from the beginning
	To   time.Time // the zero time selects entries up to now
}

// customerPrefix begins every action on a customer.
const customerPrefix = "customer_"

// matches reports whether the filter selects the entry. Times are compared in
// milliseconds, as databases keep them.
func (f auditFilter) matches(e auditEntry) bool {
	if f.Action != "" && e.Action != f.Action ||
		!f.From.IsZero() && e.Time.UnixMilli() < f.From.UnixMilli() ||
		!f.To.IsZero() && e.Time.UnixMilli() > f.To.UnixMilli() {
		return false
	}
	return len(f.Actors)+len(f.Targets) == 0 || slices.Contains(f.Actors, e.Actor) ||
		slices.Contains(f.Targets, e.Target) && !strings.HasPrefix(e.Action, customerPrefix)
}

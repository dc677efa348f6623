package strictjson

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// A nameSet holds the names of one object, whose members begin at index first of the
// scanner's members.
type nameSet struct {
	first  int
	folded map[string]bool // the names, folded; nil while the object has fewer than maxLinear members
}

// maxLinear is the number of members from which on a map is used to find a name. The
// objects in a token have fewer members.
const maxLinear = 16

// add reports whether no member has the name yet, in any case.
func (n *nameSet) add(members []member, name string) bool {
	members = members[n.first:]
	if len(members) < maxLinear {
		return !hasName(members, name)
	}
	if n.folded == nil {
		n.folded = make(map[string]bool)
		for i := range members {
			n.folded[fold(members[i].name)] = true
		}
	}
	f := fold(name)
	if n.folded[f] {
		return false
	}
	n.folded[f] = true
	return true
}

// hasName reports whether a member has the name, in any case.
func hasName(list []member, name string) bool {
	for i := range list {
		if strings.EqualFold(list[i].name, name) {
			return true
		}
	}
	return false
}

// fold returns the same text for all names that encoding/json takes for the same field.
// These are equal under Unicode simple case folding, where the Kelvin sign is a k.
func fold(name string) string {
	if isFolded(name) {
		return name
	}
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		if r < utf8.RuneSelf {
			return r
		}
		least := r
		for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
			least = min(least, f)
		}
		if 'A' <= least && least <= 'Z' { // a letter's upper case precedes its lower case
			return least + 'a' - 'A'
		}
		return least
	}, name)
}

// isFolded is a fast path of fold. If it returns true, fold(name) == name. It may return
// false for a name that fold does not change.
func isFolded(name string) bool {
	for i := range len(name) {
		if c := name[i]; c >= utf8.RuneSelf || 'A' <= c && c <= 'Z' {
			return false
		}
	}
	return true
}

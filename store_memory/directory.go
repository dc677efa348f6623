package memstore

import (
	"cmp"
	"strings"
	"sync"
)

// A directory finds the users of the UserStore by a query, so that the time for a page of
// Users depends on the size of the page and not on the number of users. It is safe for
// concurrent use.
//
// It has the profiles of all users in three orders. In each order it keeps the users of
// each class apart. A query that selects users by their flags merges the lists of up to
// four classes, and never reads a user of another class. All users whose e-mail address or
// name has a prefix are neighbours in one of the orders. So no query skips users.
//
// The lists have the numbers of the profiles, which take 4 bytes instead of the 16 of a
// string.
type directory struct {
	mu       sync.RWMutex
	profiles []*[profileSlabSize]profile
	used     uint32   // number of profiles that were ever in use; number 0 stays unused
	free     []uint32 // numbers of profiles that were in use and are free now
	lists    [orderCount][classCount]sortedList
}

// profileSlabSize is how many profiles are allocated at once.
const profileSlabSize = 128

// An order says by which text users are sorted first. Users with the same text are in byte
// order of ID.
type order uint8

const (
	byID    order = iota // by ID only
	byEmail              // by Email without case
	byName               // by Name without case
	orderCount
)

// A position is a place in an order, which need not be the place of a user.
type position struct{ text, id string }

// position returns the position of a user with these texts.
func (o order) position(id, email, name string) position {
	switch o {
	case byEmail:
		return position{email, id}
	case byName:
		return position{name, id}
	default:
		return position{"", id}
	}
}

func (o order) of(p *profile) position { return o.position(p.id(), p.email(), p.name()) }

func (p position) compare(other position) int {
	return cmp.Or(compareFold(p.text, other.text), strings.Compare(p.id, other.id))
}

// set replaces the profile with this number, or adds a profile if number is 0. It returns
// the number of the profile. The ID of a profile does not change.
func (d *directory) set(number uint32, p profile) uint32 {
	d.mu.Lock()
	defer d.mu.Unlock()
	if number == 0 {
		number = d.alloc()
		*d.at(number) = p
		for o := range orderCount {
			d.insert(o, number)
		}
		return number
	}
	stored := d.at(number)
	var moved [orderCount]bool
	for o := range orderCount {
		if moved[o] = stored.class != p.class || o.of(stored).compare(o.of(&p)) != 0; moved[o] {
			d.removeFrom(o, number)
		}
	}
	*stored = p
	for o := range orderCount {
		if moved[o] {
			d.insert(o, number)
		}
	}
	return number
}

// remove removes the profile with this number.
func (d *directory) remove(number uint32) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for o := range orderCount {
		d.removeFrom(o, number)
	}
	*d.at(number) = profile{} // so that the text can be collected
	d.free = append(d.free, number)
}

// page returns up to limit profiles of these classes that follow after in this order and
// whose text in this order begins with prefix.
func (d *directory) page(o order, prefix string, after position, classes []class, limit int) (page []profile) {
	if first := (position{text: prefix}); after.compare(first) < 0 {
		after = first // no user has this position, because no ID is empty
	}
	d.mu.RLock()
	defer d.mu.RUnlock()
	var heads [classCount]*profile // the next profile of each class, or nil
	var places [classCount]place
	advance := func(c class) {
		heads[c] = nil
		if number, next, ok := d.lists[o][c].next(places[c]); ok {
			heads[c], places[c] = d.at(number), next
		}
	}
	for _, c := range classes {
		places[c] = d.lists[o][c].search(func(number uint32) bool { return o.of(d.at(number)).compare(after) <= 0 })
		advance(c)
	}
	for len(page) < limit {
		var first *profile
		for _, head := range heads {
			if head != nil && (first == nil || o.of(head).compare(o.of(first)) < 0) {
				first = head
			}
		}
		if first == nil || !hasPrefixFold(o.of(first).text, prefix) {
			break
		}
		page = append(page, *first)
		advance(first.class)
	}
	return page
}

func (d *directory) insert(o order, number uint32) {
	list := &d.lists[o][d.at(number).class]
	list.insert(d.find(o, list, number), number)
}

func (d *directory) removeFrom(o order, number uint32) {
	list := &d.lists[o][d.at(number).class]
	list.remove(d.find(o, list, number))
}

// find returns the place of the profile with this number in list, or where it belongs.
func (d *directory) find(o order, list *sortedList, number uint32) place {
	wanted := o.of(d.at(number))
	return list.search(func(number uint32) bool { return o.of(d.at(number)).compare(wanted) < 0 })
}

func (d *directory) at(number uint32) *profile {
	return &d.profiles[number/profileSlabSize][number%profileSlabSize]
}

// alloc returns the number of a free profile.
func (d *directory) alloc() (number uint32) {
	if n := len(d.free); n > 0 {
		number, d.free = d.free[n-1], d.free[:n-1]
		return number
	}
	d.used++
	if int(d.used/profileSlabSize) >= len(d.profiles) {
		d.profiles = append(d.profiles, new([profileSlabSize]profile))
	}
	return d.used
}

// compareFold compares the results of storekit.FoldCase for a and b, and allocates nothing.
func compareFold(a, b string) int {
	for i := range min(len(a), len(b)) {
		if x, y := fold(a[i]), fold(b[i]); x != y {
			return cmp.Compare(x, y)
		}
	}
	return cmp.Compare(len(a), len(b))
}

// hasPrefixFold reports whether storekit.FoldCase of s begins with that of prefix.
func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && compareFold(s[:len(prefix)], prefix) == 0
}

func fold(b byte) byte {
	if 'A' <= b && b <= 'Z' {
		return b + 'a' - 'A'
	}
	return b
}

package memstore

import (
	"slices"
	"strings"
	"sync"
)

// order has the IDs of all users of the UserStore, sorted, so that a page of users costs
// about a page. A new user costs a search, and a move within one run of IDs.
type order struct {
	mu   sync.RWMutex
	runs [][]string // none is empty; each one's IDs are before the next one's
}

// longestRun bounds what an insertion moves. A longer run is cut into two.
const longestRun = 512

// find returns the run in which id is or belongs, and its place there.
func (o *order) find(id string) (run, place int, found bool) {
	run, _ = slices.BinarySearchFunc(o.runs, id, func(r []string, id string) int {
		return strings.Compare(r[len(r)-1], id)
	})
	if run == len(o.runs) {
		return run, 0, false
	}
	place, found = slices.BinarySearch(o.runs[run], id)
	return run, place, found
}

func (o *order) add(id string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	run, place, found := o.find(id)
	switch {
	case found:
		return
	case len(o.runs) == 0:
		o.runs = append(o.runs, []string{id})
		return
	case run == len(o.runs): // behind all
		run--
		place = len(o.runs[run])
	}
	o.runs[run] = slices.Insert(o.runs[run], place, id)
	if r := o.runs[run]; len(r) > longestRun {
		half := len(r) / 2
		o.runs = slices.Insert(o.runs, run+1, slices.Clone(r[half:]))
		clear(r[half:])
		o.runs[run] = r[:half]
	}
}

func (o *order) remove(id string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	run, place, found := o.find(id)
	if !found {
		return
	}
	o.runs[run] = slices.Delete(o.runs[run], place, place+1)
	if len(o.runs[run]) == 0 {
		o.runs = slices.Delete(o.runs, run, run+1)
	}
}

// after returns up to limit IDs behind id.
func (o *order) after(id string, limit int) (ids []string) {
	o.mu.RLock()
	defer o.mu.RUnlock()
	run, place, found := o.find(id)
	if found {
		place++
	}
	for ; run < len(o.runs) && len(ids) < limit; run, place = run+1, 0 {
		rest := o.runs[run][place:]
		ids = append(ids, rest[:min(len(rest), limit-len(ids))]...)
	}
	return ids
}

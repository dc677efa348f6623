package memstore

import (
	"slices"
	"strings"
	"sync"
)

// sortedIDs holds the IDs of all users of the UserStore in byte order, so that a page of
// Users costs what the page holds, however many users there are. It is safe for
// concurrent use.
//
// The IDs are cut into runs, so that an insertion moves the IDs of one run only.
type sortedIDs struct {
	mu   sync.RWMutex
	runs [][]string // each is sorted and not empty, and lies before the next one
}

// maxRun is the length above which a run is cut in two.
const maxRun = 512

// search returns the run in which id is or belongs, and its place in the run. The run is
// len(o.runs) if id belongs after all others.
func (o *sortedIDs) search(id string) (run, place int, found bool) {
	run, _ = slices.BinarySearchFunc(o.runs, id, func(r []string, id string) int {
		return strings.Compare(r[len(r)-1], id)
	})
	if run == len(o.runs) {
		return run, 0, false
	}
	place, found = slices.BinarySearch(o.runs[run], id)
	return run, place, found
}

// set inserts id, or replaces an equal text by it.
func (o *sortedIDs) set(id string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	run, place, found := o.search(id)
	switch {
	case found:
		o.runs[run][place] = id
		return
	case len(o.runs) == 0:
		o.runs = append(o.runs, []string{id})
		return
	case run == len(o.runs):
		run--
		place = len(o.runs[run])
	}
	o.runs[run] = slices.Insert(o.runs[run], place, id)
	if r := o.runs[run]; len(r) > maxRun {
		half := len(r) / 2
		o.runs = slices.Insert(o.runs, run+1, slices.Clone(r[half:]))
		clear(r[half:])
		o.runs[run] = r[:half]
	}
}

func (o *sortedIDs) remove(id string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	run, place, found := o.search(id)
	if !found {
		return
	}
	o.runs[run] = slices.Delete(o.runs[run], place, place+1)
	if len(o.runs[run]) == 0 {
		o.runs = slices.Delete(o.runs, run, run+1)
	}
}

// after returns up to limit IDs that follow id in byte order.
func (o *sortedIDs) after(id string, limit int) (ids []string) {
	o.mu.RLock()
	defer o.mu.RUnlock()
	run, place, found := o.search(id)
	if found {
		place++
	}
	for ; run < len(o.runs) && len(ids) < limit; run, place = run+1, 0 {
		rest := o.runs[run][place:]
		ids = append(ids, rest[:min(len(rest), limit-len(ids))]...)
	}
	return ids
}

package memstore

import (
	"slices"
	"strings"
	"sync"
)

// sortedIDs holds the IDs of all users of the UserStore in byte order, so that the time for
// a page of Users depends on the size of the page and not on the number of users. It is
// safe for concurrent use.
//
// The IDs are cut into runs, so that an insertion moves the IDs of one run only.
type sortedIDs struct {
	mu   sync.RWMutex
	runs [][]string // each run is sorted and not empty, and its IDs are before those of the next run
}

// maxRun is the number of IDs above which a run is cut in two.
const maxRun = 512

// search returns the number of the run in which id is or belongs, the place of id in that
// run, and whether the run has id. The number is len(o.runs) if id is after all IDs in the
// runs.
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

// set inserts id. If the runs have an equal string, set replaces that string with id.
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

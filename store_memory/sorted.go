package memstore

import (
	"slices"
	"sort"
)

// A sortedList has the numbers of profiles in an order that its caller decides. It is cut
// into runs, so that an insertion moves the numbers of one run only.
type sortedList struct {
	runs [][]uint32 // each run is sorted and not empty, and its profiles are before those of the next run
}

// maxRun is the number of profiles above which a run is cut in two.
const maxRun = 512

// A place is the place of a profile in a sortedList. A run of len(runs) is the end.
type place struct{ run, at int }

// search returns the place of the first profile for which before is false. The profiles for
// which it is true come first.
func (l *sortedList) search(before func(number uint32) bool) place {
	run := sort.Search(len(l.runs), func(i int) bool { return !before(l.runs[i][len(l.runs[i])-1]) })
	if run == len(l.runs) {
		return place{run, 0}
	}
	return place{run, sort.Search(len(l.runs[run]), func(i int) bool { return !before(l.runs[run][i]) })}
}

// next returns the number at p and the place that follows. ok is false at the end.
func (l *sortedList) next(p place) (number uint32, following place, ok bool) {
	if p.run == len(l.runs) {
		return 0, p, false
	}
	number = l.runs[p.run][p.at]
	if p.at++; p.at == len(l.runs[p.run]) {
		p = place{run: p.run + 1}
	}
	return number, p, true
}

// insert inserts a number at the place that search has returned for its profile.
func (l *sortedList) insert(p place, number uint32) {
	switch {
	case len(l.runs) == 0:
		l.runs = append(l.runs, []uint32{number})
		return
	case p.run == len(l.runs):
		p.run--
		p.at = len(l.runs[p.run])
	}
	run := slices.Insert(l.runs[p.run], p.at, number)
	l.runs[p.run] = run
	if len(run) > maxRun {
		half := len(run) / 2
		l.runs = slices.Insert(l.runs, p.run+1, slices.Clone(run[half:]))
		l.runs[p.run] = run[:half]
	}
}

// remove removes the number at this place.
func (l *sortedList) remove(p place) {
	l.runs[p.run] = slices.Delete(l.runs[p.run], p.at, p.at+1)
	if len(l.runs[p.run]) == 0 {
		l.runs = slices.Delete(l.runs, p.run, p.run+1)
	}
}

package bench

import (
	"runtime"
	"runtime/debug"
	"time"

	"github.com/googlesession/googlesession"
	memstore "github.com/googlesession/googlesession/store_memory"
)

// footprint measures how many bytes sessions take in memory, how long the garbage collector
// takes for the sessions, and how long a request waits while expired sessions are deleted.
func (r *Run) footprint() {
	const (
		mostBytes = 200
		mostGC    = 10 // the longest garbage collection, as a multiple of the limit's
	)
	size := r.pick(1_000_000, 20_000)

	// The limit is a map that holds four times for each session ID.
	bytes, gc := weigh(func() any {
		times := make(map[[32]byte][4]int64)
		for i := range size {
			_, ref := tokenOf(i)
			times[ref.ID] = [4]int64{1, 2, 3, 4}
		}
		return times
	}, size)
	oursBytes, oursGC := weigh(func() any { return newMemstore(size) }, size)
	// The longest of a million waits depends on what else the machine does, so the longest
	// wait is measured several times, and the median counts.
	var sweeping, otherwise, uncollected, computing waits
	check := func(store *memstore.Store, ref googlesession.Ref) { must1(store.CheckSession(background, ref, idle)) }
	for range r.pick(3, 1) {
		// Each sign-in deletes eight expired sessions, so size/4 sign-ins delete all of
		// them.
		store := r.expired(size)
		sweeping.during(store, size, size/4, check)
		otherwise.during(store, size+size/4, size/4, check)
		store = r.expired(size)
		percent := debug.SetGCPercent(-1)
		uncollected.during(store, size, size/4, check)
		debug.SetGCPercent(percent)
		computing.during(r.expired(size), size, size/4, compute)
	}
	wait := median(sweeping.longest)

	heading(r.out, "Memory", sprint("%d sessions, %d of a user, users included; a full collection of a heap that holds nothing else.", size, perUser))
	printTable(r.out, [][]string{
		{"", "bytes a session", "full GC, ms"},
		{"map[[32]byte] of four int64", number(bytes), milli(float64(gc))},
		{"memstore", number(oursBytes), milli(float64(oursGC))},
	})
	heading(r.out, "Waiting while others sign in", sprint("The longest of all checks during %d sign-ins, of which each clears away eight of %d expired sessions, or none.", size/4, size))
	printTable(r.out, [][]string{
		waitsHeader(),
		sweeping.row("with a sweep"),
		otherwise.row("without a sweep"),
		uncollected.row("with a sweep, the garbage collector off"),
		computing.row("a loop that computes as long, without the store, with a sweep"),
	})
	r.verdict("Memory: a session", oursBytes, mostBytes, " B")
	r.verdict("Memory: full GC, times that of a map of times", float64(oursGC)/float64(gc), mostGC, "")
	r.verdict("Memory: longest wait during a sweep", wait/1e6, float64(mostWait)/1e6, " ms")
}

// weigh returns how many bytes of the heap the value that build returns takes for each of
// its size sessions, and the median time of a garbage collection while the value exists.
func weigh(build func() any, size int) (bytes float64, gc time.Duration) {
	before := heap()
	v := build()
	bytes = float64(heap()-before) / float64(size)
	var took []float64
	for range 7 {
		began := time.Now()
		runtime.GC()
		took = append(took, float64(time.Since(began)))
	}
	runtime.KeepAlive(v)
	return bytes, time.Duration(median(took))
}

func heap() uint64 {
	runtime.GC()
	runtime.GC() // frees what the first collection has only queued
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func milli(ns float64) string { return number(ns / 1e6) }

package bench

import (
	"runtime"
	"runtime/debug"
	"sync/atomic"
	"time"

	memstore "github.com/googlesession/googlesession/store_memory"
)

// footprint measures what sessions take in memory: bytes, the garbage collector's
// time, and how long a request waits while the expired ones are cleared away.
func (r *Run) footprint() {
	const (
		mostBytes = 200
		mostGC    = 10 // times the limit's
		mostWait  = 5 * time.Millisecond
	)
	size := r.pick(1_000_000, 20_000)

	// The limit: what a map from IDs to four times takes.
	bytes, gc := weigh(func() any {
		times := make(map[[32]byte][4]int64)
		for i := range size {
			_, ref := tokenOf(i)
			times[ref.ID] = [4]int64{1, 2, 3, 4}
		}
		return times
	}, size)
	oursBytes, oursGC := weigh(func() any { return newMemstore(size) }, size)
	// What else the machine does to the longest of a million waits differs from time to
	// time: the median of some.
	var sweeping, otherwise, uncollected []float64
	for range r.pick(3, 1) {
		// Eight are cleared away with each sign-in, so a quarter as many suffice for all.
		store := r.expired(size)
		sweeping = append(sweeping, longestCheck(store, size, size/4))
		otherwise = append(otherwise, longestCheck(store, size+size/4, size/4))
		store = r.expired(size)
		percent := debug.SetGCPercent(-1)
		uncollected = append(uncollected, longestCheck(store, size, size/4))
		debug.SetGCPercent(percent)
	}
	wait := median(sweeping)

	heading(r.out, "Memory", sprint("%d sessions, %d of a user, users included; a full collection of a heap that holds nothing else.", size, perUser))
	printTable(r.out, [][]string{
		{"", "bytes a session", "full GC, ms"},
		{"map[[32]byte] of four int64", number(bytes), milli(float64(gc))},
		{"memstore", number(oursBytes), milli(float64(oursGC))},
	})
	heading(r.out, "Waiting while others sign in", sprint("The longest of all checks during %d sign-ins, of which each clears away eight of %d expired sessions, or none.", size/4, size))
	printTable(r.out, [][]string{
		{"", "ms"},
		{"with a sweep", milli(wait)},
		{"without a sweep", milli(median(otherwise))},
		{"with a sweep, the garbage collector off", milli(median(uncollected))},
	})
	r.verdict("Memory: a session", oursBytes, mostBytes, " B")
	r.verdict("Memory: full GC, times that of a map of times", float64(oursGC)/float64(gc), mostGC, "")
	r.verdict("Memory: longest wait during a sweep", wait/1e6, float64(mostWait)/1e6, " ms")
}

// weigh returns what something takes of the heap, by session, and a collection's
// median time while it is there.
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
	runtime.GC() // what the first only queued
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// expired returns a store of so many sessions that have expired, and are there still.
func (r *Run) expired(size int) *memstore.Store {
	store := memstore.New(&memstore.Options{MaxSessions: 2 * size})
	end := time.Now().Add(r.lasting(size))
	for i := range size {
		n := newSession(i)
		n.MaxLifetime = max(time.Until(end).Truncate(time.Millisecond), time.Millisecond)
		n.IdleTimeout = n.MaxLifetime
		must1(store.CreateSession(background, n))
	}
	<-time.After(time.Until(end))
	return store
}

// longestCheck creates sessions from number first on, and returns the longest that a
// check of one of them took meanwhile, in nanoseconds.
func longestCheck(store *memstore.Store, first, count int) float64 {
	var longest time.Duration
	var signedIn atomic.Int64
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range count {
			must1(store.CreateSession(background, newSession(first+i)))
			signedIn.Add(1)
		}
	}()
	for i := 0; ; i++ {
		n := signedIn.Load()
		if n == 0 {
			continue
		}
		_, ref := tokenOf(first + i%int(n))
		began := time.Now()
		must1(store.CheckSession(background, ref, idle))
		longest = max(longest, time.Since(began))
		select {
		case <-done:
			return float64(longest)
		default:
		}
	}
}

// lasting is longer than it takes to create the sessions.
func (r *Run) lasting(size int) time.Duration {
	return time.Duration(size)*10*time.Microsecond + time.Second
}

func milli(ns float64) string { return number(ns / 1e6) }

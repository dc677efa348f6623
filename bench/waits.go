package bench

import (
	"crypto/sha256"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/googlesession/googlesession"
	memstore "github.com/googlesession/googlesession/store_memory"
)

const mostWait = 5 * time.Millisecond

// waits holds how long operations took while other users signed in.
type waits struct {
	longest   []float64 // for each call of the method during, the longest time of an operation in nanoseconds
	over, all int       // how many operations took longer than mostWait, and how many there were
}

// during creates count sessions, the first of which has the number first. Meanwhile it
// calls op for these sessions, and notes how long the calls take.
func (w *waits) during(store *memstore.Store, first, count int, op func(*memstore.Store, googlesession.Ref)) {
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
		op(store, ref)
		took := time.Since(began)
		longest = max(longest, took)
		w.all++
		if took > mostWait {
			w.over++
		}
		select {
		case <-done:
			w.longest = append(w.longest, float64(longest))
			return
		default:
		}
	}
}

func waitsHeader() []string {
	return []string{"", "longest, ms", sprint("over %v ms", mostWait.Milliseconds()), "of"}
}

func (w *waits) row(name string) []string {
	return []string{name, milli(median(w.longest)), fmt.Sprint(w.over), fmt.Sprint(w.all)}
}

// compute takes about as long as a check and waits for no lock. If compute sometimes takes
// longer, the cause is the machine, the scheduler or the garbage collector.
func compute(_ *memstore.Store, ref googlesession.Ref) {
	for range 4 {
		ref.ID = sha256.Sum256(ref.ID[:])
	}
}

// expired returns a store with size sessions that have expired and are not deleted yet.
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

// lasting returns a lifetime that is longer than the creation of size sessions takes.
func (r *Run) lasting(size int) time.Duration {
	return time.Duration(size)*10*time.Microsecond + time.Second
}

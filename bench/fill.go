package bench

import (
	"context"
	"runtime"
	"sync"

	"github.com/googlesession/googlesession"
	memstore "github.com/googlesession/googlesession/store_memory"
)

// background is the context of all calls. Nothing cancels the calls, because the program
// ends when it has measured everything.
var background = context.Background()

// fill creates the sessions whose numbers are 0 to size-1 in a store, with this number of
// goroutines.
func fill(store googlesession.SessionStore, size, workers int) {
	var wg sync.WaitGroup
	for worker := range workers {
		wg.Go(func() {
			// One worker creates all sessions of a user, because calls for one user wait
			// for each other.
			for first := worker * perUser; first < size; first += workers * perUser {
				for i := first; i < min(first+perUser, size); i++ {
					must1(store.CreateSession(background, newSession(i)))
				}
			}
		})
	}
	wg.Wait()
}

func fillMemory(store *memstore.Store, size int) { fill(store, size, runtime.GOMAXPROCS(0)) }

package main

import "sync"

// feedBuffer is how many entries wait for a stream that is slow. A stream that falls
// further behind ends, and the page opens a new one and reads what it has missed.
const feedBuffer = 64

// A feed hands what happens in this process to the streams of administrators. It never
// waits for a stream. The zero feed is ready to use.
type feed struct {
	mu      sync.Mutex
	readers map[*feedReader]bool
}

// A feedReader receives from a feed.
type feedReader struct {
	entries chan auditEntry // closed if the reader is too slow
	changed chan struct{}   // has an element if the counts have changed since the last receive
}

// join returns a new reader. The caller must call leave.
func (f *feed) join() *feedReader {
	r := &feedReader{entries: make(chan auditEntry, feedBuffer), changed: make(chan struct{}, 1)}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.readers == nil {
		f.readers = map[*feedReader]bool{}
	}
	f.readers[r] = true
	return r
}

func (f *feed) leave(r *feedReader) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.readers, r)
}

// publish hands an entry to every reader. It drops the readers whose buffer is full.
func (f *feed) publish(e auditEntry) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for r := range f.readers {
		select {
		case r.entries <- e:
		default:
			delete(f.readers, r)
			close(r.entries)
		}
	}
}

// change tells every reader that the counts of the overview have changed. Changes that
// follow each other before a reader has received one are one change to it.
func (f *feed) change() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for r := range f.readers {
		select {
		case r.changed <- struct{}{}:
		default:
		}
	}
}

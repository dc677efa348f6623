package soak

import (
	"sync"
	"time"
)

// A pulse measures for how long this process has not run, though it wanted to: the
// machine had other things to do, or the process was stopped.
type pulse struct {
	mu    sync.Mutex
	last  time.Time // beat
	total time.Duration
}

const beat = 5 * time.Millisecond

// startPulse beats until the process ends.
func startPulse() *pulse {
	p := &pulse{last: time.Now()}
	go func() {
		for range time.Tick(beat) {
			p.mu.Lock()
			now := time.Now()
			p.total += lateness(p.last, now)
			p.last = now
			p.mu.Unlock()
		}
	}()
	return p
}

// late is the sum since the start. It counts a beat that is due and has not come.
func (p *pulse) late() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.total + lateness(p.last, time.Now())
}

// lateness is how much later than it should the beat after last comes at now.
func lateness(last, now time.Time) time.Duration {
	if late := now.Sub(last) - beat; late > beat {
		return late
	}
	return 0
}

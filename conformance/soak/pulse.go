package soak

import (
	"sync"
	"time"
)

// A pulse measures for how long this process did not run although it wanted to, because the
// machine was busy or the process was stopped.
type pulse struct {
	mu    sync.Mutex
	last  time.Time // the time of the last beat
	total time.Duration
}

const beat = 5 * time.Millisecond

// startPulse starts a goroutine that beats until the process ends, and returns its pulse.
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

// late returns for how long the process did not run since startPulse was called. It
// includes the delay of a beat that is overdue now.
func (p *pulse) late() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.total + lateness(p.last, time.Now())
}

// lateness returns how late a beat at now is, if the beat before it was at last. A delay of
// up to one interval counts as 0.
func lateness(last, now time.Time) time.Duration {
	if late := now.Sub(last) - beat; late > beat {
		return late
	}
	return 0
}

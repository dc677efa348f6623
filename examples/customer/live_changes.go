package main

import (
	"slices"
	"sync"

	"github.com/googlesession/googlesession"
)

// sessionChanges tells the streams of a user that the user's list of sessions has changed. It
// knows the events of this process. A page learns what another process has changed when it
// reads the list again.
type sessionChanges struct {
	mu      sync.Mutex
	watches map[string]map[*sessionWatch]bool // by user ID
}

// A sessionWatch is what one stream wants to know.
type sessionWatch struct {
	session googlesession.Session
	changed chan struct{} // has room for one value, because reading the list once shows all changes
}

// watch begins to report changes to a stream, until stop is called.
func (c *sessionChanges) watch(s googlesession.Session) (changed <-chan struct{}, stop func()) {
	w := &sessionWatch{session: s, changed: make(chan struct{}, 1)}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.watches == nil {
		c.watches = make(map[string]map[*sessionWatch]bool)
	}
	if c.watches[s.User.ID] == nil {
		c.watches[s.User.ID] = make(map[*sessionWatch]bool)
	}
	c.watches[s.User.ID][w] = true
	return w.changed, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.watches[s.User.ID], w)
		if len(c.watches[s.User.ID]) == 0 {
			delete(c.watches, s.User.ID)
		}
	}
}

// report passes an event on if it changes a list of sessions. It does not wait for a stream.
func (c *sessionChanges) report(e googlesession.Event) {
	switch e.Kind {
	case googlesession.EventSignedIn, googlesession.EventIssued, googlesession.EventSignedOut, googlesession.EventRevoked,
		googlesession.EventUserRevoked, googlesession.EventSecurityReport:
	default: // after the other events the list is the same, or all sessions have ended
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for w := range c.watches[e.UserID] {
		if w.isEndedBy(e) {
			continue // the stream ends and says so itself
		}
		select {
		case w.changed <- struct{}{}:
		default:
		}
	}
}

// isEndedBy reports whether the event is the end of the stream's own session.
func (w *sessionWatch) isEndedBy(e googlesession.Event) bool {
	return e.Ref == w.session.Ref && e.Kind != googlesession.EventSignedIn || slices.Contains(e.PublicIDs, w.session.PublicID)
}

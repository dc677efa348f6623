package main

import (
	"context"
	"crypto/rand"
	"slices"
	"sync"
	"time"

	"github.com/googlesession/googlesession"
)

const (
	maxDemoBrowsers = 8                // and as many thieves
	demoBrowserLife = 30 * time.Minute // after that the demo closes a browser
)

// demoBrowsers holds the browsers inside the program, and the copies of cookies that
// thieves have made.
type demoBrowsers struct {
	mu      sync.Mutex
	opened  int            // all browsers that were opened
	list    []*demoBrowser // in the order in which they were opened
	thieves []demoThief
}

// A demoThief is a client with a copy of a session cookie.
type demoThief struct {
	id     string
	client *demoClient
}

// nextUserAgent returns the name of the next browser.
func (s *demoBrowsers) nextUserAgent() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.opened++
	return demoUserAgents[(s.opened-1)%len(demoUserAgents)]
}

// add adds a browser, and closes the oldest one if there are too many. The browser is
// removed when its context is done.
func (s *demoBrowsers) add(ctx context.Context, b *demoBrowser) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.list) == maxDemoBrowsers {
		s.list[0].close()
		s.list = s.list[1:]
	}
	s.list = append(s.list, b)
	context.AfterFunc(ctx, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.list = slices.DeleteFunc(s.list, func(other *demoBrowser) bool { return other == b })
	})
}

// find returns the browser with the ID, or nil if the session has not opened such a browser.
func (s *demoBrowsers) find(id string, owner googlesession.PublicID) *demoBrowser {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, b := range s.list {
		if b.owner == owner && equalConstantTime(id, b.ID) {
			return b
		}
	}
	return nil
}

// noteEnd tells the browsers that the store has ended their sessions.
func (s *demoBrowsers) noteEnd(isEnded func(googlesession.Ref) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, b := range s.list {
		if isEnded(b.ref) {
			b.noteEnd()
		}
	}
}

// addThief keeps the client for the life of a browser and returns the thief's ID.
func (s *demoBrowsers) addThief(client *demoClient) (id string) {
	id = rand.Text()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.thieves = append(s.thieves[max(0, len(s.thieves)+1-maxDemoBrowsers):], demoThief{id, client})
	time.AfterFunc(demoBrowserLife, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.thieves = slices.DeleteFunc(s.thieves, func(t demoThief) bool { return t.id == id })
	})
	return id
}

// thief returns the client of the thief with the ID, or nil.
func (s *demoBrowsers) thief(id string) *demoClient {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.thieves {
		if equalConstantTime(id, t.id) {
			return t.client
		}
	}
	return nil
}

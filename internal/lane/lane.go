// Package lane makes calls for the same user wait for each other inside a process. They
// wait before they take anything that all users share, such as a database connection.
package lane

import (
	"container/list"
	"context"
	"sync"
)

// A Class is the urgency of a call. A lower Class goes first.
type Class int

// The classes, beginning with the most urgent.
const (
	Disable Class = iota // calls that take access away from the user or delete the user
	Revoke               // calls that end sessions
	SignIn               // calls that create sessions
	classes              // the number of classes
)

// Lanes has a lane for each key. A lane admits one call at a time. The others wait in the
// order of their class and, within a class, in the order in which they arrived. A key
// without calls takes no memory. The zero value is ready for use. Lanes is safe for
// concurrent use.
type Lanes struct {
	mu    sync.Mutex
	lanes map[string]*lane
}

// A lane exists as long as a call that it has admitted has not left.
type lane struct {
	waiting [classes]list.List // lists of chan struct{}; closing a channel admits its call
}

// Enter waits until the lane of the key admits the call. It returns ctx.Err() if ctx ends
// first. If there is no error, the caller has to call leave once, after the call.
func (l *Lanes) Enter(ctx context.Context, key string, class Class) (leave func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	l.mu.Lock()
	in := l.lanes[key]
	if in == nil {
		if l.lanes == nil {
			l.lanes = make(map[string]*lane)
		}
		l.lanes[key] = &lane{}
		l.mu.Unlock()
		return func() { l.leave(key) }, nil
	}
	turn := make(chan struct{})
	place := in.waiting[class].PushBack(turn)
	l.mu.Unlock()

	select {
	case <-turn:
		return func() { l.leave(key) }, nil
	case <-ctx.Done():
	}
	l.mu.Lock()
	select {
	case <-turn: // the lane admitted this call at the same moment, so it admits the next call instead
		l.mu.Unlock()
		l.leave(key)
	default:
		in.waiting[class].Remove(place)
		l.mu.Unlock()
	}
	return nil, ctx.Err()
}

// leave admits the next call, or removes the lane if there is none.
func (l *Lanes) leave(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	in := l.lanes[key]
	for class := range in.waiting {
		if first := in.waiting[class].Front(); first != nil {
			close(in.waiting[class].Remove(first).(chan struct{}))
			return
		}
	}
	delete(l.lanes, key)
}

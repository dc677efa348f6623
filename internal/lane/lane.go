// Package lane makes the calls that concern one user wait for each other inside a
// process, before any of them holds what all users share.
package lane

import (
	"container/list"
	"context"
	"sync"
)

// A Class says how urgent a call is. A lower one goes first.
type Class int

// The classes, the most urgent one first.
const (
	Disable Class = iota // takes access away from the user, or deletes the user
	Revoke               // ends sessions
	SignIn               // begins them
	classes
)

// Lanes has a lane for each key. One call at a time is inside a lane. The others wait,
// in the order of their class and, inside a class, in the order in which they came.
// A key without calls takes no memory. The zero value is ready for use.
type Lanes struct {
	mu    sync.Mutex
	lanes map[string]*lane
}

// A lane exists while a call is inside it.
type lane struct {
	waiting [classes]list.List // of chan struct{}, closed when the call may go in
}

// Enter waits until the call may go in, or until ctx ends. Who goes in calls leave
// once.
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
	case <-turn: // at the same moment: the turn is passed on
		l.mu.Unlock()
		l.leave(key)
	default:
		in.waiting[class].Remove(place)
		l.mu.Unlock()
	}
	return nil, ctx.Err()
}

// leave lets the next call in, or ends the lane.
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

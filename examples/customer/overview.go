package main

import (
	"maps"
	"strings"
	"sync"
	"time"

	"github.com/googlesession/googlesession"
)

const (
	// overviewMinutes is for how many minutes the overview keeps its numbers.
	overviewMinutes = 60

	// maxReasons bounds the memory of a minute. The library has about thirty codes, and codes
	// that exceed this number are counted as otherReason.
	maxReasons  = 40
	otherReason = "other"
)

// An overview counts the events of the last hour by minute. It is in memory, so it has the
// events of this process since its start. The metrics have the same events for a server that
// collects them from all processes.
type overview struct {
	started time.Time

	mu      sync.Mutex
	minutes [overviewMinutes]minuteCounts // the minute with the number n is at n % overviewMinutes
}

// A minuteCounts has the counts of one minute.
type minuteCounts struct {
	number   int64 // minutes since 1970
	signedIn int
	ended    int            // sessions
	refused  map[string]int // requests and sign-ins, by code
	live     *int           // live sessions when they were last counted; nil if they were not counted
}

func newOverview() *overview { return &overview{started: time.Now()} }

// observe counts an event. It reports whether the event has changed a count.
func (o *overview) observe(e googlesession.Event) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	m := o.at(e.Time)
	ended := endedSessions(e)
	m.ended += ended
	switch {
	case e.Kind == googlesession.EventSignedIn && !strings.HasPrefix(e.Reason, "again"): // a re-authentication is not a sign-in
		m.signedIn++
	case e.Kind == googlesession.EventDenied, e.Kind == googlesession.EventSignInRefused:
		m.refuse(e.Reason)
	default:
		return ended > 0
	}
	return true
}

// setLive keeps how many sessions are live at t.
func (o *overview) setLive(t time.Time, n int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.at(t).live = &n
}

// at returns the counts of the minute of t. They replace those of the hour before.
func (o *overview) at(t time.Time) *minuteCounts {
	number := t.Unix() / 60
	m := &o.minutes[number%overviewMinutes]
	if m.number < number {
		*m = minuteCounts{number: number, refused: make(map[string]int)}
	}
	return m
}

// refuse counts a refusal. The reason of an event is a code, which a colon and details may
// follow.
func (m *minuteCounts) refuse(reason string) {
	code, _, _ := strings.Cut(reason, ":")
	if m.refused[code] == 0 && len(m.refused) >= maxReasons {
		code = otherReason
	}
	m.refused[code]++
}

type minuteJSON struct {
	Time     string         `json:"time"` // when the minute begins
	SignedIn int            `json:"signed_in"`
	Ended    int            `json:"ended"`
	Refused  map[string]int `json:"refused"`
	Live     *int           `json:"live,omitempty"`
}

// lastHour returns the counts of the minutes up to now, the oldest first.
func (o *overview) lastHour(now time.Time) []minuteJSON {
	o.mu.Lock()
	defer o.mu.Unlock()
	list := make([]minuteJSON, 0, overviewMinutes)
	last := now.Unix() / 60
	for number := last - overviewMinutes + 1; number <= last; number++ {
		body := minuteJSON{Time: timestamp(time.Unix(number*60, 0)), Refused: map[string]int{}}
		if m := o.minutes[number%overviewMinutes]; m.number == number {
			body.SignedIn, body.Ended, body.Live = m.signedIn, m.ended, m.live
			body.Refused = maps.Clone(m.refused)
		}
		list = append(list, body)
	}
	return list
}

package main

import (
	"context"
	"net/http"
	"sync"
	"time"
)

// overviewRoutes serves the overview to administrators.
func (a *app) overviewRoutes(mux *http.ServeMux) {
	a.handleForAdmins(mux, "GET /api/admin/overview", a.serveOverview)
	mux.HandleFunc("/api/admin/overview", methodNotAllowed("GET, HEAD"))
}

// An overviewJSON is the answer of GET /api/admin/overview. The minutes are those of this
// process, and users and sessions are those of the stores.
type overviewJSON struct {
	StartedAt string       `json:"started_at"`
	Uptime    int64        `json:"uptime"` // in seconds
	Users     int          `json:"users"`
	Sessions  int          `json:"sessions"`
	Partial   bool         `json:"partial,omitempty"` // there are more users or sessions than were counted
	Minutes   []minuteJSON `json:"minutes"`
}

func (a *app) serveOverview(w http.ResponseWriter, r *http.Request) {
	t, err := a.readTotals(r.Context())
	if err != nil {
		a.writeError(w, r, err)
		return
	}
	now := time.Now()
	writeJSON(w, http.StatusOK, overviewJSON{
		StartedAt: timestamp(a.overview.started), Uptime: int64(now.Sub(a.overview.started).Seconds()),
		Users: t.users, Sessions: t.sessions, Partial: t.partial, Minutes: a.overview.lastHour(now),
	})
}

// totalsAge is for how long a count of users and sessions is used again. Each count reads all
// of them, and an administrator's page asks after every change.
const totalsAge = 5 * time.Second

// A totals has the numbers of users and of live sessions in the stores.
type totals struct {
	users, sessions int
	partial         bool
}

// A totalsCache keeps the last count.
type totalsCache struct {
	mu      sync.Mutex // held while a request counts, so that the others wait for its result
	totals  totals
	counted time.Time
}

// readTotals returns the numbers of users and of live sessions, which are at most totalsAge
// old.
func (a *app) readTotals(ctx context.Context) (totals, error) {
	ctx, cancel := context.WithTimeout(ctx, directoryTimeout)
	defer cancel()
	c := &a.totals
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	if !c.counted.IsZero() && now.Sub(c.counted) < totalsAge {
		return c.totals, nil
	}
	d, err := a.readDirectory(ctx, peopleQuery{})
	if err != nil {
		return totals{}, err
	}
	t := totals{users: d.counts.All, partial: d.partial}
	for _, n := range d.live {
		t.sessions += n
	}
	c.totals, c.counted = t, now
	a.overview.setLive(now, t.sessions)
	return t, nil
}

// sampleTotals counts the live sessions once a minute until ctx is done, so that the overview
// has them for minutes in which no administrator looked. A minute in which the stores do not
// answer has no number.
func (a *app) sampleTotals(ctx context.Context) {
	ticker := time.NewTicker(time.Minute)
	defer ticker.Stop()
	for {
		_, _ = a.readTotals(ctx) // the library logs an outage
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

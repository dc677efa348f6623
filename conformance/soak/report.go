package soak

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// A Report counts what has happened in a soak. It is safe for concurrent use.
type Report struct {
	Options Options

	mu           sync.Mutex
	duration     time.Duration
	operations   int
	requests     int
	signIns      int
	certain      int // requests that were admitted, of sessions that no act had begun to end
	ended        int // requests that were refused, of sessions that had ended before the request began
	replays      int // sign-ins with an old token that were refused
	unknowns     int
	faults       map[string]int
	acts         map[string]int
	violations   []string
	falseLogouts []string
	slow         []string
	broken       []string // errors that show that the soak itself failed, for example that a fault could not be caused

	slowest, slowest503 time.Duration
	recovery            []time.Duration
}

func newReport(o Options) *Report {
	return &Report{
		Options: o,
		faults:  make(map[string]int), acts: make(map[string]int),
	}
}

// Err returns nil if every answer was as promised and every fault could be caused.
func (r *Report) Err() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if n := len(r.violations) + len(r.falseLogouts) + len(r.slow) + len(r.broken); n > 0 {
		return fmt.Errorf("soak: %d answers or faults were not as promised", n)
	}
	return nil
}

// Found returns the answers that were not as promised: violations, false logouts and
// answers of 503 that came too late.
func (r *Report) Found() (violations, falseLogouts, slow []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.violations), slices.Clone(r.falseLogouts), slices.Clone(r.slow)
}

const shown = 20 // the largest number of findings of each list that Print writes

// Print writes a Markdown table with one row, and below it the answers that were not as
// promised, at most 20 of each kind.
func (r *Report) Print(w io.Writer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	slices.Sort(r.recovery)
	median, worst := "-", "-"
	if n := len(r.recovery); n > 0 {
		median, worst = short(r.recovery[n/2]), short(r.recovery[n-1])
	}
	_, _ = fmt.Fprintln(w, "| store | time | operations | requests | sign-ins | faults | acts acknowledged | unknown outcomes | "+
		"certain sessions admitted | ended sessions refused | old tokens refused | violations | false logouts | "+
		"slowest answer | slowest 503 | too slow | recovery median / worst |")
	_, _ = fmt.Fprintln(w, "|"+strings.Repeat(" --- |", 17))
	_, _ = fmt.Fprintf(w, "| %s | %v | %d | %d | %d | %s | %s | %d | %d | %d | %d | %d | %d | %s | %s | %d | %s / %s |\n",
		r.Options.Backend, r.duration.Round(time.Second), r.operations, r.requests, r.signIns,
		counts(r.faults), counts(r.acts), r.unknowns, r.certain, r.ended, r.replays,
		len(r.violations), len(r.falseLogouts), short(r.slowest), short(r.slowest503), len(r.slow), median, worst)
	for _, list := range []struct {
		name  string
		lines []string
	}{{"violation", r.violations}, {"false logout", r.falseLogouts}, {"too slow", r.slow}, {"failed", r.broken}} {
		for _, line := range list.lines[:min(len(list.lines), shown)] {
			_, _ = fmt.Fprintf(w, "%s: %s\n", list.name, line)
		}
	}
}

func short(d time.Duration) string { return d.Round(time.Millisecond).String() }

// counts returns as text the sum of the numbers in m, and each name with its number.
func counts(m map[string]int) string {
	total, words := 0, make([]string, 0, len(m))
	for _, name := range slices.Sorted(maps.Keys(m)) {
		total += m[name]
		words = append(words, fmt.Sprintf("%s %d", name, m[name]))
	}
	return strings.TrimSpace(fmt.Sprintf("%d: %s", total, strings.Join(words, ", ")))
}

// calls maps each route to how many calls to a store a request makes at most. Each call has
// a deadline of its own.
var calls = map[string]int{
	"POST /login":                             5,
	"POST /logout":                            1,
	"GET /user":                               1,
	"GET /sessions":                           2,
	"DELETE /sessions":                        2,
	"DELETE /sessions/{ref}":                  3,
	"PATCH /admin/users/{id}":                 4,
	"DELETE /admin/users/{id}":                5,
	"DELETE /admin/users/{id}/sessions":       3,
	"DELETE /admin/users/{id}/sessions/{ref}": 3,
	"POST /security-events":                   maxSessions + 3,
}

// documented maps each route to the statuses that it may answer to the requests of a soak.
// Every route may also answer 503.
var documented = map[string][]int{
	"GET /login":                              {200},
	"POST /login":                             {200, 401, 403},
	"POST /logout":                            {204},
	"GET /user":                               {200, 401, 403},
	"GET /sessions":                           {200, 401, 403},
	"DELETE /sessions":                        {200, 401, 403},
	"DELETE /sessions/{ref}":                  {204, 401, 403, 404},
	"PATCH /admin/users/{id}":                 {200, 401, 403, 404},
	"DELETE /admin/users/{id}":                {204, 401, 403, 404},
	"DELETE /admin/users/{id}/sessions":       {200, 401, 403, 404},
	"DELETE /admin/users/{id}/sessions/{ref}": {204, 401, 403, 404},
	"POST /security-events":                   {202},
}

// answered judges the status of an answer, and took, the time for which the handler worked.
func (r *Report) answered(q request, x answer, took time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.requests++
	r.slowest = max(r.slowest, took)
	route := q.method + " " + q.path
	switch {
	case x.status == 0:
	case x.status == http.StatusServiceUnavailable:
		r.slowest503 = max(r.slowest503, took)
		if limit := r.Options.StoreTimeout * time.Duration(calls[route]) * 11 / 10; took > limit {
			r.slow = append(r.slow, fmt.Sprintf("%s: 503 after %s, later than %s", route, short(took), short(limit)))
		}
	case !slices.Contains(documented[route], x.status):
		r.violations = append(r.violations, fmt.Sprintf("%s: undocumented status %d %s", route, x.status, x.code))
	}
}

func (r *Report) add(change func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change()
}

func (r *Report) operation()             { r.add(func() { r.operations++ }) }
func (r *Report) signedIn()              { r.add(func() { r.signIns++ }) }
func (r *Report) replayRefused()         { r.add(func() { r.replays++ }) }
func (r *Report) endedRefused()          { r.add(func() { r.ended++ }) }
func (r *Report) unknown()               { r.add(func() { r.unknowns++ }) }
func (r *Report) acted(kind string)      { r.add(func() { r.acts[kind]++ }) }
func (r *Report) happened(fault string)  { r.add(func() { r.faults[fault]++ }) }
func (r *Report) lasted(d time.Duration) { r.add(func() { r.duration = d }) }

// recovered notes how long an app took to work again after a fault.
func (r *Report) recovered(d time.Duration) { r.add(func() { r.recovery = append(r.recovery, d) }) }

func (r *Report) admitted(certain bool) {
	if certain {
		r.add(func() { r.certain++ })
	}
}

func (r *Report) violation(format string, args ...any) {
	r.add(func() { r.violations = append(r.violations, fmt.Sprintf(format, args...)) })
}

func (r *Report) falseLogout(format string, args ...any) {
	r.add(func() { r.falseLogouts = append(r.falseLogouts, fmt.Sprintf(format, args...)) })
}

func (r *Report) failed(err error) { r.add(func() { r.broken = append(r.broken, err.Error()) }) }

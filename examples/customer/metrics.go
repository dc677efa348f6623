package main

import (
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/googlesession/googlesession"
)

// metrics counts the events that Config.Events receives. No label holds a user, an
// address or a text that a person has typed. The file needs no other file of this program,
// so another program can copy it.
type metrics struct {
	registry *prometheus.Registry
	events   *prometheus.CounterVec // by kind and reason
	ended    prometheus.Counter
}

func newMetrics() *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		events: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "googlesession_events_total",
			Help: "Events by kind, such as signed_in, sign_in_refused, touched, denied or unavailable.",
		}, []string{"kind", "reason"}),
		ended: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "googlesession_sessions_ended_total",
			Help: "Sessions ended by a sign-out, a revocation or Google, over a limit, or with a disabled or deleted user. Sessions that expired or that a sign-in replaced are not counted.",
		}),
	}
	m.registry.MustRegister(m.events, m.ended,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// observe counts an event. A program that copies this file calls observe from
// Config.Events, and serves the registry with promhttp.HandlerFor.
func (m *metrics) observe(e googlesession.Event) {
	var reason string
	switch e.Kind {
	case googlesession.EventSignInRefused, googlesession.EventDenied, googlesession.EventUnavailable, googlesession.EventSecurityReport,
		googlesession.EventBound, googlesession.EventBindRefused:
		reason = e.Reason // for these kinds, Reason is one of a few dozen words of the library
	}
	m.events.WithLabelValues(string(e.Kind), reason).Inc()
	m.ended.Add(float64(endedSessions(e)))
}

// endedSessions returns how many sessions the event says have ended.
func endedSessions(e googlesession.Event) int {
	switch e.Kind {
	case googlesession.EventSignedOut:
		return 1
	case googlesession.EventRevoked:
		if isReplaced(e) {
			return 0
		}
		return 1
	case googlesession.EventAccessChanged, googlesession.EventUserDeleted:
		return len(e.PublicIDs) // these kinds name the sessions and leave Count at zero
	default:
		return e.Count
	}
}

// isReplaced reports whether a sign-in has replaced the session. An administrator may type
// the same reason, but only the event of a sign-in has the device of a request.
func isReplaced(e googlesession.Event) bool {
	first, _, _ := strings.Cut(e.Reason, ": ")
	return first == "replaced" && e.Device != googlesession.Device{}
}

package main

import (
	"net/http"
	"net/netip"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/googlesession/googlesession"
)

// metrics counts the events that Config.Events receives. No label holds a user, an
// address or a text that a person has typed.
type metrics struct {
	registry  *prometheus.Registry
	events    *prometheus.CounterVec // by kind and reason
	ended     prometheus.Counter
	auditLost prometheus.Counter
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
			Help: "Sessions ended by a sign-out or revoked. Sessions that expired or that a sign-in replaced are not counted.",
		}),
		auditLost: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "customer_audit_lost_total",
			Help: "Audit entries that could not be written and are in the log only.",
		}),
	}
	m.registry.MustRegister(m.events, m.ended, m.auditLost,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// observe counts an event. A program that copies this file calls observe from
// Config.Events.
func (m *metrics) observe(e googlesession.Event) {
	var reason string
	switch e.Kind {
	case googlesession.EventSignInRefused, googlesession.EventDenied, googlesession.EventUnavailable, googlesession.EventSecurityReport:
		reason = e.Reason // for these kinds, Reason is one of a few dozen words of the library
	}
	m.events.WithLabelValues(string(e.Kind), reason).Inc()
	switch e.Kind {
	case googlesession.EventSignedOut, googlesession.EventRevoked:
		m.ended.Inc()
	default:
		m.ended.Add(float64(e.Count))
	}
}

// metricsHandler serves the metrics to administrators. It serves them to programs on this
// machine, too, even without a session.
func (a *app) metricsHandler() http.Handler {
	h := promhttp.HandlerFor(a.metrics.registry, promhttp.HandlerOpts{})
	forAdmins := a.sessions.RequireAdmin(h)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if a.isThisMachine(r) {
			h.ServeHTTP(w, r)
			return
		}
		forAdmins.ServeHTTP(w, r)
	})
}

// isThisMachine reports whether the request comes from a program on this machine. It
// looks at the address of the connection, because a client can forge headers. Requests
// through a proxy on this machine come from a loopback address, too. A proxy that is not
// in -proxies is recognised by the headers that it adds, or by the host name that the
// browser asked for.
func (a *app) isThisMachine(r *http.Request) bool {
	addr, err := netip.ParseAddrPort(r.RemoteAddr)
	peer := addr.Addr().Unmap()
	return err == nil && peer.IsLoopback() && !a.isProxy(peer) && !isForwarded(r.Header) && isLoopback(hostname(r.Host))
}

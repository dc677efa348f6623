package main

import (
	"net/http"
	"net/netip"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/googlesession/googlesession"
)

// metrics count what Config.Events is told. No label holds a user, an address or a text
// that somebody has typed.
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
			Help: "What has happened: signed_in, sign_in_refused, touched, denied, unavailable and so on.",
		}, []string{"kind", "reason"}),
		ended: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "googlesession_sessions_ended_total",
			Help: "Sessions that somebody has ended: neither expired ones nor those that a sign-in has replaced.",
		}),
		auditLost: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "customer_audit_lost_total",
			Help: "Audit entries that could not be written and are in the log alone.",
		}),
	}
	m.registry.MustRegister(m.events, m.ended, m.auditLost,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// observe counts. It is what Config.Events has to call, and all that this file needs.
func (m *metrics) observe(e googlesession.Event) {
	var reason string
	switch e.Kind {
	case googlesession.EventSignInRefused, googlesession.EventDenied, googlesession.EventUnavailable, googlesession.EventSecurityReport:
		reason = e.Reason // of these the library's own words, a few dozen
	}
	m.events.WithLabelValues(string(e.Kind), reason).Inc()
	switch e.Kind {
	case googlesession.EventSignedOut, googlesession.EventRevoked:
		m.ended.Inc()
	default:
		m.ended.Add(float64(e.Count))
	}
}

// metricsHandler serves the metrics to administrators, and to programs on this machine
// without signing in.
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

// isThisMachine goes by the connection: a header is whatever its sender likes. Through a
// proxy on this machine everybody comes from here; one that is not in -proxies shows by
// what it adds, or by the name that the browser asked for.
func (a *app) isThisMachine(r *http.Request) bool {
	addr, err := netip.ParseAddrPort(r.RemoteAddr)
	peer := addr.Addr().Unmap()
	return err == nil && peer.IsLoopback() && !a.isProxy(peer) && !isForwarded(r.Header) && isLoopback(hostname(r.Host))
}

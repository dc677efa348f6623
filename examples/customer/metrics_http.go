package main

import (
	"net/http"
	"net/netip"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// newAuditLost returns the counter of lost audit entries, which is among the metrics m.
func newAuditLost(m *metrics) prometheus.Counter {
	lost := prometheus.NewCounter(prometheus.CounterOpts{
		Name: "customer_audit_lost_total",
		Help: "Audit entries that could not be written and are in the log only.",
	})
	m.registry.MustRegister(lost)
	return lost
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

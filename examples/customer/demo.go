package main

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

	"github.com/googlesession/googlesession/googletest"
	"github.com/googlesession/googlesession/googletoken"
)

const (
	demoClientID = "demo.apps.googleusercontent.com"
	demoScript   = "/demo/gsi.js"
	demoToken    = "/demo/token"
	demoAdmin    = "admin@example.com"

	// demoGeneration ends every session of the demo for a server with a client ID,
	// and the other way round, if both are pointed at one database.
	demoGeneration = "demo"

	// demoSubjects begins every user ID of the demo. No account of Google's has such
	// a subject, so a demo user's row is a name in a list to a server with a client
	// ID: nobody can sign in as it. An administrator among them counts as one,
	// though, where the last one must stay: keep the databases apart, as the default
	// file names do.
	demoSubjects = "demo:"
)

// demo stands in for Google and signs in anybody as anybody.
type demo struct {
	google  *googletest.Google
	origins []string // that are allowed besides this machine's
	key     string   // that each request needs: demo_key.go
}

// newDemo makes a key if it is given none.
func newDemo(origins []string, key string) *demo {
	g := googletest.NewGoogle(demoClientID)
	g.SubjectPrefix = demoSubjects
	return &demo{google: g, origins: origins, key: cmp.Or(key, newDemoKey())}
}

// verifierConfig is for the real verifier, with keys from the stand-in: what a demo shows
// is what runs with Google.
func (d *demo) verifierConfig() googletoken.Config {
	return googletoken.Config{ClientIDs: []string{demoClientID}, HTTPClient: d.google.Client()}
}

func (d *demo) routes(mux *http.ServeMux) {
	mint := demoToken + "?" + mintParameter + "=" + d.mintKey()
	mux.Handle(demoScript, d.trustedPagesOnly(d.google.ScriptHandler(mint, "ada@example.com", "bob@example.com", demoAdmin)))
	mux.Handle(demoToken, d.trustedPagesOnly(d.google.TokenHandler()))
}

// localOnly refuses what did not come from this machine: another name for it (DNS
// rebinding), or a proxy that somebody put in front. A proxy that hides itself is
// given away by the origin of the pages behind it.
func (d *demo) localOnly(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !isLoopback(hostname(r.Host)) || isForwarded(r.Header) || !d.isTrustedOrigin(r.Header.Get("Origin")) {
			writeProblem(w, http.StatusMisdirectedRequest, "misdirected_request",
				"Demo mode signs in anybody, so it answers this machine only.")
			return
		}
		h.ServeHTTP(w, r)
	})
}

func (d *demo) isTrustedOrigin(origin string) bool {
	_, host, _ := strings.Cut(origin, "://")
	return origin == "" || isLoopback(hostname(host)) || slices.Contains(d.origins, origin)
}

// isForwarded reports whether a header shows that a proxy, a tunnel or a content
// delivery network has passed the request on.
func isForwarded(h http.Header) bool {
	for name := range h {
		name = strings.ReplaceAll(strings.ToLower(name), "_", "-")
		if slices.Contains(proxyHeaders, name) ||
			slices.ContainsFunc(proxyWords, func(word string) bool { return strings.Contains(name, word) }) ||
			slices.ContainsFunc(proxyPrefixes, func(prefix string) bool { return strings.HasPrefix(name, prefix) }) {
			return true
		}
	}
	return false
}

var (
	proxyHeaders = []string{"via", "cdn-loop", "x-host", "x-scheme", "x-remote-addr"}

	// Forwarded, X-Forwarded-For and its many relatives, X-Real-Ip, True-Client-Ip,
	// X-Cluster-Client-Ip, CF-Connecting-IP.
	proxyWords = []string{"forwarded", "real-ip", "client-ip", "remote-ip", "connecting-ip", "originating-ip"}

	// What particular products add.
	proxyPrefixes = []string{
		"cf-", "ngrok-", "x-original-", "x-envoy-", "x-amzn-", "x-amz-cf-", "x-azure-", "x-arr-", "x-appengine-",
		"x-cloud-trace-", "x-vercel-", "x-proxy", "proxy-", "fly-", "fastly-", "tailscale-", "akamai-", "x-akamai-", "x-varnish",
	}
)

package main

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

	"github.com/googlesession/googlesession/googlecode"
	"github.com/googlesession/googlesession/googletest"
	"github.com/googlesession/googlesession/googletoken"
)

const (
	demoClientID = "demo.apps.googleusercontent.com"
	demoScript   = "/demo/gsi.js"
	demoToken    = "/demo/token"
	demoPage     = "/demo/authorize"
	demoAdmin    = "admin@example.com"

	// demoGeneration keeps the sessions of a demo and of a server with a client ID apart
	// if both use the same database. Each refuses the sessions of the other.
	demoGeneration = "demo"

	// demoSubjects is the prefix of every user ID of the demo. No Google account has such
	// a subject. If a server with a client ID uses the database of a demo, it lists the
	// demo's users, but no account can sign in as them. When that server makes sure that
	// an administrator is left, it counts the demo's administrators, too. So keep the two
	// databases apart, as the default file names do.
	demoSubjects = "demo:"
)

// demo is the stand-in for Google. It signs in every person with any account.
type demo struct {
	google  *googletest.Google
	origins []string // allowed besides the origins of this machine
	key     string   // needed by each request (demo_key.go)

	outage   demoOutage   // of the stores of sessions and users
	browsers demoBrowsers // inside the program
}

// newDemo returns a demo. It makes a key if key is "".
func newDemo(origins []string, key string) *demo {
	g := googletest.NewGoogle(demoClientID)
	g.SubjectPrefix = demoSubjects
	return &demo{google: g, origins: origins, key: cmp.Or(key, newDemoKey())}
}

// verifierConfig returns the configuration of the real verifier with the keys of the
// stand-in, so that a demo runs the same code as a server with Google.
func (d *demo) verifierConfig() googletoken.Config {
	return googletoken.Config{ClientIDs: []string{demoClientID}, HTTPClient: d.google.Client()}
}

// exchangerConfig returns the configuration of the real exchanger with the page and the
// token endpoint of the stand-in.
func (d *demo) exchangerConfig(baseURL string) googlecode.Config {
	return googlecode.Config{
		ClientID: demoClientID, ClientSecret: d.google.ClientSecret(),
		HTTPClient: d.google.Client(), AuthorizationURL: baseURL + demoPage,
	}
}

func (d *demo) routes(mux *http.ServeMux) {
	mint := demoToken + "?" + mintParameter + "=" + d.mintKey()
	accounts := []string{"ada@example.com", "bob@example.com", demoAdmin}
	mux.Handle(demoScript, d.trustedPagesOnly(d.google.ScriptHandler(mint, accounts...)))
	mux.Handle(demoPage, d.trustedPagesOnly(d.google.AuthorizationHandler(accounts...)))
	mux.Handle(demoToken, d.trustedPagesOnly(d.google.TokenHandler()))
}

// localOnly refuses requests that may come from another machine. It refuses every host
// name but those of this machine, because an attacker can make another name resolve to
// this machine (DNS rebinding). It refuses requests that a proxy has passed on. An Origin
// header with a foreign origin reveals a proxy that does not add a header.
func (d *demo) localOnly(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !isLoopback(hostname(r.Host)) || isForwarded(r.Header) || !d.isTrustedOrigin(r.Header.Get("Origin")) {
			writeProblem(w, http.StatusMisdirectedRequest, "misdirected_request",
				"Demo mode signs in any account, so it answers this machine only.")
			return
		}
		h.ServeHTTP(w, r)
	})
}

// isTrustedOrigin reports whether origin is empty, an origin of this machine, or in
// -origins.
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

	// proxyWords are parts of header names such as Forwarded, X-Forwarded-For, X-Real-Ip,
	// True-Client-Ip, X-Cluster-Client-Ip and CF-Connecting-IP.
	proxyWords = []string{"forwarded", "real-ip", "client-ip", "remote-ip", "connecting-ip", "originating-ip"}

	// proxyPrefixes begin the names of headers that particular products add.
	proxyPrefixes = []string{
		"cf-", "ngrok-", "x-original-", "x-envoy-", "x-amzn-", "x-amz-cf-", "x-azure-", "x-arr-", "x-appengine-",
		"x-cloud-trace-", "x-vercel-", "x-proxy", "proxy-", "fly-", "fastly-", "tailscale-", "akamai-", "x-akamai-", "x-varnish",
	}
)

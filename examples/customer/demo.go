package main

import (
	"net/http"
	"slices"
	"strings"

	"github.com/googlesession/googlesession/googlesessiontest"
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
	google  *googlesessiontest.Google
	origins []string // that are allowed besides this machine's
}

func newDemo(origins []string) *demo {
	g := googlesessiontest.NewGoogle(demoClientID)
	g.SubjectPrefix = demoSubjects
	return &demo{google: g, origins: origins}
}

// config is for the real verifier, with keys from the stand-in: what a demo shows
// is what runs with Google.
func (d *demo) config() googletoken.Config {
	return googletoken.Config{ClientIDs: []string{demoClientID}, HTTPClient: d.google.Client()}
}

func (d *demo) routes(mux *http.ServeMux) {
	mux.Handle(demoScript, d.google.ScriptHandler(demoToken, "ada@example.com", "bob@example.com", demoAdmin))
	mux.Handle(demoToken, d.google.TokenHandler())
}

// localOnly refuses what did not come from this machine: another name for it (DNS
// rebinding), or a proxy that somebody put in front. A proxy that hides itself is
// given away by the origin of the pages behind it.
func (d *demo) localOnly(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !isLoopback(hostname(r.Host)) || isForwarded(r.Header) || !d.knows(r.Header.Get("Origin")) {
			writeProblem(w, http.StatusMisdirectedRequest, "misdirected",
				"Demo mode signs in anybody, so it answers this machine only.")
			return
		}
		h.ServeHTTP(w, r)
	})
}

func (d *demo) knows(origin string) bool {
	_, host, _ := strings.Cut(origin, "://")
	return origin == "" || isLoopback(hostname(host)) || slices.Contains(d.origins, origin)
}

func isForwarded(h http.Header) bool {
	for name := range h {
		if name == "Forwarded" || name == "Via" || name == "X-Real-Ip" || strings.HasPrefix(name, "X-Forwarded-") {
			return true
		}
	}
	return false
}

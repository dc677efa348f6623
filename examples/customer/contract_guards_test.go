package main

import (
	"context"
	"io"
	"net/http"
	"os"
	"strings"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/googletoken"
	memstore "github.com/googlesession/googlesession/store_memory"
)

// What the document says of many routes is tried on each that it says it of.

// visitAsOthers goes everywhere as those whom a guard turns back.
func (to *tour) visitAsOthers() {
	to.walk(step{to.user, "GET /api/admin/users", "", 403, ""})
	disabled, late := to.withDisabledUsers(), to.withLateBodies()
	for name, o := range to.operations {
		request := example(name)
		for status := range o.Responses {
			switch status {
			case "303":
				if o.isGuarded() {
					to.walk(step{to.nobody, request, "", 303, "Accept: text/html"})
				}
			case "401":
				if o.isGuarded() {
					to.walk(step{to.nobody, request, "", 401, ""})
				}
			case "403":
				disabled.walk(step{to.user, request, "", 403, "Sec-Fetch-Site: cross-site"})
			case "408":
				late.walk(step{to.admin, request, "{}", 408, ""})
			case "421":
				to.walk(step{to.nobody, request, "", 421, "Host: rebind.example"})
			}
		}
	}
}

// example fills the parameters of a path in.
func example(name string) string {
	return strings.NewReplacer("{id}", "1", "{ref}", "x", "{email}", "x@example.com").Replace(name)
}

// withDisabledUsers is the tour with a store that says so of everybody. Those of the
// example have ended the sessions by then, and say that.
func (to *tour) withDisabledUsers() *tour {
	verifier, err := googletoken.New(to.demo.config())
	require.NoError(to.t, err)
	cfg := to.config(verifier)
	cfg.Sessions = disabledUsers{to.stores.sessions}
	kept := to.sessions
	defer func() { to.sessions = kept }()
	to.sessions, err = googlesession.New(cfg)
	require.NoError(to.t, err)
	return to.at(to.handler())
}

type disabledUsers struct{ googlesession.SessionStore }

func (disabledUsers) CheckSession(context.Context, googlesession.Ref, time.Duration) (googlesession.Session, error) {
	return googlesession.Session{}, googlesession.ErrUserDisabled
}

// withLateBodies is the tour of a server whose clients send their bodies too slowly.
func (to *tour) withLateBodies() *tour {
	h := to.handler()
	return to.at(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = io.NopCloser(iotest.ErrReader(os.ErrDeadlineExceeded))
		h.ServeHTTP(w, r)
	}))
}

// at is the tour on another server.
func (to *tour) at(h http.Handler) *tour {
	there, site := *to, *to.site
	site.server = &server{url: startServer(to.t, h)}
	keepKey(site.server.url, to.app)
	there.site = &site
	return &there
}

// visitWithOtherMethods: a 405 says what else there is.
func (to *tour) visitWithOtherMethods() {
	for name := range to.operations {
		_, path, _ := strings.Cut(example(name), " ")
		if strings.HasPrefix(path, "/api/") || strings.HasPrefix(path, "/demo/") {
			to.walk(step{to.nobody, "PUT " + path, "", 405, ""})
		}
	}
}

// visitUnconfigured asks the library for what it does not have without a verifier and
// without users.
func (to *tour) visitUnconfigured() {
	m, err := googlesession.New(googlesession.Config{Sessions: struct{ googlesession.SessionStore }{memstore.New(nil)}})
	require.NoError(to.t, err)
	bare := to.at(http.StripPrefix("/api", m.Handler()))
	bare.walk(
		step{to.nobody, "POST /api/login", "{}", 404, ""},
		step{to.nobody, "GET /api/login.js", "", 404, ""},
		step{to.nobody, "GET /api/admin/users", "", 404, ""},
		step{to.nobody, "POST /api/admin/sessions/revoke-all", "", 404, ""},
		step{to.nobody, "POST /api/security-events", "", 404, ""},
	)
}

// visitDuringAnOutage goes everywhere while the database does not answer.
func (to *tour) visitDuringAnOutage() {
	credential := `{"credential":"` + to.demo.google.Token("ada@example.com", to.beginSignIn(to.t, to.admin)) + `"}`
	event := to.demo.google.SecurityEvent(googlesession.ChangeSessionsRevoked, "ada@example.com")
	require.NoError(to.t, to.stores.close())
	to.walk(
		step{to.admin, "POST /api/login", credential, 503, ""},
		step{to.nobody, "POST /api/security-events", event, 503, asEvent},
		step{to.nobody, "POST " + demoEvent, `{"email":"ada@example.com","type":"sessions-revoked"}`, 503, ""},
	)
	for name, o := range to.operations {
		if _, documented := o.Responses["503"]; documented && !to.seen[name+" 503"] {
			to.walk(step{to.admin, example(name), "", 503, ""})
		}
	}
}

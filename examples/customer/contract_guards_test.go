package main

import (
	"context"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/googletoken"
	memstore "github.com/googlesession/googlesession/store_memory"
)

// The tests in this file try each answer that the document gives to many routes on each
// of these routes.

// visitAsOthers sends every request as a client that a guard refuses.
func (tr *tour) visitAsOthers() {
	tr.walk(step{tr.user, "GET /api/admin/users", "", 403, ""})
	disabled, late := tr.withDisabledUsers(), tr.withLateBodies()
	for name, o := range tr.operations {
		request := examplePath(name)
		for status := range o.Responses {
			switch status {
			case "303":
				if o.isGuarded() {
					tr.walk(step{tr.visitor, request, "", 303, "Accept: text/html"})
				}
			case "401":
				if o.isGuarded() {
					tr.walk(step{tr.visitor, request, "", 401, ""})
				}
				if strings.HasPrefix(request, "GET ") && o.isGuarded() {
					tr.walk(step{tr.visitor, request, "", 401, "HX-Request: true"})
				}
			case "403":
				if name == "GET /api/login/google/callback" || name == "GET /api/login" {
					continue // visitRedirect has the state that the first one needs, and visitTokens the parameter of the second one
				}
				disabled.walk(step{tr.user, request, "", 403, "Sec-Fetch-Site: cross-site"})
				if name != "GET /api/login/google" { // the refusals of that route lead to the login page
					disabled.walkInWindow(o, step{tr.user, request, "", 403, "Sec-Fetch-Site: cross-site"})
				}
			case "408":
				late.walk(step{tr.admin, request, "{}", 408, ""})
			case "421":
				tr.walk(step{tr.visitor, request, "", 421, "Host: rebind.example"})
			}
		}
	}
}

// walkInWindow sends a request as a browser does for a page or a form. The answer has to be
// a page if the document has one.
func (tr *tour) walkInWindow(o operation, s step) {
	tr.t.Helper()
	documented := o.Responses[strconv.Itoa(s.status)].Content
	if _, ok := documented["text/html"]; !ok {
		return
	}
	s.header = strings.TrimPrefix(s.header+"\nSec-Fetch-Mode: navigate", "\n")
	tr.wantPage = true
	tr.walk(s)
	tr.wantPage = false
}

// examplePath replaces the parameters of a path by values.
func examplePath(name string) string {
	if name == "GET /api/login/google" {
		name += "?reauth=true" // without reauth, the route does not ask the store
	}
	return strings.NewReplacer("{id}", "1", "{ref}", "x", "{email}", "x@example.com").Replace(name)
}

// withDisabledUsers returns a tour of a server whose store reports every user as disabled.
// The example's own stores end the sessions of a disabled user, so they would answer
// no_session.
func (tr *tour) withDisabledUsers() *tour {
	verifier, err := googletoken.New(tr.demo.verifierConfig())
	require.NoError(tr.t, err)
	cfg := tr.config(verifier)
	cfg.Sessions = disabledUsers{tr.stores.sessions.(googlesession.BindingStore)}
	kept := tr.sessions
	defer func() { tr.sessions = kept }()
	tr.sessions, err = googlesession.New(cfg)
	require.NoError(tr.t, err)
	return tr.onServer(tr.handler())
}

type disabledUsers struct{ googlesession.BindingStore }

func (disabledUsers) CheckSession(context.Context, googlesession.Ref, time.Duration) (googlesession.Session, error) {
	return googlesession.Session{}, googlesession.ErrUserDisabled
}

// withLateBodies returns a tour of a server whose clients send their bodies too slowly.
func (tr *tour) withLateBodies() *tour {
	h := tr.handler()
	return tr.onServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = io.NopCloser(iotest.ErrReader(os.ErrDeadlineExceeded))
		h.ServeHTTP(w, r)
	}))
}

// onServer returns a tour of another server.
func (tr *tour) onServer(h http.Handler) *tour {
	there, site := *tr, *tr.site
	site.server = &server{url: startServer(tr.t, h)}
	rememberKey(site.url, tr.app)
	there.site = &site
	return &there
}

// visitWithOtherMethods sends every path a method that it does not have. The Allow header
// of the 405 must list the methods that it has.
func (tr *tour) visitWithOtherMethods() {
	for name := range tr.operations {
		_, path, _ := strings.Cut(examplePath(name), " ")
		if strings.HasPrefix(path, "/api/") || strings.HasPrefix(path, "/demo/") {
			tr.walk(step{tr.visitor, "PUT " + path, "", 405, ""})
		}
	}
}

// visitUnconfigured asks for routes that the library does not have without a verifier and
// a UserStore.
func (tr *tour) visitUnconfigured() {
	m, err := googlesession.New(googlesession.Config{Sessions: struct{ googlesession.SessionStore }{memstore.New(nil)}})
	require.NoError(tr.t, err)
	bare := tr.onServer(http.StripPrefix("/api", m.Handler()))
	bare.walk(
		step{tr.visitor, "POST /api/login", "{}", 404, ""},
		step{tr.visitor, "GET /api/login.js", "", 404, ""},
		step{tr.visitor, "GET /api/login/google", "", 404, ""},
		step{tr.visitor, "GET /api/login/google/callback", "", 404, ""},
		step{tr.visitor, "GET /api/admin/users", "", 404, ""},
		step{tr.visitor, "GET /api/admin/sessions", "", 404, ""},
		step{tr.visitor, "GET /api/user/export", "", 404, ""},
		step{tr.visitor, "GET /api/tokens", "", 404, ""},
		step{tr.visitor, "POST /api/tokens", "{}", 404, ""},
		step{tr.visitor, "POST /api/admin/sessions/revoke-all", "", 404, ""},
		step{tr.visitor, "POST /api/security-events", "", 404, ""},
		step{tr.visitor, "POST /api/dbsc/register", "", 404, ""},
		step{tr.visitor, "POST /api/dbsc/refresh", "", 404, ""},
		step{tr.visitor, "GET /api/dbsc/offer", "", 404, ""},
	)
}

// visitDuringAnOutage sends every request while the database does not answer.
func (tr *tour) visitDuringAnOutage() {
	credential := `{"credential":"` + tr.demo.google.Token("ada@example.com", tr.beginSignIn(tr.t, tr.admin)) + `"}`
	event := tr.demo.google.SecurityEvent(googlesession.ChangeSessionsRevoked, "ada@example.com")
	back := tr.backFromGoogle(tr.visitor, "", "email=ada%40example.com")
	name := "Sec-Secure-Session-Id: " + tr.refOf(tr.admin)
	require.NoError(tr.t, tr.stores.close())
	tr.walk(
		step{tr.visitor, "GET " + back, "", 503, ""},
		step{tr.admin, "POST /api/login", credential, 503, ""},
		step{tr.visitor, "POST /api/security-events", event, 503, asEvent},
		step{tr.admin, "POST /api/dbsc/refresh", "", 503, name},
		step{tr.visitor, "POST " + demoEvent, `{"email":"ada@example.com","type":"sessions-revoked"}`, 503, ""},
	)
	for name, o := range tr.operations {
		if _, documented := o.Responses["503"]; documented && !tr.seen[name+" 503"] {
			tr.walk(step{tr.admin, examplePath(name), "", 503, ""})
			if o.isGuarded() || name == "POST /api/logout" { // the other routes answer programs only
				tr.walkInWindow(o, step{tr.admin, examplePath(name), "", 503, ""})
			}
		}
	}
}

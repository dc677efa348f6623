package main

import (
	"bufio"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
)

// openBrowser opens a browser inside the program.
func (s *server) openBrowser(t *testing.T, browser *http.Client, body string) *demoBrowser {
	t.Helper()
	res := s.request(t, browser, http.MethodPost, "/demo/browsers", body)
	require.Equal(t, http.StatusCreated, res.status, res.body)
	b := &demoBrowser{}
	require.NoError(t, json.Unmarshal([]byte(res.body), b))
	return b
}

// sendFrom lets a browser inside the program send a request.
func (s *server) sendFrom(t *testing.T, browser *http.Client, id, method, path, body string) (x exchange) {
	t.Helper()
	res := s.request(t, browser, http.MethodPost, "/demo/browsers/"+id+"/send",
		toJSON(t, map[string]string{"method": method, "path": path, "body": body}))
	require.Equal(t, http.StatusOK, res.status, res.body)
	require.NoError(t, json.Unmarshal([]byte(res.body), &x))
	return x
}

func (s *server) stealCookie(t *testing.T, browser *http.Client, body string) (thief string) {
	t.Helper()
	res := s.request(t, browser, http.MethodPost, "/demo/thief", body)
	require.Equal(t, http.StatusCreated, res.status, res.body)
	var copied struct{ ID string }
	require.NoError(t, json.Unmarshal([]byte(res.body), &copied))
	return copied.ID
}

func (s *server) replay(t *testing.T, browser *http.Client, thief string) (x exchange) {
	t.Helper()
	res := s.request(t, browser, http.MethodPost, "/demo/thief/send", `{"id":"`+thief+`"}`)
	require.Equal(t, http.StatusOK, res.status, res.body)
	require.NoError(t, json.Unmarshal([]byte(res.body), &x))
	return x
}

// A demoEvents is the stream of what a browser inside the program experiences.
type demoEvents struct{ lines *bufio.Reader }

// experience has the members of both kinds of events.
type experience struct {
	Kind         string
	Method, Path string
	Status       int
	Code         string
	MS           *float64
}

func (s *server) followBrowser(t *testing.T, browser *http.Client, id string, headers ...string) demoEvents {
	t.Helper()
	url := strings.Replace(s.url, "http://", "https://", 1) + "/demo/browsers/" + id + "/events"
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	setHeaders(r, headers...)
	res, err := browser.Do(r)
	require.NoError(t, err)
	t.Cleanup(func() { _ = res.Body.Close() })
	require.Equal(t, http.StatusOK, res.StatusCode)
	require.Equal(t, "text/event-stream", res.Header.Get("Content-Type"))
	return demoEvents{bufio.NewReader(res.Body)}
}

// next waits for the next event, and returns false at the end of the stream.
func (d demoEvents) next(t *testing.T) (e experience, ok bool) {
	t.Helper()
	for {
		line, err := d.lines.ReadString('\n')
		if err != nil {
			return e, false
		}
		if kind, ok := strings.CutPrefix(line, "event: "); ok {
			e.Kind = strings.TrimSpace(kind)
		}
		if data, ok := strings.CutPrefix(line, "data: "); ok {
			require.NoError(t, json.Unmarshal([]byte(data), &e))
			return e, true
		}
	}
}

// until waits for an event of the kind and of the path, if it is not "".
func (d demoEvents) until(t *testing.T, kind, path string) experience {
	t.Helper()
	for {
		e, ok := d.next(t)
		require.True(t, ok, "the stream has ended without %s %s", kind, path)
		if e.Kind == kind && (path == "" || e.Path == path) {
			return e
		}
	}
}

// A browser inside the program learns at once that its session has ended, whatever ended it.
func TestDemoBrowserSeesItsSessionEnd(t *testing.T) {
	for name, db := range testDatabases(t) {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, "-db", db)
			ada := newBrowser(t)
			require.Equal(t, http.StatusOK, s.signInWith(ada, "ada@example.com").status)
			bobs := s.demo.google.Subject("bob@example.com")
			for _, tt := range []struct {
				name, method, path, body string
				code                     googlesession.Code
			}{
				{"a user ends the session", "DELETE", "/api/sessions/{session}", "", googlesession.CodeSessionRevoked},
				{"an administrator ends all sessions", "DELETE", "/api/admin/users/{user}/sessions", "", googlesession.CodeSessionRevoked},
				{"Google reports a hijacked account", "POST", demoEvent, `{"email":"bob@example.com","type":"sessions-revoked"}`, googlesession.CodeSessionRevoked},
				{"an administrator disables the user", "PATCH", "/api/admin/users/{user}", `{"disabled":true}`, googlesession.CodeUserDisabled},
				{"an administrator deletes the user", "DELETE", "/api/admin/users/{user}", "", googlesession.CodeNoSession},
			} {
				t.Run(tt.name, func(t *testing.T) {
					owner, email := ada, `{}`
					if !strings.Contains(tt.path, "{session}") {
						owner, email = s.admin, `{"email":"bob@example.com"}`
					}
					b := s.openBrowser(t, owner, email)
					events := s.followBrowser(t, owner, b.ID)
					require.Equal(t, http.StatusOK, events.until(t, "request", "/api/live").Status)
					path := strings.NewReplacer("{session}", b.Session, "{user}", bobs).Replace(tt.path)
					res := s.request(t, owner, tt.method, path, tt.body)
					require.Less(t, res.status, 300, res.body)
					ended := events.until(t, "ended", "")
					require.NotEmpty(t, ended.Code)
					require.NotNil(t, ended.MS, "the time is measured")
					require.Less(t, *ended.MS, float64(liveRecheck.Milliseconds()))
					require.Equal(t, http.StatusUnauthorized, events.until(t, "request", "/api/user").Status)
					if tt.name == "an administrator disables the user" {
						s.changeAccess(bobs, `{"disabled":false}`)
					}
				})
			}
		})
	}
}

// The tour's sixth step: a browser of an administrator disables another user.
func TestDemoBrowserSendsRequests(t *testing.T) {
	s := newSite(t, "-db", "memory")
	ada := newBrowser(t)
	require.Equal(t, http.StatusOK, s.signInWith(ada, "ada@example.com").status)
	admin, bob := s.openBrowser(t, ada, `{"email":"`+demoAdmin+`"}`), s.openBrowser(t, ada, `{"email":"bob@example.com"}`)
	events := s.followBrowser(t, ada, bob.ID)
	events.until(t, "request", "/api/live")

	x := s.sendFrom(t, ada, admin.ID, "PATCH", "/api/admin/users/"+bob.User, `{"disabled":true}`)
	require.Equal(t, http.StatusOK, x.Status, x.Answer)
	require.Contains(t, x.Request, "PATCH /api/admin/users/"+bob.User+" HTTP/1.1\nHost: ")
	require.Contains(t, x.Request, "\n\n"+`{"disabled":true}`)
	require.Contains(t, x.Answer, "HTTP/1.1 200 OK\nContent-Type: application/json\n\n{")
	events.until(t, "ended", "")

	x = s.sendFrom(t, ada, admin.ID, "GET", "/api/sessions", "")
	require.Contains(t, x.Answer, `"ip":"192.0.2.1"`, "the page tells these browsers from real ones by their address")
	x = s.sendFrom(t, ada, bob.ID, "PATCH", "/api/admin/users/"+bob.User, `{"disabled":false}`)
	require.Equal(t, http.StatusUnauthorized, x.Status, x.Answer)
	res := s.request(t, ada, http.MethodPost, "/demo/browsers", `{"email":"bob@example.com"}`)
	require.Equal(t, http.StatusConflict, res.status)
	require.Equal(t, "sign_in_refused", problemCode(t, res))
}

// A request from a browser inside the program reaches the API of this program only.
func TestDemoBrowserReachesTheAPIOnly(t *testing.T) {
	s := newSite(t, "-db", "memory")
	b := s.openBrowser(t, s.admin, `{}`)
	for _, tt := range []struct{ name, method, path string }{
		{"another host", "GET", "http://169.254.169.254/api/latest"},
		{"another host with a scheme-relative address", "GET", "//evil.example/api/"},
		{"backslashes", "GET", `\\evil.example\api\`},
		{"a user name", "GET", "@evil.example/api/"},
		{"a host after /api", "GET", "/api@evil.example/"},
		{"metrics", "GET", "/metrics"},
		{"demo", "POST", "/demo/outage"},
		{"dot segments", "GET", "/api/../metrics"},
		{"escaped dot segments", "GET", "/api/%2e%2e/metrics"},
		{"dot segments behind an escaped slash", "GET", "/api/%2f../../metrics"},
		{"doubled slash", "GET", "/api//user"},
		{"folder above", "GET", "/api/.."},
		{"upper case", "GET", "/API/user"},
		{"only /api", "GET", "/api"},
		{"line end", "GET", "/api/user HTTP/1.1\r\nX: y"},
		{"nothing", "GET", ""},
		{"another method", "CONNECT", "/api/user"},
		{"no method", "", "/api/user"},
		{"method with a line end", "GET\r\n", "/api/user"},
	} {
		res := s.request(t, s.admin, http.MethodPost, "/demo/browsers/"+b.ID+"/send",
			toJSON(t, map[string]string{"method": tt.method, "path": tt.path}))
		require.Equal(t, http.StatusBadRequest, res.status, "%s: %s", tt.name, res.body)
	}
	x := s.sendFrom(t, s.admin, b.ID, "GET", "/api/nothing?x=/../", "")
	require.Equal(t, http.StatusNotFound, x.Status)
	x = s.sendFrom(t, s.admin, b.ID, "GET", "/api/live", "")
	require.Equal(t, "HTTP/1.1 200 OK\nContent-Type: text/event-stream\n", x.Answer, "a stream is not read")
}

// A browser belongs to the session that has opened it, also if the same user has others.
func TestDemoBrowserBelongsToItsSession(t *testing.T) {
	s := newSite(t, "-db", "memory")
	b := s.openBrowser(t, s.admin, `{}`)
	other := newBrowser(t)
	require.Equal(t, http.StatusOK, s.signInWith(other, demoAdmin).status)
	for _, request := range []struct{ method, path, body string }{
		{"POST", "/demo/browsers/" + b.ID + "/send", `{"method":"GET","path":"/api/user"}`},
		{"GET", "/demo/browsers/" + b.ID + "/events", ""},
		{"POST", demoThiefPath, `{"browser":"` + b.ID + `"}`},
		{"DELETE", "/demo/browsers/" + b.ID, ""},
	} {
		res := s.request(t, other, request.method, request.path, request.body)
		require.Equal(t, http.StatusNotFound, res.status, request.path)
		res = s.request(t, newBrowser(t), request.method, request.path, request.body)
		require.Equal(t, http.StatusUnauthorized, res.status, request.path)
	}
	require.Equal(t, http.StatusOK, s.sendFrom(t, s.admin, b.ID, "GET", "/api/user", "").Status)
}

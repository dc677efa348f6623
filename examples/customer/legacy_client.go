package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
)

// This example re-implements an older system, whose client does not send a nonce. So only
// a server with -skip-nonce serves that client. The client posts Google's credential
// response as JSON text, but with the Content-Type of a form, and it reads the e-mail
// address in Authenticated_as from the answer. It signs out with a GET. All its other
// requests work as with the older system. The client is on another origin of the same site,
// so the server needs -origins, too.

// serveLegacyLogin wraps library, which is the library's handler of POST /api/login, for
// the client of the older system.
func serveLegacyLogin(library http.Handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
			// A form from Google begins with a name, so a body that begins with a brace is
			// JSON. It is safe to change the Content-Type to JSON, because the library
			// still checks Origin and Sec-Fetch-Site.
			body := bufio.NewReader(r.Body)
			if first, _ := body.Peek(1); string(first) == "{" {
				r = r.Clone(r.Context())
				r.Header.Set("Content-Type", "application/json")
			}
			r.Body = struct {
				io.Reader
				io.Closer
			}{body, r.Body}
		}
		answer := &bufferedResponse{ResponseWriter: w, status: http.StatusOK}
		library.ServeHTTP(answer, r)
		answer.send()
	}
}

// A bufferedResponse keeps the library's answer until send writes it. The method send adds
// the member Authenticated_as if the sign-in has succeeded.
type bufferedResponse struct {
	http.ResponseWriter

	status int
	body   bytes.Buffer
}

func (a *bufferedResponse) WriteHeader(status int) { a.status = status }

func (a *bufferedResponse) Write(b []byte) (int, error) { return a.body.Write(b) }

func (a *bufferedResponse) send() {
	user := map[string]any{}
	if a.status == http.StatusOK && json.Unmarshal(a.body.Bytes(), &user) == nil {
		user["Authenticated_as"] = user["username"]
		writeBody(a.ResponseWriter, a.status, user)
		return
	}
	a.ResponseWriter.WriteHeader(a.status)
	_, _ = a.ResponseWriter.Write(a.body.Bytes())
}

// serveLegacyLogout wraps library, which is the library's handler of /api/logout. It answers
// a GET as it answers a POST if a page on one of the origins has sent it. A page of any other
// site can make the browser send a GET, too, for example as an image. But a browser adds the
// Origin of the page only to a request of a script, and the page cannot choose it. So a GET
// without an Origin, or with another, is 405.
func serveLegacyLogout(origins []string, library http.Handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		origin := r.Header["Origin"]
		if r.Method == http.MethodGet && len(origin) == 1 && slices.Contains(origins, origin[0]) {
			r = r.Clone(r.Context())
			r.Method = http.MethodPost
		}
		library.ServeHTTP(w, r)
	}
}

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
)

// This example re-implements an older system, whose client does not know of a nonce. So
// the client is served with -skip-nonce only. It posts Google's credential response as
// JSON text, but with the Content-Type of a form, and it reads Authenticated_as from the
// answer. All its other requests work as before, except GET /api/logout/. Signing out
// needs a POST, because every page can send a GET.

// serveLegacyLogin wraps library, the handler of POST /api/login, for that client.
func serveLegacyLogin(library http.Handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
			// A form from Google begins with a name, so a body that begins with a brace is
			// JSON. Relabelling it is safe, because the library still checks Origin and
			// Sec-Fetch-Site.
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

// A bufferedResponse keeps the answer until send, which may add a member.
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
		user["Authenticated_as"] = user["name"]
		writeBody(a.ResponseWriter, a.status, user)
		return
	}
	a.ResponseWriter.WriteHeader(a.status)
	_, _ = a.ResponseWriter.Write(a.body.Bytes())
}

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
)

// The client of the system that this example re-implements knows of no nonce, so it is
// served with -skip-nonce only. It posts Google's credential response as JSON text,
// which its HTTP library labels as a form, and it looks for Authenticated_as in the
// answer. Everything else it finds where it is used to, but GET /api/logout/: any page
// can send a GET.

// serveLegacyLogin puts library, POST /api/login, behind what that client expects.
func serveLegacyLogin(library http.Handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
			// A form of Google's begins with a name. That the page is one of ours is
			// still for Origin and Sec-Fetch-Site to tell, which the library compares.
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

// A bufferedResponse waits for what may have to be added.
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

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession/examples/customer/internal/openapicheck"
)

// A contractCheck compares the answers of a server with the document that it serves, and
// records which answers it has seen.
type contractCheck struct {
	t          *testing.T
	operations map[string]operation // by method and path, such as "GET /api/user"
	paths      *http.ServeMux       // the document's paths, whose spelling ServeMux shares
	document   *openapicheck.Checker
	seen       map[string]bool // by method, path and status, such as "GET /api/user 200"
}

type operation struct {
	Security  []map[string]any    // nil means the document's default, which is a session
	Responses map[string]response // by status
}

// isGuarded reports whether a client on another machine needs a session.
func (o operation) isGuarded() bool { return o.Security == nil || len(o.Security) > 0 }

type response struct {
	Ref              string `json:"$ref"`
	MayBeEmpty       bool   `json:"x-may-be-empty"` // the validator has no word for a body that may be absent
	Content, Headers map[string]any
}

// commonHeaders are headers that every answer may have. The document does not repeat
// them.
var commonHeaders = []string{
	"Content-Security-Policy", "Cross-Origin-Opener-Policy", "Referrer-Policy", "X-Content-Type-Options",
	"Accept-Ranges", "Cross-Origin-Resource-Policy", "X-Frame-Options",
}

func newContractCheck(t *testing.T, document []byte) *contractCheck {
	t.Helper()
	checker, err := openapicheck.New(document, commonHeaders...)
	require.NoError(t, err)
	c := &contractCheck{t: t, operations: map[string]operation{}, paths: http.NewServeMux(), document: checker, seen: map[string]bool{}}
	var d struct {
		Paths      map[string]map[string]json.RawMessage
		Components struct{ Responses map[string]response }
	}
	require.NoError(t, json.Unmarshal(document, &d))
	for path, item := range d.Paths {
		c.paths.Handle(path, http.NotFoundHandler())
		delete(item, "parameters")
		for method, text := range item {
			var o operation
			require.NoError(t, json.Unmarshal(text, &o))
			for status, r := range o.Responses {
				if name, ok := strings.CutPrefix(r.Ref, "#/components/responses/"); ok {
					o.Responses[status] = d.Components.Responses[name]
				}
			}
			c.operations[strings.ToUpper(method)+" "+path] = o
		}
	}
	return c
}

// browser returns a new browser whose requests and answers are checked.
func (c *contractCheck) browser() *http.Client {
	b := newBrowser(c.t)
	send := b.Transport
	b.Transport = roundTripper(func(r *http.Request) (*http.Response, error) {
		var sent []byte
		if r.Body != nil {
			sent, _ = io.ReadAll(r.Body)
			r.Body = io.NopCloser(bytes.NewReader(sent))
		}
		res, err := send.RoundTrip(r)
		if err == nil {
			c.check(r, sent, res, readBeginning(c.t, res))
		}
		return res, err
	})
	return b
}

// readBeginning returns the body and leaves it for the caller to read again. For an event
// stream it returns the part that has arrived.
func readBeginning(t *testing.T, res *http.Response) []byte {
	t.Helper()
	if res.Header.Get("Content-Type") == "text/event-stream" {
		body := bufio.NewReader(res.Body)
		_, err := body.Peek(1)
		require.NoError(t, err)
		res.Body = struct {
			io.Reader
			io.Closer
		}{body, res.Body}
		text, _ := body.Peek(body.Buffered())
		return text
	}
	text, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	res.Body = io.NopCloser(bytes.NewReader(text))
	return text
}

// check compares an answer with the document. If the request succeeded, it also compares
// the request.
func (c *contractCheck) check(r *http.Request, sent []byte, res *http.Response, received []byte) {
	c.t.Helper()
	name := r.Method + " " + c.documentedPath(r)
	if res.StatusCode == http.StatusMethodNotAllowed {
		require.Equal(c.t, c.allowedMethods(c.documentedPath(r)), res.Header.Get("Allow"), name)
		return
	}
	status := strconv.Itoa(res.StatusCode)
	documented, ok := c.operations[name].Responses[status]
	require.True(c.t, ok, "%s %s is not in the document\n%s", name, status, received)
	copied := &http.Response{StatusCode: res.StatusCode, Header: res.Header, Body: io.NopCloser(bytes.NewReader(received))}
	isEmpty := documented.MayBeEmpty && len(received) == 0
	if !isEmpty {
		require.Empty(c.t, c.document.Response(r, copied), "%s %s\n%s", name, status, received)
	}
	// The validator does not check the following.
	if len(received) > 0 && res.StatusCode/100 != 3 {
		media, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type"))
		require.Contains(c.t, documented.Content, media, "%s %s", name, status)
	}
	if res.Header.Get("Set-Cookie") != "" {
		require.Contains(c.t, documented.Headers, "Set-Cookie", "%s %s sets a cookie", name, status)
	}
	if res.StatusCode/100 != 3 && !isEmpty { // a redirect may have a short body for clients that do not follow it
		require.Equal(c.t, len(documented.Content) > 0, len(received) > 0, "%s %s has a body", name, status)
	}
	if res.StatusCode < 300 {
		asked := r.Clone(r.Context())
		asked.Body = io.NopCloser(bytes.NewReader(sent))
		require.Empty(c.t, c.document.Request(asked), "%s was not refused\n%s", name, sent)
	}
	c.seen[name+" "+status] = true
}

// documentedPath returns the path of the document that the request matches.
func (c *contractCheck) documentedPath(r *http.Request) string {
	r = r.Clone(r.Context())
	r.URL.Path = strings.TrimSuffix(r.URL.Path, "/")
	_, path := c.paths.Handler(r)
	return path
}

// allowedMethods returns the Allow header for a path of the document.
func (c *contractCheck) allowedMethods(path string) string {
	var list []string
	for _, method := range []string{"GET", "HEAD", "POST", "PATCH", "DELETE"} {
		documented := method
		if method == "HEAD" {
			documented = "GET"
		}
		if _, ok := c.operations[documented+" "+path]; ok {
			list = append(list, method)
		}
	}
	return strings.Join(list, ", ")
}

// requireComplete fails if the document has an answer that check has not seen.
func (c *contractCheck) requireComplete() {
	c.t.Helper()
	unseen := []string{}
	for name, o := range c.operations {
		for status := range o.Responses {
			if !c.seen[name+" "+status] {
				unseen = append(unseen, name+" "+status)
			}
		}
	}
	require.Empty(c.t, unseen, "the document has answers that no request got")
}

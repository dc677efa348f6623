package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"
	"github.com/pb33f/libopenapi-validator/config"
	"github.com/pb33f/libopenapi-validator/errors"
	"github.com/stretchr/testify/require"
)

// A contractCheck compares what a server answers with the document that it serves, and
// remembers what it has seen.
type contractCheck struct {
	t          *testing.T
	operations map[string]operation // by "GET /api/user"
	paths      *http.ServeMux       // of the document, which have ServeMux's spelling
	answers    validator.Validator  // knows no member and no header that is not in the document
	requests   validator.Validator
	seen       map[string]bool // "GET /api/user 200"
}

type operation struct {
	Security  []map[string]any    // nil: the document's, a session
	Responses map[string]response // by status
}

// isGuarded: from elsewhere a session is needed.
func (o operation) isGuarded() bool { return o.Security == nil || len(o.Security) > 0 }

type response struct {
	Ref              string `json:"$ref"`
	Content, Headers map[string]any
}

// commonHeaders are headers that every answer has, or that HTTP has a say in.
var commonHeaders = []string{
	"Content-Security-Policy", "Cross-Origin-Opener-Policy", "Referrer-Policy", "X-Content-Type-Options",
	"Accept-Ranges",
}

func newContractCheck(t *testing.T, document []byte) *contractCheck {
	t.Helper()
	parsed, err := libopenapi.NewDocument(document)
	require.NoError(t, err)
	c := &contractCheck{t: t, operations: map[string]operation{}, paths: http.NewServeMux(), seen: map[string]bool{}}
	var errs []error
	c.answers, errs = validator.NewValidator(parsed, config.WithFormatAssertions(),
		config.WithStrictMode(), config.WithStrictIgnoredHeadersExtra(commonHeaders...))
	require.Empty(t, errs)
	c.requests, errs = validator.NewValidator(parsed, config.WithURLEncodedBodyValidation())
	require.Empty(t, errs)
	ok, problems := c.requests.ValidateDocument()
	require.True(t, ok, describeErrors(problems))

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

// browser is newBrowser whose requests and answers are checked.
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

// readBeginning returns the body, and leaves it for others to read. Of an event stream it is
// what has arrived.
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

// check asks the document about an answer, and if the server has done what it was asked
// for, about the request as well.
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
	ok, problems := c.answers.ValidateHttpResponse(r, copied)
	require.True(c.t, ok, "%s %s\n%s%s", name, status, describeErrors(problems), received)
	// The validator lets these pass.
	if res.Header.Get("Set-Cookie") != "" {
		require.Contains(c.t, documented.Headers, "Set-Cookie", "%s %s sets a cookie", name, status)
	}
	if res.StatusCode/100 != 3 { // which may have a line for browsers that do not follow
		require.Equal(c.t, len(documented.Content) > 0, len(received) > 0, "%s %s has a body", name, status)
	}
	if res.StatusCode < 300 {
		asked := r.Clone(r.Context())
		asked.Body = io.NopCloser(bytes.NewReader(sent))
		ok, problems := c.requests.ValidateHttpRequest(asked)
		require.True(c.t, ok, "%s was not refused\n%s%s", name, describeErrors(problems), sent)
	}
	c.seen[name+" "+status] = true
}

// documentedPath is the one of the document that the request matches.
func (c *contractCheck) documentedPath(r *http.Request) string {
	r = r.Clone(r.Context())
	r.URL.Path = strings.TrimSuffix(r.URL.Path, "/")
	_, path := c.paths.Handler(r)
	return path
}

// allowedMethods is the Allow of a 405.
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

// requireComplete fails for what is documented and was not seen.
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
	require.Empty(c.t, unseen, "the document has answers that nobody got")
}

func describeErrors(problems []*errors.ValidationError) string {
	var text strings.Builder
	for _, p := range problems {
		fmt.Fprintln(&text, p.Message, "-", p.Reason)
		for _, s := range p.SchemaValidationErrors {
			fmt.Fprintln(&text, " ", s.FieldPath, s.Reason)
		}
	}
	return text.String()
}

// Package openapicheck compares requests and answers with an OpenAPI document. It is for
// tests.
//
// It is a package of its own, because every package that imports the validator takes most of
// a minute to compile. No type of the validator is in its API.
package openapicheck

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"
	"github.com/pb33f/libopenapi-validator/config"
	validation "github.com/pb33f/libopenapi-validator/errors"
)

// A Checker compares requests and answers with one document.
type Checker struct {
	request  func(*http.Request) string
	response func(*http.Request, *http.Response) string
}

// New returns a Checker for a document in JSON or YAML. Answers may have headers that the
// document does not list if they are in headers. The error says what is wrong with the
// document.
func New(document []byte, headers ...string) (*Checker, error) {
	parsed, err := libopenapi.NewDocument(document)
	if err != nil {
		return nil, err
	}
	answers, errs := validator.NewValidator(parsed, config.WithFormatAssertions(),
		config.WithStrictMode(), config.WithStrictIgnoredHeadersExtra(headers...))
	requests, more := validator.NewValidator(parsed, config.WithURLEncodedBodyValidation())
	if err := errors.Join(append(errs, more...)...); err != nil {
		return nil, err
	}
	if ok, problems := requests.ValidateDocument(); !ok {
		return nil, errors.New(describe(problems))
	}
	return &Checker{
		request: func(r *http.Request) string {
			_, problems := requests.ValidateHttpRequest(r)
			return describe(problems)
		},
		response: func(r *http.Request, res *http.Response) string {
			_, problems := answers.ValidateHttpResponse(r, res)
			return describe(problems)
		},
	}, nil
}

// Request returns what the document does not allow in a request, or "".
func (c *Checker) Request(r *http.Request) string { return c.request(r) }

// Response returns what the document does not allow in the answer to a request, or "". An
// answer must not have members or headers that the document lacks.
func (c *Checker) Response(r *http.Request, res *http.Response) string { return c.response(r, res) }

func describe(problems []*validation.ValidationError) string {
	var text strings.Builder
	for _, p := range problems {
		fmt.Fprintln(&text, p.Message, "-", p.Reason)
		for _, s := range p.SchemaValidationErrors {
			fmt.Fprintln(&text, " ", s.FieldPath, s.Reason)
		}
	}
	return text.String()
}

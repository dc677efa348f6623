package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"unicode/utf8"

	"github.com/googlesession/googlesession"
)

// maxBody is the largest body that readJSON accepts, in bytes.
const maxBody = 4 << 10

// readJSON reads a request body that is one JSON object. The keys of into are the names
// of the allowed members, and each value of into is a pointer to the variable for that
// member. A member may occur once at most and must have the type of its variable. A
// missing member leaves its variable unchanged. Every error is a Denial. If the object is
// not as it should be, the detail of the Denial quotes expected.
func readJSON(w http.ResponseWriter, r *http.Request, expected string, into map[string]any) error {
	if media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); media != "application/json" {
		return newDenial(http.StatusUnsupportedMediaType, googlesession.CodeUnsupportedMediaType, "Send application/json.")
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return newDenial(http.StatusRequestEntityTooLarge, googlesession.CodeBodyTooLarge, "The request is too large.")
	}
	if err != nil || !utf8.Valid(body) {
		return badRequest("The request is malformed.")
	}
	if err := decode(body, into); err != nil {
		return badRequest("Send " + expected + " and nothing else.")
	}
	return nil
}

var errMember = errors.New("a member is unknown, null or a duplicate")

// decode stores the members of the JSON object body in the variables of into. It is
// stricter than json.Unmarshal, which takes the last of two members with the same name,
// reads "EMAIL" as "email", and accepts null for every type.
func decode(body []byte, into map[string]any) error {
	decoder := json.NewDecoder(bytes.NewReader(body))
	if t, err := decoder.Token(); err != nil || t != json.Delim('{') {
		return errors.Join(err, errMember)
	}
	seen := make(map[any]bool)
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return err
		}
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return err
		}
		text, _ := name.(string)
		member, known := into[text]
		if !known || seen[name] || string(value) == "null" {
			return errMember
		}
		seen[name] = true
		if err := json.Unmarshal(value, member); err != nil {
			return err
		}
	}
	if _, err := decoder.Token(); err != nil { // reads the closing brace
		return err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errors.Join(err, errMember)
	}
	return nil
}

func badRequest(detail string) error {
	return newDenial(http.StatusBadRequest, googlesession.CodeBadRequest, detail)
}

func newDenial(status int, code googlesession.Code, detail string) error {
	return googlesession.Denial{Status: status, Code: code, Detail: detail}
}

// A fieldError is a Denial because of one field of a form. The answer names the field, so
// that a page can mark it.
type fieldError struct {
	googlesession.Denial
	field string
}

func (d fieldError) Unwrap() error { return d.Denial }

func badField(field, detail string) error {
	return fieldError{googlesession.Denial{Status: http.StatusBadRequest, Code: googlesession.CodeBadRequest, Detail: detail}, field}
}

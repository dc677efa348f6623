package main

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	maxName  = 100 // in characters
	maxEmail = 254 // RFC 5321, section 4.5.3.1.3, allows 256 bytes with the angle brackets
)

// readCustomer reads a customer without an ID from the body. The error is a Denial.
func readCustomer(w http.ResponseWriter, r *http.Request) (customer, error) {
	var in customer
	err := readJSON(w, r, `{"name":"…","email":"…"}`, map[string]any{"name": &in.Name, "email": &in.Email})
	if err == nil {
		in.Name, err = checkName(in.Name)
	}
	if err == nil {
		err = checkEmail(in.Email)
	}
	return in, err
}

// readCustomerChange reads a change of a customer from the body. The error is a Denial.
func readCustomerChange(w http.ResponseWriter, r *http.Request) (customerChange, error) {
	var c customerChange
	err := readJSON(w, r, `{"name":"…"}, {"email":"…"} or both`, map[string]any{"name": &c.name, "email": &c.email})
	if err == nil && c == (customerChange{}) {
		err = badRequest("Send a name, an e-mail address, or both.")
	}
	if err == nil && c.name != nil {
		*c.name, err = checkName(*c.name)
	}
	if err == nil && c.email != nil {
		err = checkEmail(*c.email)
	}
	return c, err
}

// checkName returns the name without blanks at its ends. A name needs a visible character,
// because people could neither read nor click it otherwise.
func checkName(name string) (string, error) {
	name = strings.TrimSpace(name)
	if utf8.RuneCountInString(name) > maxName || strings.ContainsFunc(name, unicode.IsControl) || !strings.ContainsFunc(name, isVisible) {
		return "", badField("name", "A customer has a name of 1 to 100 characters on one line, and at least one of them is visible.")
	}
	return name, nil
}

func checkEmail(email string) error {
	local, domain, _ := strings.Cut(email, "@")
	if local == "" || domain == "" || utf8.RuneCountInString(email) > maxEmail ||
		strings.ContainsAny(email, " <>") || strings.ContainsFunc(email, unicode.IsControl) {
		return badField("email", "A customer has an e-mail address of at most 254 characters.")
	}
	return nil
}

// isVisible reports whether a font shows r by itself. Unicode has letters that fonts leave
// blank, such as U+3164, and lists most of them as ignorable by default (Unicode Standard,
// section 5.21). It does not list the empty pattern of Braille and the null notehead.
func isVisible(r rune) bool {
	const emptyBraille, nullNotehead = 0x2800, 0x1D159
	return unicode.In(r, unicode.L, unicode.N, unicode.P, unicode.S) &&
		!unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r) && r != emptyBraille && r != nullNotehead
}

// requestDigest returns a text that is the same for a request that a client repeats because
// it has not seen the answer. The header Idempotency-Key tells such a request from one for a
// customer with the same name and address. Without the header the digest is "". The digest
// covers the user, so that a user cannot see a customer by guessing another user's key.
func requestDigest(r *http.Request, parts ...string) (string, error) {
	key := r.Header.Get("Idempotency-Key")
	if key == "" {
		return "", nil
	}
	if len(key) > 200 || strings.ContainsFunc(key, func(r rune) bool { return r < '!' || r > '~' }) {
		return "", badRequest("The header Idempotency-Key has at most 200 characters, which are visible ASCII characters.")
	}
	sum := sha256.Sum256([]byte(strings.Join(append(parts, key), "\x00"))) // neither part contains a NUL
	return hex.EncodeToString(sum[:]), nil
}

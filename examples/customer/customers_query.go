package main

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A customerQuery chooses customers, their order, and a page of them.
type customerQuery struct {
	text  string // a part of the name or of the address, as foldCase returns it; "" chooses all
	sort  string // a key of customerOrders
	page  int64  // from 1
	limit int64  // of customers on a page, at least 1
}

func (q *customerQuery) offset() int64 { return (q.page - 1) * q.limit }

// customerOrders maps each value of the parameter sort to the clause of SQL. The ID decides
// between equal keys, so that each customer is on exactly one page.
var customerOrders = map[string]string{
	"id":     ` ORDER BY id LIMIT ? OFFSET ?`,
	"-id":    ` ORDER BY id DESC LIMIT ? OFFSET ?`,
	"name":   ` ORDER BY name_key, id LIMIT ? OFFSET ?`,
	"-name":  ` ORDER BY name_key DESC, id DESC LIMIT ? OFFSET ?`,
	"email":  ` ORDER BY email_key, id LIMIT ? OFFSET ?`,
	"-email": ` ORDER BY email_key DESC, id DESC LIMIT ? OFFSET ?`,
}

// maxPageNumber keeps offset from overflowing.
const maxPageNumber = 1_000_000_000

// readCustomerQuery reads the parameters of the list. The error is a Denial. A parameter
// that would have no effect is an error, because the caller expects one.
func readCustomerQuery(r *http.Request) (customerQuery, error) {
	q := customerQuery{sort: "id", page: 1}
	limit, err := pageSize(r, 100)
	if err != nil {
		return q, err
	}
	q.limit = int64(limit)
	params, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return q, badRequest("The query is malformed.")
	}
	for name, values := range params {
		if len(values) > 1 {
			return q, badRequest("A parameter of the list occurs twice.")
		}
		if err := q.set(name, values[0]); err != nil {
			return q, err
		}
	}
	return q, nil
}

// set sets the value of one parameter. It leaves limit to pageSize.
func (q *customerQuery) set(name, value string) error {
	switch name {
	case "limit":
	case "q":
		if !utf8.ValidString(value) || utf8.RuneCountInString(value) > maxEmail || strings.ContainsFunc(value, unicode.IsControl) {
			return badRequest("The parameter q is one line of at most 254 characters.")
		}
		q.text = foldCase(value)
	case "sort":
		if customerOrders[value] == "" {
			return badRequest("The parameter sort is id, name or email, with a minus in front for the reverse order.")
		}
		q.sort = value
	case "page":
		n, err := strconv.ParseInt(value, 10, 64)
		if err != nil || n < 1 || n > maxPageNumber {
			return badRequest("The parameter page is a number from 1.")
		}
		q.page = n
	default:
		return badRequest("The parameters of the list are q, sort, page and limit.")
	}
	return nil
}

// foldCase returns s without differences of case, for searching and sorting. The stores keep
// its results, because each database has its own idea of case. Going over upper case makes
// the same letter of s and ſ, and of σ and ς.
func foldCase(s string) string {
	return strings.Map(func(r rune) rune { return unicode.ToLower(unicode.ToUpper(r)) }, s)
}

package main

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCustomers(t *testing.T) {
	for _, db := range []string{"memory", tempDB(t)} {
		kind, _, _ := strings.Cut(db, ":")
		t.Run(kind, func(t *testing.T) {
			s := start(t, "-db", db)
			browser := newBrowser(t)
			require.Equal(t, http.StatusOK, s.signIn(t, browser, "ada@example.com").status)
			type list struct {
				Description string
				Results     []customer
			}
			read := func() (l list) {
				res := s.get(t, browser, "/api/customer/")
				require.Equal(t, http.StatusOK, res.status)
				require.NoError(t, json.Unmarshal([]byte(res.body), &l), res.body)
				return l
			}
			l := read()
			require.NotEmpty(t, l.Description)
			require.Len(t, l.Results, 20)
			require.Equal(t, customer{1, "Ada Lindqvist", "ada.lindqvist@example.com"}, l.Results[0])
			require.Equal(t, "Tomoko 山田", l.Results[19].Name)

			res := s.request(t, browser, http.MethodPost, "/api/customer", `{"name":"New <b>","email":"new@example.com"}`)
			require.Equal(t, http.StatusCreated, res.status, res.body)
			require.Equal(t, "/api/customer/21", res.header.Get("Location"))
			require.JSONEq(t, `{"id":21,"name":"New <b>","email":"new@example.com"}`, res.body)
			require.JSONEq(t, res.body, s.get(t, browser, "/api/customer/21").body)
			require.Equal(t, "New <b>", read().Results[20].Name)

			require.Equal(t, http.StatusNoContent, s.request(t, browser, http.MethodDelete, "/api/customer/21/", "").status)
			require.Equal(t, http.StatusNotFound, s.request(t, browser, http.MethodDelete, "/api/customer/21", "").status)
			require.Equal(t, http.StatusNotFound, s.get(t, browser, "/api/customer/21").status)
			res = s.request(t, browser, http.MethodPost, "/api/customer", `{"name":"Next","email":"next@example.com"}`)
			require.Equal(t, "/api/customer/22", res.header.Get("Location"), "an ID was used again")

			for _, got := range read().Results {
				res := s.request(t, browser, http.MethodDelete, "/api/customer/"+toJSON(t, got.ID), "")
				require.Equal(t, http.StatusNoContent, res.status)
			}
			require.JSONEq(t, `{"description":"All customers","results":[],"total":0,"page":1,"pages":1}`, s.get(t, browser, "/api/customer").body)
		})
	}
}

func TestCustomerRefusals(t *testing.T) {
	const good = `{"name":"New","email":"new@example.com"}`
	s := start(t, "-db", "memory")
	signedIn, visitor := newBrowser(t), newBrowser(t)
	require.Equal(t, http.StatusOK, s.signIn(t, signedIn, "ada@example.com").status)
	long := strings.Repeat("x", 101)
	tests := []struct {
		name    string
		browser *http.Client
		method  string
		path    string
		body    string
		header  string
		status  int
		code    string
	}{
		{"list by a visitor", visitor, "GET", "/api/customer", "", "", 401, "no_session"},
		{"get one by a visitor", visitor, "GET", "/api/customer/1", "", "", 401, "no_session"},
		{"create by a visitor", visitor, "POST", "/api/customer", good, "", 401, "no_session"},
		{"change by a visitor", visitor, "PATCH", "/api/customer/1", good, "", 401, "no_session"},
		{"change from another site", signedIn, "PATCH", "/api/customer/1", good, "Sec-Fetch-Site: cross-site", 403, "cross_origin"},
		{"delete by a visitor", visitor, "DELETE", "/api/customer/1", "", "", 401, "no_session"},
		{"create from another site", signedIn, "POST", "/api/customer", good, "Sec-Fetch-Site: cross-site", 403, "cross_origin"},
		{"delete from another site", signedIn, "DELETE", "/api/customer/1", "", "Sec-Fetch-Site: same-site", 403, "cross_origin"},

		{"put", signedIn, "PUT", "/api/customer", good, "", 405, "method_not_allowed"},
		{"delete all", signedIn, "DELETE", "/api/customer", "", "", 405, "method_not_allowed"},
		{"patch all", signedIn, "PATCH", "/api/customer", good, "", 405, "method_not_allowed"},
		{"post one", signedIn, "POST", "/api/customer/1/", good, "", 405, "method_not_allowed"},

		{"unknown id", signedIn, "GET", "/api/customer/999", "", "", 404, "not_found"},
		{"id zero", signedIn, "GET", "/api/customer/0", "", "", 404, "not_found"},
		{"id negative", signedIn, "GET", "/api/customer/-1", "", "", 404, "not_found"},
		{"id not a number", signedIn, "GET", "/api/customer/ada", "", "", 404, "not_found"},
		{"id in another spelling", signedIn, "GET", "/api/customer/01", "", "", 404, "not_found"},
		{"id with a sign", signedIn, "GET", "/api/customer/+1", "", "", 404, "not_found"},
		{"change of an unknown id", signedIn, "PATCH", "/api/customer/999", good, "", 404, "not_found"},
		{"id too long", signedIn, "DELETE", "/api/customer/99999999999999999999", "", "", 404, "not_found"},
		{"path below a customer", signedIn, "GET", "/api/customer/1/name", "", "", 404, "not_found"},

		{"key too long", signedIn, "POST", "/api/customer", good, "Idempotency-Key: " + strings.Repeat("k", 201), 400, "bad_request"},
		{"key with a blank", signedIn, "POST", "/api/customer", good, "Idempotency-Key: a b", 400, "bad_request"},

		{"change of nothing", signedIn, "PATCH", "/api/customer/1", `{}`, "", 400, "bad_request"},
		{"change to null", signedIn, "PATCH", "/api/customer/1", `{"name":null}`, "", 400, "bad_request"},
		{"change of the id", signedIn, "PATCH", "/api/customer/1", `{"id":2}`, "", 400, "bad_request"},
		{"change to a blank name", signedIn, "PATCH", "/api/customer/1", `{"name":" "}`, "", 400, "bad_request"},
		{"change to a bad address", signedIn, "PATCH", "/api/customer/1", `{"name":"N","email":"n"}`, "", 400, "bad_request"},

		{"form", signedIn, "POST", "/api/customer", "name=x", "Content-Type: application/x-www-form-urlencoded", 415, "unsupported_media_type"},
		{"no media type", signedIn, "POST", "/api/customer", good, "Content-Type: ", 415, "unsupported_media_type"},
		{"too large", signedIn, "POST", "/api/customer", `{"name":"` + strings.Repeat("x", 5000) + `"}`, "", 413, "body_too_large"},

		{"no body", signedIn, "POST", "/api/customer", "", "Content-Type: application/json", 400, "bad_request"},
		{"not JSON", signedIn, "POST", "/api/customer", "{", "", 400, "bad_request"},
		{"null", signedIn, "POST", "/api/customer", "null", "", 400, "bad_request"},
		{"array", signedIn, "POST", "/api/customer", "[" + good + "]", "", 400, "bad_request"},
		{"two values", signedIn, "POST", "/api/customer", good + good, "", 400, "bad_request"},
		{"unknown member", signedIn, "POST", "/api/customer", `{"id":1,"name":"N","email":"n@example.com"}`, "", 400, "bad_request"},
		{"wrong type", signedIn, "POST", "/api/customer", `{"name":1,"email":"n@example.com"}`, "", 400, "bad_request"},
		{"not UTF-8", signedIn, "POST", "/api/customer", "{\"name\":\"\xff\",\"email\":\"n@example.com\"}", "", 400, "bad_request"},
		{"no name", signedIn, "POST", "/api/customer", `{"email":"n@example.com"}`, "", 400, "bad_request"},
		{"blank name", signedIn, "POST", "/api/customer", `{"name":" ","email":"n@example.com"}`, "", 400, "bad_request"},
		{"long name", signedIn, "POST", "/api/customer", `{"name":"` + long + `","email":"n@example.com"}`, "", 400, "bad_request"},
		{"control character in name", signedIn, "POST", "/api/customer", `{"name":"a\u0000b","email":"n@example.com"}`, "", 400, "bad_request"},
		{"no address", signedIn, "POST", "/api/customer", `{"name":"N"}`, "", 400, "bad_request"},
		{"address without @", signedIn, "POST", "/api/customer", `{"name":"N","email":"n.example.com"}`, "", 400, "bad_request"},
		{"address with blank", signedIn, "POST", "/api/customer", `{"name":"N","email":"n n@example.com"}`, "", 400, "bad_request"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			res := s.request(t, tt.browser, tt.method, tt.path, tt.body, optionalHeader(tt.header)...)
			require.Equal(t, tt.status, res.status, "%s %s: %s", tt.method, tt.path, res.body)
			require.Equal(t, tt.code, problemCode(t, res))
			if tt.status == http.StatusMethodNotAllowed {
				require.NotEmpty(t, res.header.Get("Allow"))
			}
		})
	}
	require.Contains(t, s.get(t, signedIn, "/api/customer").body, `{"id":1,"name":"Ada Lindqvist","email":"ada.lindqvist@example.com"}`)
	require.NotContains(t, s.get(t, signedIn, "/api/customer").body, `"id":21`)
}

// A refusal names the field that the page has to mark.
func TestCustomerFields(t *testing.T) {
	s := start(t, "-db", "memory")
	browser := newBrowser(t)
	require.Equal(t, http.StatusOK, s.signIn(t, browser, "ada@example.com").status)
	const address = "n@example.com"
	tests := []struct {
		title, name, email string
		field              string // "" if the customer is accepted
	}{
		{"blanks around the name", " \u3000Ada\u00a0 ", address, ""},
		{"emoji", "🧑🏽‍🚀", address, ""},
		{"100 characters", strings.Repeat("ä", 100), address, ""},
		{"right to left", "ليلى", address, ""},
		{"254 characters", "N", strings.Repeat("x", 254-len(address)) + address, ""},
		{"no name", "", address, "name"},
		{"101 characters", strings.Repeat("ä", 101), address, "name"},
		{"two lines", "a\nb", address, "name"},
		{"blanks", " \u3000\u00a0\u2003", address, "name"},
		{"zero width space", "\u200b", address, "name"},
		{"word joiner and byte order mark", "\u2060\ufeff", address, "name"},
		{"Hangul filler", "\u3164", address, "name"},
		{"other Hangul fillers", "\u115f\u1160\uffa0", address, "name"},
		{"empty Braille", "\u2800", address, "name"},
		{"null notehead", "\U0001D159", address, "name"},
		{"variation selector", "\ufe0f\U000e0100", address, "name"},
		{"combining mark alone", "\u0301", address, "name"},
		{"tags", "\U000e0041", address, "name"},
		{"direction marks", "\u200e\u202e", address, "name"},
		{"no address", "N", "", "email"},
		{"255 characters", "N", strings.Repeat("x", 255-len(address)) + address, "email"},
		{"nothing before the @", "N", "@example.com", "email"},
		{"nothing behind the @", "N", "n@", "email"},
		{"brackets", "N", "<n@example.com>", "email"},
		{"line end in the address", "N", "n@example.com\n", "email"},
		{"both", " ", "n", "name"},
	}
	for _, tt := range tests {
		t.Run(tt.title, func(t *testing.T) {
			body := toJSON(t, map[string]string{"name": tt.name, "email": tt.email})
			for method, path := range map[string]string{http.MethodPost: "/api/customer", http.MethodPatch: "/api/customer/2"} {
				res := s.request(t, browser, method, path, body)
				if tt.field == "" {
					require.Less(t, res.status, 300, res.body)
					var c customer
					require.NoError(t, json.Unmarshal([]byte(res.body), &c))
					require.Equal(t, strings.TrimSpace(tt.name), c.Name)
					continue
				}
				require.Equal(t, "bad_request", problemCode(t, res), "%s %q", method, tt.name)
				var problem struct{ Field string }
				require.NoError(t, json.Unmarshal([]byte(res.body), &problem))
				require.Equal(t, tt.field, problem.Field)
			}
		})
	}
}

// A change sets the fields that it has, and is in the audit.
func TestChangeCustomer(t *testing.T) {
	for name, db := range testDatabases(t) {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, "-db", db)
			for _, tt := range []struct{ body, want string }{
				{`{"name":" Ada King "}`, `{"id":1,"name":"Ada King","email":"ada.lindqvist@example.com"}`},
				{`{"name":"Ada King"}`, `{"id":1,"name":"Ada King","email":"ada.lindqvist@example.com"}`},
				{`{"email":"King@example.com"}`, `{"id":1,"name":"Ada King","email":"King@example.com"}`},
				{`{"name":"Zoë","email":"zoe@example.com"}`, `{"id":1,"name":"Zoë","email":"zoe@example.com"}`},
			} {
				res := s.request(t, s.admin, http.MethodPatch, "/api/customer/1", tt.body)
				require.Equal(t, http.StatusOK, res.status, res.body)
				require.JSONEq(t, tt.want, res.body)
				require.JSONEq(t, tt.want, s.get(t, s.admin, "/api/customer/1").body)
			}
			list := s.customers("?q=ZOË")
			require.Equal(t, []customer{{1, "Zoë", "zoe@example.com"}}, list.Results, "the search follows the change")
			require.Empty(t, s.customers("?q=lindqvist").Results)
			entries, _ := s.audit("?limit=1")
			require.Equal(t, "customer_changed", entries[0].Action)
			require.Equal(t, "1", entries[0].Target)
			require.Equal(t, s.demo.google.Subject(demoAdmin), entries[0].Actor)
		})
	}
}

// A repeated POST with the same key adds one customer, even if both arrive at once.
func TestRepeatedPost(t *testing.T) {
	for name, db := range testDatabases(t) {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, "-db", db)
			ada := newBrowser(t)
			require.Equal(t, http.StatusOK, s.signInWith(ada, "ada@example.com").status)
			post := func(browser *http.Client, name, key string) string {
				res := s.request(t, browser, http.MethodPost, "/api/customer", `{"name":"`+name+`","email":"n@example.com"}`, optionalHeader(key)...)
				require.Equal(t, http.StatusCreated, res.status, res.body)
				require.JSONEq(t, res.body, s.get(t, browser, res.header.Get("Location")).body)
				return res.header.Get("Location")
			}
			const one, two = "Idempotency-Key: 1b9d", "Idempotency-Key: 2c8e"
			first := post(s.admin, "N", one)
			require.Equal(t, first, post(s.admin, "N", one))
			different := map[string]bool{
				first:                        true,
				post(s.admin, "N", two):      true,
				post(s.admin, "M", one):      true,
				post(ada, "N", one):          true,
				post(s.admin, "N", ""):       true,
				post(s.admin, " N ", ""):     true,
				post(s.admin, "M\u0030", ""): true,
			}
			require.Len(t, different, 7)
			require.Equal(t, int64(27), s.customers("").Total)
			require.Equal(t, 7, s.countAudit("customer_added"))

			// The request that answers second finds the customer of the first one.
			const both = 8
			ids := make(chan int64, both)
			for range both {
				go func() {
					c, _, err := s.stores.customers.Create(context.WithoutCancel(t.Context()), customer{Name: "N", Email: "n@example.com"}, "digest")
					if err != nil {
						c.ID = -1
					}
					ids <- c.ID
				}()
			}
			id := <-ids
			require.Positive(t, id)
			for range both - 1 {
				require.Equal(t, id, <-ids)
			}
			require.Equal(t, int64(28), s.customers("").Total)
		})
	}
}

// countAudit returns how many of the newest entries of the audit have this action.
func (s *site) countAudit(action string) (n int) {
	s.t.Helper()
	entries, _ := s.audit("?limit=200")
	for _, e := range entries {
		if e.Action == action {
			n++
		}
	}
	return n
}

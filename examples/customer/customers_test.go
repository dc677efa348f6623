package main

import (
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
			require.Contains(t, s.get(t, browser, "/api/customer").body, `"results":[]`)
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
		{"delete by a visitor", visitor, "DELETE", "/api/customer/1", "", "", 401, "no_session"},
		{"create from another site", signedIn, "POST", "/api/customer", good, "Sec-Fetch-Site: cross-site", 403, "cross_origin"},
		{"delete from another site", signedIn, "DELETE", "/api/customer/1", "", "Sec-Fetch-Site: same-site", 403, "cross_origin"},

		{"put", signedIn, "PUT", "/api/customer", good, "", 405, "method_not_allowed"},
		{"delete all", signedIn, "DELETE", "/api/customer", "", "", 405, "method_not_allowed"},
		{"patch one", signedIn, "PATCH", "/api/customer/1", good, "", 405, "method_not_allowed"},
		{"post one", signedIn, "POST", "/api/customer/1/", good, "", 405, "method_not_allowed"},

		{"unknown id", signedIn, "GET", "/api/customer/999", "", "", 404, "not_found"},
		{"id zero", signedIn, "GET", "/api/customer/0", "", "", 404, "not_found"},
		{"id negative", signedIn, "GET", "/api/customer/-1", "", "", 404, "not_found"},
		{"id not a number", signedIn, "GET", "/api/customer/ada", "", "", 404, "not_found"},
		{"id in another spelling", signedIn, "GET", "/api/customer/01", "", "", 404, "not_found"},
		{"id with a sign", signedIn, "GET", "/api/customer/+1", "", "", 404, "not_found"},
		{"id too long", signedIn, "DELETE", "/api/customer/99999999999999999999", "", "", 404, "not_found"},
		{"path below a customer", signedIn, "GET", "/api/customer/1/name", "", "", 404, "not_found"},

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
	require.Contains(t, s.get(t, signedIn, "/api/customer").body, `{"id":1,`)
	require.NotContains(t, s.get(t, signedIn, "/api/customer").body, `"id":21`)
}

package main

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestInvitationPages(t *testing.T) {
	for name, db := range testDatabases(t) {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, "-db", db)
			var want []string
			for i := range 205 {
				email := fmt.Sprintf("%d-%c@example.com", i, 'a'+i%26)
				s.invite(email, false)
				want = append(want, email)
			}
			slices.Sort(want)
			for query, sizes := range map[string][]int{"": {200, 5}, "limit=103": {103, 102}, "limit=41": {41, 41, 41, 41, 41}} {
				var got []string
				next := ""
				for n, size := range sizes {
					list, more := s.invitations("?" + query + "&after=" + next)
					require.Len(t, list, size)
					require.Equal(t, n < len(sizes)-1, more != "", "page %d of ?%s", n, query)
					for _, i := range list {
						got = append(got, i.Email)
					}
					next = more
				}
				require.Equal(t, want, got, "?%s", query)
			}
			list, _ := s.invitations("?after=zz")
			require.Empty(t, list)
		})
	}
}

func TestInvitationNamesItsInviter(t *testing.T) {
	for name, db := range testDatabases(t) {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, "-db", db)
			browser := newBrowser(t)
			require.Equal(t, http.StatusOK, s.signIn(t, browser, "zoe@example.com").status)
			zoe := s.demo.google.Subject("zoe@example.com")
			s.changeAccess(zoe, `{"admin":true}`)
			res := s.request(t, browser, http.MethodPost, "/api/admin/invitations", `{"email":"ada@example.com"}`)
			require.Equal(t, http.StatusCreated, res.status, res.body)
			list, _ := s.invitations("")
			require.Equal(t, &auditUser{zoe, "zoe@example.com", s.userName(zoe)}, list[0].InvitedByUser)

			require.Equal(t, http.StatusNoContent, s.deleteUser(zoe))
			list, _ = s.invitations("")
			require.Equal(t, zoe, list[0].InvitedBy)
			require.Equal(t, &auditUser{ID: zoe}, list[0].InvitedByUser, "a deleted user has an ID only")
		})
	}
}

func TestInvitationRefusals(t *testing.T) {
	for name, db := range testDatabases(t) {
		t.Run(name, func(t *testing.T) { testInvitationRefusals(t, db) })
	}
}

func testInvitationRefusals(t *testing.T, db string) {
	const good = `{"email":"new@example.com"}`
	const path = "/api/admin/invitations"
	s := newSite(t, "-db", db)
	user, visitor := newBrowser(t), newBrowser(t)
	require.Equal(t, http.StatusOK, s.signIn(t, user, "ada@example.com").status)
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
		{"list by a visitor", visitor, "GET", path, "", "", 401, "no_session"},
		{"list by a user", user, "GET", path, "", "", 403, "not_admin"},
		{"invite by a visitor", visitor, "POST", path, good, "", 401, "no_session"},
		{"invite by a user", user, "POST", path, good, "", 403, "not_admin"},
		{"invite from another site", s.admin, "POST", path, good, "Sec-Fetch-Site: cross-site", 403, "cross_origin"},
		{"withdraw by a visitor", visitor, "DELETE", path + "/new@example.com", "", "", 401, "no_session"},
		{"withdraw by a user", user, "DELETE", path + "/new@example.com", "", "", 403, "not_admin"},
		{"withdraw from another site", s.admin, "DELETE", path + "/x@example.com", "", "Sec-Fetch-Site: same-site", 403, "cross_origin"},

		{"delete all", s.admin, "DELETE", path, "", "", 405, "method_not_allowed"},
		{"put", s.admin, "PUT", path, good, "", 405, "method_not_allowed"},
		{"get one", s.admin, "GET", path + "/new@example.com", "", "", 405, "method_not_allowed"},
		{"path below an invitation", s.admin, "DELETE", path + "/new@example.com/x", "", "", 404, "not_found"},

		{"withdraw unknown address", s.admin, "DELETE", path + "/new@example.com", "", "", 404, "not_found"},
		{"withdraw address with NUL", s.admin, "DELETE", path + "/a%00@example.com", "", "", 404, "not_found"},
		{"withdraw address that is not UTF-8", s.admin, "DELETE", path + "/a%ff@example.com", "", "", 404, "not_found"},
		{"withdraw without an address", s.admin, "DELETE", path + "/new", "", "", 404, "not_found"},

		{"limit zero", s.admin, "GET", path + "?limit=0", "", "", 400, "bad_request"},
		{"limit too large", s.admin, "GET", path + "?limit=201", "", "", 400, "bad_request"},
		{"limit not a number", s.admin, "GET", path + "?limit=ten", "", "", 400, "bad_request"},
		{"after with NUL", s.admin, "GET", path + "?after=%00", "", "", 400, "bad_request"},

		{"form", s.admin, "POST", path, "email=new@example.com", "Content-Type: application/x-www-form-urlencoded", 415, "unsupported_media_type"},
		{"too large", s.admin, "POST", path, `{"email":"` + strings.Repeat("x", 5000) + `"}`, "", 413, "body_too_large"},
		{"no body", s.admin, "POST", path, "", "Content-Type: application/json", 400, "bad_request"},
		{"not JSON", s.admin, "POST", path, `{"email":"new@example.com"`, "", 400, "bad_request"},
		{"null", s.admin, "POST", path, "null", "", 400, "bad_request"},
		{"array", s.admin, "POST", path, "[" + good + "]", "", 400, "bad_request"},
		{"two values", s.admin, "POST", path, good + good, "", 400, "bad_request"},
		{"unknown member", s.admin, "POST", path, `{"email":"new@example.com","role":"admin"}`, "", 400, "bad_request"},
		{"member twice", s.admin, "POST", path, `{"email":"new@example.com","email":"new@example.com"}`, "", 400, "bad_request"},
		{"member in capitals", s.admin, "POST", path, `{"email":"new@example.com","Admin":true}`, "", 400, "bad_request"},
		{"admin is a string", s.admin, "POST", path, `{"email":"new@example.com","admin":"true"}`, "", 400, "bad_request"},
		{"admin is null", s.admin, "POST", path, `{"email":"new@example.com","admin":null}`, "", 400, "bad_request"},
		{"email is a number", s.admin, "POST", path, `{"email":1}`, "", 400, "bad_request"},
		{"no address", s.admin, "POST", path, `{"admin":true}`, "", 400, "bad_request"},
		{"no @", s.admin, "POST", path, `{"email":"new.example.com"}`, "", 400, "bad_request"},
		{"two @", s.admin, "POST", path, `{"email":"new@example.com@example.com"}`, "", 400, "bad_request"},
		{"no local part", s.admin, "POST", path, `{"email":"@example.com"}`, "", 400, "bad_request"},
		{"no domain", s.admin, "POST", path, `{"email":"new@"}`, "", 400, "bad_request"},
		{"no dot", s.admin, "POST", path, `{"email":"new@localhost."}`, "", 400, "bad_request"},
		{"blank", s.admin, "POST", path, `{"email":"new @example.com"}`, "", 400, "bad_request"},
		{"control character", s.admin, "POST", path, `{"email":"new\u0000@example.com"}`, "", 400, "bad_request"},
		{"Kelvin sign", s.admin, "POST", path, `{"email":"\u212aim@example.com"}`, "", 400, "bad_request"},
		{"long s", s.admin, "POST", path, `{"email":"ro\u017fa@example.com"}`, "", 400, "bad_request"},
		{"too long", s.admin, "POST", path, `{"email":"` + strings.Repeat("x", 243) + `@example.com"}`, "", 400, "bad_request"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			res := s.request(t, tt.browser, tt.method, tt.path, tt.body, optionalHeader(tt.header)...)
			require.Equal(t, tt.status, res.status, "%s %s: %s", tt.method, tt.path, res.body)
			require.Equal(t, tt.code, problemCode(t, res))
		})
	}
	list, _ := s.invitations("")
	require.Empty(t, list)
}

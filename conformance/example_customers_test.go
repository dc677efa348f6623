package conformance_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The example answers the same questions about its customers with the same customers in the
// same order, whichever database has them.
func TestExampleCustomers(t *testing.T) {
	program := buildExample(t)
	want := askAboutCustomers(t, startExample(t, program, "-db", "memory", "-demo-customers", "2500"))
	for name, db := range map[string]func(t *testing.T) string{
		"SQLite":     func(t *testing.T) string { t.Helper(); return "sqlite:" + newFile(t) },
		"PostgreSQL": func(t *testing.T) string { t.Helper(); return privatePostgres(t).PostgresDSN() },
		"MariaDB": func(t *testing.T) string {
			t.Helper()
			return "mysql://root@" + privateMySQL(t).Addr + "/googlesession"
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := askAboutCustomers(t, startExample(t, program, "-db", db(t), "-demo-customers", "2500"))
			for question, answer := range want {
				require.Equal(t, answer, got[question], question)
			}
			record(name, "customers of the example", len(got))
		})
	}
}

// askAboutCustomers changes some customers and returns the answers to questions about them.
func askAboutCustomers(t *testing.T, site string) map[string]string {
	t.Helper()
	ada := newVisitor(t)
	ada.signIn(site, "ada@example.com")
	answers := map[string]string{}
	ask := func(method, path, body string) {
		a := ada.do(method, site+"/api/customer"+path, body)
		require.Less(t, a.status, http.StatusInternalServerError, a.body)
		answers[strings.TrimSpace(method+" "+path+" "+body)] = a.body
	}
	for _, body := range []string{
		`{"name":"100% under_score \\ !","email":"A_b%c@example.com"}`, `{"name":"İSTANBUL","email":"a-b@example.com"}`,
		`{"name":"ΟΔΥΣΣΕΥΣ","email":"aB@example.com"}`, `{"name":"straße","email":"A'b\"@example.com"}`,
		`{"name":"\u212aelvin","email":"k@example.com"}`, `{"name":"👩🏽‍🚀","email":"Z@example.com"}`,
	} {
		ask(http.MethodPost, "", body)
	}
	ask(http.MethodPatch, "/2501", `{"email":"a_B%C@example.com"}`)
	ask(http.MethodPatch, "/2501", `{"email":"a_B%C@example.com"}`) // MySQL counts no changed row
	ask(http.MethodPatch, "/3", `{"name":"Ünal","email":"UENAL@example.com"}`)
	ask(http.MethodPatch, "/9999", `{"name":"N"}`)
	ask(http.MethodDelete, "/4", "")
	ask(http.MethodPatch, "/4", `{"name":"N"}`)
	for _, q := range []string{
		"", "a", "ANA", "%", "_", `\`, "!", "%%", "a_b", "0% u", "istanbul", "οδυσσεύς", "οδυσσευς", "STRASSE", "STRAßE", "kelvin", "ü", "u",
		"ó", "é", "ع", "نور", "王", "さくら", "지우", "👩", "'", `"`, "example.com ", "@example", "müller-lüdenscheidt", "ŁUKASZ", "\u200b",
	} {
		for _, sort := range []string{"id", "-id", "name", "-name", "email", "-email"} {
			ask(http.MethodGet, "?limit=200&sort="+sort+"&q="+url.QueryEscape(q), "")
			ask(http.MethodGet, "?limit=13&page=3&sort="+sort+"&q="+url.QueryEscape(q), "")
		}
	}
	return answers
}

package conformance_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession/conformance/servers"
)

// After a sign-in login.js goes to the page of this site that the parameter next names, or
// to the first page if next is malformed or leads to another site.
func TestLoginScriptNext(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		skipWithout(t, fmt.Errorf("%w: node", servers.ErrNoBinary))
	}
	const site = "https://app.test"
	var queries, want []string
	add := func(query, to string) { queries, want = append(queries, query), append(want, to) }
	for next, to := range map[string]string{
		"/customer?page=2#a":             site + "/customer?page=2#a",
		"/a%zz":                          site + "/a%zz",
		"customer":                       site + "/customer",
		"":                               site + "/",
		"https://app.test/x":             site + "/x",
		"http:..":                        "/",
		"http:":                          "/",
		"http://":                        "/",
		"http://[":                       "/",
		"//[":                            "/",
		"https://a b/":                   "/",
		"https://app.test:x":             "/",
		"//evil.example":                 "/",
		"/\\evil.example":                "/",
		"\t//evil.example":               "/",
		"http://app.test/":               "/",
		"javascript:alert(1)":            "/",
		"data:,x":                        "/",
		"blob:https://app.test/x":        "/",
		"https://app.test@evil.example/": "/",
	} {
		add("?next="+url.QueryEscape(next), to)
	}
	add("", site+"/")
	add("?next", site+"/")
	add("?next=%", site+"/%")
	add("?next=%E0%A4%A", site+"/%EF%BF%BD%A") // as URLSearchParams decodes it
	add("?next=http:..&next=/x", "/")

	list, err := json.Marshal(queries)
	require.NoError(t, err)
	out, err := exec.CommandContext(t.Context(), node, "testdata/login_script.js", "../login.js", string(list)).CombinedOutput()
	require.NoError(t, err, string(out))
	var results []struct{ Went, Said []string }
	require.NoError(t, json.Unmarshal(out, &results), string(out))
	require.Len(t, results, len(queries))
	for i, r := range results {
		require.Equal(t, []string{want[i]}, r.Went, "%s: %s", queries[i], r.Said)
		require.Empty(t, r.Said, queries[i])
	}
}

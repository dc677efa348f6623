package conformance_test

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/conformance/servers"
	"github.com/googlesession/googlesession/googletest"
	"github.com/googlesession/googlesession/googletoken"
	memstore "github.com/googlesession/googlesession/store_memory"
)

// hostileNexts are addresses of other sites and of this site, each with the address to
// which login.js goes after a sign-in. It must not be on another site.
var hostileNexts = map[string]string{
	"/customer?page=2#a":              "/customer?page=2#a",
	"/a%zz":                           "/a%zz",
	"customer":                        "/customer",
	"":                                "/",
	"https://app.test/x":              "/x",
	"https://app.test:443/x":          "/x",
	"HTTPS://APP.TEST/x":              "/x",
	"https:/x":                        "/x",
	"https:x":                         "/x",
	"//app.test/x":                    "/x",
	"?a=b":                            "/?a=b",
	"#a":                              "/#a",
	"/.//evil.example":                "//evil.example",
	"/..//evil.example":               "//evil.example",
	"/%2F%2Fevil.example":             "/%2F%2Fevil.example",
	"http:..":                         "/",
	"http:":                           "/",
	"http://":                         "/",
	"http://[":                        "/",
	"//[":                             "/",
	"https://a b/":                    "/",
	"https://app.test:x":              "/",
	"https://app.test:8443/":          "/",
	"//evil.example":                  "/",
	"///evil.example":                 "/",
	"\\\\evil.example":                "/",
	"\\/evil.example":                 "/",
	"/\\evil.example":                 "/",
	"/\t/evil.example":                "/",
	"/\n/evil.example":                "/",
	"\t//evil.example":                "/",
	" //evil.example":                 "/",
	"\x00//evil.example":              "/",
	"https:\\\\evil.example":          "/",
	"https:evil.example":              "/evil.example",
	"http:evil.example":               "/",
	"http://app.test/":                "/",
	"ws://app.test/":                  "/",
	"javascript:alert(1)":             "/",
	"JavaScript:alert(1)":             "/",
	"java\tscript:alert(1)":           "/",
	"\x01javascript:alert(1)":         "/",
	"javascript://app.test/%0aalert(": "/",
	"vbscript:x":                      "/",
	"data:,x":                         "/",
	"data:text/html,x":                "/",
	"file:///etc/passwd":              "/",
	"about:blank":                     "/",
	"view-source:https://app.test/":   "/",
	"blob:https://app.test/x":         "/",
	"filesystem:https://app.test/x":   "/",
	"https://app.test@evil.example/":  "/",
	"https://app.test.evil.example/":  "/",
	"https://evil.example/app.test":   "/",
	"https://xn--app-.test/":          "/",
	"//evil。example":                  "/",
	"mailto:a@app.test":               "/",
}

// After a sign-in login.js goes to the page of this site that the parameter next names. If
// next is missing, malformed or leads to another site, it goes to the page that the
// attribute data-next names. Without data-next it goes to "/".
func TestLoginScriptNext(t *testing.T) {
	const site = "https://app.test"
	var pages []scriptPage
	var want []string
	add := func(query, next, to string) {
		pages, want = append(pages, scriptPage{Query: query, Next: next}), append(want, site+to)
	}
	for next, to := range hostileNexts {
		add("?next="+url.QueryEscape(next), "", to)
		add("", next, to)
		if to == "/" {
			add("?next="+url.QueryEscape(next), "/welcome", "/welcome")
		}
	}
	add("", "", "/")
	add("?next", "", "/")
	add("?next=%", "", "/%")
	add("?next=%E0%A4%A", "", "/%EF%BF%BD%A") // as URLSearchParams decodes it
	add("?next=http:..&next=/x", "", "/")
	add("?next=/customer", "/welcome", "/customer")

	results := runLoginScript(t, pages...)
	for i, r := range results {
		require.Equal(t, []string{want[i]}, r.Went, "%q: %s", pages[i], r.Said)
		require.Equal(t, []string{"googlesession:ready", "googlesession:busy", "googlesession:signed-in"}, r.Said, "%q", pages[i])
	}
}

// An element of the page that has the name of a property of the document neither tells
// login.js where the server is, nor stops login.js.
func TestLoginScriptAndNamedElements(t *testing.T) {
	r := runLoginScript(t, scriptPage{Named: true})[0]
	require.Equal(t, []string{"https://app.test/"}, r.Went, r.Said)
	require.Equal(t, []string{"https://app.test/api/login", "https://app.test/api/login", "https://app.test/api/user"}, r.Asked)
}

// A scriptPage is an argument of testdata/login_script.js.
type scriptPage struct {
	Query string `json:"query"`
	Next  string `json:"next"`
	Named bool   `json:"named"`
}

// A scriptResult is what testdata/login_script.js prints for a page.
type scriptResult struct{ Went, Said, Asked []string }

// runLoginScript runs login.js in each page.
func runLoginScript(t *testing.T, pages ...scriptPage) (results []scriptResult) {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		skipWithout(t, fmt.Errorf("%w: node", servers.ErrNoBinary))
	}
	list, err := json.Marshal(pages)
	require.NoError(t, err)
	out, err := exec.CommandContext(t.Context(), node, "testdata/login_script.js", loginScript(t), string(list)).CombinedOutput()
	require.NoError(t, err, string(out))
	require.NoError(t, json.Unmarshal(out, &results), string(out))
	require.Len(t, results, len(pages))
	return results
}

// loginScript writes the script as it is served to a file and returns the file's name.
func loginScript(t *testing.T) string {
	t.Helper()
	v, err := googletoken.New(googletoken.Config{ClientIDs: []string{"test.apps.googleusercontent.com"}})
	require.NoError(t, err)
	m, err := googlesession.New(googlesession.Config{Sessions: memstore.New(nil), Verifier: v})
	require.NoError(t, err)
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", googletest.Origin+"/login.js", nil))
	name := filepath.Join(t.TempDir(), "login.js")
	require.NoError(t, os.WriteFile(name, w.Body.Bytes(), 0o600))
	return name
}

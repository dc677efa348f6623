package googletest_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/googlecode"
	"github.com/googlesession/googlesession/googletest"
	"github.com/googlesession/googlesession/googletoken"
	memstore "github.com/googlesession/googlesession/store_memory"
)

// demoConfig returns the configuration of a server that signs in every visitor as any user. It
// adds to mux what stands in for Google. Browsers reach the server at site.
func demoConfig(mux *http.ServeMux, site string) (googlesession.Config, error) {
	google, accounts := googletest.NewGoogle("demo.apps.googleusercontent.com"), []string{"ada@example.com", "bob@example.com"}
	mux.Handle("/demo/gsi.js", google.ScriptHandler("/demo/token", accounts...))
	mux.Handle("/demo/token", google.TokenHandler())
	mux.Handle("/demo/authorize", google.AuthorizationHandler(accounts...))
	verifier, err := googletoken.New(googletoken.Config{ClientIDs: []string{google.ClientID()}, HTTPClient: google.Client()})
	exchanger, err2 := googlecode.New(googlecode.Config{
		ClientID: google.ClientID(), ClientSecret: google.ClientSecret(),
		HTTPClient: google.Client(), AuthorizationURL: site + "/demo/authorize",
	})
	return googlesession.Config{
		Sessions: memstore.New(nil), Verifier: verifier, CodeExchanger: exchanger, BaseURL: site + "/api", LoginPage: "/login",
	}, errors.Join(err, err2)
}

// newDemo returns the server of docs/login-page.md and a browser in front of it.
func newDemo(t *testing.T) *http.Client {
	t.Helper()
	mux := http.NewServeMux()
	cfg, err := demoConfig(mux, googletest.Origin)
	require.NoError(t, err)
	m, err := googlesession.New(cfg)
	require.NoError(t, err)
	mux.Handle("/api/", http.StripPrefix("/api", m.Handler()))
	mux.HandleFunc("GET /{$}", func(http.ResponseWriter, *http.Request) {})
	return googletest.NewGoogle("unused").Browser(mux)
}

// The server that docs/login-page.md shows signs in with the script and by redirect.
func TestDemo(t *testing.T) {
	user := func(browser *http.Client) (email string) {
		res, body := get(t, browser, googletest.Origin+"/api/user")
		require.Equal(t, http.StatusOK, res.StatusCode, string(body))
		var answer struct{ Email string }
		require.NoError(t, json.Unmarshal(body, &answer))
		return answer.Email
	}
	post := func(browser *http.Client, path, body string) map[string]string {
		req := newRequest(t, http.MethodPost, strings.NewReader(body))
		req.URL.Path = path
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Origin", googletest.Origin)
		res, err := browser.Do(req)
		require.NoError(t, err)
		defer res.Body.Close()
		require.Equal(t, http.StatusOK, res.StatusCode)
		var answer map[string]string
		_ = json.NewDecoder(res.Body).Decode(&answer) // fails for a user, who has a boolean member
		return answer
	}

	browser := newDemo(t)
	_, script := get(t, browser, googletest.Origin+"/demo/gsi.js")
	require.Contains(t, string(script), `"tokenPath":"/demo/token"`)
	_, body := get(t, browser, googletest.Origin+"/api/login")
	var login struct {
		Nonce    string
		Redirect bool
	}
	require.NoError(t, json.Unmarshal(body, &login))
	require.True(t, login.Redirect)
	token := post(browser, "/demo/token", `{"email":"ada@example.com","nonce":"`+login.Nonce+`"}`)
	post(browser, "/api/login", `{"credential":"`+token["credential"]+`"}`)
	require.Equal(t, "ada@example.com", user(browser))

	browser = newDemo(t)
	res, body := get(t, browser, googletest.Origin+"/api/login/google?next=/")
	require.Equal(t, "/demo/authorize", res.Request.URL.Path, string(body))
	require.Contains(t, string(body), "bob@example.com")
	res, err := browser.PostForm(res.Request.URL.String(), url.Values{"email": {"bob@example.com"}})
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, "/", res.Request.URL.Path)
	require.Equal(t, "bob@example.com", user(browser))
}

// docs/login-page.md shows demoConfig as it is.
func TestDemoInDocument(t *testing.T) {
	source, err := os.ReadFile("demo_test.go")
	require.NoError(t, err)
	document, err := os.ReadFile("../docs/login-page.md")
	require.NoError(t, err)
	function := regexp.MustCompile(`(?ms)^// demoConfig .*?^}\n`).Find(source)
	require.NotEmpty(t, function)
	require.Contains(t, string(document), "```go\n"+string(function)+"```\n")
}

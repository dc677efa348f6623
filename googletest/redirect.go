package googletest

import (
	"html"
	"io"
	"net/http"
	"strings"
	"testing"
)

// SignInByRedirect signs a user in by redirect and returns a client of [Google.Browser]
// that has the session. h is the handler of the whole application, as for [Google.SignIn].
// The application's CodeExchanger has to use [Google.Client] and [Google.ClientSecret], and
// its BaseURL has to begin with [Origin]. path is the path of the route that leads to
// Google, with its query, such as /api/login/google?next=/customers. email is the address
// of the account.
//
// SignInByRedirect makes the requests of a browser. It gets path, does what a person does
// on Google's page ([Google.Authorize]), and gets the address to which Google sends the
// browser back. It does not request the page to which the application then leads. If a
// request is refused, or if a browser would refuse a cookie, it fails the test with
// t.Fatalf, so it must be called from the test's own goroutine.
func (g *Google) SignInByRedirect(t testing.TB, h http.Handler, path, email string) *http.Client {
	t.Helper()
	client := g.Browser(h)
	toGoogle := g.follow(t, client, Origin+path, "none")
	back, err := g.Authorize(toGoogle, email)
	if err != nil {
		t.Fatalf("googletest: SignInByRedirect: GET %s leads to %.500s: %v", path, toGoogle, err)
	}
	if !strings.HasPrefix(back, Origin+"/") {
		t.Fatalf("googletest: SignInByRedirect: Config.BaseURL does not begin with %s", Origin)
	}
	g.follow(t, client, back, "cross-site")
	return client
}

// follow gets an address and returns the address to which the answer leads, by a redirect or,
// with googlesession.Config.DeviceBinding, by a page. The answer has to set a cookie, which a
// refusal does not.
func (g *Google) follow(t testing.TB, client *http.Client, address, site string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, http.NoBody)
	if err != nil {
		t.Fatalf("googletest: SignInByRedirect: %v", err)
	}
	r.Header.Set("Accept", "text/html")
	r.Header.Set("Sec-Fetch-Mode", "navigate")
	r.Header.Set("Sec-Fetch-Site", site)
	once := *client
	once.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	res, err := once.Do(r)
	if err != nil {
		t.Fatalf("googletest: SignInByRedirect: %v", err)
	}
	defer func() { _ = res.Body.Close() }()
	answer, _ := io.ReadAll(io.LimitReader(res.Body, 64<<10))
	to, ok := destination(res, string(answer))
	if !ok {
		t.Fatalf("googletest: SignInByRedirect: GET %s: %s\n%.500s", r.URL.Path, res.Status, answer)
	}
	if refused := client.Jar.(*jar).firstRefusal(); refused != "" {
		t.Fatalf("googletest: SignInByRedirect: GET %s: %s", r.URL.Path, refused)
	}
	if len(res.Cookies()) == 0 {
		t.Fatalf("googletest: SignInByRedirect: GET %s sets no cookie and leads to %s", r.URL.Path, to)
	}
	return to
}

// destination returns the address to which an answer leads. It reports false for a refusal.
func destination(res *http.Response, body string) (to string, ok bool) {
	if u, err := res.Location(); res.StatusCode == http.StatusSeeOther && err == nil {
		return u.String(), true
	}
	_, rest, found := strings.Cut(body, `http-equiv="refresh" content="0; url=`)
	path, _, _ := strings.Cut(rest, `"`)
	return html.UnescapeString(path), found && res.StatusCode == http.StatusOK
}

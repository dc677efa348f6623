package googletest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"sync"
	"testing"
)

// Origin is the origin of the application for the clients of [Google.Browser] and
// [Google.SignIn]. The URLs of their requests begin with it.
const Origin = "https://app.test"

// SignIn signs a user in and returns a client of [Google.Browser] that has the session.
// The handler h is the whole application. It has [googlesession.Manager.Handler]
// mounted so that path is the sign-in endpoint, /api/login for example. Its verifier
// uses [Google.Client]. The path must begin with /.
//
// SignIn makes the requests of a page: GET path for the nonce and its cookie, then POST
// path with a token from this Google and with the headers Origin and Sec-Fetch-Site. If
// a request fails or is refused, or if a browser would refuse a cookie, SignIn fails
// the test with t.Fatalf. So SignIn must be called from the test's own goroutine.
//
// To sign in with changed claims, make the two requests with a [Google.Browser]. Take the
// nonce from the answer to GET path, change a [Google.Draft] with that nonce, sign it with
// [Google.Mint] and POST it to path as the member "credential" of a JSON object, with
// Content-Type: application/json.
func (g *Google) SignIn(t testing.TB, h http.Handler, path, email string) *http.Client {
	t.Helper()
	client := g.Browser(h)
	g.signIn(t, client, client.Jar.(*jar).firstRefusal, path, email)
	return client
}

// signIn makes the requests of SignIn with client. The function refusal returns why a browser
// refuses a cookie that the client has got, or "".
func (g *Google) signIn(t testing.TB, client *http.Client, refusal func() string, path, email string) {
	t.Helper()
	answer := g.signInRequest(t, client, refusal, http.MethodGet, path, nil)
	var login struct {
		ClientID string `json:"client_id"`
		Nonce    string `json:"nonce"`
	}
	if err := json.Unmarshal(answer, &login); err != nil {
		t.Fatalf("googletest: SignIn: GET %s does not answer as Manager.Handler does: %v", path, err)
	}
	if login.ClientID != g.clientID {
		t.Fatalf("googletest: SignIn: the application's client ID is %q, this Google's is %q", login.ClientID, g.clientID)
	}

	body, err := json.Marshal(map[string]string{"credential": g.Token(email, login.Nonce)})
	if err != nil {
		t.Fatalf("googletest: SignIn: %v", err)
	}
	g.signInRequest(t, client, refusal, http.MethodPost, path, body)
}

// Browser returns a client that is not signed in. Its requests go to h, and
// their URLs begin with [Origin]. A request for another URL fails. Each
// client has cookies of its own and refuses the cookies that browsers
// refuse. The client may be used from many goroutines.
//
// The client follows redirects, as browsers do. A test that wants to see a redirect sets
// CheckRedirect to a function that returns [http.ErrUseLastResponse]. The client adds no
// Accept and no Sec-Fetch header, so a guard refuses with 401 and does not redirect to
// [googlesession.Config.LoginPage]. To see that redirect, set Accept: text/html.
//
// The requests go through an [http.Transport] and an [http.Server], which are joined
// by a connection in memory. Trailers, upgrades, deadlines, 100 Continue and the
// methods of [http.ResponseController] work as they do over a network. The protocol
// is HTTP/1.1. To the handler, the request came over TLS from the address 192.0.2.1.
//
// If the handler panics, the request fails, or reading the body of the
// response does. The error has the stack. If the client has read all of the
// response, the server logs the panic instead, as every http.Server does. If
// the handler calls t.FailNow, the request fails, too.
//
// Each request has a connection of its own, whose goroutines end after the response body
// is closed and the handler returns. So the client works in a testing/synctest bubble,
// and there is nothing else to close. If a response body is not closed, the bubble fails
// with "blocked goroutines remain". As with every http.Server, the handler's context
// ends when the client goes away, but only if the handler has read the request body.
func (g *Google) Browser(h http.Handler) *http.Client {
	cookies, err := cookiejar.New(nil)
	if err != nil {
		panic(fmt.Sprintf("googletest: %v", err)) // unreachable, because cookiejar.New returns no error
	}
	return &http.Client{
		Jar:       &jar{CookieJar: cookies},
		Transport: onlyOrigin(func(r *http.Request) (*http.Response, error) { return serveInMemory(h, r) }),
	}
}

// onlyOrigin returns a transport that makes the requests for Origin and refuses others.
func onlyOrigin(next roundTripper) roundTripper {
	return func(r *http.Request) (*http.Response, error) {
		if !isOrigin(r.URL) {
			if r.Body != nil {
				_ = r.Body.Close()
			}
			return nil, fmt.Errorf("googletest: nothing but %s can be reached", Origin)
		}
		return next(r)
	}
}

// signInRequest makes one of the two requests of a sign-in and returns the body of
// the response.
func (g *Google) signInRequest(t testing.TB, client *http.Client, refusal func() string, method, path string, body []byte) []byte {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, Origin+path, bytes.NewReader(body))
	if err != nil {
		t.Fatalf("googletest: SignIn: %v", err)
	}
	if method == http.MethodPost { // fetch sends these headers from a page of the same origin
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Origin", Origin)
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	res, err := client.Do(r)
	if err != nil {
		t.Fatalf("googletest: SignIn: %v", err)
	}
	defer func() { _ = res.Body.Close() }()
	answer, err := io.ReadAll(io.LimitReader(res.Body, 64<<10))
	if err != nil {
		t.Fatalf("googletest: SignIn: %s %s: %v", method, path, err)
	}
	if res.StatusCode != http.StatusOK {
		hint := ""
		if method == http.MethodPost && g.Requests(CertsURL) == 0 {
			hint = "\nThe verifier has not requested the keys. Is its HTTPClient this Google's Client?"
		}
		t.Fatalf("googletest: SignIn: %s %s: %s\n%.500s%s", method, path, res.Status, answer, hint)
	}
	if refused := refusal(); refused != "" {
		t.Fatalf("googletest: SignIn: %s %s: %s", method, path, refused)
	}
	if method == http.MethodPost && len(res.Cookies()) == 0 {
		t.Fatalf("googletest: SignIn: %s %s sets no cookie", method, path)
	}
	return answer
}

// A jar refuses cookies that browsers refuse and net/http/cookiejar accepts. A name prefix
// such as __Host- requires certain attributes (draft-ietf-httpbis-rfc6265bis, section 4.1.3,
// and draft-ietf-httpbis-layered-cookies); a cookie without them is refused. So is a cookie
// that is SameSite=None but not Secure.
type jar struct {
	http.CookieJar

	mu      sync.Mutex
	refused string // why a browser refuses the first refused cookie; "" if no cookie was refused
}

func (j *jar) SetCookies(u *url.URL, cookies []*http.Cookie) {
	kept := make([]*http.Cookie, 0, len(cookies))
	for _, c := range cookies {
		if problem := cookieProblem(c); problem != "" {
			j.mu.Lock()
			if j.refused == "" {
				j.refused = "a browser refuses the cookie " + c.Name + ": " + problem
			}
			j.mu.Unlock()
			continue
		}
		kept = append(kept, c)
	}
	j.CookieJar.SetCookies(u, kept)
}

// firstRefusal returns why a browser refuses the first of the cookies that
// the jar has refused, or "" if the jar has refused none.
func (j *jar) firstRefusal() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.refused
}

// cookieProblem returns why a browser refuses the cookie, or "" if the browser
// accepts the cookie. Browsers ignore the case of prefixes such as __Host-.
func cookieProblem(c *http.Cookie) string {
	name := strings.ToLower(c.Name)
	isHost := strings.HasPrefix(name, "__host-")
	isHTTP := strings.HasPrefix(name, "__http-") || strings.HasPrefix(name, "__host-http-")
	switch {
	case (isHost || isHTTP || strings.HasPrefix(name, "__secure-")) && !c.Secure:
		return "the prefix requires Secure"
	case isHost && (c.Path != "/" || c.Domain != ""):
		return "the prefix requires Path=/ and no Domain"
	case isHTTP && !c.HttpOnly:
		return "the prefix requires HttpOnly"
	case c.SameSite == http.SameSiteNoneMode && !c.Secure:
		return "SameSite=None requires Secure"
	}
	return ""
}

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

// Origin is where the clients of [Google.Browser] and [Google.SignIn] find the
// handler.
const Origin = "https://app.test"

// SignIn signs a person in and returns the browser that now has the session. The
// handler, the whole application, must have the Manager's Handler mounted so that
// path is its login, /api/login for example, and a verifier that uses
// [Google.Client]. It does what a page does: GET path for the nonce and its
// cookie, a token from this Google, POST path. Anything but success fails the
// test. See [Google.Browser] for the client.
func (g *Google) SignIn(t testing.TB, h http.Handler, path, email string) *http.Client {
	t.Helper()
	client := g.Browser(h)

	answer := g.signInStep(t, client, http.MethodGet, path, nil)
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
	g.signInStep(t, client, http.MethodPost, path, body)
	return client
}

// Browser returns a client that is not signed in. Its requests go to h, and their URLs begin
// with [Origin]. A request for another URL is an error. Each Browser has cookies of its own
// and refuses those that browsers refuse. It may be used from many goroutines.
//
// The client follows redirects, as browsers do. A test that wants to see a redirect sets
// CheckRedirect to a function that returns [http.ErrUseLastResponse].
//
// Client and handler are those of net/http, an [http.Transport] and an [http.Server], over
// a connection in memory. So trailers, upgrades, deadlines and 100 Continue work, and so do
// the methods of [http.ResponseController]. The protocol is HTTP/1.1. The handler sees a
// request that came over TLS from 192.0.2.1.
//
// A panic of the handler is the error of the request, or of reading its response. If the
// client has read all of it, the panic is logged, as every http.Server does. A call of
// FailNow in a handler is an error of the request, too.
//
// Each request has a connection of its own, whose goroutines end after the response body is
// closed and the handler returns. So the client works in a testing/synctest bubble, and
// there is nothing else to close. As with every http.Server, the handler's context ends when
// the client goes away, but only if the handler has read the request body.
func (g *Google) Browser(h http.Handler) *http.Client {
	cookies, err := cookiejar.New(nil)
	if err != nil {
		panic(fmt.Sprintf("googletest: %v", err)) // never happens
	}
	return &http.Client{
		Jar: &jar{CookieJar: cookies},
		Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			if r.URL.Scheme+"://"+r.URL.Host != Origin {
				if r.Body != nil {
					_ = r.Body.Close()
				}
				return nil, fmt.Errorf("googletest: nothing but %s can be reached", Origin)
			}
			return serveInMemory(h, r)
		}),
	}
}

// signInStep makes one of the two requests of a sign-in and returns the body of
// the answer.
func (g *Google) signInStep(t testing.TB, client *http.Client, method, path string, body []byte) []byte {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, Origin+path, bytes.NewReader(body))
	if err != nil {
		t.Fatalf("googletest: SignIn: %v", err)
	}
	if method == http.MethodPost { // what fetch in a page of the same origin sends
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
			hint = "\nNobody has asked for the keys: is the verifier's HTTPClient this Google's Client?"
		}
		t.Fatalf("googletest: SignIn: %s %s: %s\n%.500s%s", method, path, res.Status, answer, hint)
	}
	if refused := client.Jar.(*jar).why(); refused != "" {
		t.Fatalf("googletest: SignIn: %s %s: %s", method, path, refused)
	}
	if method == http.MethodPost && len(res.Cookies()) == 0 {
		t.Fatalf("googletest: SignIn: %s %s sets no cookie", method, path)
	}
	return answer
}

// A jar refuses what browsers refuse and net/http/cookiejar takes: cookies whose
// names begin with a prefix that their attributes do not live up to
// (draft-ietf-httpbis-rfc6265bis, section 4.1.3, and layered cookies), and
// SameSite=None without Secure.
type jar struct {
	http.CookieJar

	mu      sync.Mutex
	refused string // why, of the first one
}

func (j *jar) SetCookies(u *url.URL, cookies []*http.Cookie) {
	kept := make([]*http.Cookie, 0, len(cookies))
	for _, c := range cookies {
		if err := refusal(c); err != "" {
			j.mu.Lock()
			if j.refused == "" {
				j.refused = "a browser refuses the cookie " + c.Name + ": " + err
			}
			j.mu.Unlock()
			continue
		}
		kept = append(kept, c)
	}
	j.CookieJar.SetCookies(u, kept)
}

func (j *jar) why() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.refused
}

// refusal says what is wrong with a cookie, "" if nothing is. Browsers ignore the
// case of prefixes.
func refusal(c *http.Cookie) string {
	name := strings.ToLower(c.Name)
	host := strings.HasPrefix(name, "__host-")
	script := strings.HasPrefix(name, "__http-") || strings.HasPrefix(name, "__host-http-")
	switch {
	case (host || script || strings.HasPrefix(name, "__secure-")) && !c.Secure:
		return "the prefix asks for Secure"
	case host && (c.Path != "/" || c.Domain != ""):
		return "the prefix asks for Path=/ and no Domain"
	case script && !c.HttpOnly:
		return "the prefix asks for HttpOnly"
	case c.SameSite == http.SameSiteNoneMode && !c.Secure:
		return "SameSite=None asks for Secure"
	}
	return ""
}

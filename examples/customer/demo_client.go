package main

import (
	"bytes"
	"context"
	"io"
	"math"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"strings"
	"time"

	"github.com/googlesession/googlesession/googletest"
)

const (
	// demoAnswer is how much of an answer the demo shows, in bytes.
	demoAnswer = 4 << 10

	// demoCall bounds a request of a browser inside the program.
	demoCall = 5 * time.Second
)

// A demoClient is a client inside the program with cookies of its own. Its requests reach
// the routes under /api/ and no other address.
type demoClient struct {
	http      *http.Client
	host      string // for the text of a request
	userAgent string
}

// newDemoClient returns a client whose requests go to the program's own routes.
func (a *app) newDemoClient(routes http.Handler, userAgent string) *demoClient {
	host := strings.TrimPrefix(a.baseURL, "http://")
	client := a.demo.google.Browser(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Path, "/api/") {
			http.NotFound(w, r)
			return
		}
		r.Host = host // with -dangerously-allow-http, the library answers localhost only
		routes.ServeHTTP(w, r)
	}))
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &demoClient{client, host, userAgent}
}

// demoSite is the address under which the jar of a demoClient keeps the cookies.
var demoSite = &url.URL{Scheme: "https", Host: strings.TrimPrefix(googletest.Origin, "https://"), Path: "/"}

// cookie returns the cookies of that name.
func (c *demoClient) cookie(name string) (found []*http.Cookie) {
	for _, kept := range c.http.Jar.Cookies(demoSite) {
		if kept.Name == name {
			found = append(found, kept)
		}
	}
	return found
}

// steal puts copies of the cookies into the client's jar.
func (c *demoClient) steal(cookies []*http.Cookie) {
	for _, stolen := range cookies {
		c.http.Jar.SetCookies(demoSite, []*http.Cookie{{
			Name: stolen.Name, Value: stolen.Value, Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteStrictMode,
		}})
	}
}

// newRequest returns a request as a page of this site sends it.
func (c *demoClient) newRequest(ctx context.Context, method, path, body string) (*http.Request, error) {
	r, err := http.NewRequestWithContext(ctx, method, googletest.Origin+path, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("User-Agent", c.userAgent)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	return r, nil
}

// An exchange is a request and its answer, as the demo shows them. Neither text has the
// value of a cookie, a token or a nonce.
type exchange struct {
	Request string  `json:"request"`
	Status  int     `json:"status"`
	MS      float64 `json:"ms"` // from sending the request until the answer begins
	Answer  string  `json:"answer"`

	body []byte // of the answer, with its secrets
}

// send sends a request and reads the beginning of its answer. It does not read an event
// stream, because that would not end.
func (c *demoClient) send(ctx context.Context, method, path, body string) (exchange, error) {
	ctx, cancel := context.WithTimeout(ctx, demoCall)
	defer cancel()
	r, err := c.newRequest(ctx, method, path, body)
	if err != nil {
		return exchange{}, err
	}
	x := exchange{Request: c.requestText(r, body)}
	began := time.Now()
	res, err := c.http.Do(r)
	if err != nil {
		return exchange{}, err
	}
	defer func() { _ = res.Body.Close() }()
	x.Status, x.MS = res.StatusCode, milliseconds(time.Since(began))
	media := res.Header.Get("Content-Type")
	if media != "text/event-stream" {
		x.body, err = io.ReadAll(io.LimitReader(res.Body, 64<<10))
	}
	x.Answer = answerText(res, media, x.body)
	return x, err
}

// requestText returns the request as the browser sends it, with masked secrets.
func (c *demoClient) requestText(r *http.Request, body string) string {
	var text strings.Builder
	text.WriteString(r.Method + " " + r.URL.RequestURI() + " HTTP/1.1\nHost: " + c.host + "\n")
	for _, kept := range c.http.Jar.Cookies(demoSite) {
		text.WriteString("Cookie: " + kept.Name + "=" + mask + "\n")
	}
	if body != "" {
		text.WriteString("Content-Type: application/json\n\n" + maskSecrets(body))
	}
	return text.String()
}

// answerText returns the beginning of the answer, with masked secrets.
func answerText(res *http.Response, media string, body []byte) string {
	text := "HTTP/1.1 " + res.Status + "\n"
	if media != "" {
		text += "Content-Type: " + media + "\n"
	}
	if len(body) > 0 {
		text += "\n" + maskSecrets(string(bytes.TrimSpace(body)))
	}
	if len(text) > demoAnswer {
		text = text[:demoAnswer]
	}
	return strings.ToValidUTF8(text, "") // the cut may be inside a character
}

const mask = "••••••"

// secretMembers matches the members of the API's JSON with which another client could sign in.
var secretMembers = regexp.MustCompile(`("(?:token|secret|nonce|credential)"\s*:\s*)"(?:[^"\\]|\\.)*"?`)

func maskSecrets(text string) string { return secretMembers.ReplaceAllString(text, `$1"`+mask+`"`) }

// isDemoPath reports whether a browser inside the program may ask for the path, which may
// have a query. It refuses dot segments, with which a path could leave /api/.
func isDemoPath(target string) bool {
	u, err := url.ParseRequestURI(target)
	return err == nil && u.Scheme == "" && u.Host == "" && strings.HasPrefix(target, "/api/") &&
		path.Clean(u.Path) == strings.TrimSuffix(u.Path, "/") && strings.HasPrefix(u.Path, "/api/")
}

// milliseconds rounds to a tenth of a millisecond.
func milliseconds(d time.Duration) float64 { return math.Round(d.Seconds()*1e4) / 10 }

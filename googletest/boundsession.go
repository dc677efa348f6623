package googletest

import (
	"cmp"
	"crypto/ecdsa"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// A boundSession is a device-bound session in a [BoundBrowser]. The mutex of the browser
// guards the fields below key.
type boundSession struct {
	id         string
	refreshURL *url.URL
	rules      []scopeRule
	cookies    []*http.Cookie // the credentials; they have names and attributes and no values
	initiators []string       // host patterns
	key        *ecdsa.PrivateKey

	challenge  string // the newest challenge from the server; "" if there was none
	proof      string // the newest proof for a refresh; "" if there was none
	proves     string // the challenge that proof answers
	refreshing *refreshing
	refreshes  int       // how many refreshes have succeeded
	failures   int       // how many refreshes got a server error since the last success
	retryAt    time.Time // no refresh is tried before
	triedEarly bool      // a refresh before the cookie's end has failed since the last success
}

// A scopeRule includes URLs in the scope of a session or excludes them from it.
type scopeRule struct {
	include    bool
	host, path string
}

// errEnded is the reason of a configuration that ends the session.
var errEnded = errors.New("the server ended it")

// parseBoundSession returns the session that a configuration from the URL at describes, or
// says why Chromium makes no session of it. The key is not set.
func parseBoundSession(at *url.URL, body []byte) (*boundSession, error) {
	var c struct {
		ID         string   `json:"session_identifier"`
		RefreshURL string   `json:"refresh_url"`
		Continue   *bool    `json:"continue"`
		Initiators []string `json:"allowed_refresh_initiators"`
		Scope      *struct {
			IncludeSite *bool   `json:"include_site"`
			Origin      string  `json:"origin"`
			Rules       []rules `json:"scope_specification"`
		} `json:"scope"`
		Credentials []struct{ Type, Name, Attributes string } `json:"credentials"`
	}
	if err := json.Unmarshal(body, &c); err != nil {
		return nil, fmt.Errorf("the configuration is not JSON of the right form: %w", err)
	}
	switch {
	case c.ID == "":
		return nil, errors.New("session_identifier is missing")
	case c.Continue != nil && !*c.Continue:
		return nil, errEnded
	case c.Scope == nil || c.Scope.IncludeSite == nil:
		return nil, errors.New("scope.include_site is missing")
	case c.Scope.Origin != "" && c.Scope.Origin != Origin:
		return nil, errors.New("scope.origin is not that of the registration")
	case len(c.Credentials) == 0:
		return nil, errors.New("credentials are missing")
	}

	s := &boundSession{id: c.ID, initiators: c.Initiators}
	var err error
	if s.refreshURL, err = at.Parse(c.RefreshURL); err != nil || !isOrigin(s.refreshURL) {
		return nil, errors.New("refresh_url is not a URL of " + Origin)
	}
	for _, r := range c.Scope.Rules {
		rule, err := r.parse()
		if err != nil {
			return nil, err
		}
		s.rules = append(s.rules, rule)
	}
	for _, credential := range c.Credentials {
		if credential.Type != "cookie" {
			return nil, errors.New("the type of a credential is not cookie")
		}
		cookie, err := parseCredential(at, credential.Name, credential.Attributes)
		if err != nil {
			return nil, err
		}
		s.cookies = append(s.cookies, cookie)
	}
	return s, nil
}

// rules is an item of scope_specification.
type rules struct{ Type, Domain, Path *string }

func (r rules) parse() (scopeRule, error) {
	or := func(text *string, missing string) string {
		if text == nil {
			return missing
		}
		return *text
	}
	rule := scopeRule{include: or(r.Type, "") == "include", host: or(r.Domain, "*"), path: or(r.Path, "/")}
	switch {
	case !rule.include && or(r.Type, "") != "exclude":
		return rule, errors.New("the type of a scope_specification is neither include nor exclude")
	case rule.host == "" || !strings.HasPrefix(rule.path, "/"):
		return rule, errors.New("a scope_specification has an invalid domain or path")
	}
	return rule, nil
}

// parseCredential returns the cookie that a credential describes.
func parseCredential(at *url.URL, name, attributes string) (*http.Cookie, error) {
	permitted := []string{"", "domain", "path", "secure", "httponly", "samesite"}
	for attribute := range strings.SplitSeq(attributes, ";") {
		key, _, _ := strings.Cut(attribute, "=")
		if key = strings.ToLower(strings.TrimSpace(key)); !slices.Contains(permitted, key) {
			return nil, fmt.Errorf("the credential has the attribute %s, which is not permitted", key)
		}
	}
	cookie, err := http.ParseSetCookie(name + "=x;" + attributes)
	if err != nil {
		return nil, fmt.Errorf("the credential is not a cookie: %w", err)
	}
	if problem := cookieProblem(cookie); problem != "" {
		return nil, errors.New("the credential is not a valid cookie: " + problem)
	}
	if prefix := "__Host-Http-"; len(name) >= len(prefix) && strings.EqualFold(name[:len(prefix)], prefix) {
		return nil, errors.New("the credential's name begins with __Host-Http-, which Chromium refuses")
	}
	cookie.Domain = strings.ToLower(strings.TrimPrefix(cookie.Domain, "."))
	if cookie.Domain != "" && cookie.Domain != at.Hostname() {
		return nil, errors.New("the credential has the domain of another site")
	}
	if !strings.HasPrefix(cookie.Path, "/") {
		cookie.Path = defaultPath(at)
	}
	return cookie, nil
}

// keepChallenge keeps the last challenge that the header of a response has for the session.
func (s *boundSession) keepChallenge(header http.Header) {
	items, ok := parseHeaderList(header.Values("Secure-Session-Challenge"))
	for _, item := range items {
		if ok && len(item.values) == 1 && item.params["id"] == s.id {
			s.challenge = item.values[0]
		}
	}
}

// covers reports whether the browser refreshes this session for the request.
func (s *boundSession) covers(r *http.Request) bool {
	if r.URL.Path == s.refreshURL.Path && r.URL.RawQuery == s.refreshURL.RawQuery {
		return false
	}
	for _, rule := range slices.Backward(s.rules) { // the last rule that matches decides
		if hostMatches(rule.host, r.URL.Hostname()) && underPath(r.URL, rule.path) {
			return rule.include && s.allows(r)
		}
	}
	return s.allows(r)
}

// allows reports whether the page that makes the request may cause a refresh.
func (s *boundSession) allows(r *http.Request) bool {
	site := r.Header.Get("Sec-Fetch-Site")
	if site != "cross-site" && site != "same-site" {
		return true
	}
	var host string // "" if the request does not tell the page
	if page, err := url.Parse(cmp.Or(r.Header.Get("Origin"), r.Referer())); err == nil {
		host = page.Hostname()
	}
	return slices.ContainsFunc(s.initiators, func(pattern string) bool { return hostMatches(pattern, host) })
}

// hostMatches reports whether the host matches a pattern such as *, app.test or *.app.test.
func hostMatches(pattern, host string) bool {
	if suffix, wild := strings.CutPrefix(pattern, "*"); wild {
		return strings.HasSuffix(host, suffix)
	}
	return pattern == host
}

// timeLeft returns for how long the jar will have all cookies of the session that the
// request sends.
func (s *boundSession) timeLeft(j *boundJar, r *http.Request) time.Duration {
	left := noExpiry
	for _, c := range s.cookies {
		if underPath(r.URL, c.Path) && sameSiteAllows(r)(c.SameSite) {
			left = min(left, j.timeLeft(c))
		}
	}
	return left
}

// sameSiteAllows returns a function that tells which cookies the request sends. A request
// without Sec-Fetch-Site is from a page of the application or from the address bar.
func sameSiteAllows(r *http.Request) func(http.SameSite) bool {
	crossSite := r.Header.Get("Sec-Fetch-Site") == "cross-site"
	link := r.Header.Get("Sec-Fetch-Mode") == "navigate" && (r.Method == http.MethodGet || r.Method == http.MethodHead)
	return func(s http.SameSite) bool {
		return !crossSite || s == http.SameSiteNoneMode || link && s != http.SameSiteStrictMode
	}
}

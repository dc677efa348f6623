package googletest

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// A boundJar has the cookies of a [BoundBrowser]. Unlike net/http/cookiejar, it tells when a
// cookie expires and which attributes it has, and it can be copied. All of its cookies are
// from [Origin]. It refuses the cookies that browsers refuse.
type boundJar struct {
	mu      sync.Mutex
	cookies []http.Cookie // oldest first; Path is set, Expires is zero or the time of expiry, and MaxAge is 0
	refused string        // why a browser refuses the first refused cookie; "" if no cookie was refused
}

func (j *boundJar) SetCookies(u *url.URL, cookies []*http.Cookie) {
	if !isOrigin(u) {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, set := range cookies {
		c := *set //nolint:gosec // the copy has the attributes of the cookie that was set
		problem := cookieProblem(&c)
		if c.Domain = strings.ToLower(strings.TrimPrefix(c.Domain, ".")); c.Domain != "" && c.Domain != u.Hostname() {
			problem = "the domain is not that of " + Origin
		}
		if problem != "" {
			j.refused = cmp.Or(j.refused, "a browser refuses the cookie "+c.Name+": "+problem)
			continue
		}
		if c.Path == "" || c.Path[0] != '/' {
			c.Path = defaultPath(u)
		}
		switch {
		case c.MaxAge > 0:
			c.Expires = time.Now().Add(time.Duration(c.MaxAge) * time.Second)
		case c.MaxAge < 0:
			c.Expires = time.Now()
		}
		c.MaxAge = 0
		j.put(c)
	}
}

// put adds a cookie, replaces the older one or, if c has expired, removes the older one.
func (j *boundJar) put(c http.Cookie) {
	i := slices.IndexFunc(j.cookies, func(old http.Cookie) bool {
		return old.Name == c.Name && old.Path == c.Path && old.Domain == c.Domain
	})
	switch {
	case i < 0 && !expired(&c):
		j.cookies = append(j.cookies, c)
	case i >= 0 && expired(&c):
		j.cookies = slices.Delete(j.cookies, i, i+1)
	case i >= 0:
		j.cookies[i] = c
	}
}

// Cookies returns the cookies that a page of the application sends to u. They have a name
// and a value only.
func (j *boundJar) Cookies(u *url.URL) []*http.Cookie {
	return j.sentTo(u, func(http.SameSite) bool { return true })
}

// sentTo returns the cookies that are sent to u, those with longer paths first. It leaves
// out the cookies whose SameSite attribute the function refuses.
func (j *boundJar) sentTo(u *url.URL, allowed func(http.SameSite) bool) []*http.Cookie {
	if !isOrigin(u) {
		return nil
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	var sent []*http.Cookie
	for _, c := range j.cookies {
		if !expired(&c) && underPath(u, c.Path) && allowed(c.SameSite) {
			sent = append(sent, &http.Cookie{Name: c.Name, Value: c.Value, Quoted: c.Quoted, Path: c.Path}) //nolint:gosec // a cookie that a client sends has no attributes
		}
	}
	slices.SortStableFunc(sent, func(a, b *http.Cookie) int { return len(b.Path) - len(a.Path) })
	for _, c := range sent {
		c.Path = ""
	}
	return sent
}

// timeLeft returns for how long the jar will have a cookie with the name and the attributes
// of want. A cookie that does not expire has noExpiry left.
func (j *boundJar) timeLeft(want *http.Cookie) time.Duration {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, c := range j.cookies {
		if expired(&c) || !sameAttributes(&c, want) {
			continue
		}
		if c.Expires.IsZero() {
			return noExpiry
		}
		return time.Until(c.Expires)
	}
	return 0
}

// clone returns a jar with the same cookies.
func (j *boundJar) clone() *boundJar {
	j.mu.Lock()
	defer j.mu.Unlock()
	return &boundJar{cookies: slices.Clone(j.cookies)}
}

// firstRefusal returns why a browser refuses the first of the cookies that
// the jar has refused, or "" if the jar has refused none.
func (j *boundJar) firstRefusal() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.refused
}

// noExpiry is the time that is left to a cookie without Max-Age and Expires.
const noExpiry = time.Duration(1<<63 - 1)

// isOrigin reports whether u is a URL of Origin.
func isOrigin(u *url.URL) bool { return u.Scheme+"://"+u.Host == Origin }

func expired(c *http.Cookie) bool {
	return !c.Expires.IsZero() && !c.Expires.After(time.Now())
}

// sameAttributes reports whether c is the cookie that want describes. Chromium compares all
// attributes but the time of expiry. SameSiteDefaultMode means the same as 0.
func sameAttributes(c, want *http.Cookie) bool {
	return c.Name == want.Name && c.Path == want.Path && c.Domain == want.Domain &&
		c.Secure == want.Secure && c.HttpOnly == want.HttpOnly &&
		max(c.SameSite, http.SameSiteDefaultMode) == max(want.SameSite, http.SameSiteDefaultMode)
}

// defaultPath returns the Path of a cookie that u sets without a Path
// (RFC 6265, section 5.1.4).
func defaultPath(u *url.URL) string {
	if i := strings.LastIndex(u.Path, "/"); i > 0 {
		return u.Path[:i]
	}
	return "/"
}

// underPath reports whether the path of u is prefix or below it (RFC 6265, section 5.1.4).
func underPath(u *url.URL, prefix string) bool {
	at := cmp.Or(u.Path, "/")
	return at == prefix || strings.HasPrefix(at, strings.TrimSuffix(prefix, "/")+"/")
}

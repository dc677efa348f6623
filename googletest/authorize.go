package googletest

import (
	"crypto/rand"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

// AuthorizationURL is the address of Google's page for a sign-in by redirect.
const AuthorizationURL = "https://accounts.google.com/o/oauth2/v2/auth"

// codeLifetime is how long a code can be exchanged.
const codeLifetime = 10 * time.Minute

// A grant describes the sign-in for which a code was issued. It is deleted when the code is
// used.
type grant struct {
	email       string
	nonce       string
	redirectURI string
	challenge   string
	expires     time.Time
}

// Authorize does what a person and Google do on Google's page. The request is the URL to
// which the application has sent the browser. Its host does not matter. Authorize returns
// the URL to which Google sends the browser back, with a code for the account with the
// address email. If email is "", the person cancels, and the URL has error=access_denied.
//
// Authorize returns an error for a request that Google would refuse, and its text says what
// is wrong. Google shows such an error on its own page and does not send the browser back.
// Authorize also demands a state, a nonce and a code_challenge with the method S256,
// because a sign-in is not safe without them. Google does not demand these.
//
// The code can be exchanged once within ten minutes, at [ExchangeURL].
func (g *Google) Authorize(request, email string) (redirect string, err error) {
	u, err := url.Parse(request)
	if err != nil {
		return "", errors.New("googletest: Authorize: not a URL")
	}
	q, err := g.parseAuthorization(u.RawQuery)
	if err != nil {
		return "", err
	}
	if email == "" {
		return q.back(url.Values{"error": {"access_denied"}}), nil
	}
	if !looksLikeEmail(email) {
		return "", fmt.Errorf("googletest: Authorize: %q is not an e-mail address", email)
	}
	code := "4/0A" + rand.Text() + rand.Text() // like Google's codes, it has a character that a URL escapes
	g.mu.Lock()
	defer g.mu.Unlock()
	q.grant.email, q.grant.expires = email, time.Now().Add(codeLifetime)
	g.grants[code] = q.grant
	return q.back(url.Values{
		"code":     {code},
		"scope":    {"email profile openid https://www.googleapis.com/auth/userinfo.profile https://www.googleapis.com/auth/userinfo.email"},
		"authuser": {"0"},
		"prompt":   {"none"},
	}), nil
}

// An authorization is a request for Google's page.
type authorization struct {
	grant grant
	state string
	hint  string
}

// back returns the URL to which the browser is sent back, with these parameters.
func (a authorization) back(parameters url.Values) string {
	parameters.Set("state", a.state)
	parameters.Set("iss", "https://accounts.google.com") // RFC 9207
	separator := "?"
	if strings.Contains(a.grant.redirectURI, "?") {
		separator = "&"
	}
	return a.grant.redirectURI + separator + parameters.Encode()
}

var challengeShape = regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`)

// parseAuthorization reads the query of a request for Google's page.
func (g *Google) parseAuthorization(query string) (authorization, error) {
	wrong := func(format string, args ...any) (authorization, error) {
		return authorization{}, fmt.Errorf("googletest: authorization request: "+format, args...)
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		return wrong("malformed query")
	}
	for name, list := range values {
		if len(list) != 1 {
			return wrong("repeated parameter %s", name)
		}
	}
	scopes := strings.Fields(values.Get("scope"))
	prompts := strings.Fields(values.Get("prompt"))
	redirectURI := values.Get("redirect_uri")
	switch {
	case values.Get("client_id") != g.clientID:
		return wrong("client_id is %q, not %q (invalid_client)", values.Get("client_id"), g.clientID)
	case !g.isRegistered(redirectURI):
		return wrong("redirect_uri %q is not registered (redirect_uri_mismatch)", redirectURI)
	case values.Get("response_type") != "code":
		return wrong("response_type is not code")
	case !slices.Contains(scopes, "openid"):
		return wrong("scope has no openid")
	case !slices.Contains(scopes, "email"):
		return wrong("scope has no email")
	case slices.ContainsFunc(scopes, func(s string) bool { return s != "openid" && s != "email" && s != "profile" }):
		return wrong("scope has more than openid, email and profile (invalid_scope)")
	case slices.ContainsFunc(prompts, func(p string) bool { return p != "select_account" && p != "consent" }):
		return wrong("prompt is not select_account or consent")
	case values.Get("state") == "":
		return wrong("no state")
	case values.Get("nonce") == "" || len(values.Get("nonce")) > 200:
		return wrong("no nonce, or more than 200 bytes")
	case values.Get("code_challenge_method") != "S256":
		return wrong("code_challenge_method is not S256")
	case !challengeShape.MatchString(values.Get("code_challenge")):
		return wrong("code_challenge is not a SHA-256 in base64url")
	}
	return authorization{
		grant: grant{nonce: values.Get("nonce"), redirectURI: redirectURI, challenge: values.Get("code_challenge")},
		state: values.Get("state"),
		hint:  values.Get("login_hint"),
	}, nil
}

// isRegistered reports whether Google would send browsers back to this URI. Google lets a
// client register https URIs, and http URIs of localhost, without a fragment.
func (g *Google) isRegistered(uri string) bool {
	if g.RedirectURIs != nil {
		return slices.Contains(g.RedirectURIs, uri)
	}
	u, err := url.Parse(uri)
	if err != nil || u.Host == "" || u.User != nil || strings.ContainsAny(uri, "#*") {
		return false
	}
	host := u.Hostname()
	return u.Scheme == "https" || u.Scheme == "http" && (host == "localhost" || host == "127.0.0.1" || host == "::1")
}

var authorizationPage = template.Must(template.New("").Parse(`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Choose an account</title>
</head>
<body>
<main>
<h1>Choose an account</h1>
<p>This page stands in for Google's. It signs in any account.</p>
{{range .Accounts}}<form method="post"><button name="email" value="{{.}}">{{.}}</button></form>
{{end}}<form method="post">
<p><label for="email">Another account</label>
<input id="email" name="email" type="email" autocomplete="off" required value="{{.Hint}}">
<button>Continue</button></p>
</form>
<form method="post"><button name="cancel" value="true">Cancel</button></form>
</main>
</body>
</html>
`))

// AuthorizationHandler returns a handler that stands in for Google's page, at
// [AuthorizationURL]. On the page a visitor chooses an account, types another e-mail
// address, or cancels. accounts are the e-mail addresses that the page offers. The page has
// no scripts, styles or other files. The handler then sends the browser back as
// [Google.Authorize] says. It answers 400 with the reason as text to a request that
// Authorize refuses.
//
// For an application with package googlecode, the address of this handler is the
// AuthorizationURL of googlecode.Config.
//
// The handler lets every visitor sign in as any user. A program that serves it must not be
// reachable from other machines.
func (g *Google) AuthorizationHandler(accounts ...string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		if r.Method != http.MethodGet && r.Method != http.MethodHead && r.Method != http.MethodPost {
			w.Header().Set("Allow", "GET, HEAD, POST")
			http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
			return
		}
		q, err := g.parseAuthorization(r.URL.RawQuery)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		if r.Method != http.MethodPost {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			_ = authorizationPage.Execute(w, map[string]any{"Accounts": accounts, "Hint": q.hint}) // fails only if the browser has gone
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, 4<<10)
		if err := r.ParseForm(); err != nil {
			http.Error(w, "malformed form", http.StatusBadRequest)
			return
		}
		email := r.PostForm.Get("email")
		if (email == "") != (r.PostForm.Get("cancel") == "true") {
			http.Error(w, "email or cancel expected", http.StatusBadRequest)
			return
		}
		redirect, err := g.Authorize(r.URL.String(), email)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		http.Redirect(w, r, redirect, http.StatusSeeOther) //nolint:gosec // an application chooses the redirect URI, as at Google
	})
}

package googlesession

import (
	"errors"
	"net/http"
	"net/url"
)

// The errors of a sign-in without one well-formed nonce cookie. The server does not know
// whether the browser has asked for GET /login, so the hints name every cause that is
// possible for the request.
var (
	errBadNonce = errors.New("googlesession: malformed nonce cookie")

	errManyNonces error = &operatorError{
		"googlesession: more than one nonce cookie",
		"A sibling host, or another application on this host, has set a cookie of the same name, or a proxy repeats the Cookie header. " +
			"The browser cannot sign in until its cookies for this site are deleted.",
	}
	errInsecurePage error = &operatorError{
		"googlesession: no nonce cookie, from a page without https",
		"Browsers drop the library's Secure cookies without https, except on localhost. Serve the page over https.",
	}
	errOtherSite error = &operatorError{
		"googlesession: no nonce cookie, from a page of another site (Sec-Fetch-Site: cross-site)",
		"Browsers do not send the library's cookies with requests from another site. Config.TrustedOrigins does not change that. " +
			"Serve the page and this server from one site, or let the page's server proxy the API. localhost and 127.0.0.1 are two sites.",
	}
	errNoNonce error = &operatorError{
		"googlesession: no nonce cookie",
		"The page did not ask GET /login first, or asked without credentials (fetch needs credentials: include for another origin). " +
			"A proxy or a cache removes Set-Cookie. The browser blocks cookies. Safari drops Secure cookies on http://localhost (Config.DangerouslyAllowHTTP). " +
			"The client is a program without a cookie jar, or one that sends no Secure cookie over http. " +
			"The page was open for a day, or its user has signed out in another tab, and signing in again works.",
	}
)

// nonceError returns the cause of the refusal of a sign-in without one well-formed nonce
// cookie.
func nonceError(r *http.Request, count int) error {
	switch {
	case count == 1:
		return errBadNonce
	case count > 1:
		return errManyNonces
	}
	origin := r.Header.Get("Origin")
	switch page, err := url.Parse(origin); {
	case origin == googleOrigin: // in RedirectMode the nonce cookie is SameSite=None, so browsers send it with Google's form
		return errNoNonce
	case r.Header.Get("Sec-Fetch-Site") == "cross-site":
		return errOtherSite
	case err == nil && page.Scheme == "http" && !isLoopback(page.Host):
		return errInsecurePage
	default:
		return errNoNonce
	}
}

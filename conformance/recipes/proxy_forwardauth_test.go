package recipes_test

import (
	"net/http"
	"net/url"

	"github.com/googlesession/googlesession"
)

// originalRequest gives h the request that a proxy asks about, so that a guard checks its
// method and origin, and the login page knows where to return to. The proxy sets these
// headers, so only the proxy may reach this handler.
func originalRequest(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		method, host, uri := r.Header["X-Forwarded-Method"], r.Header["X-Forwarded-Host"], r.Header["X-Forwarded-Uri"]
		if len(method) != 1 || len(host) != 1 || len(uri) != 1 {
			http.Error(w, "the proxy does not say which request it asks about", http.StatusInternalServerError)
			return
		}
		original := r.Clone(r.Context())
		original.Method, original.Host, original.RequestURI = method[0], host[0], uri[0]
		var err error
		if original.URL, err = url.ParseRequestURI(uri[0]); err != nil {
			http.Error(w, "the request has a malformed path", http.StatusBadRequest)
			return
		}
		h.ServeHTTP(w, original)
	})
}

// admit tells the proxy who the user is.
func admit(w http.ResponseWriter, r *http.Request) {
	user, _ := googlesession.UserFrom(r.Context())
	w.Header().Set("X-User-ID", user.ID)
	w.Header().Set("X-User-Email", user.Email)
	w.WriteHeader(http.StatusNoContent)
}

// tryAgain answers a request that was refused a moment ago and would be admitted now. Only
// nginx asks twice.
func tryAgain(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Retry-After", "1")
	http.Error(w, "please try again", http.StatusServiceUnavailable)
}

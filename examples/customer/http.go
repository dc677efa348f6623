package main

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/rs/cors"

	"github.com/googlesession/googlesession"
)

// secureHeaders sets the headers that tell browsers what to enforce. Google documents
// what its button needs in "Setup", under "Content Security Policy" and "Cross Origin
// Opener Policy". The demo's stand-in for Google needs none of that.
func (a *app) secureHeaders(h http.Handler) http.Handler {
	sources := []string{"default-src 'self'"}
	if a.demo == nil {
		sources = append(sources, "script-src 'self' "+googleScript, "style-src 'self' "+a.web.styleHash+" https://accounts.google.com/gsi/style",
			"connect-src 'self' https://accounts.google.com/gsi/", "frame-src https://accounts.google.com/gsi/",
			"img-src 'self' data: https://lh3.googleusercontent.com")
	} else {
		sources = append(sources, "script-src 'self'", "style-src 'self' "+a.web.styleHash, "connect-src 'self'", "frame-src 'none'",
			"img-src 'self' data:")
	}
	sources = append(sources, "object-src 'none'", "base-uri 'none'", "form-action 'self'", "frame-ancestors 'none'")
	policy := strings.Join(sources, "; ")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Content-Security-Policy", policy)
		header.Set("Cross-Origin-Opener-Policy", "same-origin-allow-popups") // Google's window sends the token to its opener
		header.Set("Referrer-Policy", "strict-origin-when-cross-origin")
		if isLoopback(hostname(r.Host)) {
			// Google's documentation asks for this value on http://localhost, because
			// Google's script has to learn the origin of the page.
			header.Set("Referrer-Policy", "no-referrer-when-downgrade")
		} else if a.isHTTPS(r) {
			// localhost does not get this header, because the browser would then ask other
			// programs on this machine for HTTPS, too.
			header.Set("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
		}
		header.Set("X-Content-Type-Options", "nosniff")
		h.ServeHTTP(w, r)
	})
}

// handleForAdmins is mux.HandleFunc for a route of administrators.
func (a *app) handleForAdmins(mux *http.ServeMux, pattern string, h http.HandlerFunc) {
	mux.Handle(pattern, a.sessions.RequireAdmin(h))
}

// isHTTPS reports whether this server, or a proxy listed in -proxies, received the
// request over TLS. RFC 6797, section 7.2, allows Strict-Transport-Security only on
// answers over TLS.
func (a *app) isHTTPS(r *http.Request) bool {
	if r.TLS != nil {
		return true
	}
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	first, _, _ := strings.Cut(r.Header.Get("X-Forwarded-Proto"), ",")
	return err == nil && a.isProxy(peer.Addr()) && strings.EqualFold(strings.TrimSpace(first), "https")
}

// isProxy reports whether the address is in -proxies.
func (a *app) isProxy(peer netip.Addr) bool {
	return slices.ContainsFunc(a.opts.proxies, func(p netip.Prefix) bool { return p.Contains(peer.Unmap()) })
}

// allowOrigins lets front ends on the given origins use the API with the session cookie.
// It compares whole origins and does not use the patterns of package cors.
func allowOrigins(origins []string, h http.Handler) http.Handler {
	return cors.New(cors.Options{
		AllowOriginFunc:  func(origin string) bool { return slices.Contains(origins, origin) },
		AllowCredentials: true,
		AllowedMethods:   []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPatch, http.MethodDelete},
		AllowedHeaders:   []string{"Content-Type", "Idempotency-Key"},
		MaxAge:           600,
	}).Handler(h)
}

// ignoreTrailingSlash serves /customer/ as /customer.
func ignoreTrailingSlash(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// The path is compared in its escaped form, because an escaped slash is part of a name.
		if p := r.URL.Path; len(p) > 1 && strings.HasSuffix(r.URL.EscapedPath(), "/") {
			r = r.Clone(r.Context())
			r.URL.Path, r.URL.RawPath = strings.TrimSuffix(p, "/"), strings.TrimSuffix(r.URL.RawPath, "/")
		}
		h.ServeHTTP(w, r)
	})
}

// writeError writes the answer for err. A Denial is a refusal. Any other error is an
// outage, whose text is logged and not sent.
func (a *app) writeError(w http.ResponseWriter, r *http.Request, err error) {
	if d, ok := errors.AsType[googlesession.Denial](err); ok {
		field, _ := errors.AsType[fieldError](err)
		writeFieldProblem(w, field.field, d.Status, d.Code, d.Detail)
		return
	}
	a.log.LogAttrs(r.Context(), slog.LevelError, "unavailable", slog.String("path", r.URL.Path), slog.Any("error", err))
	w.Header().Set("Retry-After", "5")
	writeProblem(w, http.StatusServiceUnavailable, googlesession.CodeUnavailable,
		"The service cannot answer right now. Please try again.")
}

// writeProblem writes an RFC 9457 problem with the same members as the library's
// problems.
func writeProblem(w http.ResponseWriter, status int, code googlesession.Code, detail string) {
	writeFieldProblem(w, "", status, code, detail)
}

// writeFieldProblem writes a problem with the name of the field that causes it, which may be
// empty.
func writeFieldProblem(w http.ResponseWriter, field string, status int, code googlesession.Code, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	problem := map[string]any{"title": http.StatusText(status), "status": status, "detail": detail, "code": code}
	if field != "" {
		problem["field"] = field
	}
	writeBody(w, status, problem)
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	writeBody(w, status, v)
}

func writeBody(w http.ResponseWriter, status int, v any) {
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // an error means that the client has gone
}

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

// secureHeaders sets what browsers should enforce. What Google's button needs is
// in its setup page ("Content Security Policy", "Cross Origin Opener Policy"); its
// stand-in needs none of it.
func (a *app) secureHeaders(h http.Handler) http.Handler {
	sources := []string{"default-src 'self'"}
	if a.demo == nil {
		sources = append(sources, "script-src 'self' "+googleScript, "style-src 'self' https://accounts.google.com/gsi/style",
			"connect-src 'self' https://accounts.google.com/gsi/", "frame-src https://accounts.google.com/gsi/",
			"img-src 'self' data: https://lh3.googleusercontent.com")
	} else {
		sources = append(sources, "script-src 'self'", "style-src 'self'", "connect-src 'self'", "frame-src 'none'",
			"img-src 'self' data:")
	}
	sources = append(sources, "object-src 'none'", "base-uri 'none'", "form-action 'self'", "frame-ancestors 'none'")
	policy := strings.Join(sources, "; ")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Content-Security-Policy", policy)
		header.Set("Cross-Origin-Opener-Policy", "same-origin-allow-popups") // Google's window answers its opener
		header.Set("Referrer-Policy", "strict-origin-when-cross-origin")
		if isLoopback(hostname(r.Host)) {
			// Google's script has to learn the origin; on http://localhost its
			// documentation asks for this.
			header.Set("Referrer-Policy", "no-referrer-when-downgrade")
		} else if a.isHTTPS(r) {
			// Not on localhost, where the browser would ask other programs for HTTPS too.
			header.Set("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
		}
		header.Set("X-Content-Type-Options", "nosniff")
		h.ServeHTTP(w, r)
	})
}

// isHTTPS reports whether the browser's request was encrypted, as far as this server or
// a proxy of -proxies knows. RFC 6797, section 7.2, asks for Strict-Transport-Security
// on such answers only.
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

// allowOrigins lets front ends on other origins use the API with the cookie. The
// list decides, not the patterns of package cors.
func allowOrigins(origins []string, h http.Handler) http.Handler {
	return cors.New(cors.Options{
		AllowOriginFunc:  func(origin string) bool { return slices.Contains(origins, origin) },
		AllowCredentials: true,
		AllowedMethods:   []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPatch, http.MethodDelete},
		AllowedHeaders:   []string{"Content-Type"},
		MaxAge:           600,
	}).Handler(h)
}

// ignoreTrailingSlash makes /customer/ the same as /customer.
func ignoreTrailingSlash(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// As it was sent: an escaped slash belongs to a name.
		if p := r.URL.Path; len(p) > 1 && strings.HasSuffix(r.URL.EscapedPath(), "/") {
			r = r.Clone(r.Context())
			r.URL.Path, r.URL.RawPath = strings.TrimSuffix(p, "/"), strings.TrimSuffix(r.URL.RawPath, "/")
		}
		h.ServeHTTP(w, r)
	})
}

// writeError answers an error. What is not a refusal of the library is an outage, whose
// text is for the log alone.
func (a *app) writeError(w http.ResponseWriter, r *http.Request, err error) {
	if d, ok := errors.AsType[googlesession.Denial](err); ok {
		writeProblem(w, d.Status, d.Code, d.Detail)
		return
	}
	a.log.LogAttrs(r.Context(), slog.LevelError, "unavailable", slog.String("path", r.URL.Path), slog.Any("error", err))
	w.Header().Set("Retry-After", "5")
	writeProblem(w, http.StatusServiceUnavailable, googlesession.CodeUnavailable,
		"The service cannot answer right now. Please try again.")
}

// writeProblem answers an RFC 9457 problem, with the members that the library's
// have.
func writeProblem(w http.ResponseWriter, status int, code googlesession.Code, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	writeBody(w, status, map[string]any{
		"title": http.StatusText(status), "status": status, "detail": detail, "code": code,
	})
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	writeBody(w, status, v)
}

func writeBody(w http.ResponseWriter, status int, v any) {
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // if it fails, the client has gone
}

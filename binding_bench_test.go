package googlesession_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
)

// BenchmarkGuardOfBoundSession measures what device binding adds to a request.
func BenchmarkGuardOfBoundSession(b *testing.B) {
	off, on := newSite(b, nil), newBoundSite(b, nil)
	bound := newBoundDevice(b, on, alice)
	for _, bb := range []struct {
		name    string
		site    *site
		cookies string
	}{
		{"off", off, sessionCookie + "=" + cookie(b, off.signIn(b, alice), sessionCookie)},
		{"unbound", on, sessionCookie + "=" + cookie(b, on.signIn(b, alice), sessionCookie)},
		{"bound", on, bound.cookies(b)},
	} {
		b.Run(bb.name, func(b *testing.B) {
			h := bb.site.manager.RequireUser(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
			r := httptest.NewRequestWithContext(b.Context(), http.MethodGet, "/", nil)
			r.Header.Set("Cookie", bb.cookies)
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			require.Equal(b, http.StatusNoContent, w.Code)
			sink := discard{http.Header{}}
			b.ReportAllocs()
			for b.Loop() {
				clear(sink.header)
				h.ServeHTTP(sink, r)
			}
		})
	}
}

// cookies returns the header with the two cookies of the bound session.
func (d *device) cookies(t testing.TB) string {
	t.Helper()
	return sessionCookie + "=" + cookie(t, d.Client, sessionCookie) + "; " + boundCookie + "=" + cookie(t, d.Client, boundCookie)
}

package googlesession_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
)

// discard is a ResponseWriter that allocates nothing.
type discard struct{ header http.Header }

func (d discard) Header() http.Header         { return d.header }
func (d discard) Write(b []byte) (int, error) { return len(b), nil }
func (d discard) WriteHeader(int)             {}

// A request through a guard and the memory store allocates six times, for the decision, the
// context that carries it, the copy of the request that carries that context, the context of
// the call to the store, and two header values. A bound session has the decoded stamp in addition.
func TestGuardAllocs(t *testing.T) {
	s := newSite(t, nil)
	c := s.signIn(t, alice)
	withSuffix := newSite(t, func(c *googlesession.Config) { c.CookieSuffix = strings.Repeat("a", 32) })
	own := sessionCookie + "=" + cookie(t, c, sessionCookie)
	longer := sessionCookie + "-" + strings.Repeat("a", 32)
	suffixed := longer + "=" + cookie(t, withSuffix.signIn(t, alice), longer)
	binding := newBoundSite(t, nil)
	unbound := sessionCookie + "=" + cookie(t, binding.signIn(t, alice), sessionCookie)
	for _, tt := range []struct {
		name    string
		guard   func(http.Handler) http.Handler
		cookies string
		want    float64
	}{
		{"RequireUser", s.manager.RequireUser, "theme=dark; " + own, 6},
		{"Load", s.manager.Load, "theme=dark; " + own, 6},
		{"Load before RequireUser", func(h http.Handler) http.Handler { return s.manager.Load(s.manager.RequireUser(h)) }, "theme=dark; " + own, 7},
		{"with a suffix", withSuffix.manager.RequireUser, "theme=dark; " + suffixed, 6},
		{"two applications", s.manager.RequireUser, suffixed + "; " + own, 6},
		{"two applications, in the other order", s.manager.RequireUser, own + "; " + suffixed, 6},
		{"two applications, with a suffix", withSuffix.manager.RequireUser, own + "; " + suffixed, 6},
		{"a session that is not bound", binding.manager.RequireUser, unbound, 6},
		{"a bound session", binding.manager.RequireUser, newBoundDevice(t, binding, alice).cookies(t), 7},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var email string
			h := tt.guard(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				u, _ := googlesession.UserFrom(r.Context())
				email = u.Email
			}))
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
			r.Header.Set("Cookie", tt.cookies)
			w := discard{http.Header{}}
			allocs := testing.AllocsPerRun(1000, func() {
				clear(w.header)
				h.ServeHTTP(w, r)
			})
			require.Equal(t, alice, email)
			require.InDelta(t, tt.want, allocs, 0)
		})
	}
}

// A handler may change the header values that a guard has set, without an effect on other
// answers.
func TestHeaderOfTheGuard(t *testing.T) {
	s := newSite(t, nil)
	c := s.signIn(t, alice)
	changed := s.manager.RequireUser(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Add("Cache-Control", "private")
		h.Add("Vary", "Accept")
		h["Cache-Control"][0] = "max-age=1"
	}))
	plain := s.manager.RequireUser(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "in") }))
	before := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Vary", "Accept-Encoding")
		w.Header().Set("Cache-Control", "public")
		plain.ServeHTTP(w, r)
	})
	for range 2 {
		a := serve(t, changed, http.MethodGet, "/", "", "Cookie", sessionCookie+"="+cookie(t, c, sessionCookie))
		require.Equal(t, []string{"Cookie", "Accept"}, a.header["Vary"])
		require.Equal(t, []string{"max-age=1", "private"}, a.header["Cache-Control"])
		a = serve(t, plain, http.MethodGet, "/", "", "Cookie", sessionCookie+"="+cookie(t, c, sessionCookie))
		require.Equal(t, []string{"Cookie"}, a.header["Vary"])
		require.Equal(t, []string{"no-store"}, a.header["Cache-Control"])
		a = serve(t, before, http.MethodGet, "/", "", "Cookie", sessionCookie+"="+cookie(t, c, sessionCookie))
		require.Equal(t, []string{"Accept-Encoding", "Cookie"}, a.header["Vary"])
		require.Equal(t, []string{"no-store"}, a.header["Cache-Control"])
	}
}

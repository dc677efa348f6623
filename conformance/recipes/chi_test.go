package recipes_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
)

//recipe:frameworks
func chiApp(m *googlesession.Manager, editors func(http.Handler) http.Handler, hello http.HandlerFunc) http.Handler {
	r := chi.NewRouter()
	r.Mount("/api", http.StripPrefix("/api", m.Handler())) // Mount leaves the prefix in URL.Path
	r.Group(func(r chi.Router) {
		r.Use(m.RequireUser)
		r.Get("/hello", hello)
		r.Post("/hello", hello)
		r.With(m.RequireFresh(10*time.Minute)).Post("/danger", hello)
		r.With(editors).Get("/reports", hello)
	})
	return r
}

// greeter returns a handler for net/http that answers with the greeting.
func greeter(greet func(googlesession.User) string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		user, _ := googlesession.UserFrom(r.Context())
		_, _ = w.Write([]byte(greet(user)))
	}
}

func TestChi(t *testing.T) {
	testRecipe(t, func(_ *testing.T, m *googlesession.Manager, editors guard, greet func(googlesession.User) string) http.Handler {
		return chiApp(m, editors, greeter(greet))
	})
}

// Without http.StripPrefix every route of the library answers 404.
func TestChiMountWithoutStripPrefix(t *testing.T) {
	m, google := newManager(t, nil)
	r := chi.NewRouter()
	r.Mount("/api", m.Handler())
	res := do(t, google.Browser(r), "GET", "/api/login")
	require.Equal(t, http.StatusNotFound, res.status)
}

// A guard that chi's Use puts in front of everything also guards the sign-in, so no user
// can sign in.
func TestChiGuardInFrontOfTheSignIn(t *testing.T) {
	m, google := newManager(t, nil)
	r := chi.NewRouter()
	r.Use(m.RequireUser)
	r.Mount("/api", http.StripPrefix("/api", m.Handler()))
	res := do(t, google.Browser(r), "GET", "/api/login")
	require.Equal(t, http.StatusUnauthorized, res.status)
}

// chi's RealIP believes what a client says about its own address. The list of sessions then
// shows an invented address, which Config.ClientIP would not have believed.
func TestChiRealIP(t *testing.T) {
	for _, tt := range []struct {
		name string
		use  func(http.Handler) http.Handler
		ip   string
	}{
		{"RealIP", middleware.RealIP, "203.0.113.9"}, //nolint:staticcheck // the test shows why it is deprecated
		{"no RealIP", func(h http.Handler) http.Handler { return h }, "192.0.2.1"},
	} {
		m, google := newManager(t, nil)
		r := chi.NewRouter()
		r.Use(tt.use)
		r.Mount("/api", http.StripPrefix("/api", m.Handler()))
		user := google.SignIn(t, sending(r, "X-Forwarded-For", "203.0.113.9"), "/api/login", ada)
		res := do(t, user, "GET", "/api/sessions")
		require.Contains(t, res.text, `"ip":"`+tt.ip+`"`, tt.name)
	}
}

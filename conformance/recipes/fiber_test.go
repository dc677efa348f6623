package recipes_test

import (
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v3"
	"github.com/gofiber/fiber/v3/middleware/adaptor"
	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
)

//recipe:frameworks
func fiberApp(m *googlesession.Manager, editors func(http.Handler) http.Handler, hello fiber.Handler) *fiber.App {
	app := fiber.New(fiber.Config{ReadTimeout: 10 * time.Second}) // the library cannot limit the time of a body
	app.Use("/api", fiberHandler(http.StripPrefix("/api", m.Handler())))
	users := app.Group("/", fiberGuard(m.RequireUser))
	users.Get("/hello", hello)
	users.Post("/hello", hello)
	users.Post("/danger", fiberGuard(m.RequireFresh(10*time.Minute)), hello)
	users.Get("/reports", fiberGuard(editors), hello)
	return app
}

//recipe:frameworks
func fiberGuard(guard func(http.Handler) http.Handler) fiber.Handler {
	return func(c fiber.Ctx) error {
		admitted := false
		err := fiberHandler(guard(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			admitted = true
			c.SetContext(r.Context()) // this context has the session
		})))(c)
		if err != nil || !admitted {
			return err
		}
		return c.Next()
	}
}

//recipe:frameworks
func fiberHandler(h http.Handler) fiber.Handler {
	return func(c fiber.Ctx) error {
		ctx := c.Context()
		return adaptor.HTTPHandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r = r.Clone(ctx) // an inner guard finds the decision of an outer one
			// fasthttp reuses the memory of these texts for the next request.
			for _, values := range r.Header {
				values[0] = strings.Clone(values[0])
			}
			r.RequestURI = strings.Clone(r.RequestURI)
			r.URL, _ = url.ParseRequestURI(r.RequestURI)
			h.ServeHTTP(w, r)
		})(c)
	}
}

//recipe:frameworks
func fiberHello(greet func(googlesession.User) string) fiber.Handler {
	return func(c fiber.Ctx) error {
		user, _ := googlesession.UserFrom(c.Context()) // not UserFrom(c)
		return c.SendString(greet(user))
	}
}

// listen starts a Fiber server and returns a handler that leads to it.
func listen(t *testing.T, app *fiber.App) http.Handler {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	stopped := make(chan error, 1)
	go func() { stopped <- app.Listener(l, fiber.ListenConfig{DisableStartupMessage: true}) }()
	t.Cleanup(func() {
		require.NoError(t, app.ShutdownWithTimeout(time.Second))
		require.NoError(t, <-stopped)
	})
	return proxy(l.Addr().String())
}

func TestFiber(t *testing.T) {
	testRecipe(t, func(t *testing.T, m *googlesession.Manager, editors guard, greet func(googlesession.User) string) http.Handler {
		t.Helper()
		return listen(t, fiberApp(m, editors, fiberHello(greet)))
	})
}

// Fiber's own HTTPMiddleware refuses as it should, but c.Context(), which a handler passes on
// to the rest of the program, does not have the user. It copies the values of the request's
// context to those of c by reflection on unexported fields.
func TestFiberHTTPMiddleware(t *testing.T) {
	m, google := newManager(t, nil)
	for _, tt := range []struct {
		name  string
		guard func(func(http.Handler) http.Handler) fiber.Handler
		found bool
	}{
		{"adaptor.HTTPMiddleware", adaptor.HTTPMiddleware, false},
		{"the recipe", fiberGuard, true},
	} {
		var found bool
		app := fiber.New()
		app.Use("/api", fiberHandler(http.StripPrefix("/api", m.Handler())))
		app.Get("/hello", tt.guard(m.RequireUser), func(c fiber.Ctx) error {
			_, found = googlesession.UserFrom(c.Context())
			return nil
		})
		site := listen(t, app)
		res := do(t, google.Browser(site), "GET", "/hello")
		require.Equal(t, http.StatusUnauthorized, res.status, tt.name)
		res = do(t, google.SignIn(t, site, "/api/login", ada), "GET", "/hello")
		require.Equal(t, http.StatusOK, res.status, tt.name)
		require.Equal(t, tt.found, found, "%s: the handler has found the user", tt.name)
	}
}

// A second guard gets the decision of the first one, so a request asks the store once. The
// decision of one request must not be that of the next one on the same connection.
func TestFiberConnectionHasManyUsers(t *testing.T) {
	m, google := newManager(t, nil)
	site := listen(t, fiberApp(m, m.RequireAdmin, fiberHello(func(u googlesession.User) string { return u.Email })))
	users := []string{ada, eve}
	clients := []*http.Client{google.SignIn(t, site, "/api/login", ada), google.SignIn(t, site, "/api/login", eve), google.Browser(site)}
	for i := range 30 {
		res := do(t, clients[i%3], "GET", "/hello")
		if i%3 == 2 {
			require.Equal(t, http.StatusUnauthorized, res.status)
		} else {
			require.Equal(t, users[i%3], res.text)
		}
	}
}

// fasthttp reuses the memory of a request. Without the copies in fiberHandler, the list of
// sessions would show the name of the browser that has sent the latest request.
func TestFiberKeepsNoMemoryOfTheRequest(t *testing.T) {
	m, google := newManager(t, nil)
	app := listen(t, fiberApp(m, m.RequireAdmin, func(fiber.Ctx) error { return nil }))
	const browser = "Mozilla/5.0 (the browser that signs in)"
	user := google.SignIn(t, sending(app, "User-Agent", browser), "/api/login", ada)
	later := google.Browser(sending(app, "User-Agent", strings.Repeat("x", len(browser))))
	later.Jar = user.Jar
	for range 5 {
		require.Contains(t, do(t, later, "GET", "/api/sessions").text, browser)
	}
}

// A request with two session cookies counts as one without a session, also behind Fiber.
func TestFiberTwoSessionCookies(t *testing.T) {
	m, google := newManager(t, nil)
	app := listen(t, fiberApp(m, m.RequireAdmin, fiberHello(func(u googlesession.User) string { return u.Email })))
	user := google.SignIn(t, app, "/api/login", ada)
	res := do(t, user, "GET", "/hello")
	require.Equal(t, http.StatusOK, res.status, res.text)
	res = do(t, user, "GET", "/hello", "Cookie", "__Host-Http-session="+strings.Repeat("A", 59))
	require.Equal(t, http.StatusUnauthorized, res.status, res.text)
	res = do(t, google.Browser(app), "GET", "/hello", "Cookie", "__Host-Http-session="+strings.Repeat("A", 59))
	require.Equal(t, http.StatusUnauthorized, res.status, res.text)
}

// A stream of a net/http handler works in Fiber, and ends with its session.
func TestFiberStream(t *testing.T) {
	m, google := newManager(t, nil)
	app := fiberApp(m, m.RequireAdmin, func(fiber.Ctx) error { return nil })
	app.Get("/events", fiberHandler(m.RequireUser(m.EndWithSession(time.Minute)(http.HandlerFunc(events)))))
	user := google.SignIn(t, listen(t, app), "/api/login", ada)
	testEvents(t, m, google, user)
}

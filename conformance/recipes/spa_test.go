package recipes_test

import (
	"net/http"
	"testing"

	"github.com/rs/cors"
	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
)

//recipe:frameworks
func corsApp(cfg googlesession.Config, hello http.Handler) (http.Handler, error) {
	frontEnds := []string{"https://www.app.test"} // of the same site as this API; never "*"
	cfg.TrustedOrigins = frontEnds
	m, err := googlesession.New(cfg)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/api/", http.StripPrefix("/api", m.Handler()))
	mux.Handle("/hello", m.RequireUser(hello))
	return cors.New(cors.Options{ // outermost, so that it answers preflights and the page can read a 401
		AllowedOrigins:   frontEnds,
		AllowCredentials: true,
		AllowedMethods:   []string{"GET", "POST", "PATCH", "DELETE"},
		AllowedHeaders:   []string{"Content-Type"},
		ExposedHeaders:   []string{"Retry-After"},
	}).Handler(mux), nil
}

func TestFrontEndOnAnotherOrigin(t *testing.T) {
	const page = "https://www.app.test"
	var cfg googlesession.Config
	_, google := newManager(t, func(c *googlesession.Config) { cfg = *c })
	ran := 0
	app, err := corsApp(cfg, greeter(func(u googlesession.User) string { ran++; return u.Email }))
	require.NoError(t, err)
	stranger, user := google.Browser(app), google.SignIn(t, app, "/api/login", ada)

	tests := []struct {
		name         string
		client       *http.Client
		method, path string
		header       []string
		status       int
		allowed      string // Access-Control-Allow-Origin
		ran          int
	}{
		{"a preflight", stranger, "OPTIONS", "/api/login", []string{"Origin", page, "Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "content-type"}, 204, page, 0},
		{"a preflight of a guarded path", stranger, "OPTIONS", "/hello", []string{"Origin", page, "Access-Control-Request-Method", "DELETE"}, 204, page, 0},
		{"a preflight of another site", stranger, "OPTIONS", "/hello", []string{"Origin", "https://evil.test", "Access-Control-Request-Method", "POST"}, 204, "", 0},
		{"a refusal that the page can read", stranger, "GET", "/hello", []string{"Origin", page, "Sec-Fetch-Site", "same-site"}, 401, page, 0},
		{"a GET", user, "GET", "/hello", []string{"Origin", page, "Sec-Fetch-Site", "same-site"}, 200, page, 1},
		{"a POST", user, "POST", "/hello", []string{"Origin", page, "Sec-Fetch-Site", "same-site"}, 200, page, 1},
		{"a POST of a sibling host", user, "POST", "/hello", []string{"Origin", "https://evil.app.test", "Sec-Fetch-Site", "same-site"}, 403, "", 0},
		{"a POST of another site", user, "POST", "/hello", []string{"Origin", "https://evil.test", "Sec-Fetch-Site", "cross-site"}, 403, "", 0},
	}
	for _, tt := range tests {
		before := ran
		res := do(t, tt.client, tt.method, tt.path, tt.header...)
		require.Equal(t, tt.status, res.status, "%s: %s", tt.name, res.text)
		require.Equal(t, tt.allowed, res.header.Get("Access-Control-Allow-Origin"), tt.name)
		require.Equal(t, tt.ran, ran-before, "%s: handlers that have run", tt.name)
		if tt.allowed != "" {
			require.Equal(t, "true", res.header.Get("Access-Control-Allow-Credentials"), tt.name)
		}
	}
}

// CORS headers alone do not admit a POST. They let the page read answers, and the guard
// compares the origin with TrustedOrigins.
func TestFrontEndWithoutTrustedOrigins(t *testing.T) {
	const page = "https://www.app.test"
	m, google := newManager(t, nil)
	app := cors.New(cors.Options{AllowedOrigins: []string{page}, AllowCredentials: true}).Handler(api(m))
	user := google.SignIn(t, app, "/api/login", ada)
	res := do(t, user, "POST", "/api/logout", "Origin", page, "Sec-Fetch-Site", "same-site")
	require.Equal(t, http.StatusForbidden, res.status)
	require.Equal(t, googlesession.CodeCrossOrigin, code(t, res.text))
}

// A page of another site cannot use the API from the browser, whatever the CORS headers say,
// because browsers do not add a SameSite=Lax cookie to its requests.
func TestFrontEndOnAnotherSite(t *testing.T) {
	m, google := newManager(t, nil)
	app := api(m)
	res := do(t, google.Browser(app), "GET", "/api/login")
	require.Equal(t, http.StatusOK, res.status, res.text)
	require.Len(t, res.cookies, 1)
	require.Equal(t, http.SameSiteLaxMode, res.cookies[0].SameSite)
	require.Empty(t, res.cookies[0].Domain, "the cookie is of one host")
}

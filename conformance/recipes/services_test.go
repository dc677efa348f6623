package recipes_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/googletest"
)

//recipe:frameworks
func accountsService(cfg googlesession.Config) (http.Handler, error) {
	m, err := googlesession.New(cfg) // cfg has the Verifier
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/api/", http.StripPrefix("/api", m.Handler()))
	return mux, nil
}

//recipe:frameworks
func billingService(cfg googlesession.Config, invoices http.Handler) (http.Handler, error) {
	cfg.Verifier = nil // this service has no sign-in; its store, Generation and LoginPage are those of the other
	m, err := googlesession.New(cfg)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/billing/invoices", m.RequireUser(invoices)) // m.Handler() is not mounted
	return mux, nil
}

func TestServices(t *testing.T) {
	store := newRecipeStore()
	var cfg googlesession.Config
	_, google := newManager(t, func(c *googlesession.Config) {
		c.Sessions = store
		c.LoginPage = "/accounts/login"
		cfg = *c
	})
	accounts, err := accountsService(cfg)
	require.NoError(t, err)
	ran := 0
	billing, err := billingService(cfg, greeter(func(u googlesession.User) string { ran++; return u.Email }))
	require.NoError(t, err)
	host := http.NewServeMux() // the proxy in front of both
	host.Handle("/api/", accounts)
	host.Handle("/billing/", billing)

	res := do(t, google.Browser(host), "GET", "/billing/invoices?year=2026", "Accept", "text/html")
	require.Equal(t, http.StatusSeeOther, res.status)
	require.Equal(t, "/accounts/login?code=no_session&next=%2Fbilling%2Finvoices%3Fyear%3D2026", res.header.Get("Location"))

	user := google.SignIn(t, host, "/api/login", ada)
	before := store.checks.Load()
	res = do(t, user, "GET", "/billing/invoices")
	require.Equal(t, http.StatusOK, res.status, res.text)
	require.Equal(t, ada, res.text)
	require.EqualValues(t, 1, store.checks.Load()-before)
	require.Equal(t, 1, ran)
	res = do(t, user, "POST", "/billing/invoices", "Origin", "https://evil.test")
	require.Equal(t, http.StatusForbidden, res.status)

	// The other service refuses the session as soon as the sign-out has been answered.
	res = do(t, user, "POST", "/api/logout", "Origin", googletest.Origin)
	require.Equal(t, http.StatusNoContent, res.status)
	res = do(t, user, "GET", "/billing/invoices")
	require.Equal(t, http.StatusUnauthorized, res.status)
	require.Equal(t, 1, ran)
}

// A service with another Generation refuses every session of the others, because its
// references to the sessions differ.
func TestServicesNeedTheSameGeneration(t *testing.T) {
	var cfg googlesession.Config
	_, google := newManager(t, func(c *googlesession.Config) { cfg = *c })
	accounts, err := accountsService(cfg)
	require.NoError(t, err)
	cfg.Generation = "2"
	billing, err := billingService(cfg, greeter(func(googlesession.User) string { return "" }))
	require.NoError(t, err)
	host := http.NewServeMux()
	host.Handle("/api/", accounts)
	host.Handle("/billing/", billing)
	res := do(t, google.SignIn(t, host, "/api/login", ada), "GET", "/billing/invoices")
	require.Equal(t, http.StatusUnauthorized, res.status)
}

// The service that does not sign in answers 404 to a sign-in, even if its routes are mounted.
func TestServiceWithoutVerifierHasNoSignIn(t *testing.T) {
	m, google := newManager(t, func(c *googlesession.Config) { c.Verifier = nil })
	for _, method := range []string{"GET", "POST"} {
		res := do(t, google.Browser(api(m)), method, "/api/login", "Origin", googletest.Origin)
		require.Equal(t, http.StatusNotFound, res.status, method)
	}
}

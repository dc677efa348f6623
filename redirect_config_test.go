package googlesession_test

import (
	"cmp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/googletest"
	"github.com/googlesession/googlesession/googletoken"
	memstore "github.com/googlesession/googlesession/store_memory"
)

func TestNewRefusesRedirect(t *testing.T) {
	verifier, err := googletoken.New(googletoken.Config{ClientIDs: []string{clientID}, HTTPClient: googletest.NewGoogle(clientID).Client()})
	require.NoError(t, err)
	for _, tt := range []struct {
		name string
		edit func(*googlesession.Config)
		want string
	}{
		{"base URL without a scheme", func(c *googlesession.Config) { c.BaseURL = "app.example.com/api" }, "Config.BaseURL"},
		{"base URL is a path", func(c *googlesession.Config) { c.BaseURL = "/api" }, "not an absolute URL"},
		{"base URL without TLS", func(c *googlesession.Config) { c.BaseURL = "http://app.example.com/api" }, "not an https URL"},
		{"base URL of another machine's localhost", func(c *googlesession.Config) { c.BaseURL = "http://localhost.example.com" }, "not an https URL"},
		{"base URL with a query", func(c *googlesession.Config) { c.BaseURL = "https://app.example.com/api?x=1" }, "a query"},
		{"base URL with an empty query", func(c *googlesession.Config) { c.BaseURL = "https://app.example.com/api?" }, "a query"},
		{"base URL with a fragment", func(c *googlesession.Config) { c.BaseURL = "https://app.example.com/#/api" }, "a fragment"},
		{"base URL with an empty fragment", func(c *googlesession.Config) { c.BaseURL = "https://app.example.com#" }, "a fragment"},
		{"base URL with a user", func(c *googlesession.Config) { c.BaseURL = "https://me@app.example.com" }, "a user"},
		{"base URL with a slash", func(c *googlesession.Config) { c.BaseURL = "https://app.example.com/" }, "ends with a slash"},
		{"base URL of the callback", func(c *googlesession.Config) { c.BaseURL = "https://app.example.com/api/login/google/callback" }, "address of a route"},
		{"base URL of the link", func(c *googlesession.Config) { c.BaseURL = "https://app.example.com/api/login/google" }, "address of a route"},
		{"base URL with dots", func(c *googlesession.Config) { c.BaseURL = "https://app.example.com/a/../api" }, "in the form"},
		{"base URL with two slashes", func(c *googlesession.Config) { c.BaseURL = "https://app.example.com//api" }, "in the form"},
		{"base URL in capitals", func(c *googlesession.Config) { c.BaseURL = "https://App.example.com" }, "in the form"},
		{"base URL with a blank", func(c *googlesession.Config) { c.BaseURL = "https://app.example.com/my api" }, "in the form"},
		{"base URL in Unicode", func(c *googlesession.Config) { c.BaseURL = "https://\u00e4pp.example.com" }, "in the form"},
		{"base URL elsewhere over HTTP", func(c *googlesession.Config) {
			c.BaseURL, c.DangerouslyAllowHTTP = "https://app.example.com", true
		}, "DangerouslyAllowHTTP requires"},
		{"exchanger without a base URL", func(c *googlesession.Config) { c.CodeExchanger = exchanger{} }, "needs Config.BaseURL"},
		{"exchanger without a verifier", func(c *googlesession.Config) {
			c.Verifier, c.CodeExchanger, c.BaseURL = nil, exchanger{}, "https://app.example.com"
		}, "needs Config.Verifier"},
		{"exchanger of another client", func(c *googlesession.Config) {
			c.CodeExchanger, c.BaseURL = exchanger{id: "other"}, "https://app.example.com"
		}, `client ID "other"`},
		{"exchanger without a client", func(c *googlesession.Config) {
			c.CodeExchanger, c.BaseURL = exchanger{id: "-"}, "https://app.example.com"
		}, "no client ID"},
		{"authorization endpoint without TLS", func(c *googlesession.Config) {
			c.CodeExchanger, c.BaseURL = exchanger{url: "http://accounts.example.com/"}, "https://app.example.com"
		}, "AuthorizationURL"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cfg := googlesession.Config{Sessions: memstore.New(nil), Verifier: verifier}
			tt.edit(&cfg)
			m, err := googlesession.New(cfg)
			require.ErrorContains(t, err, tt.want)
			require.Len(t, strings.Split(err.Error(), "\n"), 1)
			require.Nil(t, m)
		})
	}
	_, err = googlesession.New(googlesession.Config{
		Sessions: memstore.New(nil), BaseURL: "example.com", CodeExchanger: exchanger{url: "x"},
	})
	require.Len(t, strings.Split(err.Error(), "\n"), 3, "New joins all errors")
}

// A CodeExchanger of these tests has a configuration. Its Exchange is never called.
type exchanger struct {
	googlesession.CodeExchanger
	id, url string
}

func (x exchanger) ClientID() string {
	return strings.TrimPrefix(cmp.Or(x.id, clientID), "-")
}

func (x exchanger) AuthorizationURL() string {
	return cmp.Or(x.url, "https://accounts.google.com/o/oauth2/v2/auth")
}

func TestNewAcceptsBaseURLs(t *testing.T) {
	verifier, err := googletoken.New(googletoken.Config{ClientIDs: []string{clientID}, HTTPClient: googletest.NewGoogle(clientID).Client()})
	require.NoError(t, err)
	for _, base := range []string{
		"https://app.example.com", "https://app.example.com/api", "https://app.example.com:8443/a/b", "https://[2001:db8::1]/api",
		"https://xn--pp-via.example.com", "http://localhost:8080/api", "http://127.0.0.1:8080", "http://[::1]:8080/api",
	} {
		_, err := googlesession.New(googlesession.Config{
			Sessions: memstore.New(nil), Verifier: verifier, CodeExchanger: exchanger{}, BaseURL: base,
		})
		require.NoError(t, err, base)
	}
	_, err = googlesession.New(googlesession.Config{Sessions: memstore.New(nil), BaseURL: "https://app.example.com"})
	require.NoError(t, err, "it is not used without a CodeExchanger")
}

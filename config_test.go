package googlesession_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/googlecode"
	"github.com/googlesession/googlesession/googletest"
	"github.com/googlesession/googlesession/googletoken"
	memstore "github.com/googlesession/googlesession/store_memory"
)

func TestNewRefuses(t *testing.T) {
	verifier, err := googletoken.New(googletoken.Config{
		ClientIDs:  []string{clientID},
		HTTPClient: googletest.NewGoogle(clientID).Client(),
	})
	require.NoError(t, err)
	sessionsOnly := struct{ googlesession.SessionStore }{memstore.New(nil)}

	for _, tt := range []struct {
		name string
		edit func(*googlesession.Config)
		want string
	}{
		{"no sessions", func(c *googlesession.Config) { c.Sessions = nil }, "Config.Sessions is required"},
		{"no users", func(c *googlesession.Config) { c.Sessions = sessionsOnly }, "Config.Users is required"},
		{"negative idle", func(c *googlesession.Config) { c.IdleTimeout = -1 }, "IdleTimeout is negative"},
		{"negative timeout", func(c *googlesession.Config) { c.StoreTimeout = -1 }, "StoreTimeout is negative"},
		{"microseconds", func(c *googlesession.Config) { c.MaxLifetime = time.Hour + 1 }, "whole milliseconds"},
		{"idle over lifetime", func(c *googlesession.Config) { c.IdleTimeout = 13 * time.Hour }, "IdleTimeout exceeds"},
		{"negative limit", func(c *googlesession.Config) { c.MaxSessions = -1 }, "MaxSessions is negative"},
		{"negative limit of streams", func(c *googlesession.Config) { c.MaxStreams = -1 }, "MaxStreams is negative"},
		{"a century", func(c *googlesession.Config) { c.MaxLifetime = 900000 * time.Hour }, "over ten years"},
		{"touch over idle", func(c *googlesession.Config) { c.TouchEvery = 30 * time.Minute }, "TouchEvery is not less"},
		{"domain as address", func(c *googlesession.Config) { c.HostedDomains = []string{"@example.com"} }, "HostedDomains"},
		{"domain wildcard", func(c *googlesession.Config) { c.HostedDomains = []string{"*.example.com"} }, "HostedDomains"},
		{"domain empty", func(c *googlesession.Config) { c.HostedDomains = []string{""} }, "HostedDomains"},
		{"gmail.com is not a Workspace", func(c *googlesession.Config) { c.HostedDomains = []string{"gmail.com"} }, "not a Workspace"},
		{"admin without domain", func(c *googlesession.Config) { c.Admins = []string{"root"} }, "Admins"},
		{"admin with a Kelvin sign", func(c *googlesession.Config) { c.Admins = []string{"\u212ating@example.com"} }, "Admins"},
		{"two admins in one", func(c *googlesession.Config) { c.Admins = []string{"a@example.com,b@example.com"} }, "Admins"},
		{"origin with slash", func(c *googlesession.Config) { c.TrustedOrigins = []string{"https://example.com/"} }, "TrustedOrigins"},
		{"origin wildcard", func(c *googlesession.Config) { c.TrustedOrigins = []string{"*"} }, "TrustedOrigins"},
		{"login page elsewhere", func(c *googlesession.Config) { c.LoginPage = "https://example.com/" }, "LoginPage"},
		{"login page with query", func(c *googlesession.Config) { c.LoginPage = "/login?x=1" }, "LoginPage"},
		{"generation with NUL", func(c *googlesession.Config) { c.Generation = "a\x00b" }, "Generation"},
		{"suffix in capitals", func(c *googlesession.Config) { c.CookieSuffix = "Admin" }, "CookieSuffix"},
		{"suffix with a hyphen in front", func(c *googlesession.Config) { c.CookieSuffix = "-admin" }, "CookieSuffix"},
		{"suffix with a hyphen behind", func(c *googlesession.Config) { c.CookieSuffix = "admin-" }, "CookieSuffix"},
		{"suffix with an equals sign", func(c *googlesession.Config) { c.CookieSuffix = "a=b" }, "CookieSuffix"},
		{"suffix too long", func(c *googlesession.Config) { c.CookieSuffix = strings.Repeat("a", 33) }, "CookieSuffix"},
		{"administrator of another domain", func(c *googlesession.Config) {
			c.HostedDomains, c.Admins = []string{"example.com"}, []string{"boss@EXAMPLE.com", "root@gmail.com"}
		}, `"root@gmail.com" is not of a domain in Config.HostedDomains`},
		{"redirect over HTTP", func(c *googlesession.Config) { c.RedirectMode, c.DangerouslyAllowHTTP = true, true }, "RedirectMode"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cfg := googlesession.Config{Sessions: memstore.New(nil), Verifier: verifier}
			tt.edit(&cfg)
			m, err := googlesession.New(cfg)
			require.ErrorContains(t, err, tt.want)
			require.Nil(t, m)
		})
	}
}

func TestNewJoinsEverythingWrong(t *testing.T) {
	_, err := googlesession.New(googlesession.Config{
		IdleTimeout:   -time.Second,
		StoreTimeout:  -time.Second,
		HostedDomains: []string{"no domain"},
		Admins:        []string{"no user"},
		LoginPage:     "login",
		Generation:    "\x00",
		CookieSuffix:  "_",
	})
	for _, want := range []string{"Sessions", "IdleTimeout", "StoreTimeout", "HostedDomains", "Admins", "LoginPage", "Generation", "CookieSuffix"} {
		require.ErrorContains(t, err, "Config."+want)
	}
	require.Len(t, strings.Split(err.Error(), "\n"), 8)
}

func TestReady(t *testing.T) {
	s := newSite(t, nil)
	require.NoError(t, s.manager.Ready(t.Context()))

	s.store.failing("CheckSession", errors.New("down"))
	require.ErrorIs(t, s.manager.Ready(t.Context()), googlesession.ErrUnavailable)

	s.store.failing("CheckSession", nil)
	s.store.failing("User", errors.New("down"))
	require.ErrorIs(t, s.manager.Ready(t.Context()), googlesession.ErrUnavailable)
}

func TestReadyRefusesAStoreThatInventsRecords(t *testing.T) {
	m, err := googlesession.New(googlesession.Config{Sessions: admitsAll{}})
	require.NoError(t, err)
	require.Error(t, m.Ready(t.Context()))
}

func TestCookieSuffixOfAnyLength(t *testing.T) {
	for _, suffix := range []string{"", "a", "0", "a-b", "a--b", strings.Repeat("a", 32)} {
		_, err := googlesession.New(googlesession.Config{Sessions: admitsAll{}, CookieSuffix: suffix})
		require.NoError(t, err, suffix)
	}
}

// admitsAll is a broken store that returns a record for every question.
type admitsAll struct{ googlesession.SessionStore }

func (admitsAll) CheckSession(_ context.Context, r googlesession.Ref, _ time.Duration) (googlesession.Session, error) {
	return googlesession.Session{Ref: r}, nil
}

// New refuses a nil pointer in a field of an interface type, because the first use would
// panic.
func TestNewRefusesNilPointers(t *testing.T) {
	for name, edit := range map[string]func(*googlesession.Config){
		"Sessions":              func(c *googlesession.Config) { c.Sessions = (*memstore.Store)(nil) },
		"Users":                 func(c *googlesession.Config) { c.Users = (*memstore.Store)(nil) },
		"Verifier":              func(c *googlesession.Config) { c.Verifier = (*googletoken.Verifier)(nil) },
		"SecurityEventVerifier": func(c *googlesession.Config) { c.SecurityEventVerifier = (*googletoken.Verifier)(nil) },
		"CodeExchanger":         func(c *googlesession.Config) { c.CodeExchanger = (*googlecode.Exchanger)(nil) },
	} {
		cfg := googlesession.Config{Sessions: memstore.New(nil)}
		edit(&cfg)
		_, err := googlesession.New(cfg)
		require.ErrorContains(t, err, "Config."+name+" is a nil *", name)
	}
}

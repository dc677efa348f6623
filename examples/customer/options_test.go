package main

import (
	"bytes"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
)

// A wrong command line prints one line to stderr and exits with status 2. The program
// has opened and written nothing by then.
func TestUsageErrors(t *testing.T) {
	google := []string{"-client-id", "id.apps.googleusercontent.com"}
	tests := []struct {
		name string
		args []string
		env  map[string]string
		want string // a part of the line
	}{
		{"unknown flag", []string{"-frobnicate"}, nil, "-frobnicate"},
		{"unknown flag with a line end", []string{"-a\nb"}, nil, "flag provided but not defined"},
		{"argument", []string{"serve"}, nil, `unexpected argument "serve"`},
		{"value is not a boolean", []string{"-demo=perhaps"}, nil, "-demo"},
		{"value missing", []string{"-addr"}, nil, "-addr"},

		{"addr without port", []string{"-addr", "localhost"}, nil, "HOST:PORT"},
		{"addr with a bad port", []string{"-addr", "localhost:65536"}, nil, `"65536"`},
		{"addr with a named port", []string{"-addr", "localhost:http"}, nil, `"http"`},
		{"addr empty", []string{"-addr", ""}, nil, "HOST:PORT"},

		{"db unknown", []string{"-db", "oracle:x"}, nil, "memory, sqlite:FILE"},
		{"db without file", []string{"-db", "sqlite:"}, nil, "memory, sqlite:FILE"},
		{"db without kind", []string{"-db", "customer.db"}, nil, "memory, sqlite:FILE"},
		{"db of SQLite in memory", []string{"-db", "sqlite::memory:"}, nil, "memory, sqlite:FILE"},
		{"db PostgreSQL without -demo", []string{"-db", "postgres://u:hunter2@db/x"}, nil, "-db postgres needs -client-id"},
		{"db MySQL without -demo", []string{"-db", "mysql://u:hunter2@db/x"}, nil, "-db mysql needs -client-id"},
		{"redis without -demo", []string{"-redis", "redis://:hunter2@cache"}, nil, "-redis needs -client-id"},
		{"db PostgreSQL, not a URL", []string{"-demo", "-db", "postgres:hunter2"}, nil, "postgres://"},
		{"db PostgreSQL, bad port", []string{"-demo", "-db", "postgresql://u:hunter2@db:x/x"}, nil, "not a URL of a PostgreSQL"},
		{"db MySQL, no name", []string{"-demo", "-db", "mysql://u:hunter2@db"}, nil, "not a URL of a MySQL"},
		{"db MySQL, bad port", []string{"-demo", "-db", "mysql://u:hunter2@db:x/x"}, nil, "not a URL of a MySQL"},
		{"db MySQL, bad parameter", []string{"-demo", "-db", "mysql://u:hunter2@db/x?timeout=hunter2"}, nil, "-db: not a"},
		{"redis, not a URL", []string{"-demo", "-redis", "cache:6379"}, nil, "-redis"},
		{"redis, bad port", []string{"-demo", "-redis", "redis://u:hunter2@cache:x"}, nil, "-redis"},
		{"redis, unknown kind", []string{"-demo", "-redis", "redis+ring://u:hunter2@cache"}, nil, "-redis"},

		{"demo and a client ID", append(google, "-demo"), nil, "exclude each other"},
		{
			"demo and a client ID in the environment",
			[]string{"-demo"},
			map[string]string{"CUSTOMER_CLIENT_ID": "id"},
			"exclude each other",
		},
		{"former name of the client ID", nil, map[string]string{"GOOGLE_CLIENT_ID": "id"}, "GOOGLE_CLIENT_ID is set, but the program reads CUSTOMER_CLIENT_ID"},
		{"former name of the demo key", nil, map[string]string{"DEMO_KEY": "0123456789abcdef"}, "reads CUSTOMER_DEMO_KEY"},
		{"former name of the administrators", google, map[string]string{"ADMINS": "ada@example.com"}, "reads CUSTOMER_ADMINS"},
		{"former name of the origins", google, map[string]string{"ORIGINS": "https://b.example"}, "reads CUSTOMER_ORIGINS"},
		{"former name of the proxies", google, map[string]string{"PROXIES": "127.0.0.1"}, "reads CUSTOMER_PROXIES"},
		{"demo key too short", []string{"-demo-key", "hunter2"}, nil, "-demo-key"},
		{"demo key with a blank", nil, map[string]string{"CUSTOMER_DEMO_KEY": "correct horse battery staple"}, "CUSTOMER_DEMO_KEY"},
		{"demo key and a client ID", append(google, "-demo-key", "0123456789abcdef"), nil, "exclude each other"},
		{"admins without -demo", []string{"-admins", "ada@example.com"}, nil, "-demo"},
		{"admins from the environment", nil, map[string]string{"CUSTOMER_ADMINS": "ada@example.com"}, "-demo"},
		{"origins without -demo", []string{"-origins", "http://localhost:5173"}, nil, "-demo"},
		{"origins from the environment", nil, map[string]string{"CUSTOMER_ORIGINS": "http://localhost:5173"}, "-demo"},
		{"demo on all interfaces", []string{"-addr", ":8080"}, nil, "localhost only"},
		{"demo on 0.0.0.0", []string{"-demo", "-addr", "0.0.0.0:8080"}, nil, "localhost only"},
		{"demo on [::]", []string{"-addr", "[::]:8080"}, nil, "localhost only"},
		{"demo on another address", []string{"-addr", "192.0.2.1:8080"}, nil, "localhost only"},
		{"demo on a name", []string{"-addr", "localhost.example:8080"}, nil, "localhost only"},

		{"admins without an address", append(google, "-admins", "ada"), nil, `-admins: "ada"`},
		{"admins not ASCII", append(google, "-admins", "ad\u00e5@example.com"), nil, "-admins"},
		{"two bad admins, one line", append(google, "-admins", "ada, bob"), nil, `; -admins: "bob"`},
		{"origins with a path", append(google, "-origins", "https://app.example.com/"), nil, "-origins"},
		{"origins without scheme", append(google, "-origins", "app.example.com"), nil, "-origins"},
		{"any origin", append(google, "-origins", "*"), nil, "exact origin"},
		{"origins with a wildcard", append(google, "-origins", "https://*.example.com"), nil, "exact origin"},
		{"origins in capitals", append(google, "-origins", "https://App.example.com"), nil, "exact origin"},
		{"proxies with a bad network", append(google, "-proxies", "10.0.0.0/33"), nil, `-proxies: "10.0.0.0/33"`},
		{"proxies with a name", append(google, "-proxies", "proxy.example.com"), nil, "-proxies"},
		{"proxies with a zone", append(google, "-proxies", "fe80::1%eth0"), nil, "-proxies"},
		{"proxies with IPv4 in IPv6", append(google, "-proxies", "::ffff:10.0.0.0/104"), nil, "-proxies"},
		{"proxies without -demo", []string{"-proxies", "127.0.0.1"}, nil, "-proxies needs -client-id"},
		{"proxies with -demo", []string{"-demo"}, map[string]string{"CUSTOMER_PROXIES": "127.0.0.1"}, "-proxies needs -client-id"},
		{"idle-timeout too short", append(google, "-idle-timeout", "59s"), nil, "-idle-timeout"},
		{"idle-timeout too long", append(google, "-idle-timeout", "12h1s"), nil, "-idle-timeout"},
		{"max-sessions negative", append(google, "-max-sessions", "-1"), nil, "-max-sessions is not between 1 and 1000"},
		{"max-sessions zero", append(google, "-max-sessions", "0"), nil, "-max-sessions is not between 1 and 1000"},
		{"max-sessions too many", append(google, "-max-sessions", "1001"), nil, "-max-sessions is not between 1 and 1000"},
		{"demo-customers with a client ID", append(google, "-demo-customers", "50"), nil, "-demo-customers and -demo-users exclude a client ID"},
		{"demo-users with a client ID", append(google, "-demo-users", "50"), nil, "exclude a client ID"},
		{"demo-customers too few", []string{"-demo-customers", "19"}, nil, "-demo-customers is not between 20 and 10000"},
		{"demo-customers too many", []string{"-demo-customers", "10001"}, nil, "-demo-customers is not between 20 and 10000"},
		{"demo-users negative", []string{"-demo-users", "-1"}, nil, "-demo-users is not between 0 and 10000"},
		{"demo-users too many", []string{"-demo-users", "10001"}, nil, "-demo-users is not between 0 and 10000"},
		{"max-sessions not a number", append(google, "-max-sessions", "many"), nil, "-max-sessions"},
		{"audit-days zero", append(google, "-audit-days", "0"), nil, "-audit-days"},
		{"audit-days too many", append(google, "-audit-days", "3661"), nil, "-audit-days"},
		{"invitation-days zero", append(google, "-invitation-days", "0"), nil, "-invitation-days"},
		{"invitation-days too many", append(google, "-invitation-days", "3661"), nil, "-invitation-days"},
		{"cookie-suffix with a dot", append(google, "-cookie-suffix", "a.b"), nil, `-cookie-suffix: "a.b"`},
		{"cookie-suffix from the environment", google, map[string]string{"CUSTOMER_COOKIE_SUFFIX": "-"}, "-cookie-suffix"},
		{"secret without a client ID", []string{"-client-secret", "hunter2"}, nil, "-client-secret (CUSTOMER_CLIENT_SECRET) needs -client-id"},
		{"secret from the environment without a client ID", []string{"-demo"}, map[string]string{"CUSTOMER_CLIENT_SECRET": "hunter2"}, "needs -client-id"},
		{"secret with a line end", append(google, "-client-secret", "hunter2\n"), nil, "-client-secret (CUSTOMER_CLIENT_SECRET) is empty or has"},
		{"secret on all interfaces", append(google, "-client-secret", "hunter2", "-addr", ":8080"), nil, "needs -base-url"},
		{"base-url without a secret", append(google, "-base-url", "https://app.example.com"), nil, "-base-url (CUSTOMER_BASE_URL) needs -client-secret"},
		{"base-url of a demo elsewhere", nil, map[string]string{"CUSTOMER_BASE_URL": "https://app.example.com"}, "not an address of this machine"},
		{"bind to nothing", append(google, "-bind", "some"), nil, `-bind: "some" is not off, offer, admins or everybody`},
		{"bind after a form of Google's page", append(google, "-bind", "offer", "-redirect"), nil, "-bind does not work with -redirect"},
		{"bind without Secure", append(google, "-bind", "admins", "-dangerously-allow-http"), nil, "-bind does not work with -dangerously-allow-http"},
		{"base-url without TLS", append(google, "-client-secret", "hunter2", "-base-url", "http://app.example.com"), nil, `-base-url: "http://app.example.com" is not an https URL`},
		{"base-url with a slash", append(google, "-client-secret", "hunter2", "-base-url", "https://app.example.com/"), nil, `-base-url: "https://app.example.com/"`},
		{"redirect without Secure", append(google, "-redirect", "-dangerously-allow-http"), nil, "-dangerously-allow-http"},
		{"former name of -dangerously-allow-http", []string{"-http-cookies"}, nil, "not defined: -http-cookies"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			var stdout, stderr bytes.Buffer
			status := run(t.Context(), tt.args, &stdout, &stderr, func(key string) string { return tt.env[key] })
			require.Equal(t, exitUsage, status, "run(%q): %s", tt.args, &stderr)
			require.Empty(t, stdout.String())
			line, found := strings.CutSuffix(stderr.String(), "\n")
			require.True(t, found)
			require.NotContains(t, line, "\n")
			require.True(t, strings.HasPrefix(line, "customer: "), line)
			require.Contains(t, line, tt.want)
			require.NotContains(t, line, "hunter2", "the line shows a password")
			files, err := os.ReadDir(".")
			require.NoError(t, err)
			require.Empty(t, files)
		})
	}
}

func TestOptions(t *testing.T) {
	tests := []struct {
		name string
		args []string
		env  map[string]string
		want options
	}{
		{
			"no arguments", nil, nil,
			options{addr: "localhost:8080", auditDays: 90, idleTimeout: 30 * time.Minute, invitationDays: 14, maxSessions: 100, db: database{"sqlite", "demo.db"}, demo: true, admins: []string{demoAdmin}},
		},
		{
			"client ID",
			[]string{"-client-id", "id"},
			nil,
			options{addr: "localhost:8080", auditDays: 90, idleTimeout: 30 * time.Minute, invitationDays: 14, maxSessions: 100, db: database{"sqlite", "customer.db"}, clientID: "id"},
		},
		{
			"environment",
			nil,
			map[string]string{
				"CUSTOMER_CLIENT_ID": "id", "CUSTOMER_ADMINS": "a@example.com", "CUSTOMER_ORIGINS": "https://b.example",
				"CUSTOMER_COOKIE_SUFFIX": "b",
			},
			options{
				addr: "localhost:8080", auditDays: 90, idleTimeout: 30 * time.Minute, invitationDays: 14, maxSessions: 100, db: database{"sqlite", "customer.db"}, clientID: "id",
				admins: []string{"a@example.com"}, origins: []string{"https://b.example"}, suffix: "b",
			},
		},
		{
			"a flag wins",
			[]string{"-client-id", "flag", "-admins", "", "-origins", "https://c.example"},
			map[string]string{"CUSTOMER_CLIENT_ID": "id", "CUSTOMER_ADMINS": "a@example.com", "CUSTOMER_ORIGINS": "https://b.example"},
			options{addr: "localhost:8080", auditDays: 90, idleTimeout: 30 * time.Minute, invitationDays: 14, maxSessions: 100, db: database{"sqlite", "customer.db"}, clientID: "flag", origins: []string{"https://c.example"}},
		},
		{
			"an empty flag switches to the demo",
			[]string{"-client-id", ""},
			map[string]string{"CUSTOMER_CLIENT_ID": "id"},
			options{addr: "localhost:8080", auditDays: 90, idleTimeout: 30 * time.Minute, invitationDays: 14, maxSessions: 100, db: database{"sqlite", "demo.db"}, demo: true, admins: []string{demoAdmin}},
		},
		{
			"lists",
			[]string{"-client-id", "id", "-admins", " a@example.com,,b@example.com, "},
			nil,
			options{
				addr: "localhost:8080", auditDays: 90, idleTimeout: 30 * time.Minute, invitationDays: 14, maxSessions: 100, db: database{"sqlite", "customer.db"}, clientID: "id",
				admins: []string{"a@example.com", "b@example.com"},
			},
		},
		{
			"a flag wins over a former name, too",
			[]string{"-client-id", "id", "-admins", "a@example.com"},
			map[string]string{"GOOGLE_CLIENT_ID": "x", "ADMINS": "x"},
			options{
				addr: "localhost:8080", auditDays: 90, idleTimeout: 30 * time.Minute, invitationDays: 14, maxSessions: 100, db: database{"sqlite", "customer.db"}, clientID: "id",
				admins: []string{"a@example.com"},
			},
		},
		{
			"a former name beside the present one",
			nil,
			map[string]string{"CUSTOMER_CLIENT_ID": "id", "GOOGLE_CLIENT_ID": "x"},
			options{addr: "localhost:8080", auditDays: 90, idleTimeout: 30 * time.Minute, invitationDays: 14, maxSessions: 100, db: database{"sqlite", "customer.db"}, clientID: "id"},
		},
		{
			"demo, with -demo",
			[]string{"-demo", "-db", "memory", "-addr", "[::1]:0", "-admins", "a@example.com"},
			nil,
			options{addr: "[::1]:0", auditDays: 90, idleTimeout: 30 * time.Minute, invitationDays: 14, maxSessions: 100, db: database{kind: "memory"}, demo: true, admins: []string{"a@example.com", demoAdmin}},
		},
		{
			"demo with invented people",
			[]string{"-demo-customers", "10000", "-demo-users", "1"},
			nil,
			options{
				addr: "localhost:8080", auditDays: 90, idleTimeout: 30 * time.Minute, invitationDays: 14, maxSessions: 100, db: database{"sqlite", "demo.db"}, demo: true,
				admins: []string{demoAdmin}, demoCustomers: 10000, demoUsers: 1,
			},
		},
		{
			"servers",
			[]string{"-client-id", "id", "-db", "postgresql://u@db/x", "-redis", "redis://cache"},
			nil,
			options{addr: "localhost:8080", auditDays: 90, idleTimeout: 30 * time.Minute, invitationDays: 14, maxSessions: 100, db: database{"postgres", "postgresql://u@db/x"}, redis: "redis://cache", clientID: "id"},
		},
		{
			"demo on servers, with -demo",
			[]string{"-demo", "-db", "mysql://u@db/x"},
			nil,
			options{addr: "localhost:8080", auditDays: 90, idleTimeout: 30 * time.Minute, invitationDays: 14, maxSessions: 100, db: database{"mysql", "mysql://u@db/x"}, demo: true, admins: []string{demoAdmin}},
		},
		{
			"switches",
			[]string{
				"-client-id", "id", "-db", "sqlite:x?y.db", "-addr", ":8080",
				"-bearer", "-redirect", "-invited-only", "-skip-nonce", "-refuse-over-max",
			},
			nil,
			options{
				addr: ":8080", auditDays: 90, idleTimeout: 30 * time.Minute, invitationDays: 14, maxSessions: 100, db: database{"sqlite", "x?y.db"}, clientID: "id",
				bearer: true, redirect: true, invitedOnly: true, skipNonce: true, refuseOverMax: true,
			},
		},
		{
			"secret",
			[]string{"-client-id", "id", "-client-secret", "s"},
			map[string]string{"CUSTOMER_CLIENT_SECRET": "other", "CUSTOMER_BASE_URL": "https://app.example.com"},
			options{
				addr: "localhost:8080", auditDays: 90, idleTimeout: 30 * time.Minute, invitationDays: 14, maxSessions: 100, db: database{"sqlite", "customer.db"}, clientID: "id",
				secret: "s", baseURL: "https://app.example.com",
			},
		},
		{
			"numbers",
			[]string{"-client-id", "id", "-max-sessions", "3", "-audit-days", "1", "-invitation-days", "30", "-idle-timeout", "5m", "-bind", "admins"},
			nil,
			options{addr: "localhost:8080", auditDays: 1, idleTimeout: 5 * time.Minute, db: database{"sqlite", "customer.db"}, clientID: "id", maxSessions: 3, invitationDays: 30, bind: googlesession.BindAdmins},
		},
		{
			"proxies",
			[]string{"-client-id", "id", "-proxies", "10.1.2.3/8, 127.0.0.1,::1 ,fd00::/8"},
			map[string]string{"CUSTOMER_PROXIES": "192.0.2.1"},
			options{
				addr: "localhost:8080", auditDays: 90, idleTimeout: 30 * time.Minute, invitationDays: 14, maxSessions: 100, db: database{"sqlite", "customer.db"}, clientID: "id",
				proxies: []netip.Prefix{
					netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("127.0.0.1/32"),
					netip.MustParsePrefix("::1/128"), netip.MustParsePrefix("fd00::/8"),
				},
			},
		},
		{
			"proxies from the environment",
			[]string{"-client-id", "id"},
			map[string]string{"CUSTOMER_PROXIES": "192.0.2.1"},
			options{
				addr: "localhost:8080", auditDays: 90, idleTimeout: 30 * time.Minute, invitationDays: 14, maxSessions: 100, db: database{"sqlite", "customer.db"}, clientID: "id",
				proxies: []netip.Prefix{netip.MustParsePrefix("192.0.2.1/32")},
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := parseOptions(tt.args, func(key string) string { return tt.env[key] })
			require.NoError(t, err)
			require.Equal(t, tt.want, got, "parseOptions(%q)", tt.args)
		})
	}
}

// The text of -h names every flag and every environment variable.
func TestHelp(t *testing.T) {
	for _, arg := range []string{"-h", "--help"} {
		var stdout, stderr bytes.Buffer
		require.Zero(t, run(t.Context(), []string{arg}, &stdout, &stderr, func(string) string { return "" }))
		require.Empty(t, stderr.String())
		for _, name := range []string{
			"-addr", "-db", "-redis", "-client-id", "-client-secret", "-base-url", "-demo", "-demo-key", "-demo-customers", "-demo-users",
			"-admins", "-origins", "-cookie-suffix", "-bearer", "-bind", "-redirect", "-invited-only", "-invitation-days", "-idle-timeout", "-max-sessions",
			"-refuse-over-max", "-proxies", "-audit-days", "-skip-nonce", "-dangerously-allow-http",
		} {
			require.Contains(t, stdout.String(), "\n  "+name)
		}
		for _, v := range variables {
			require.Contains(t, stdout.String(), v.name)
			require.Contains(t, stdout.String(), v.formerName)
		}
	}
}

package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"time"

	"github.com/googlesession/googlesession"
)

const usage = `Usage: customer [flags]

A list of customers behind Sign in with Google. Without a client ID it runs in demo
mode, in which a stand-in for Google signs in any account, on this machine only.

  -addr HOST:PORT    listen address (default localhost:8080)
  -db DATABASE       sessions, users and customers: memory, sqlite:FILE,
                     postgres://USER:PASSWORD@HOST/NAME or mysql://… likewise
                     (default sqlite:customer.db; in demo mode sqlite:demo.db)
  -redis URL         sessions in Redis instead: redis://HOST:6379, or
                     redis+cluster://HOST:PORT?addr=HOST:PORT, or
                     redis+sentinel://HOST:PORT?addr=HOST:PORT&master_name=NAME
  -client-id ID      OAuth client ID, from https://console.cloud.google.com/apis/credentials
                     (CUSTOMER_CLIENT_ID)
  -client-secret TEXT
                     secret of that client (CUSTOMER_CLIENT_SECRET), for a sign-in without
                     Google's script; prefer the variable, because other users of the
                     machine can see a command line
  -base-url URL      address at which browsers reach the site (CUSTOMER_BASE_URL), such as
                     https://app.example.com; by default that of -addr if it is localhost.
                     Register URL/api/login/google/callback for the client at Google.
  -demo              demo mode, which must be requested if other flags are for a server
  -demo-key KEY      the key in the address of the demo (CUSTOMER_DEMO_KEY), 8 letters
                     and digits or more; by default each start makes a new key
  -demo-customers N  invent customers in a new database, until there are N (20 to 10000)
  -demo-users N      invent N users in a new database (up to 10000)
  -admins LIST       e-mail addresses of administrators (CUSTOMER_ADMINS);
                     in demo mode also admin@example.com
  -origins LIST      front ends on other origins of the same site (CUSTOMER_ORIGINS),
                     such as http://localhost:5173
  -cookie-suffix TEXT
                     a text behind the names of the cookies (CUSTOMER_COOKIE_SUFFIX), if
                     another application on this host uses the library too
  -bearer            also let programs sign in for a bearer token, and let users make
                     personal tokens (always on in the demo)
  -bind POLICY       bind sessions to a key of their browser, so that stolen cookies stop
                     working: off (default), offer (in every browser that can), admins
                     (administrators need it) or everybody; browsers need https for it
  -redirect          sign in by a redirect to Google's page, not in a pop-up window
  -invited-only      admit only people who have signed in before, administrators, and
                     people whom an administrator has invited
  -invitation-days N how many days an invitation is good for (default 14)
  -idle-timeout TIME end a session that has not been used for this long (default 30m)
  -max-sessions N    sessions that a user may have at a time, 1 to 1000 (default 100);
                     one more ends the session that has not been used for longest
  -refuse-over-max   refuse one more session instead
  -proxies LIST      reverse proxies whose X-Forwarded-For is trusted (CUSTOMER_PROXIES),
                     by address or network, such as 10.0.0.0/8
  -audit-days N      how many days the audit is kept (default 90)
  -skip-nonce        dangerous: accept ID tokens that this browser did not ask for
  -dangerously-allow-http
                     send cookies without Secure, for Safari on http://localhost
  -h                 print this text

The items of a LIST are separated by commas. A name in brackets is an environment
variable; the flag wins over it. A variable that is set under its former name, without
CUSTOMER_ (GOOGLE_CLIENT_ID, DEMO_KEY, ADMINS, ORIGINS, PROXIES), is an error.
`

// variables lists the environment variables that can set a flag. Some had a former name,
// before all of them got the prefix CUSTOMER_.
var variables = []struct{ flag, name, formerName string }{
	{"client-id", "CUSTOMER_CLIENT_ID", "GOOGLE_CLIENT_ID"},
	{"client-secret", "CUSTOMER_CLIENT_SECRET", ""},
	{"base-url", "CUSTOMER_BASE_URL", ""},
	{"demo-key", "CUSTOMER_DEMO_KEY", "DEMO_KEY"},
	{"admins", "CUSTOMER_ADMINS", "ADMINS"},
	{"origins", "CUSTOMER_ORIGINS", "ORIGINS"},
	{"proxies", "CUSTOMER_PROXIES", "PROXIES"},
	{"cookie-suffix", "CUSTOMER_COOKIE_SUFFIX", ""},
}

// options holds the settings from the command line and the environment.
type options struct {
	addr     string
	db       database
	redis    string // URL, or "" if sessions are in db
	clientID string
	secret   string // of the OAuth client; "" if people sign in with Google's script only
	baseURL  string // address of the site for browsers; "" means that of addr
	demo     bool   // a stand-in for Google signs in any account (demo.go)
	demoKey  string // if it is "", newDemo makes a key

	demoCustomers int // 0 invents none
	demoUsers     int // 0 invents none

	admins      []string
	origins     []string
	suffix      string // of the names of the cookies
	bearer      bool
	bind        googlesession.BindPolicy
	redirect    bool
	invitedOnly bool
	skipNonce   bool
	allowHTTP   bool

	invitationDays int
	idleTimeout    time.Duration
	maxSessions    int // of a user
	refuseOverMax  bool
	proxies        []netip.Prefix
	auditDays      int
}

// A database is the parsed value of -db.
type database struct {
	kind   string // memory, sqlite, postgres, mysql
	source string // file of SQLite, or URL of a database server
}

func (d database) isServer() bool { return d.kind == "postgres" || d.kind == "mysql" }

// parseOptions reads the command line and the environment. It returns flag.ErrHelp for
// -h. Any other error is one line for a person and never quotes a value that could hold
// a password.
func parseOptions(args []string, getenv func(string) string) (options, error) {
	var o options
	var db, admins, origins, proxies, bind string
	f := flag.NewFlagSet("customer", flag.ContinueOnError)
	f.SetOutput(io.Discard) // otherwise f prints all flags after each error
	f.StringVar(&o.addr, "addr", "localhost:8080", "")
	f.StringVar(&db, "db", "", "")
	f.StringVar(&o.redis, "redis", "", "")
	f.StringVar(&o.clientID, "client-id", "", "")
	f.StringVar(&o.secret, "client-secret", "", "")
	f.StringVar(&o.baseURL, "base-url", "", "")
	f.BoolVar(&o.demo, "demo", false, "")
	f.StringVar(&o.demoKey, "demo-key", "", "")
	f.IntVar(&o.demoCustomers, "demo-customers", 0, "")
	f.IntVar(&o.demoUsers, "demo-users", 0, "")
	f.StringVar(&admins, "admins", "", "")
	f.StringVar(&origins, "origins", "", "")
	f.StringVar(&o.suffix, "cookie-suffix", "", "")
	f.BoolVar(&o.bearer, "bearer", false, "")
	f.StringVar(&bind, "bind", googlesession.BindNobody.String(), "")
	f.BoolVar(&o.redirect, "redirect", false, "")
	f.BoolVar(&o.invitedOnly, "invited-only", false, "")
	f.IntVar(&o.invitationDays, "invitation-days", 14, "")
	f.DurationVar(&o.idleTimeout, "idle-timeout", 30*time.Minute, "")
	f.IntVar(&o.maxSessions, "max-sessions", 100, "")
	f.BoolVar(&o.refuseOverMax, "refuse-over-max", false, "")
	f.StringVar(&proxies, "proxies", "", "")
	f.IntVar(&o.auditDays, "audit-days", 90, "")
	f.BoolVar(&o.skipNonce, "skip-nonce", false, "")
	f.BoolVar(&o.allowHTTP, "dangerously-allow-http", false, "")
	if err := f.Parse(args); err != nil {
		return options{}, err
	}
	if err := setFromEnvironment(f, getenv); err != nil {
		return options{}, err
	}
	if err := o.parseBind(bind); err != nil {
		return options{}, err
	}
	o.admins, o.origins = splitList(admins), splitList(origins)
	switch {
	case f.NArg() > 0:
		return options{}, fmt.Errorf("unexpected argument %q", f.Arg(0))
	case o.redirect && o.allowHTTP:
		// Browsers send a cookie with a cross-site request only if it is Secure.
		return options{}, errors.New("-redirect does not work with -dangerously-allow-http")
	case o.demoKey != "" && !isDemoKey(o.demoKey):
		return options{}, errors.New("-demo-key (CUSTOMER_DEMO_KEY) is not 8 to 100 letters, digits, - and _")
	case o.idleTimeout < time.Minute || o.idleTimeout > 12*time.Hour:
		return options{}, errors.New("-idle-timeout is not between 1m and 12h")
	case o.maxSessions < 1 || o.maxSessions > maxMaxSessions:
		return options{}, fmt.Errorf("-max-sessions is not between 1 and %d", maxMaxSessions)
	case o.demoCustomers != 0 && (o.demoCustomers < len(seed()) || o.demoCustomers > maxInvented):
		return options{}, fmt.Errorf("-demo-customers is not between %d and %d", len(seed()), maxInvented)
	case o.demoUsers < 0 || o.demoUsers > maxInvented:
		return options{}, fmt.Errorf("-demo-users is not between 0 and %d", maxInvented)
	case o.auditDays < 1 || o.auditDays > maxDays:
		return options{}, fmt.Errorf("-audit-days is not between 1 and %d", maxDays)
	case o.invitationDays < 1 || o.invitationDays > maxDays:
		return options{}, fmt.Errorf("-invitation-days is not between 1 and %d", maxDays)
	}
	if err := o.parseProxies(proxies); err != nil {
		return options{}, err
	}
	if err := o.parseDB(db); err != nil {
		return options{}, err
	}
	if err := o.chooseMode(); err != nil {
		return options{}, err
	}
	if err := o.checkOrigins(); err != nil {
		return options{}, err
	}
	if err := o.checkAddr(); err != nil {
		return options{}, err
	}
	return o, o.checkRedirect()
}

// maxInvented is how many customers or users a demo invents at most.
const maxInvented = 10_000

// maxDays is about ten years. Neither -audit-days nor -invitation-days may be larger.
const maxDays = 3660

// maxMaxSessions is the largest -max-sessions. A sign-in takes time for each session of its
// user, and the page Devices shows all of them.
const maxMaxSessions = 1000

// setFromEnvironment sets flags that the command line does not set from environment
// variables. It returns an error if a variable is set under its former name only, because
// a GOOGLE_CLIENT_ID that is ignored would start a demo in place of the real sign-in.
func setFromEnvironment(f *flag.FlagSet, getenv func(string) string) error {
	isSet := make(map[string]bool)
	f.Visit(func(fl *flag.Flag) { isSet[fl.Name] = true })
	for _, v := range variables {
		if isSet[v.flag] {
			continue
		}
		value := getenv(v.name)
		if value == "" && v.formerName != "" && getenv(v.formerName) != "" {
			return fmt.Errorf("%s is set, but the program reads %s", v.formerName, v.name)
		}
		if err := f.Set(v.flag, value); err != nil {
			return err
		}
	}
	return nil
}

// parseDB reads the value of -db. chooseMode sets the default for an empty value.
func (o *options) parseDB(db string) error {
	kind, rest, _ := strings.Cut(db, ":")
	switch {
	case db == "":
	case db == "memory":
		o.db.kind = db
	case kind == "sqlite" && rest != "" && rest != ":memory:":
		o.db = database{kind, rest}
	case (kind == "postgres" || kind == "postgresql") && strings.HasPrefix(rest, "//"):
		o.db = database{"postgres", db}
	case kind == "mysql" && strings.HasPrefix(rest, "//"):
		o.db = database{kind, db}
	default:
		return errors.New("-db is not memory, sqlite:FILE, postgres://… or mysql://…")
	}
	return nil
}

// parseProxies reads the value of -proxies. A single address becomes a network of one
// address.
func (o *options) parseProxies(proxies string) error {
	for _, item := range splitList(proxies) {
		network, err := netip.ParsePrefix(item)
		if addr, notAddr := netip.ParseAddr(item); notAddr == nil && addr.Zone() == "" {
			network, err = addr.Prefix(addr.BitLen())
		}
		if err != nil || network.Addr().Is4In6() {
			return fmt.Errorf("-proxies: %q is not an address or a network such as 10.0.0.0/8", item)
		}
		o.proxies = append(o.proxies, network.Masked())
	}
	return nil
}

// splitList splits s at commas and drops blanks and empty items.
func splitList(s string) []string {
	var items []string
	for item := range strings.SplitSeq(s, ",") {
		if item = strings.TrimSpace(item); item != "" {
			items = append(items, item)
		}
	}
	return items
}

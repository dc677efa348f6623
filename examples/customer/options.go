package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
)

const usage = `Usage: customer [flags]

A list of customers behind Sign in with Google. Without a client ID it runs in demo
mode: a stand-in for Google signs in anybody, on this machine only.

  -addr HOST:PORT    listen address (default localhost:8080)
  -db DATABASE       sessions, users and customers: memory, sqlite:FILE,
                     postgres://USER:PASSWORD@HOST/NAME or mysql://… likewise
                     (default sqlite:customer.db; in demo mode sqlite:demo.db)
  -redis URL         sessions in Redis instead: redis://HOST:6379, or
                     redis+cluster://HOST:PORT?addr=HOST:PORT, or
                     redis+sentinel://HOST:PORT?addr=HOST:PORT&master_name=NAME
  -client-id ID      OAuth client ID, from https://console.cloud.google.com/apis/credentials
                     (environment: GOOGLE_CLIENT_ID)
  -demo              demo mode, where other flags ask for saying so
  -demo-key KEY      the key in the address of the demo (DEMO_KEY), 8 letters and digits
                     or more; by default each start has another one
  -admins LIST       e-mail addresses of administrators (ADMINS);
                     in demo mode also admin@example.com
  -origins LIST      front ends on other origins of the same site (ORIGINS),
                     such as http://localhost:5173
  -redirect          sign in by a redirect to Google's page, not in a pop-up window
  -invited-only      admit only people who have signed in before, administrators, and
                     whom an administrator has invited
  -invitation-days N how long an invitation is good (default 14)
  -max-sessions N    sessions that a user may have at a time (default: 100); one more
                     ends the one that was not used for longest
  -refuse-over-max   refuse one more instead
  -proxies LIST      reverse proxies whose X-Forwarded-For is believed (PROXIES), by
                     address or network: 10.0.0.0/8
  -audit-days N      how long the audit is kept (default 90)
  -skip-nonce        dangerous: accept ID tokens that this browser did not ask for
  -http-cookies      dangerous: cookies without Secure, for Safari on http://localhost
  -h                 this text

LIST is separated by commas. A flag wins over its environment variable.
`

// options are what the command line says.
type options struct {
	addr        string
	db          database
	redis       string // URL; "": sessions are in db
	clientID    string
	demo        bool   // a stand-in signs in anybody: demo.go
	demoKey     string // "": made at the start
	admins      []string
	origins     []string
	redirect    bool
	invitedOnly bool
	skipNonce   bool
	httpCookies bool

	invitationDays int
	maxSessions    int // 0: the store's cap
	refuseOverMax  bool
	proxies        []netip.Prefix
	auditDays      int
}

// A database is what -db says.
type database struct {
	kind   string // memory, sqlite, postgres, mysql
	source string // file of SQLite, or URL
}

func (d database) isServer() bool { return d.kind == "postgres" || d.kind == "mysql" }

// parseOptions returns flag.ErrHelp for -h. Other errors are one line for a person
// and quote no value that could hold a password.
func parseOptions(args []string, getenv func(string) string) (options, error) {
	var o options
	var db, admins, origins, proxies string
	f := flag.NewFlagSet("customer", flag.ContinueOnError)
	f.SetOutput(io.Discard) // it would print the flags after each error
	f.StringVar(&o.addr, "addr", "localhost:8080", "")
	f.StringVar(&db, "db", "", "")
	f.StringVar(&o.redis, "redis", "", "")
	f.StringVar(&o.clientID, "client-id", getenv("GOOGLE_CLIENT_ID"), "")
	f.BoolVar(&o.demo, "demo", false, "")
	f.StringVar(&o.demoKey, "demo-key", getenv("DEMO_KEY"), "")
	f.StringVar(&admins, "admins", getenv("ADMINS"), "")
	f.StringVar(&origins, "origins", getenv("ORIGINS"), "")
	f.BoolVar(&o.redirect, "redirect", false, "")
	f.BoolVar(&o.invitedOnly, "invited-only", false, "")
	f.IntVar(&o.invitationDays, "invitation-days", 14, "")
	f.IntVar(&o.maxSessions, "max-sessions", 0, "")
	f.BoolVar(&o.refuseOverMax, "refuse-over-max", false, "")
	f.StringVar(&proxies, "proxies", getenv("PROXIES"), "")
	f.IntVar(&o.auditDays, "audit-days", 90, "")
	f.BoolVar(&o.skipNonce, "skip-nonce", false, "")
	f.BoolVar(&o.httpCookies, "http-cookies", false, "")
	if err := f.Parse(args); err != nil {
		return options{}, err
	}
	o.admins, o.origins = list(admins), list(origins)
	switch {
	case f.NArg() > 0:
		return options{}, fmt.Errorf("unexpected argument %q", f.Arg(0))
	case o.redirect && o.httpCookies:
		// A cookie that crosses sites has to be Secure.
		return options{}, errors.New("-redirect does not work with -http-cookies")
	case o.demoKey != "" && !isDemoKey(o.demoKey):
		return options{}, errors.New("-demo-key (DEMO_KEY) is not 8 to 100 letters, digits, - and _")
	case o.maxSessions < 0:
		return options{}, errors.New("-max-sessions is negative")
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
	return o, o.checkAddr()
}

// maxDays is ten years.
const maxDays = 3660

// chooseMode decides between Google and its stand-in. Flags for a server that
// others use ask for a client ID, or for saying that it is a demo, so that a
// forgotten variable does not open the door to everybody.
func (o *options) chooseMode() error {
	switch {
	case o.clientID != "" && o.demo:
		return errors.New("-demo and a client ID (-client-id, GOOGLE_CLIENT_ID) exclude each other")
	case o.clientID != "" && o.demoKey != "":
		return errors.New("-demo-key (DEMO_KEY) and a client ID (-client-id, GOOGLE_CLIENT_ID) exclude each other")
	case o.clientID != "" || o.demo:
	case len(o.origins) > 0:
		return errors.New("-origins needs -client-id, or -demo for a demo in which anybody can sign in")
	case len(o.admins) > 0:
		return errors.New("-admins needs -client-id, or -demo for a demo in which anybody can sign in")
	case o.redis != "":
		return errors.New("-redis needs -client-id, or -demo for a demo in which anybody can sign in")
	case o.db.isServer():
		return fmt.Errorf("-db %s needs -client-id, or -demo for a demo in which anybody can sign in", o.db.kind)
	}
	if o.clientID == "" && len(o.proxies) > 0 {
		return errors.New("-proxies needs -client-id: in demo mode nothing is answered that comes through a proxy")
	}
	if o.clientID == "" {
		o.demo = true
		o.admins = append(o.admins, demoAdmin)
	}
	if o.db.kind == "" {
		o.db = database{"sqlite", "customer.db"}
		if o.demo {
			o.db.source = "demo.db"
		}
	}
	return nil
}

// parseDB leaves an empty one to chooseMode.
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
		return errors.New("-db is neither memory nor sqlite:FILE, postgres://… or mysql://…")
	}
	return nil
}

// parseProxies takes an address for a network of one.
func (o *options) parseProxies(proxies string) error {
	for _, item := range list(proxies) {
		network, err := netip.ParsePrefix(item)
		if addr, notAddr := netip.ParseAddr(item); notAddr == nil && addr.Zone() == "" {
			network, err = addr.Prefix(addr.BitLen())
		}
		if err != nil || network.Addr().Is4In6() {
			return fmt.Errorf("-proxies: %q is no network such as 10.0.0.0/8, and no address", item)
		}
		o.proxies = append(o.proxies, network.Masked())
	}
	return nil
}

func (o *options) checkOrigins() error {
	for _, origin := range o.origins {
		// What a browser sends, or it would never match: lower case, no wildcard.
		if strings.Contains(origin, "*") || strings.ToLower(origin) != origin {
			return fmt.Errorf("-origins: %q is no exact origin such as https://app.example.com", origin)
		}
		if err := http.NewCrossOriginProtection().AddTrustedOrigin(origin); err != nil {
			return fmt.Errorf("-origins: %q is no origin such as https://app.example.com", origin)
		}
	}
	return nil
}

func (o *options) checkAddr() error {
	host, port, err := net.SplitHostPort(o.addr)
	if err != nil {
		return fmt.Errorf("-addr: %q is not HOST:PORT", o.addr)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Errorf("-addr: %q is no port", port)
	}
	if o.demo && !isLoopback(host) {
		return fmt.Errorf("-addr: in demo mode anybody can sign in, so it listens on localhost only, not on %q; see -client-id", host)
	}
	return nil
}

// isLoopback takes the name or address of a host without a port. Only what cannot
// mean anything else counts: a name that resolves to 127.0.0.1 is not ours.
func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

// hostname takes the port and an IPv6 address' brackets away.
func hostname(hostport string) string {
	if host, _, err := net.SplitHostPort(hostport); err == nil {
		return host
	}
	return strings.TrimSuffix(strings.TrimPrefix(hostport, "["), "]")
}

// list splits at commas and drops blanks and empty items.
func list(s string) []string {
	var items []string
	for item := range strings.SplitSeq(s, ",") {
		if item = strings.TrimSpace(item); item != "" {
			items = append(items, item)
		}
	}
	return items
}

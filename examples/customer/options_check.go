package main

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/googlesession/googlesession"
)

// The functions below check options that depend on each other. A combination that would do
// something else than it says is an error.

// chooseMode decides between Google and the stand-in for Google. Flags for a server that
// other people use need a client ID, or -demo, so that a forgotten client ID does not open
// the server to strangers.
func (o *options) chooseMode() error {
	switch {
	case o.clientID != "" && o.demo:
		return errors.New("-demo and a client ID (-client-id, CUSTOMER_CLIENT_ID) exclude each other")
	case o.clientID != "" && o.demoKey != "":
		return errors.New("-demo-key (CUSTOMER_DEMO_KEY) and a client ID (-client-id, CUSTOMER_CLIENT_ID) exclude each other")
	case o.clientID != "" && (o.demoCustomers > 0 || o.demoUsers > 0):
		return errors.New("-demo-customers and -demo-users exclude a client ID (-client-id, CUSTOMER_CLIENT_ID), because a demo alone invents people")
	case o.clientID != "" || o.demo:
	case len(o.origins) > 0:
		return errors.New("-origins needs -client-id, or -demo for a demo that signs in any account")
	case len(o.admins) > 0:
		return errors.New("-admins needs -client-id, or -demo for a demo that signs in any account")
	case o.redis != "":
		return errors.New("-redis needs -client-id, or -demo for a demo that signs in any account")
	case o.db.isServer():
		return fmt.Errorf("-db %s needs -client-id, or -demo for a demo that signs in any account", o.db.kind)
	}
	if o.clientID == "" && len(o.proxies) > 0 {
		return errors.New("-proxies needs -client-id, because a demo refuses requests that come through a proxy")
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

// checkOrigins returns an error unless each origin is spelled as browsers send it: in
// lower case and without a wildcard. Another spelling would never match.
func (o *options) checkOrigins() error {
	for _, origin := range o.origins {
		if strings.Contains(origin, "*") || strings.ToLower(origin) != origin {
			return fmt.Errorf("-origins: %q is not an exact origin such as https://app.example.com", origin)
		}
		if err := http.NewCrossOriginProtection().AddTrustedOrigin(origin); err != nil {
			return fmt.Errorf("-origins: %q is not an origin such as https://app.example.com", origin)
		}
	}
	return nil
}

// checkRedirect checks the settings of the sign-in by redirect. A setting that would have
// no effect is an error.
func (o *options) checkRedirect() error {
	host, _, _ := net.SplitHostPort(o.addr)
	switch {
	case o.demo && o.secret != "":
		return errors.New("-client-secret (CUSTOMER_CLIENT_SECRET) needs -client-id")
	case o.demo && o.baseURL != "" && !isLoopbackURL(o.baseURL):
		return errors.New("-base-url of a demo is not an address of this machine")
	case !o.demo && o.secret == "" && o.baseURL != "":
		return errors.New("-base-url (CUSTOMER_BASE_URL) needs -client-secret (CUSTOMER_CLIENT_SECRET)")
	case o.secret != "" && o.baseURL == "" && !isLoopback(host):
		return errors.New("-client-secret needs -base-url (CUSTOMER_BASE_URL), because -addr is not localhost")
	}
	return nil
}

func isLoopbackURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && isLoopback(u.Hostname())
}

// parseBind reads -bind. Browsers bind no session over http or after the form of Google's page.
func (o *options) parseBind(text string) error {
	policies := []googlesession.BindPolicy{
		googlesession.BindNobody, googlesession.BindOffer, googlesession.BindAdmins, googlesession.BindEverybody,
	}
	i := slices.IndexFunc(policies, func(p googlesession.BindPolicy) bool { return p.String() == text })
	switch {
	case i < 0:
		return fmt.Errorf("-bind: %q is not off, offer, admins or everybody", text)
	case i > 0 && o.redirect:
		return errors.New("-bind does not work with -redirect")
	case i > 0 && o.allowHTTP:
		return errors.New("-bind does not work with -dangerously-allow-http")
	}
	o.bind = policies[i]
	return nil
}

func (o *options) checkAddr() error {
	host, port, err := net.SplitHostPort(o.addr)
	if err != nil {
		return fmt.Errorf("-addr: %q is not HOST:PORT", o.addr)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Errorf("-addr: %q is not a port", port)
	}
	if o.demo && !isLoopback(host) {
		return fmt.Errorf("-addr: %q is not localhost; a demo signs in any account, so it listens on localhost only (see -client-id)", host)
	}
	return nil
}

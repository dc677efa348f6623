package googlesession

import (
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"time"
)

const (
	defaultIdle       = 30 * time.Minute
	defaultLifetime   = 12 * time.Hour
	defaultTimeout    = 2 * time.Second
	defaultMaxStreams = 10_000

	maxLifetime = 10 * 366 * 24 * time.Hour
)

// configure checks m.cfg, fills in its defaults, and returns all errors of the
// configuration, joined.
func (m *Manager) configure() error {
	if err := checkNilPointers(&m.cfg); err != nil {
		return err // the checks below would call its methods
	}
	errs := []error{
		m.configureStores(),
		m.configureTimes(),
		m.configureLists(),
		m.configureHTTP(),
		m.configureRedirect(),
		m.configureBinding(),
	}
	if m.cfg.MaxSessions < 0 {
		errs = append(errs, errors.New("googlesession: Config.MaxSessions is negative"))
	}
	if m.cfg.MaxStreams < 0 {
		errs = append(errs, errors.New("googlesession: Config.MaxStreams is negative"))
	}
	if m.cfg.MaxStreams == 0 {
		m.cfg.MaxStreams = defaultMaxStreams
	}
	if strings.ContainsRune(m.cfg.Generation, 0) {
		errs = append(errs, errors.New("googlesession: Config.Generation contains NUL"))
	}
	m.idSalt, m.tokenSalt = idSalt(&m.cfg), tokenSalt(&m.cfg)
	if m.cfg.Logger == nil {
		m.cfg.Logger = slog.Default()
	}
	return errors.Join(errs...)
}

// checkNilPointers returns an error if a field of an interface type holds a nil pointer.
// Such a field is not nil, so its first use would panic. A program makes this mistake if it
// assigns a variable of a pointer type that it sets only sometimes.
func checkNilPointers(c *Config) error {
	var errs []error
	for _, field := range []struct {
		name  string
		value any
	}{
		{"Sessions", c.Sessions},
		{"Users", c.Users},
		{"Verifier", c.Verifier},
		{"SecurityEventVerifier", c.SecurityEventVerifier},
		{"CodeExchanger", c.CodeExchanger},
	} {
		if v := reflect.ValueOf(field.value); v.Kind() == reflect.Pointer && v.IsNil() {
			errs = append(errs, fmt.Errorf("googlesession: Config.%s is a nil %T; assign the field only if there is a value", field.name, field.value))
		}
	}
	return errors.Join(errs...)
}

// configureStores sets m.users and m.shared. A session store that also implements
// UserStore is the user store too, unless Config.Users names another store.
func (m *Manager) configureStores() error {
	var errs []error
	if m.cfg.Sessions == nil {
		errs = append(errs, errors.New("googlesession: Config.Sessions is required"))
	}
	m.users = m.cfg.Users
	both, ok := m.cfg.Sessions.(UserStore)
	if m.users == nil && ok {
		m.users = both
	}
	m.shared = ok && sameStore(both, m.users)
	if m.cfg.Verifier == nil {
		return errors.Join(errs...)
	}
	if m.users == nil && m.cfg.Sessions != nil {
		errs = append(errs, errors.New("googlesession: Config.Users is required, because Config.Sessions does not implement UserStore"))
	}
	if m.cfg.Verifier.ClientID() == "" {
		errs = append(errs, errors.New("googlesession: Config.Verifier has no client ID"))
	}
	return errors.Join(errs...)
}

// sameStore reports whether a and b are one store. It returns false if their type cannot
// be compared. That is safe, and only costs redundant calls.
func sameStore(a, b UserStore) (same bool) {
	defer func() {
		if recover() != nil {
			same = false
		}
	}()
	return a == b
}

// configureTimes checks the durations. Stores keep whole milliseconds, so a fraction of a
// millisecond would be lost without notice.
func (m *Manager) configureTimes() error {
	c := &m.cfg
	var errs []error
	for _, d := range []struct {
		name  string
		value time.Duration
	}{
		{"IdleTimeout", c.IdleTimeout},
		{"MaxLifetime", c.MaxLifetime},
		{"TouchEvery", c.TouchEvery},
		{"StoreTimeout", c.StoreTimeout},
	} {
		switch {
		case d.value < 0:
			errs = append(errs, fmt.Errorf("googlesession: Config.%s is negative", d.name))
		case d.value%time.Millisecond != 0:
			errs = append(errs, fmt.Errorf("googlesession: Config.%s is not in whole milliseconds", d.name))
		}
	}
	if c.MaxLifetime > maxLifetime {
		errs = append(errs, errors.New("googlesession: Config.MaxLifetime is over ten years"))
	}
	if len(errs) > 0 {
		return errors.Join(errs...) // the checks below would add errors that follow from these
	}
	if c.MaxLifetime == 0 {
		c.MaxLifetime = defaultLifetime
	}
	if c.IdleTimeout == 0 {
		c.IdleTimeout = min(defaultIdle, c.MaxLifetime)
	}
	if c.TouchEvery == 0 {
		c.TouchEvery = min(c.IdleTimeout/10, time.Minute).Truncate(time.Millisecond)
	}
	if c.StoreTimeout == 0 {
		c.StoreTimeout = defaultTimeout
	}
	if c.IdleTimeout > c.MaxLifetime {
		errs = append(errs, errors.New("googlesession: Config.IdleTimeout exceeds Config.MaxLifetime"))
	}
	if c.TouchEvery >= c.IdleTimeout {
		errs = append(errs, errors.New("googlesession: Config.TouchEvery is not less than Config.IdleTimeout"))
	}
	return errors.Join(errs...)
}

// configureLists checks HostedDomains and Admins, and makes a set of each, which every
// sign-in looks up.
func (m *Manager) configureLists() error {
	var errs []error
	m.domains = make(map[string]bool, len(m.cfg.HostedDomains))
	for _, domain := range m.cfg.HostedDomains {
		d := lowerASCII(domain)
		switch {
		case !isDomain(d):
			errs = append(errs, fmt.Errorf("googlesession: Config.HostedDomains: %q is not an ASCII domain name", domain))
		case isGmail(d):
			errs = append(errs, fmt.Errorf("googlesession: Config.HostedDomains: %q is not a Workspace domain, but that of consumer accounts", domain))
		}
		m.domains[d] = true
	}
	m.admins = make(map[string]bool, len(m.cfg.Admins))
	for _, address := range m.cfg.Admins {
		a := addressKey(address)
		// An address must be ASCII, because two Unicode addresses can look the same and
		// still be different accounts.
		local, domain, _ := strings.Cut(a, "@")
		switch {
		case local == "" || !isPrintable(local) || !isDomain(domain):
			errs = append(errs, fmt.Errorf("googlesession: Config.Admins: %q is not an ASCII e-mail address", address))
		case len(m.domains) > 0 && !m.domains[domain]:
			errs = append(errs, fmt.Errorf("googlesession: Config.Admins: %q is not of a domain in Config.HostedDomains, so no sign-in makes its user an administrator", address))
		}
		m.admins[a] = true
	}
	return errors.Join(errs...)
}

// configureHTTP checks TrustedOrigins, LoginPage, RedirectMode and CookieSuffix, and sets
// the default of ClientIP and the three cookies.
func (m *Manager) configureHTTP() error {
	var errs []error
	for _, origin := range m.cfg.TrustedOrigins {
		if err := m.origins.AddTrustedOrigin(origin); err != nil {
			errs = append(errs, fmt.Errorf("googlesession: Config.TrustedOrigins: %w", err))
		}
	}
	switch p := m.cfg.LoginPage; {
	case p == "":
	case !strings.HasPrefix(p, "/"):
		errs = append(errs, fmt.Errorf("googlesession: Config.LoginPage: %q does not begin with /", p))
	case strings.ContainsAny(p, "?#"):
		errs = append(errs, fmt.Errorf("googlesession: Config.LoginPage: %q has a query or a fragment", p))
	case safePath(p) != p:
		errs = append(errs, fmt.Errorf("googlesession: Config.LoginPage: %q is not a path in the form that browsers give it", p))
	}
	if m.cfg.RedirectMode && m.cfg.DangerouslyAllowHTTP {
		// Browsers drop a SameSite=None cookie that is not Secure.
		errs = append(errs, errors.New("googlesession: Config.RedirectMode does not work with DangerouslyAllowHTTP"))
	}
	if !isCookieSuffix(m.cfg.CookieSuffix) {
		errs = append(errs, fmt.Errorf("googlesession: Config.CookieSuffix: %q is not up to %d of a-z, 0-9 and -, without - at either end", m.cfg.CookieSuffix, maxSuffix))
	}
	if m.cfg.ClientIP == nil {
		m.cfg.ClientIP = ClientIPBehind()
	}
	m.sessionCookie, m.nonceCookie, m.deviceCookie, m.boundCookie = cookieKinds(&m.cfg)
	return errors.Join(errs...)
}

package googlesession

import (
	"fmt"
	"net/http"
	"time"
)

const (
	defaultBoundFor = 10 * time.Minute
	minBoundFor     = 5 * time.Minute // Chromium signs six times in nine minutes for all sessions of a site
	maxBoundFor     = 24 * time.Hour

	// stampSlack is how much longer a stamp is valid than its cookie lives. It is for requests
	// on their way, and for servers whose clocks differ.
	stampSlack = time.Minute

	// maxStamp is how long a stamp can be valid at most. A server with a wrong clock may have
	// made one that ends later.
	maxStamp = maxBoundFor + 2*stampSlack

	// firstStamp is how long the first bound cookie lives. It is less than the two minutes
	// before the end of a cookie at which Chromium renews it, so the browser's next request
	// shows whether it keeps the key.
	firstStamp = time.Minute

	// bindGrace is how long a request without a stamp is admitted after the browser has renewed
	// the stamp once. The browser may have sent the request before.
	bindGrace = 30 * time.Second

	// bindTime is how long a browser has to bind a session of which the policy demands it.
	bindTime = 2 * time.Minute
)

// A proofError is the cause of a refusal although the session is live, because the request has
// not proved that it comes from the session's browser. It names the session for the event.
type proofError struct {
	text    string
	session Session
}

func (e *proofError) Error() string { return e.text }

// newProofError returns the cause of a refusal. The error reaches Config.Deny and Config.Events,
// so its session does not have the secret of the binding.
func newProofError(text string, s *Session) error {
	session := *s
	session.Binding = ""
	return &proofError{text, session}
}

const (
	textNoProof   = "googlesession: a session that is bound to another browser, or whose browser has lost its key"
	textUnbound   = "googlesession: the session is not bound to its browser"
	textNewFormat = "googlesession: the session's binding is of a later version"
)

// checkProof decides whether a request with a live session has proved that it comes from the
// session's browser. It returns when the proof ends, or the zero time if the session does not
// need a proof.
func (m *Manager) checkProof(c credential, s *Session) (until time.Time, err error) {
	if c.by != byCookie || m.cfg.DeviceBinding == BindNobody {
		return until, nil
	}
	if s.Binding == "" {
		return until, m.checkUnbound(s, BindEverybody)
	}
	b, ok := parseBinding(s.Binding)
	switch {
	case !ok:
		return until, denial(CodeProofMissing, newProofError(textNewFormat, s))
	case b.state == bindingWaiting:
		return until, m.checkUnbound(s, BindEverybody)
	}
	now := time.Now()
	if value, count := m.boundCookie.read(c.request); count == 1 {
		if end, ok := b.stampEnd(stampCookie, s.Ref, value); ok && end.After(now) && end.Before(now.Add(maxStamp)) {
			return end, nil
		}
	}
	if until = b.graceEnd(now); until.After(now) {
		return until, nil
	}
	return until, denial(CodeProofMissing, newProofError(textNoProof, s))
}

// checkUnbound refuses a session that is not bound, if the policy is at least the given one and
// the browser has had the time to bind the session.
func (m *Manager) checkUnbound(s *Session, policy BindPolicy) error {
	if m.cfg.DeviceBinding < policy || s.Kind != KindCookie || s.Bound() || time.Since(s.CreatedAt) <= bindTime {
		return nil
	}
	return denial(CodeBindingNeeded, newProofError(textUnbound, s))
}

// graceEnd returns from when on every request of the bound session needs a proof. That is now if a
// server with a wrong clock has bound the session in the future, because the session cookie
// would be enough until then.
func (b binding) graceEnd(now time.Time) time.Time {
	if b.since.After(now.Add(stampSlack)) {
		return now
	}
	return b.since.Add(bindGrace)
}

// graceEnd returns from when on every request of the session needs a proof. It reports false if
// the session is not bound.
func (m *Manager) graceEnd(s *Session) (time.Time, bool) {
	b, ok := parseBinding(s.Binding)
	if m.cfg.DeviceBinding == BindNobody || !ok || b.state != bindingEnforced {
		return time.Time{}, false
	}
	return b.graceEnd(time.Now()), true
}

// boundCookieAttributes are the attributes of the bound cookie in the form in which a browser is
// told them.
const boundCookieAttributes = "Path=/; Secure; HttpOnly; SameSite=Lax"

// setBoundCookie gives the browser a stamp for this time.
func (m *Manager) setBoundCookie(w http.ResponseWriter, b binding, ref Ref, life time.Duration) {
	m.boundCookie.write(w, b.stamp(stampCookie, ref, time.Now().Add(life+stampSlack)), int(life/time.Second))
}

// expireWrongStamp makes the browser forget a stamp that the guard has refused, so that its next
// request renews the stamp. Otherwise the browser would be refused until the cookie expires. It has
// such a stamp if the clock of a server was wrong, or if a renewal for its previous session was
// answered late. A browser that loses a good stamp by that only renews it once more.
func (m *Manager) expireWrongStamp(w http.ResponseWriter, r *http.Request, d Denial) {
	if d.Code == CodeProofMissing && len(r.CookiesNamed(m.boundCookie.name)) > 0 {
		m.boundCookie.expire(w)
	}
}

// configureBinding checks DeviceBinding and BoundFor, sets the default of BoundFor, and sets
// m.bindings.
func (m *Manager) configureBinding() error {
	c := &m.cfg
	if c.BoundFor == 0 {
		c.BoundFor = defaultBoundFor
	}
	if c.BoundFor < minBoundFor || c.BoundFor > maxBoundFor || c.BoundFor%time.Second != 0 {
		return fmt.Errorf("googlesession: Config.BoundFor is %v and not 5 minutes to 24 hours in whole seconds", c.BoundFor)
	}
	if c.DeviceBinding == BindNobody {
		return nil
	}
	bindings, ok := c.Sessions.(BindingStore)
	m.bindings = bindings
	wrong := func(format string, args ...any) error {
		return fmt.Errorf("googlesession: Config.DeviceBinding "+format, args...)
	}
	switch {
	case c.DeviceBinding > BindEverybody:
		return wrong("has the value %d, which is not a policy", c.DeviceBinding)
	case !ok && c.Sessions != nil:
		return wrong("needs a session store that is a BindingStore, and %T is not", c.Sessions)
	case c.BaseURL == "":
		return wrong("needs Config.BaseURL, because browsers are told the path of Handler")
	case c.RedirectMode:
		return wrong("does not work with RedirectMode, because browsers register a key without the session cookie after a form of Google's page")
	case c.DangerouslyAllowHTTP:
		return wrong("does not work with DangerouslyAllowHTTP, because the cookies have to be Secure")
	}
	return nil
}

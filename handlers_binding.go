package googlesession

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"
)

// refreshPath is the path, below Handler, at which a browser proves that it holds its key. A
// browser remembers it for as long as its session lives, so it never changes.
const refreshPath = "/dbsc/refresh"

// challengeAge is how long a browser can use a challenge. Until then it sends the proof that it
// has signed before, and the key, which may be slow hardware, does not sign again.
const challengeAge = 5 * time.Minute

// Both routes answer a browser and not a page, which never sees the answer. Status codes have
// the meaning that they have for Chromium 156: it forgets the key after a redirect, 400, 401,
// 404 and 429, and keeps it after 500 and 503. So no guard is in front of these routes, and
// Config.Deny is not asked.

// serveRegister binds a session to the key that a browser sends. A refusal leaves the session as
// it is, without a binding.
func (m *Manager) serveRegister(w http.ResponseWriter, r *http.Request) {
	preventSharing(w.Header())
	if err := m.checkSourceOfChange(r, m.origins); err != nil {
		m.refuseBinding(w, r, denialFor(err))
		return
	}
	s, b, err := m.register(r)
	reason, refused := errors.AsType[bindError](err)
	switch {
	case refused:
		m.emitBinding(r, bindingEvent(EventBindRefused, s, string(reason)))
		m.refuseBinding(w, r, denial(CodeBadRequest, err))
	case err != nil:
		m.refuseBinding(w, r, denialFor(err))
	default:
		m.emitBinding(r, bindingEvent(EventBound, s, "registered"))
		m.setBoundCookie(w, b, s.Ref, firstStamp)
		writeJSON(w, m.bindingInstructions(s.Ref))
	}
}

// register checks the proof of a browser that has just signed in, and stores its key.
func (m *Manager) register(r *http.Request) (s Session, b binding, err error) {
	token, _ := m.sessionCookie.read(r)
	c := m.readCredential(r)
	if c.err != nil || c.by != byCookie {
		return s, b, denial(CodeBadRequest, c.err)
	}
	if s, err = m.checkWithoutUse(r.Context(), c.ref); err == nil && s.Kind != KindCookie {
		err = errWrongCarrier
	}
	if err != nil {
		return s, b, notBound(err)
	}
	p, err := readProof(r.Header)
	switch mode := r.Header.Get("Sec-Fetch-Mode"); {
	case err != nil:
		return s, b, err
	case mode != "" && mode != "no-cors": // a script of the page; a script cannot send the proof with no-cors
		return s, b, errProofShape
	case p.key == nil:
		return s, b, errProofKey
	case !p.signedBy(p.key):
		return s, b, errProofSignature
	case !fitsOffer(token, p.challenge) || time.Since(s.CreatedAt) > offerAge:
		return s, b, errOffer
	}
	b = binding{state: bindingWaiting, since: time.Now(), key: compressKey(p.key)}
	_, _ = rand.Read(b.secret[:])
	swapped, err := m.swapBinding(r.Context(), s.Ref, "", b.text())
	if err == nil && !swapped {
		err = errBoundTwice
	}
	return s, b, notBound(err)
}

// notBound turns the end of a session into a refusal of the registration. An outage stays an outage.
func notBound(err error) error {
	if d := denialFor(err); err == nil || d.Code == CodeUnavailable {
		return err
	}
	if _, ok := errors.AsType[bindError](err); ok {
		return err
	}
	return denial(CodeBadRequest, err)
}

// bindingInstructions tells a browser which cookie it has to renew and where (DBSC, section
// 9.7). Without allowed_refresh_initiators the browser would not renew the cookie before it
// follows a link from another site, so the link would lead to the login page. It still does not
// renew the cookie for other requests from other sites, because they do not carry a Lax cookie.
func (m *Manager) bindingInstructions(ref Ref) any {
	return map[string]any{
		"session_identifier": ref.String(),
		"refresh_url":        m.basePath + refreshPath,
		"scope":              map[string]any{"include_site": false},
		"credentials": []map[string]string{
			{"type": "cookie", "name": m.boundCookie.name, "attributes": boundCookieAttributes},
		},
		"allowed_refresh_initiators": []string{"*"},
	}
}

// serveRefresh gives a browser a new stamp for a proof. The proof authenticates the request, and
// not the session cookie, because a browser that follows a link from another site sends no
// cookie with it. A refresh does not count as a use of the session.
func (m *Manager) serveRefresh(w http.ResponseWriter, r *http.Request) {
	preventSharing(w.Header())
	if err := m.checkSourceOfChange(r, m.origins); err != nil {
		m.refuseBinding(w, r, denialFor(err))
		return
	}
	ref, ok := readSessionID(r.Header)
	if !ok {
		m.refuseBinding(w, r, denial(CodeBadRequest, errProofShape))
		return
	}
	s, b, err := m.boundSession(r, ref)
	if err != nil {
		m.answerNoRefresh(w, r, ref, err)
		return
	}
	if _, hasProof := r.Header[headerProof]; !hasProof {
		m.challengeBrowser(w, b, ref)
		return
	}
	p, err := readProof(r.Header)
	switch {
	case err == nil && p.key != nil:
		err = errProofKey
	case err == nil && !p.signedBy(expandKey(b.key)):
		err = errProofSignature
	}
	if err != nil {
		reason, _ := errors.AsType[bindError](err)
		e := bindingEvent(EventBindRefused, s, string(reason))
		e.Actor = "" // the sender needs to know the Ref only, so it need not be the user
		m.emitBinding(r, e)
		m.refuseBinding(w, r, denial(CodeBadRequest, err))
		return
	}
	if end, ok := b.stampEnd(stampChallenge, ref, p.challenge); !ok || !end.After(time.Now()) {
		m.challengeBrowser(w, b, ref)
		return
	}
	if err := m.enforce(r, s, &b); err != nil {
		m.answerNoRefresh(w, r, ref, err)
		return
	}
	m.setBoundCookie(w, b, ref, m.cfg.BoundFor)
	setPrivate(w.Header())
	w.WriteHeader(http.StatusOK) // without a body, because instructions make Chromium forget its challenge
}

// errNotThisBrowser says that the browser has another session than the one that it renews.
var errNotThisBrowser = errors.Join(ErrNoSession, errors.New("googlesession: the browser has the cookie of another session"))

// boundSession returns the session of a refresh, and its binding.
func (m *Manager) boundSession(r *http.Request, ref Ref) (s Session, b binding, err error) {
	if s, err = m.checkWithoutUse(r.Context(), ref); err != nil {
		return s, b, err
	}
	if s.Kind != KindCookie || s.Binding == "" {
		return s, b, ErrNoSession
	}
	b, ok := parseBinding(s.Binding)
	if !ok { // a newer server has written it, and this one must not make the browser forget its key
		return s, b, unavailable("reading a binding", newProofError(textNewFormat, &s))
	}
	if len(r.CookiesNamed(m.sessionCookie.name)) == 0 {
		return s, b, nil
	}
	if !slices.Contains(m.presentedRefs(r), ref) {
		return s, b, errNotThisBrowser
	}
	return s, b, nil
}

// enforce notes at the first refresh that the browser keeps the key. From then on the session
// cookie alone is not enough. It is not noted at the registration, because a browser may
// register a key and then not accept the session, and its user would be signed out.
func (m *Manager) enforce(r *http.Request, s Session, b *binding) error {
	if b.state == bindingEnforced {
		return nil
	}
	before := b.text()
	b.state, b.since = bindingEnforced, time.Now()
	swapped, err := m.swapBinding(r.Context(), s.Ref, before, b.text())
	if err != nil {
		return err
	}
	if swapped { // otherwise another refresh of the same browser was first
		m.streams.wake(s.Ref)
		m.emitBinding(r, bindingEvent(EventBound, s, ""))
	}
	return nil
}

// swapBinding calls the store. The call goes on if the browser hangs up.
func (m *Manager) swapBinding(ctx context.Context, ref Ref, old, next string) (swapped bool, err error) {
	err = m.callDetached(ctx, func(ctx context.Context) error {
		swapped, err = m.bindings.SwapBinding(ctx, ref, old, next)
		return err
	})
	return swapped, err
}

// challengeBrowser asks the browser to sign a new challenge (DBSC, section 9.2).
func (m *Manager) challengeBrowser(w http.ResponseWriter, b binding, ref Ref) {
	challenge := b.stamp(stampChallenge, ref, time.Now().Add(challengeAge))
	w.Header().Set("Secure-Session-Challenge", `"`+challenge+`";id="`+ref.String()+`"`)
	setPrivate(w.Header())
	writeProblem(w, Denial{Status: http.StatusForbidden, Code: CodeProofMissing, Detail: "Sign the challenge."})
}

// answerNoRefresh makes the browser forget the key of a session that has ended. In an outage the
// browser keeps it.
func (m *Manager) answerNoRefresh(w http.ResponseWriter, r *http.Request, ref Ref, err error) {
	if d := denialFor(err); d.Code == CodeUnavailable {
		m.refuseBinding(w, r, d)
		return
	}
	writeJSON(w, map[string]any{"session_identifier": ref.String(), "continue": false})
}

// refuseBinding answers a refusal with problem+json, whatever the request looks like, because a
// browser must not be redirected here. It reports an outage and a request from another site.
func (m *Manager) refuseBinding(w http.ResponseWriter, r *http.Request, d Denial) {
	if d.Code != CodeBadRequest {
		m.reportDenial(r, d)
	}
	m.prepareDenial(w.Header(), r, d)
	writeProblem(w, d)
}

func bindingEvent(kind EventKind, s Session, reason string) Event {
	return Event{Kind: kind, Actor: s.User.ID, UserID: s.User.ID, Ref: s.Ref, PublicID: s.PublicID, Reason: reason}
}

func (m *Manager) emitBinding(r *http.Request, e Event) {
	e.Device = m.device(r)
	m.emit(r.Context(), e)
}

// preventSharing keeps pages of other sites from loading the answer or showing it in a frame.
func preventSharing(h http.Header) {
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("X-Frame-Options", "DENY")
}

const (
	headerProof     = "Secure-Session-Response"
	headerSessionID = "Sec-Secure-Session-Id"
)

// readProof returns the proof of a request. Chromium sends it without quotation marks, and the
// specification describes a string with them.
func readProof(h http.Header) (proof, error) {
	if len(h[headerProof]) != 1 {
		return proof{}, errProofShape
	}
	return parseProof(unquoted(h[headerProof][0]))
}

// readSessionID returns the Ref of the session that a browser renews.
func readSessionID(h http.Header) (ref Ref, ok bool) {
	if len(h[headerSessionID]) != 1 {
		return ref, false
	}
	ref, err := ParseRef(unquoted(h[headerSessionID][0]))
	return ref, err == nil
}

// unquoted returns the text between quotation marks, or s if it has none. Neither a proof nor a
// Ref has a character that a quoted string escapes (RFC 9651, section 3.3.3).
func unquoted(s string) string {
	if len(s) >= 2 && strings.HasPrefix(s, `"`) && strings.HasSuffix(s, `"`) {
		return s[1 : len(s)-1]
	}
	return s
}

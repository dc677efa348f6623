package googlesession

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// An offer asks the browser that has just signed in for a key. It is a challenge in a header of
// the answer that sets the session cookie, and the browser has to sign it. Its hash is part of
// the cookie's random bytes, so the offer belongs to one session and nothing is stored for a
// browser that does not take it up. A thief who has the session cookie cannot register a key,
// because the offer does not follow from its hash. A script of the page can read the offer. It
// cannot compute the cookie from the offer, and the offer is worthless without the cookie.

// offerAge is how long after the sign-in a browser can register a key.
const offerAge = 5 * time.Minute

// offerHeader is the header of an offer.
const offerHeader = "Secure-Session-Registration"

// offerPath is the path, below Handler, of the step after a sign-in by redirect.
const offerPath = "/dbsc/offer"

// registerPath is the path, below Handler, at which a browser registers its key.
const registerPath = "/dbsc/register"

// newOffer returns a new offer and its hash, or "" and nil if no session is bound.
func (m *Manager) newOffer() (offer string, hash []byte) {
	if m.cfg.DeviceBinding == BindNobody {
		return "", nil
	}
	var random [32]byte
	_, _ = rand.Read(random[:])
	offer = base64.RawURLEncoding.EncodeToString(random[:])
	return offer, offerHash(offer)
}

// offerHash returns the part of the session cookie that belongs to the offer. Inverting it takes
// 2^96 attempts, for which a thief has offerAge.
func offerHash(offer string) []byte {
	sum := sha256.Sum256([]byte("gs-offer/1\x00" + offer))
	return sum[:offerHashLen]
}

// fitsOffer reports whether the session cookie has this value for this offer.
func fitsOffer(cookie, offer string) bool {
	_, random, ok := decodeParts(cookie)
	return ok && len(offer) == secretLen && equalSecrets(string(random[offerAt:offerAt+offerHashLen]), string(offerHash(offer)))
}

// sendOffer asks the browser to register a key with the route of Handler (DBSC, section 9.1).
// Browsers that do not know the header ignore it. An empty offer is not sent.
func (m *Manager) sendOffer(h http.Header, offer string) {
	if offer != "" {
		h.Set(offerHeader, `(ES256);path="`+m.basePath+registerPath+offerParameter+offer+`"`)
	}
}

const offerParameter = `";challenge="`

// takeOffer removes the offer from an answer and returns it, or returns "" for an answer without
// an offer.
func takeOffer(h http.Header) string {
	_, offer, _ := strings.Cut(h.Get(offerHeader), offerParameter)
	h.Del(offerHeader)
	return strings.TrimSuffix(offer, `"`)
}

// afterRedirect returns the path to which a browser goes after a sign-in by redirect that ends
// at next. Google's page began the navigation, and Chromium 156 then sends no SameSite=Lax cookie
// with the registration (measured). So a page of this site begins another navigation, to a path
// whose answer has the offer. The offer is in the path for that moment, and is worthless without
// the session cookie. It reports false if no page is needed.
func (m *Manager) afterRedirect(h http.Header, next string) (path string, ok bool) {
	offer := takeOffer(h)
	if offer == "" {
		return next, false
	}
	return m.basePath + offerPath + "?" + url.Values{"offer": {offer}, "next": {next}}.Encode(), true
}

// serveOffer sends the offer to a browser that has just signed in by redirect, and leads it to
// the page that it wanted. If the offer does not belong to the browser's session, as in a link
// on another site, the answer leads to the page without an offer.
func (m *Manager) serveOffer(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	cookie, _ := m.sessionCookie.read(r)
	if offer := query.Get("offer"); fitsOffer(cookie, offer) {
		m.sendOffer(w.Header(), offer)
	}
	setPrivate(w.Header())
	w.Header().Set("Referrer-Policy", "no-referrer")
	http.Redirect(w, r, safePath(query.Get("next")), http.StatusSeeOther) //nolint:gosec // safePath returns a path of this site
}

package googlesession

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"slices"
)

// EventNewDevice is worth a mail only if it is rare, so it is about browsers and not about
// sessions, which expire, or user agents, which change with each update. A browser has a
// cookie that outlives its sessions. The user store gets a hash of its value and of the user
// ID, so two users of one browser have nothing in common there.

// program is what browserID hashes in place of a cookie's value for a sign-in without a
// browser. It is not 43 characters long, so no cookie has this value.
const program = "program"

// noteBrowser sets the device cookie, makes the user store remember the browser for this
// user, and emits EventNewDevice if the browser is new. A user without a remembered browser
// is new, or signs in for the first time since the library has had the cookie.
//
// It is called once the session exists, so that a sign-in that is refused does not make a
// browser known.
func (m *Manager) noteBrowser(w http.ResponseWriter, r *http.Request, s Session) {
	if !m.notesBrowsers() {
		return
	}
	value := m.deviceValue(r)
	m.deviceCookie.set(w, value)
	id := browserID(s.User.ID, value)
	if before, ok := m.rememberBrowser(r, s, id); ok && len(before) > 0 && !slices.Contains(before, id) {
		m.emitNewDevice(r, s)
	}
}

// noteProgram is noteBrowser for a program that signs in without cookies. Nothing tells one
// program from another, so every sign-in counts as a new device, except the first one of a
// new user. The user store remembers that there was a program, so that the first browser that
// follows counts as new.
func (m *Manager) noteProgram(r *http.Request, s Session) {
	if !m.notesBrowsers() {
		return
	}
	m.rememberBrowser(r, s, browserID(s.User.ID, program))
	if !isNewUser(s.User) {
		m.emitNewDevice(r, s)
	}
}

// isNewUser reports whether the sign-in that returned u has created the user
// ([UserStore.SignIn]).
func isNewUser(u User) bool { return u.CreatedAt.Equal(u.SeenAt) }

// notesBrowsers reports whether sign-ins set the device cookie and remember browsers.
func (m *Manager) notesBrowsers() bool { return m.cfg.Events != nil && !m.cfg.NoDeviceCookie }

// deviceValue returns the value of the browser's device cookie, or a value for a new cookie.
// It reads neither of two cookies, because a sibling host may have planted one of them.
//
// A new value is made from the nonce cookie if the browser has that one. So two tabs that sign
// in at once, and a browser that repeats a sign-in whose answer was lost, get the same value
// and count as one browser.
func (m *Manager) deviceValue(r *http.Request) string {
	value, _ := m.deviceCookie.read(r)
	if _, ok := decodeSecret(value); ok {
		return value
	}
	nonce, _ := m.nonceCookie.read(r)
	secret, ok := decodeSecret(nonce)
	if !ok {
		return newSecret()
	}
	sum := sha256.Sum256(append([]byte("gs-device/1\x00"), secret...))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// rememberBrowser makes id the user's most recent browser, and returns the user's browsers
// from before. It reports false if the user store has not answered, which does not fail the
// sign-in. The call does not end with the request, because a thief could hang up to stop it.
func (m *Manager) rememberBrowser(r *http.Request, s Session, id BrowserID) (before []BrowserID, ok bool) {
	err := m.callDetached(r.Context(), func(ctx context.Context) (err error) {
		before, err = m.users.Browsers(ctx, s.User.ID, &id)
		return err
	})
	switch {
	case err == nil:
		return before, true
	case errors.Is(err, ErrNotFound) && !errors.Is(err, ErrUnavailable): // the user was deleted meanwhile
		return nil, false
	}
	e := sessionEvent(EventUnavailable, s)
	e.Err = unavailable("remembering a browser", err)
	_, e.Reason = describeOutage(e.Err)
	m.report(r, msgUnavailable, CodeUnavailable, e)
	return nil, false
}

func (m *Manager) emitNewDevice(r *http.Request, s Session) {
	m.emit(r.Context(), sessionEvent(EventNewDevice, s))
}

// browserID returns the first 16 bytes of SHA-256("gs-browser/1\0" || userID || "\0" || value).
// A user ID does not contain NUL.
func browserID(userID, value string) BrowserID {
	sum := sha256.Sum256([]byte("gs-browser/1\x00" + userID + "\x00" + value))
	return BrowserID(sum[:16])
}

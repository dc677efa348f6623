package soak

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

const sessionCookie, nonceCookie = "__Host-Http-session", "__Host-Http-login"

// A signIn is a POST /login with what was known of the user before it.
type signIn struct {
	user     *user
	token    token
	presents *session // the session of the browser, which the sign-in replaces; may be nil

	bans     int  // how many disables and deletions had begun
	disabled bool // the user was disabled, and enabling had not begun
	banned   bool // the user may have been disabled
	tooOld   bool // the token was too old
	replaced *act // the act on the presented session
	crowded  *act // the act on all other sessions, any of which the limit may end
}

// newToken asks for a nonce and lets the stand-in for Google make a token with it.
func (r *run) newToken(ctx context.Context, a *app, u *user) (token, bool) {
	x := a.do(ctx, request{method: http.MethodGet, path: "/login"})
	if x.status == 0 {
		return token{}, false
	}
	var login struct{ Nonce string }
	nonce := cookieOf(x, nonceCookie)
	if x.status != http.StatusOK || json.Unmarshal(x.body, &login) != nil || nonce == "" {
		r.report.violation("GET /login: %d without a nonce, although it needs no store", x.status)
		return token{}, false
	}
	minted := time.Now() // taken before the token is made, so that the token is not older
	return token{r.google.Token(u.email, login.Nonce), nonce, minted}, true
}

// signIn signs in the user with the token. The session is nil if that failed.
func (r *run) signIn(ctx context.Context, a *app, u *user, t token, presents *session) (*session, answer) {
	s := u.beginSignIn(t, presents)
	cookies := []string{nonceCookie + "=" + t.nonce}
	if presents != nil {
		cookies = append(cookies, presents.cookie)
	}
	body, err := json.Marshal(map[string]string{"credential": t.credential})
	if err != nil {
		panic(err) // a string can always be encoded
	}
	x := a.do(ctx, request{
		method: http.MethodPost, path: "/login", cookies: cookies, body: string(body), contentType: "application/json",
	})
	return s.finish(x), x
}

func (u *user) beginSignIn(t token, presents *session) *signIn {
	s := &signIn{user: u, token: t, presents: presents}
	u.mu.Lock()
	s.bans, s.disabled, s.banned = u.bans, u.disabled, u.banned
	s.tooOld = t.minted.Before(u.refused)
	crowded := u.count(presents)+1 > maxSessions
	u.entering++
	u.signIns++
	if presents != nil {
		u.replacing++
	}
	u.mu.Unlock()
	if presents != nil {
		s.replaced = presents.begin("replaced")
	}
	if crowded {
		s.crowded = u.begin("limit", presents)
		s.crowded.targets = nil // the sign-in may end any of them and does not say which
	}
	return s
}

// finish judges the answer and notes the new session.
func (s *signIn) finish(x answer) *session {
	entered := s.enter(x)
	if s.replaced != nil {
		s.replaced.finish(x, entered != nil)
	}
	if s.crowded != nil {
		if x.unknown() {
			s.crowded.unknown()
		} else {
			s.crowded.failed()
		}
	}
	return entered
}

func (s *signIn) enter(x answer) *session {
	u := s.user
	u.mu.Lock()
	defer u.mu.Unlock()
	u.entering--
	if s.presents != nil {
		u.replacing--
	}
	switch {
	case x.unknown():
		u.ghosts = append(u.ghosts, ghost{x.ended, s.presents != nil})
		u.report.unknown()
		return nil
	case x.status == http.StatusOK:
		return s.admitted(x)
	case x.code == "user_disabled":
		if !s.banned && s.bans == u.bans {
			u.report.falseLogout("POST /login: user_disabled for a user that no act has begun to disable")
		}
	case x.status == http.StatusUnauthorized:
		if u.open == 0 && s.token.issued().After(u.stale) {
			u.report.falseLogout("POST /login: %s for a token from after every deletion and event", x.code)
		}
	default:
		u.report.violation("POST /login: %d %s", x.status, x.code)
	}
	return nil
}

// admitted judges a successful sign-in and notes its session. The caller holds the user's
// lock.
func (s *signIn) admitted(x answer) *session {
	u := s.user
	var body struct{ ID string }
	cookie := cookieOf(x, sessionCookie)
	switch {
	case json.Unmarshal(x.body, &body) != nil || body.ID != u.id:
		u.report.violation("POST /login: another user than the token's")
	case cookie == "":
		u.report.violation("POST /login: no cookie")
	case s.disabled && u.disabled && s.bans == u.bans:
		u.report.violation("POST /login: a disabled user is signed in")
	case s.tooOld:
		u.report.violation("POST /login: a token from before a deletion or an event makes a session")
	}
	entered := &session{
		user: u, cookie: sessionCookie + "=" + cookie, token: s.token,
	}
	if u.open > 0 || x.began.Before(u.moved) {
		entered.acts++
	}
	now := time.Now()
	switch {
	case u.disabled: // a disable was acknowledged in the meantime
		entered.acts++
		entered.end(now, "disabled during the sign-in")
	case s.token.minted.Before(u.refused):
		entered.acts++
		entered.end(now, "deletion or event during the sign-in")
	}
	u.sessions = append(u.sessions, entered)
	u.trim()
	u.tokens = append(u.tokens, s.token)
	u.tokens = slices.Delete(u.tokens, 0, max(0, len(u.tokens)-remembered))
	return entered
}

// oldToken returns a token that must not make a session any more.
func (u *user) oldToken() (token, bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, t := range slices.Backward(u.tokens) {
		if t.minted.Before(u.refused) {
			return t, true
		}
	}
	return token{}, false
}

func cookieOf(x answer, name string) string {
	for _, c := range x.cookies {
		if c.Name == name {
			return c.Value
		}
	}
	return ""
}

// describe returns the status and the code for the text of an error.
func (a answer) describe() string {
	return strings.TrimSpace(fmt.Sprintf("%d %s", a.status, a.code))
}

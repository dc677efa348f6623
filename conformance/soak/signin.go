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

// A signIn is one POST /login, with what the judge knew about the user before it was sent.
type signIn struct {
	user     *user
	token    token
	presents *session // the session whose cookie the browser sends, and which the sign-in replaces; may be nil

	bans     int  // the number of disables and deletions that had begun before the sign-in
	disabled bool // the user was disabled, and enabling the user again had not begun
	banned   bool // the user may have been disabled or in the course of deletion
	tooOld   bool // the token was from before a deletion or a security event
	replaced *act // the act that ends the presented session; nil without such a session
	crowded  *act // the act on all other sessions, any of which the limit may end; nil if the limit is not reached
}

// newToken gets a nonce from the app, and a token with that nonce from the stand-in for
// Google. It returns false if GET /login fails.
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
	minted := time.Now() // noted before the token is made, so that the token is not older than minted
	return token{r.google.Token(u.email, login.Nonce), nonce, minted}, true
}

// signIn signs in the user with the token, in a browser that sends the cookie of presents
// if that is not nil. The returned session is nil if the sign-in failed.
func (r *run) signIn(ctx context.Context, a *app, u *user, t token, presents *session) (*session, answer) {
	s := u.beginSignIn(t, presents)
	cookies := []string{nonceCookie + "=" + t.nonce}
	if presents != nil {
		cookies = append(cookies, presents.cookie)
	}
	body, err := json.Marshal(map[string]string{"credential": t.credential})
	if err != nil {
		panic(err) // a map of strings can always be encoded
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
		s.crowded.targets = nil // the sign-in may end any of the other sessions and does not say which
	}
	return s
}

// finish judges the answer to the sign-in. It notes and returns the new session, or returns
// nil if the sign-in failed.
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
	case u.disabled: // a disable was acknowledged before the sign-in was answered
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

// oldToken returns a token of the user from before a deletion or a security event, which
// must no longer make a session. It returns false if the user does not have such a token.
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

// describe returns the status and the code of the answer as text for an error message.
func (a answer) describe() string {
	return strings.TrimSpace(fmt.Sprintf("%d %s", a.status, a.code))
}

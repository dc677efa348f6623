package main

import (
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// origin is what the browser's jar files a server's cookies under.
func origin(t *testing.T, s *server) *url.URL {
	t.Helper()
	u, err := url.Parse(strings.Replace(s.url, "http://", "https://", 1))
	require.NoError(t, err)
	return u
}

func TestRestartKeepsUsersAndSessions(t *testing.T) {
	db := tempDB(t)
	c := newBrowser(t)
	first := start(t, "-db", db)
	user := first.signIn(t, c, "ada@example.com")
	require.Equal(t, http.StatusNoContent, first.do(t, c, http.MethodDelete, "/api/customer/7", "").status)
	require.Zero(t, first.stop())

	second := start(t, "-db", db)
	c = carry(t, c, first, second)
	a := second.get(t, c, "/api/user")
	require.Equal(t, http.StatusOK, a.status)
	require.JSONEq(t, user.body, a.body)
	require.Equal(t, http.StatusNotFound, second.get(t, c, "/api/customer/7").status, "seeded a second time")
	require.Equal(t, http.StatusNoContent, second.do(t, c, http.MethodPost, "/api/logout", "").status)
	require.Zero(t, second.stop())

	third := start(t, "-db", db)
	a = third.get(t, carry(t, c, first, third), "/api/user")
	require.Equal(t, http.StatusUnauthorized, a.status, "signed out before the restart")
}

func TestMemoryForgets(t *testing.T) {
	t.Chdir(t.TempDir())
	c := newBrowser(t)
	first := start(t, "-db", "memory")
	require.Equal(t, http.StatusOK, first.signIn(t, c, "ada@example.com").status)
	require.Equal(t, http.StatusOK, first.get(t, c, "/api/customer").status)
	require.Zero(t, first.stop())

	second := start(t, "-db", "memory")
	require.Equal(t, http.StatusUnauthorized, second.get(t, carry(t, c, first, second), "/api/user").status)
}

// A request that was admitted by the old session ends after the browser has signed
// in again: its answer leaves the new cookie alone.
func TestLateAnswerKeepsTheNewCookie(t *testing.T) {
	s := start(t, "-db", "memory")
	c := newBrowser(t)
	require.Equal(t, http.StatusOK, s.signIn(t, c, "ada@example.com").status)
	site := origin(t, s)
	old := c.Jar.Cookies(site)

	// The server asks for the body when the handler reads it, behind RequireUser.
	admitted := make(chan struct{})
	body, finish := io.Pipe()
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{Got100Continue: func() { close(admitted) }})
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+"/api/customer", body)
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Expect", "100-continue")
	for _, cookie := range old {
		r.AddCookie(cookie)
	}
	addKey(r)
	slow := &http.Client{Transport: &http.Transport{ExpectContinueTimeout: time.Hour}, Timeout: 10 * time.Second}
	type result struct {
		status int
		jar    []string
		err    error
	}
	done := make(chan result, 1)
	go func() {
		res, err := slow.Do(r)
		if err != nil {
			done <- result{err: err}
			return
		}
		c.Jar.SetCookies(site, res.Cookies()) // it is the same browser
		done <- result{res.StatusCode, res.Header["Set-Cookie"], res.Body.Close()}
	}()
	<-admitted

	require.Equal(t, http.StatusOK, s.signIn(t, c, "ada@example.com").status)
	require.NotEqual(t, old, c.Jar.Cookies(site))
	_, err = io.WriteString(finish, `{"name":"Late","email":"late@example.com"}`)
	require.NoError(t, err)
	require.NoError(t, finish.Close())
	late := <-done
	require.NoError(t, late.err)
	require.Equal(t, http.StatusCreated, late.status)
	require.Empty(t, late.jar)

	// So is a refusal of the old one.
	stale := newBrowser(t)
	stale.Jar.SetCookies(site, old)
	a := s.get(t, stale, "/api/user")
	require.Equal(t, http.StatusUnauthorized, a.status)
	require.Empty(t, a.header["Set-Cookie"])
	require.Equal(t, http.StatusOK, s.get(t, c, "/api/user").status)
}

// -http-cookies is for Safari, which refuses Secure cookies on http://localhost.
func TestHTTPCookies(t *testing.T) {
	s := start(t, "-db", "memory", "-http-cookies")
	require.Contains(t, s.log.String(), "-http-cookies")
	c := newBrowser(t)
	a := s.signIn(t, c, "ada@example.com")
	require.Equal(t, http.StatusOK, a.status)
	require.True(t, strings.HasPrefix(a.header.Get("Set-Cookie"), "session="), a.header)
	require.NotContains(t, a.header.Get("Set-Cookie"), "Secure")
	require.Equal(t, http.StatusOK, s.get(t, c, "/api/customer").status)

	google := start(t, "-db", "memory", "-http-cookies", "-client-id", "id")
	a = google.get(t, newBrowser(t), "/api/login", "Host: app.example.com")
	require.Equal(t, http.StatusMisdirectedRequest, a.status)
	require.Equal(t, "misdirected_request", code(t, a))
}

// The limit of sessions is the library's; the flags reach it.
func TestSessionLimits(t *testing.T) {
	a, _ := openApp(t, "-db", "memory", "-max-sessions", "2", "-refuse-over-max")
	c := a.config(nil)
	require.Equal(t, 2, c.MaxSessions)
	require.True(t, c.RefuseOverMax)
}

// -skip-nonce admits a token that another browser asked for; without it nobody is.
func TestSkipNonce(t *testing.T) {
	for _, tt := range []struct {
		args []string
		want int
	}{
		{[]string{"-db", "memory"}, http.StatusUnauthorized},
		{[]string{"-db", "memory", "-skip-nonce"}, http.StatusOK},
	} {
		s := start(t, tt.args...)
		token := s.do(t, newBrowser(t), http.MethodPost, demoToken, `{"email":"ada@example.com","nonce":"leaked"}`)
		a := s.do(t, newBrowser(t), http.MethodPost, "/api/login", token.body)
		require.Equal(t, tt.want, a.status, "%q: %s", tt.args, a.body)
	}
}

// The log tells who did what, and no secret or address.
func TestLogHoldsNoSecret(t *testing.T) {
	s := start(t, "-db", "memory")
	c := newBrowser(t)
	nonce := s.beginSignIn(t, c)
	token := s.do(t, c, http.MethodPost, demoToken, `{"email":"ada@example.com","nonce":"`+nonce+`"}`)
	credential := member(t, token, "credential")
	require.Equal(t, http.StatusOK, s.do(t, c, http.MethodPost, "/api/login", token.body).status)
	user := member(t, s.get(t, c, "/api/user"), "id")
	cookies := c.Jar.Cookies(origin(t, s))
	require.Len(t, cookies, 2)
	require.Equal(t, http.StatusNoContent, s.do(t, c, http.MethodPost, "/api/logout", "").status)
	a := s.do(t, newBrowser(t), http.MethodPost, "/api/login", token.body)
	require.Equal(t, http.StatusUnauthorized, a.status)
	require.Equal(t, http.StatusUnauthorized, s.get(t, newBrowser(t), "/api/customer").status)

	log := s.log.String()
	for _, want := range []string{"signed_in", "signed_out", "sign_in_refused", user} {
		require.Contains(t, log, want)
	}
	require.NotContains(t, log, "googlesession: denied", "every visitor, at every page")
	for _, secret := range []string{nonce, credential, "ada@example.com", cookies[0].Value, cookies[1].Value} {
		require.NotContains(t, log, secret)
	}
}

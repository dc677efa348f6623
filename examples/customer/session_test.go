package main

import (
	"io"
	"net/http"
	"net/http/httptrace"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
)

func TestRestartKeepsUsersAndSessions(t *testing.T) {
	db := tempDB(t)
	browser := newBrowser(t)
	first := start(t, "-db", db)
	user := first.signIn(t, browser, "ada@example.com")
	require.Equal(t, http.StatusNoContent, first.request(t, browser, http.MethodDelete, "/api/customer/7", "").status)
	require.Zero(t, first.stop())

	second := start(t, "-db", db)
	browser = newBrowserWithCookies(t, browser, first, second)
	res := second.get(t, browser, "/api/user")
	require.Equal(t, http.StatusOK, res.status)
	require.JSONEq(t, user.body, res.body)
	require.Equal(t, http.StatusNotFound, second.get(t, browser, "/api/customer/7").status, "seeded a second time")
	require.Equal(t, http.StatusNoContent, second.request(t, browser, http.MethodPost, "/api/logout", "").status)
	require.Zero(t, second.stop())

	third := start(t, "-db", db)
	res = third.get(t, newBrowserWithCookies(t, browser, first, third), "/api/user")
	require.Equal(t, http.StatusUnauthorized, res.status, "signed out before the restart")
}

func TestMemoryForgets(t *testing.T) {
	t.Chdir(t.TempDir())
	browser := newBrowser(t)
	first := start(t, "-db", "memory")
	require.Equal(t, http.StatusOK, first.signIn(t, browser, "ada@example.com").status)
	require.Equal(t, http.StatusOK, first.get(t, browser, "/api/customer").status)
	require.Zero(t, first.stop())

	second := start(t, "-db", "memory")
	require.Equal(t, http.StatusUnauthorized, second.get(t, newBrowserWithCookies(t, browser, first, second), "/api/user").status)
}

// A request of the old session may end after the browser has signed in again. Its answer
// must not change the new cookie.
func TestLateAnswerKeepsTheNewCookie(t *testing.T) {
	s := start(t, "-db", "memory")
	browser := newBrowser(t)
	require.Equal(t, http.StatusOK, s.signIn(t, browser, "ada@example.com").status)
	site := cookieURL(t, s)
	old := browser.Jar.Cookies(site)

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
	addKeyCookie(r)
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
		browser.Jar.SetCookies(site, res.Cookies()) // the request is from the same browser
		done <- result{res.StatusCode, res.Header["Set-Cookie"], res.Body.Close()}
	}()
	<-admitted

	require.Equal(t, http.StatusOK, s.signIn(t, browser, "ada@example.com").status)
	require.NotEqual(t, old, browser.Jar.Cookies(site))
	_, err = io.WriteString(finish, `{"name":"Late","email":"late@example.com"}`)
	require.NoError(t, err)
	require.NoError(t, finish.Close())
	late := <-done
	require.NoError(t, late.err)
	require.Equal(t, http.StatusCreated, late.status)
	require.Empty(t, late.jar)

	// The refusal of a request with the old cookie must not change the new cookie, either.
	stale := newBrowser(t)
	stale.Jar.SetCookies(site, old)
	res := s.get(t, stale, "/api/user")
	require.Equal(t, http.StatusUnauthorized, res.status)
	require.Empty(t, res.header["Set-Cookie"])
	require.Equal(t, http.StatusOK, s.get(t, browser, "/api/user").status)
}

// -dangerously-allow-http is for Safari, which refuses Secure cookies on
// http://localhost.
func TestDangerouslyAllowHTTP(t *testing.T) {
	s := start(t, "-db", "memory", "-dangerously-allow-http")
	require.Contains(t, s.log.String(), "-dangerously-allow-http")
	browser := newBrowser(t)
	res := s.signIn(t, browser, "ada@example.com")
	require.Equal(t, http.StatusOK, res.status)
	require.True(t, strings.HasPrefix(res.header.Get("Set-Cookie"), "session="), res.header)
	require.NotContains(t, res.header.Get("Set-Cookie"), "Secure")
	require.Equal(t, http.StatusOK, s.get(t, browser, "/api/customer").status)

	google := start(t, "-db", "memory", "-dangerously-allow-http", "-client-id", "id")
	res = google.get(t, newBrowser(t), "/api/login", "Host: app.example.com")
	require.Equal(t, http.StatusMisdirectedRequest, res.status)
	require.Equal(t, "misdirected_request", problemCode(t, res))
}

// A user can have as many sessions as -max-sessions says, also if the number is above the
// default of the stores. One more ends another session, or is refused with -refuse-over-max.
func TestSessionLimits(t *testing.T) {
	for _, refuse := range []bool{false, true} {
		for name, db := range testDatabases(t) {
			const limit = 103
			s, a := startApp(t, "-db", db, "-max-sessions", strconv.Itoa(limit), "-refuse-over-max="+strconv.FormatBool(refuse))
			last := newBrowser(t)
			require.Equal(t, http.StatusOK, s.signIn(t, last, "ada@example.com").status)
			id := a.demo.google.Subject("ada@example.com")
			for range limit - 1 {
				_, _, err := a.sessions.Issue(t.Context(), id, googlesession.Grant{Label: "x"})
				require.NoError(t, err)
			}
			res := s.signIn(t, newBrowser(t), "ada@example.com")
			require.Equal(t, map[bool]int{false: http.StatusOK, true: http.StatusForbidden}[refuse], res.status, "%s: %s", name, res.body)
			list, err := a.sessions.Sessions(t.Context(), id)
			require.NoError(t, err)
			require.Len(t, list, limit, name)
		}
	}
}

// With -skip-nonce, and only with it, a token signs in a browser that did not ask for it.
func TestSkipNonce(t *testing.T) {
	for _, tt := range []struct {
		args []string
		want int
	}{
		{[]string{"-db", "memory"}, http.StatusUnauthorized},
		{[]string{"-db", "memory", "-skip-nonce"}, http.StatusOK},
	} {
		s := start(t, tt.args...)
		token := s.request(t, newBrowser(t), http.MethodPost, demoToken, `{"email":"ada@example.com","nonce":"leaked"}`)
		res := s.request(t, newBrowser(t), http.MethodPost, "/api/login", token.body)
		require.Equal(t, tt.want, res.status, "%q: %s", tt.args, res.body)
	}
}

// The log has actors and actions, but no secret and no address.
func TestLogHoldsNoSecret(t *testing.T) {
	s := start(t, "-db", "memory")
	browser := newBrowser(t)
	nonce := s.beginSignIn(t, browser)
	token := s.request(t, browser, http.MethodPost, demoToken, `{"email":"ada@example.com","nonce":"`+nonce+`"}`)
	credential := jsonString(t, token, "credential")
	require.Equal(t, http.StatusOK, s.request(t, browser, http.MethodPost, "/api/login", token.body).status)
	user := jsonString(t, s.get(t, browser, "/api/user"), "id")
	cookies := browser.Jar.Cookies(cookieURL(t, s))
	require.Len(t, cookies, 3)
	require.Equal(t, http.StatusNoContent, s.request(t, browser, http.MethodPost, "/api/logout", "").status)
	res := s.request(t, newBrowser(t), http.MethodPost, "/api/login", token.body)
	require.Equal(t, http.StatusUnauthorized, res.status)
	require.Equal(t, http.StatusUnauthorized, s.get(t, newBrowser(t), "/api/customer").status)

	log := s.log.String()
	for _, want := range []string{"signed_in", "signed_out", "sign-in refused", user} {
		require.Contains(t, log, want)
	}
	require.NotContains(t, log, "googlesession: denied", "each page view of a visitor causes this event")
	for _, secret := range []string{nonce, credential, "ada@example.com", cookies[0].Value, cookies[1].Value, cookies[2].Value} {
		require.NotContains(t, log, secret)
	}
}

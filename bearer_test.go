package googlesession_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
)

// newBearerSite returns a site whose guards accept bearer tokens.
func newBearerSite(t testing.TB, edit func(*googlesession.Config)) *site {
	t.Helper()
	return newSite(t, func(c *googlesession.Config) {
		c.Bearer, c.Admins = true, []string{adminEmail}
		if edit != nil {
			edit(c)
		}
	})
}

// with returns the answer to a request with this Authorization header.
func (s *site) with(t testing.TB, authorization, method, target, body string, header ...string) answer {
	t.Helper()
	if body != "" {
		header = append(header, "Content-Type", "application/json")
	}
	return serve(t, s, method, target, body, append(header, "Authorization", authorization)...)
}

// A program signs in without cookies, and its session is listed, used and ended like any
// other.
func TestBearerSession(t *testing.T) {
	s := newBearerSite(t, nil)
	admin := s.signIn(t, adminEmail)
	token := s.google.SignInProgram(t, s, "/api/login", alice, "command line")
	require.Regexp(t, `^gs_[A-Za-z0-9_-]{59}$`, token)
	for _, scheme := range []string{"Bearer ", "bearer ", "BEARER "} {
		a := s.with(t, scheme+token, http.MethodGet, "/private", "")
		require.Equal(t, http.StatusOK, a.status, scheme)
		require.Equal(t, alice, a.body)
		require.Empty(t, a.header["Set-Cookie"])
	}
	var list struct{ Sessions []map[string]any }
	require.NoError(t, json.Unmarshal([]byte(s.with(t, "Bearer "+token, http.MethodGet, "/api/sessions", "").body), &list))
	require.Len(t, list.Sessions, 1)
	require.Equal(t, []any{"bearer", "command line", true}, []any{list.Sessions[0]["kind"], list.Sessions[0]["label"], list.Sessions[0]["current"]})

	a := do(t, admin, http.MethodDelete, "/api/admin/users/"+s.google.Subject(alice)+"/sessions/"+list.Sessions[0]["public_id"].(string), "")
	require.Equal(t, http.StatusNoContent, a.status, a.body)
	a = s.with(t, "Bearer "+token, http.MethodGet, "/private", "")
	require.Equal(t, http.StatusUnauthorized, a.status)
	require.Equal(t, `Bearer error="invalid_token"`, a.header.Get("Www-Authenticate"))
}

// Without Config.Bearer the header means nothing.
func TestBearerIsOffByDefault(t *testing.T) {
	on := newBearerSite(t, nil)
	token := on.google.SignInProgram(t, on, "/api/login", alice, "")
	off := newSite(t, func(c *googlesession.Config) { c.Sessions = on.store })
	a := off.with(t, "Bearer "+token, http.MethodGet, "/private", "")
	require.Equal(t, http.StatusUnauthorized, a.status)
	require.Empty(t, a.header.Get("Www-Authenticate"))
	c := off.signIn(t, alice)
	require.Equal(t, http.StatusOK, get(t, c, "/private", "Authorization", "Bearer "+token).status)
	for _, target := range []string{"/api/login?deliver=token", "/api/tokens"} {
		require.Contains(t, []int{http.StatusBadRequest, http.StatusNotFound}, get(t, c, target).status, target)
	}
	a = serve(t, off, http.MethodPost, "/api/login", `{"credential":"x","deliver":"token"}`, "Content-Type", "application/json")
	require.Equal(t, http.StatusBadRequest, a.status)
	_, _, err := off.manager.Issue(t.Context(), off.google.Subject(alice), googlesession.Grant{})
	require.ErrorIs(t, err, googlesession.ErrUnavailable)
}

// A bad header is 401, and the store is not asked. The log tells the reasons apart.
func TestBadCredentials(t *testing.T) {
	s := newBearerSite(t, nil)
	token := s.google.SignInProgram(t, s, "/api/login", alice, "")
	browser := s.signIn(t, alice)
	value := cookie(t, browser, sessionCookie)
	for name, header := range map[string][]string{
		"another token":         {"Authorization", "Bearer eyJhbGciOiJSUzI1NiJ9.e30.x"},
		"cookie's value":        {"Authorization", "Bearer " + value},
		"prefixed cookie":       {"Authorization", "Bearer gs_" + value},
		"token as a cookie":     {"Cookie", sessionCookie + "=" + strings.TrimPrefix(token, "gs_")},
		"whole token as cookie": {"Cookie", sessionCookie + "=" + token},
		"no token":              {"Authorization", "Bearer"},
		"empty token":           {"Authorization", "Bearer "},
		"two blanks":            {"Authorization", "Bearer  " + token},
		"blank before scheme":   {"Authorization", " Bearer " + token, "Cookie", sessionCookie + "=" + value},
		"tab before scheme":     {"Authorization", "\tBearer " + token, "Cookie", sessionCookie + "=" + value},
		"tab":                   {"Authorization", "Bearer\t" + token},
		"comma":                 {"Authorization", "Bearer " + token + ", Bearer " + token},
		"comma after scheme":    {"Authorization", "Bearer, " + token},
		"blank at the end":      {"Authorization", "Bearer " + token + " "},
		"shorter":               {"Authorization", "Bearer " + token[:len(token)-1]},
		"longer":                {"Authorization", "Bearer " + token + "A"},
		"prefix in capitals":    {"Authorization", "Bearer GS_" + token[3:]},
		"padding":               {"Authorization", "Bearer " + token + "="},
		"not ASCII":             {"Authorization", "Bearer gs_" + strings.Repeat("é", 30)},
		"very long":             {"Authorization", "Bearer gs_" + strings.Repeat("A", 1<<20)},
		"Basic":                 {"Authorization", "Basic " + token},
		"Basic, Bearer":         {"Authorization", "Basic eDp5, Bearer " + token},
		"longer scheme":         {"Authorization", "BearerX " + token},
		"token alone":           {"Authorization", token},
		"with a cookie":         {"Authorization", "Bearer " + token, "Cookie", sessionCookie + "=" + value},
		"with a bad cookie":     {"Authorization", "Bearer " + token, "Cookie", sessionCookie + "=x"},
		"bad, with a cookie":    {"Authorization", "Bearer x", "Cookie", sessionCookie + "=" + value},
		"two headers":           {"Authorization", "Bearer " + token, "Authorization", "Bearer " + token},
		"Basic and Bearer":      {"Authorization", "Basic eDp5", "Authorization", "Bearer " + token},
		"other header":          {"X-Authorization", "Bearer " + token},
	} {
		calls := s.store.count("CheckSession")
		a := serve(t, s, http.MethodGet, "/private", "", header...)
		require.Equal(t, http.StatusUnauthorized, a.status, name)
		require.Equal(t, googlesession.CodeNoSession, a.code(t), name)
		switch name {
		case "prefixed cookie", "token as a cookie": // well-formed, so the store is asked, and does not know it
		default:
			require.Equal(t, calls, s.store.count("CheckSession"), name)
		}
	}
	for _, target := range []string{"/private?access_token=" + token, "/private?token=" + token, "/private?authorization=Bearer+" + token} {
		require.Equal(t, http.StatusUnauthorized, serve(t, s, http.MethodGet, target, "").status, target)
	}
	require.NotContains(t, s.log.String(), token[3:])
	require.Equal(t, http.StatusOK, get(t, browser, "/private", "Authorization", "Basic eDp5").status, "a proxy's password is not a credential")
}

// A request with a bearer token needs no origin, because browsers do not send the header by
// themselves. A cookie beside it brings the check back, and so does a header
// without a token.
func TestBearerAndOtherOrigins(t *testing.T) {
	s := newBearerSite(t, nil)
	token := s.google.SignInProgram(t, s, "/api/login", alice, "")
	foreign := []string{"Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"}
	require.Equal(t, http.StatusOK, s.with(t, "Bearer "+token, http.MethodPost, "/private", "", foreign...).status)
	require.Equal(t, http.StatusOK, s.with(t, "Bearer "+token, http.MethodGet, "/private", "", append(foreign, "Upgrade", "websocket")...).status)
	c := s.signIn(t, alice)
	value := sessionCookie + "=" + cookie(t, c, sessionCookie)
	for _, header := range []string{"Bearer x", "Bearer " + token, "Basic x"} {
		a := s.with(t, header, http.MethodPost, "/private", "", append(foreign, "Cookie", value)...)
		require.NotEqual(t, http.StatusOK, a.status, header)
		a = s.with(t, header, http.MethodPost, "/api/logout", "", append(foreign, "Cookie", value)...)
		require.NotEqual(t, http.StatusNoContent, a.status, header)
	}
	require.Equal(t, http.StatusOK, get(t, c, "/private").status, "the browser is still signed in")
	post := s.with(t, "Bearer "+token, http.MethodPost, "/api/login", `{"credential":"x"}`, foreign...)
	require.Equal(t, googlesession.CodeCrossOrigin, post.code(t), "a token does not lift the check of a page's sign-in")
}

// A program signs out with its token, and gets no cookie.
func TestBearerSignOut(t *testing.T) {
	s := newBearerSite(t, nil)
	token, other := s.google.SignInProgram(t, s, "/api/login", alice, ""), s.google.SignInProgram(t, s, "/api/login", alice, "")
	require.Equal(t, http.StatusUnauthorized, s.with(t, "Bearer "+token+"x", http.MethodPost, "/api/logout", "").status)
	a := s.with(t, "Bearer "+token, http.MethodPost, "/api/logout", "")
	require.Equal(t, http.StatusNoContent, a.status)
	require.Empty(t, a.header["Set-Cookie"])
	require.Equal(t, http.StatusUnauthorized, s.with(t, "Bearer "+token, http.MethodGet, "/private", "").status)
	require.Equal(t, http.StatusOK, s.with(t, "Bearer "+other, http.MethodGet, "/private", "").status, "a sign-in does not replace another program's session")
}

// A program's refusal is problem+json without a redirect, whatever it accepts.
func TestBearerRefusalIsForPrograms(t *testing.T) {
	s := newBearerSite(t, func(c *googlesession.Config) { c.LoginPage = "/login" })
	a := s.with(t, "Bearer gs_x", http.MethodGet, "/private", "", "Accept", "text/html")
	require.Equal(t, http.StatusUnauthorized, a.status)
	require.Equal(t, "application/problem+json", a.header.Get("Content-Type"))
	a = serve(t, s, http.MethodGet, "/private", "", "Accept", "text/html")
	require.Equal(t, http.StatusSeeOther, a.status)
	require.Empty(t, a.header.Get("Www-Authenticate"))
}

// A bearer request is one call of the store.
func TestBearerAsksTheStoreOnce(t *testing.T) {
	s := newBearerSite(t, nil)
	token := s.google.SignInProgram(t, s, "/api/login", alice, "")
	calls := s.store.count()
	require.Equal(t, http.StatusOK, s.with(t, "Bearer "+token, http.MethodGet, "/both", "").status)
	require.Equal(t, calls+1, s.store.count())
	s.store.failing("CheckSession", errors.New("down"))
	require.Equal(t, http.StatusServiceUnavailable, s.with(t, "Bearer "+token, http.MethodGet, "/private", "").status)
}

// A kindless is a store that forgets the kind of a session.
type kindless struct{ store }

func (k kindless) CreateSession(ctx context.Context, n googlesession.NewSession) (googlesession.Session, error) {
	n.Kind = googlesession.KindCookie
	return k.store.CreateSession(ctx, n)
}

// A store that loses the kind of a session does not make a token of a cookie.
func TestKindIsChecked(t *testing.T) {
	s := newBearerSite(t, func(c *googlesession.Config) { c.Sessions = kindless{c.Sessions.(store)} })
	token := s.google.SignInProgram(t, s, "/api/login", alice, "")
	require.Equal(t, http.StatusUnauthorized, s.with(t, "Bearer "+token, http.MethodGet, "/private", "").status)
}

// The generation and the suffix are part of a token's reference.
func TestBearerGeneration(t *testing.T) {
	s := newBearerSite(t, nil)
	token := s.google.SignInProgram(t, s, "/api/login", alice, "")
	for name, edit := range map[string]func(*googlesession.Config){
		"generation": func(c *googlesession.Config) { c.Generation = "2" },
		"suffix":     func(c *googlesession.Config) { c.CookieSuffix = "b" },
	} {
		other := newBearerSite(t, func(c *googlesession.Config) { c.Sessions = s.store; edit(c) })
		require.Equal(t, http.StatusUnauthorized, other.with(t, "Bearer "+token, http.MethodGet, "/private", "").status, name)
	}
}

// Only a program gets a token. Every sign of a browser is enough to refuse.
func TestBrowsersGetNoTokens(t *testing.T) {
	s := newBearerSite(t, nil)
	body := `{"credential":"` + s.google.Token(alice, "") + `","secret":"` + strings.Repeat("A", 43) + `","deliver":"token"}`
	for name, header := range map[string][]string{
		"origin":        {"Origin", origin},
		"fetch site":    {"Sec-Fetch-Site", "same-origin"},
		"fetch mode":    {"Sec-Fetch-Mode", "cors"},
		"fetch storage": {"Sec-Fetch-Storage-Access", "none"},
		"cookie":        {"Cookie", "a=b"},
		"empty cookie":  {"Cookie", ""},
	} {
		a := serve(t, s, http.MethodGet, "/api/login?deliver=token", "", header...)
		require.Equal(t, http.StatusForbidden, a.status, name)
		require.Equal(t, googlesession.CodeNotForBrowsers, a.code(t), name)
		require.NotContains(t, a.body, "secret", name)
		a = serve(t, s, http.MethodPost, "/api/login", body, append(header, "Content-Type", "application/json")...)
		require.Equal(t, http.StatusForbidden, a.status, name)
	}
	require.Zero(t, s.store.count("CreateSession"))
}

// What a program posts is read strictly.
func TestBadProgramSignIns(t *testing.T) {
	s := newBearerSite(t, nil)
	var begun struct{ Nonce, Secret string }
	a := serve(t, s, http.MethodGet, "/api/login?deliver=token", "")
	require.NoError(t, json.Unmarshal([]byte(a.body), &begun))
	require.Empty(t, a.header["Set-Cookie"])
	good := s.google.Token(alice, begun.Nonce)
	for name, tt := range map[string]struct {
		members map[string]any
		status  int
	}{
		"no secret":                     {map[string]any{"credential": good}, 401},
		"other secret":                  {map[string]any{"credential": good, "secret": strings.Repeat("A", 43)}, 401},
		"nonce as secret":               {map[string]any{"credential": good, "secret": begun.Nonce}, 401},
		"malformed secret":              {map[string]any{"credential": good, "secret": "x"}, 401},
		"secret of a number":            {map[string]any{"credential": good, "secret": 1}, 400},
		"no credential":                 {map[string]any{"secret": begun.Secret}, 400},
		"reauth":                        {map[string]any{"credential": good, "secret": begun.Secret, "reauth": true}, 400},
		"other delivery":                {map[string]any{"credential": good, "secret": begun.Secret, "deliver": "cookie"}, 400},
		"empty delivery":                {map[string]any{"credential": good, "secret": begun.Secret, "deliver": ""}, 400},
		"control character":             {map[string]any{"credential": good, "secret": begun.Secret, "label": "a\nb"}, 400},
		"control character above ASCII": {map[string]any{"credential": good, "secret": begun.Secret, "label": "a\u0085b"}, 400},
		"reversed text":                 {map[string]any{"credential": good, "secret": begun.Secret, "label": "a\u202eb"}, 400},
		"long label":                    {map[string]any{"credential": good, "secret": begun.Secret, "label": strings.Repeat("x", 101)}, 400},
		"good":                          {map[string]any{"credential": good, "secret": begun.Secret, "label": strings.Repeat("ß", 50)}, 200},
	} {
		if tt.members["deliver"] == nil {
			tt.members["deliver"] = "token"
		}
		body, err := json.Marshal(tt.members)
		require.NoError(t, err)
		a := serve(t, s, http.MethodPost, "/api/login", string(body), "Content-Type", "application/json")
		require.Equal(t, tt.status, a.status, "%s: %s", name, a.body)
		require.Empty(t, a.header["Set-Cookie"], name)
	}
	require.Equal(t, 1, s.store.count("CreateSession"))
	for _, query := range []string{"deliver=x", "deliver=", "deliver=token&deliver=token"} {
		require.Equal(t, http.StatusBadRequest, serve(t, s, http.MethodGet, "/api/login?"+query, "").status, query)
	}
}

// A sign-in of a program is a new device each time, except the first one of a new user.
func TestBearerSignInIsAnAlarm(t *testing.T) {
	s := newBearerSite(t, nil)
	var alarms []int
	for i := range 3 {
		s.google.SignInProgram(t, s, "/api/login", alice, fmt.Sprint(i))
		alarms = append(alarms, s.alarms())
	}
	require.Equal(t, []int{0, 1, 2}, alarms)
	require.Equal(t, "2", s.events[len(s.events)-1].Label)
}

// A fresh sign-in of a program passes RequireFresh, and an old one does not. Its challenge
// says why.
func TestBearerFresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newBearerSite(t, nil)
		fresh := &site{Handler: s.manager.RequireFresh(time.Minute)(http.NotFoundHandler())}
		token := s.google.SignInProgram(t, s, "/api/login", alice, "")
		require.Equal(t, http.StatusNotFound, fresh.with(t, "Bearer "+token, http.MethodGet, "/", "").status)
		advance(time.Minute + time.Second)
		a := fresh.with(t, "Bearer "+token, http.MethodGet, "/", "")
		require.Equal(t, googlesession.CodeReauthNeeded, a.code(t))
		require.Equal(t, `Bearer error="insufficient_user_authentication"`, a.header.Get("Www-Authenticate"))
	})
}

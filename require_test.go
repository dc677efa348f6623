package googlesession_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
)

// pageRequest returns a request whose answer the browser shows in its window.
func pageRequest(t testing.TB, method, target string) *http.Request {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, origin+target, nil)
	r.Header.Set("Sec-Fetch-Mode", "navigate")
	r.RequestURI = target
	return r
}

// record returns the answer of h to r.
func record(h http.Handler, r *http.Request) answer {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return answer{w.Code, w.Result().Header, w.Body.String()}
}

// The condition of Require refuses a user by a Denial and by ErrForbidden. Every other
// error answers 503 and does not sign the user out.
func TestRequire(t *testing.T) {
	secret := errors.New("pq: secret text")
	own := googlesession.Denial{Status: http.StatusPaymentRequired, Code: "no_plan", Detail: "Please choose a plan.", Err: secret}
	for _, tt := range []struct {
		name   string
		err    error
		status int
		code   googlesession.Code
	}{
		{"forbidden", googlesession.ErrForbidden, 403, googlesession.CodeForbidden},
		{"forbidden, wrapped", fmt.Errorf("%w: %w", googlesession.ErrForbidden, secret), 403, googlesession.CodeForbidden},
		{"outage", googlesession.ErrUnavailable, 503, googlesession.CodeUnavailable},
		{"outage before forbidden", errors.Join(googlesession.ErrForbidden, googlesession.ErrUnavailable), 503, googlesession.CodeUnavailable},
		{"any other error", secret, 503, googlesession.CodeUnavailable},
		{"the deadline of a query", context.DeadlineExceeded, 503, googlesession.CodeUnavailable},
		{"a session of another call", googlesession.ErrNoSession, 503, googlesession.CodeUnavailable},
		{"an expired session of another call", googlesession.ErrSessionExpired, 503, googlesession.CodeUnavailable},
		{"a revoked session of another call", googlesession.ErrSessionRevoked, 503, googlesession.CodeUnavailable},
		{"a disabled user of another call", googlesession.ErrUserDisabled, 503, googlesession.CodeUnavailable},
		{"an unknown user of another call", googlesession.ErrNotFound, 503, googlesession.CodeUnavailable},
		{"own denial", own, 402, "no_plan"},
		{"own denial, wrapped", fmt.Errorf("plan: %w", own), 402, "no_plan"},
		{"own denial without a sentence", googlesession.Denial{Status: 402, Code: "no_plan"}, 402, "no_plan"},
		{"own denial with the outage as its cause", googlesession.Denial{Status: 409, Code: "busy", Err: googlesession.ErrUnavailable}, 409, "busy"},
		{"an outage beside a denial", errors.Join(googlesession.Denial{Code: googlesession.CodeNoSession}, googlesession.ErrUnavailable), 503, googlesession.CodeUnavailable},
		{"the library's code alone", googlesession.Denial{Code: googlesession.CodeReauthNeeded}, 401, googlesession.CodeReauthNeeded},
		{"an unknown code alone", googlesession.Denial{Code: "no_plan"}, 503, googlesession.CodeUnavailable},
		{"nothing", googlesession.Denial{}, 503, googlesession.CodeUnavailable},
		{"a status that admits", googlesession.Denial{Status: 200, Code: "fine"}, 503, googlesession.CodeUnavailable},
		{"a redirect", googlesession.Denial{Status: 303, Code: "fine"}, 503, googlesession.CodeUnavailable},
		{"no status", googlesession.Denial{Status: 600, Code: "fine"}, 503, googlesession.CodeUnavailable},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newSite(t, nil) // each has a log of its own, because bursts are summarized
			c := s.signIn(t, alice)
			guard := s.manager.Require(func(context.Context, googlesession.Session) error { return tt.err })
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
			r.Header.Set("Cookie", sessionCookie+"="+cookie(t, c, sessionCookie))
			events, logged := len(s.kinds()), len(s.log.String())
			a := record(guard(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("admitted") })), r)
			require.Equal(t, tt.status, a.status)
			require.Equal(t, tt.code, a.code(t))
			require.NotContains(t, a.body, "pq:")
			require.Equal(t, tt.status == 503, a.header.Get("Retry-After") != "")
			kind := googlesession.EventDenied
			if tt.status == 503 {
				kind = googlesession.EventUnavailable
				require.Contains(t, s.log.String()[logged:], "level=ERROR")
				require.Contains(t, s.log.String()[logged:], tt.err.Error()[:10], "the operator learns why")
			} else {
				require.NotContains(t, s.log.String()[logged:], "level=ERROR")
			}
			require.Equal(t, []googlesession.EventKind{kind}, s.kinds()[events:])
			require.Equal(t, alice, get(t, c, "/private").body, "the session goes on")
		})
	}
}

// A condition sees the session, is asked only if there is one, and costs no call to the store.
func TestRequireAsksTheStoreOnce(t *testing.T) {
	s := newSite(t, func(c *googlesession.Config) { c.Admins = []string{adminEmail} })
	c := s.signIn(t, adminEmail)
	m, asked := s.manager, 0
	guard := m.Require(func(ctx context.Context, session googlesession.Session) error {
		asked++
		user, ok := googlesession.UserFrom(ctx)
		require.True(t, ok)
		require.Equal(t, user, session.User)
		require.Equal(t, adminEmail, user.Email)
		require.NotZero(t, session.Ref)
		return nil
	})
	end := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	for name, h := range map[string]http.Handler{
		"alone":               guard(end),
		"in Load":             m.Load(guard(end)),
		"in RequireAdmin":     m.RequireAdmin(guard(end)),
		"around RequireAdmin": guard(m.RequireAdmin(end)),
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		before := s.store.count()
		require.Equal(t, http.StatusUnauthorized, record(guard(end), r).status, name)
		require.Equal(t, before, s.store.count())
		asked = 0
		r.Header.Set("Cookie", sessionCookie+"="+cookie(t, c, sessionCookie))
		require.Equal(t, http.StatusNoContent, record(h, r).status, name)
		require.Equal(t, 1, asked, name)
		require.Equal(t, before+1, s.store.count(), name)
	}
}

func TestRequireNeedsACondition(t *testing.T) {
	s := newSite(t, nil)
	require.PanicsWithValue(t, "googlesession: Manager.Require needs a condition, and allow is nil", func() { s.manager.Require(nil) })
}

// WriteDenial answers and reports nothing.
func TestWriteDenial(t *testing.T) {
	s := newSite(t, func(c *googlesession.Config) {
		c.Deny = func(http.ResponseWriter, *http.Request, googlesession.Denial) { t.Error("WriteDenial asks Deny") }
	})
	for _, tt := range []struct {
		denial googlesession.Denial
		status int
		code   googlesession.Code
	}{
		{googlesession.Denial{Code: googlesession.CodeNotFound}, 404, googlesession.CodeNotFound},
		{googlesession.Denial{Code: googlesession.CodeNotFound, Status: 410}, 410, googlesession.CodeNotFound},
		{googlesession.Denial{Code: "own", Status: 422}, 422, "own"},
		{googlesession.Denial{Code: "own"}, 503, googlesession.CodeUnavailable},
		{googlesession.Denial{Code: "own", Status: 204}, 503, googlesession.CodeUnavailable},
		{googlesession.Denial{Code: "own", Status: 1000}, 503, googlesession.CodeUnavailable},
		{googlesession.Denial{Code: "own", Status: -1}, 503, googlesession.CodeUnavailable},
	} {
		h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.manager.WriteDenial(w, r, tt.denial) })
		a := serve(t, h, http.MethodGet, "/", "")
		require.Equal(t, tt.status, a.status)
		require.Equal(t, tt.code, a.code(t))
		require.Equal(t, tt.status == 503, a.header.Get("Retry-After") != "")
	}
	require.Empty(t, s.log.String())
	require.Empty(t, s.kinds())
}

// Deny gets the address that the browser asked for, and the application's handler still
// gets the address without the prefix.
func TestAddressThatDenyGets(t *testing.T) {
	var got *url.URL
	s := newSite(t, func(c *googlesession.Config) {
		c.Deny = func(_ http.ResponseWriter, r *http.Request, _ googlesession.Denial) { got = r.URL }
	})
	h := http.StripPrefix("/app", s.manager.RequireUser(http.NotFoundHandler()))
	for _, tt := range []struct {
		name, uri, path string // the RequestURI, and the Path of the URL
		want            string
	}{
		{"a prefix", "/app/x?a=b", "/app/x", "/app/x?a=b"},
		{"escaped", "/app/a%2Fb%20c?a=%2F", "/app/a/b c", "/app/a%2Fb%20c?a=%2F"},
		{"absolute form", "https://app.test/app/x?a=b", "/app/x", "/app/x?a=b"},
		{"absolute form of another host", "https://evil.example/app/x", "/app/x", "/app/x"},
		{"two slashes", "//evil.example/app", "/app//evil.example/app", "//evil.example/app"},
		{"an empty query", "/app/x?", "/app/x", "/app/x?"},
		{"every resource", "*", "/app/", "/?a=b"},
		{"made by a program", "", "/app/x", "/x?a=b"},
		{"malformed", "/%zz", "/app/x", "/x?a=b"},
		{"an authority", "app.test:443", "/app/x", "/x?a=b"},
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		r.RequestURI, r.URL = tt.uri, &url.URL{Path: tt.path, RawQuery: "a=b"}
		got = nil
		h.ServeHTTP(httptest.NewRecorder(), r)
		require.NotNil(t, got, tt.name)
		want, err := url.Parse(tt.want)
		if tt.name == "two slashes" {
			want, err = url.ParseRequestURI(tt.want)
		}
		require.NoError(t, err)
		require.Equal(t, want, got, tt.name)
		require.Equal(t, tt.path, r.URL.Path, tt.name)
		require.Empty(t, got.Host, tt.name)
	}
}

// A condition may return a pointer to a Denial, and a Denial may have a status alone.
func TestRequireTakesEveryFormOfADenial(t *testing.T) {
	s := newSite(t, nil)
	c := s.signIn(t, alice)
	header := []string{"Cookie", sessionCookie + "=" + cookie(t, c, sessionCookie)}
	for _, tt := range []struct {
		name   string
		err    error
		status int
		code   googlesession.Code
	}{
		{"pointer", &googlesession.Denial{Status: 402, Code: "pay"}, 402, "pay"},
		{"wrapped pointer", fmt.Errorf("plan: %w", &googlesession.Denial{Code: googlesession.CodeNotAdmin}), 403, googlesession.CodeNotAdmin},
		{"status alone", googlesession.Denial{Status: 402}, 402, googlesession.CodeForbidden},
		{"nothing", googlesession.Denial{}, 503, googlesession.CodeUnavailable},
	} {
		h := s.manager.Require(func(context.Context, googlesession.Session) error { return tt.err })(http.NotFoundHandler())
		a := serve(t, h, http.MethodGet, "/", "", header...)
		require.Equal(t, tt.status, a.status, tt.name)
		require.Equal(t, tt.code, a.code(t), tt.name)
	}
}

// A login page that the server renders shows the sentence of the code in its query.
func TestDetailOfACode(t *testing.T) {
	require.Equal(t, "Please sign in.", googlesession.CodeNoSession.Detail())
	require.Empty(t, googlesession.Code("<script>").Detail())
}

package googlesession_test

import (
	"context"
	"errors"
	"math"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
)

const day = 24 * time.Hour

// A recorder keeps what the latest CreateSession was given.
type recorder struct {
	*spy
	last googlesession.NewSession
}

func (s *recorder) CreateSession(ctx context.Context, n googlesession.NewSession) (googlesession.Session, error) {
	s.last = n
	return s.spy.CreateSession(ctx, n)
}

// newLifetimeSite returns a site with this Config.Lifetime, and what its store is given.
func newLifetimeSite(t *testing.T, f func(context.Context, googlesession.SignIn) googlesession.Lifetime) (*site, *recorder) {
	t.Helper()
	var store *recorder
	s := newSite(t, func(c *googlesession.Config) {
		store = &recorder{spy: c.Sessions.(*spy)}
		c.Sessions, c.Lifetime, c.Admins = store, f, []string{adminEmail}
	})
	return s, store
}

// postBody posts a token with further members of the body, such as `,"remember":true`.
func postBody(t *testing.T, s *site, c *http.Client, email, members string) answer {
	t.Helper()
	return do(t, c, http.MethodPost, "/api/login", `{"credential":"`+s.google.Token(email, begin(t, c))+`"`+members+`}`,
		"Content-Type", "application/json")
}

// A session gets what Config.Lifetime returns, or less if that cannot be kept exactly.
func TestLifetime(t *testing.T) {
	const tenYears = 10 * 366 * day
	type lifetime = googlesession.Lifetime
	for _, tt := range []struct {
		name      string
		lifetime  lifetime
		idle, max time.Duration
		cookie    string // the attribute of the session cookie
	}{
		{"zero", lifetime{}, 30 * time.Minute, 12 * time.Hour, "; Max-Age=43200"},
		{"long", lifetime{Idle: 7 * day, Max: 30 * day}, 7 * day, 30 * day, "; Max-Age=2592000"},
		{"long, and idle of the Config", lifetime{Max: 30 * day}, 30 * time.Minute, 30 * day, "; Max-Age=2592000"},
		{"less than idle of the Config", lifetime{Max: 10 * time.Minute}, 10 * time.Minute, 10 * time.Minute, "; Max-Age=600"},
		{"idle over the lifetime of the Config", lifetime{Idle: 13 * time.Hour}, 12 * time.Hour, 12 * time.Hour, "; Max-Age=43200"},
		{"idle over its own lifetime", lifetime{Idle: 2 * time.Hour, Max: time.Hour}, time.Hour, time.Hour, "; Max-Age=3600"},
		{"fractions", lifetime{Idle: 1999 * time.Microsecond, Max: time.Hour + time.Millisecond - 1}, time.Millisecond, time.Hour, "; Max-Age=3600"},
		{"a millisecond", lifetime{Max: time.Millisecond}, time.Millisecond, time.Millisecond, "; Max-Age=1"},
		{"over 400 days", lifetime{Idle: 500 * day, Max: 500 * day}, 500 * day, 500 * day, "; Max-Age=34560000"},
		{"over ten years", lifetime{Max: tenYears + 1}, 30 * time.Minute, tenYears, "; Max-Age=34560000"},
		{"for ever", lifetime{Idle: math.MaxInt64, Max: math.MaxInt64}, tenYears, tenYears, "; Max-Age=34560000"},
		{"browser only", lifetime{BrowserOnly: true}, 30 * time.Minute, 12 * time.Hour, ""},
		{"browser only, and long", lifetime{Max: 500 * day, BrowserOnly: true}, 30 * time.Minute, 500 * day, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, store := newLifetimeSite(t, func(context.Context, googlesession.SignIn) googlesession.Lifetime { return tt.lifetime })
			a := postBody(t, s, s.google.Browser(s), alice, "")
			require.Equal(t, http.StatusOK, a.status, a.body)
			require.Equal(t, tt.idle, store.last.IdleTimeout)
			require.Equal(t, tt.max, store.last.MaxLifetime)
			require.Regexp(t, `^__Host-Http-session=[A-Za-z0-9_-]{59}; Path=/`+regexp.QuoteMeta(tt.cookie)+`; HttpOnly; Secure; SameSite=Lax$`,
				a.header.Get("Set-Cookie"))
		})
	}
}

// A Lifetime that has ended already makes no session, and the browser keeps the one it has.
func TestLifetimeInThePast(t *testing.T) {
	for name, l := range map[string]googlesession.Lifetime{
		"negative":               {Max: -time.Hour},
		"idle negative":          {Idle: -time.Hour},
		"as small as can be":     {Max: math.MinInt64},
		"a nanosecond":           {Max: 1},
		"idle under one ms":      {Idle: time.Millisecond - 1, Max: time.Hour},
		"negative, browser only": {Idle: time.Hour, Max: -1, BrowserOnly: true},
	} {
		t.Run(name, func(t *testing.T) {
			var life googlesession.Lifetime
			s, _ := newLifetimeSite(t, func(context.Context, googlesession.SignIn) googlesession.Lifetime { return life })
			c := s.signIn(t, alice)
			life = l
			a := postBody(t, s, c, alice, "")
			require.Equal(t, http.StatusServiceUnavailable, a.status)
			require.Equal(t, googlesession.CodeUnavailable, a.code(t))
			require.Empty(t, a.header["Set-Cookie"])
			require.Equal(t, 1, s.store.count("CreateSession"))
			require.Contains(t, s.log.String(), "Config.Lifetime returned")
			require.Contains(t, s.log.String(), "level=ERROR")
			require.Equal(t, alice, get(t, c, "/private").body, "the old session goes on")
		})
	}
}

// A panic in Config.Lifetime leaves no session, and the browser keeps the one it has.
func TestLifetimePanics(t *testing.T) {
	fail := false
	s, _ := newLifetimeSite(t, func(context.Context, googlesession.SignIn) googlesession.Lifetime {
		if fail {
			panic("lifetime")
		}
		return googlesession.Lifetime{}
	})
	c := s.signIn(t, alice)
	body := `{"credential":"` + s.google.Token(alice, begin(t, c)) + `"}`
	cookies := loginCookie + "=" + cookie(t, c, loginCookie) + "; " + sessionCookie + "=" + cookie(t, c, sessionCookie)
	fail = true
	w := httptest.NewRecorder()
	require.PanicsWithValue(t, "lifetime", func() {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/api/login", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Cookie", cookies)
		s.ServeHTTP(w, r)
	})
	require.Empty(t, w.Result().Header["Set-Cookie"])
	list, err := s.manager.Sessions(t.Context(), s.google.Subject(alice))
	require.NoError(t, err)
	require.Len(t, list, 1)
	require.Equal(t, alice, get(t, c, "/private").body)
}

// Config.Lifetime gets what it may decide by.
func TestLifetimeGetsTheSignIn(t *testing.T) {
	var got []googlesession.SignIn
	s, _ := newLifetimeSite(t, func(ctx context.Context, in googlesession.SignIn) googlesession.Lifetime {
		require.Equal(t, in.Request.Context(), ctx)
		got = append(got, in)
		return googlesession.Lifetime{}
	})
	c := s.google.Browser(s)
	require.Equal(t, http.StatusOK, postBody(t, s, c, adminEmail, `,"remember":true`).status)
	require.True(t, got[0].User.Admin, "the user as after the sign-in")
	require.Equal(t, s.user(t, adminEmail), got[0].User)
	require.Equal(t, adminEmail, got[0].Identity.Email)
	require.True(t, got[0].Remember)
	require.Nil(t, got[0].Replaces)
	require.Equal(t, "/login", got[0].Request.URL.Path)

	first := listSessions(t, c).Sessions[0]
	require.Equal(t, http.StatusOK, postBody(t, s, c, adminEmail, "").status)
	require.False(t, got[1].Remember, "this sign-in was not asked to remember")
	require.Nil(t, got[1].Replaces, "a new sign-in replaces no session in this sense")

	second := listSessions(t, c).Sessions[0]
	require.NotEqual(t, first.ID, second.ID)
	require.Equal(t, http.StatusOK, again(t, c, s.google.Token(adminEmail, begin(t, c))).status)
	require.Equal(t, second.ID, got[2].Replaces.Ref.String())
	require.Equal(t, second.UserAgent, got[2].Replaces.Device.UserAgent)
	require.True(t, second.CreatedAt.Equal(got[2].Replaces.CreatedAt))

	for _, remember := range []string{"1", `"true"`, "null", "[]"} {
		a := postBody(t, s, c, adminEmail, `,"remember":`+remember)
		require.Equal(t, googlesession.CodeBadRequest, a.code(t), remember)
	}
	require.Len(t, got, 3)
}

// An application that calls SignIn decides by its own request.
func TestLifetimeOfSignInByTheApplication(t *testing.T) {
	s, store := newLifetimeSite(t, func(_ context.Context, in googlesession.SignIn) googlesession.Lifetime {
		if in.Remember || in.Request.URL.Query().Has("stay") {
			return googlesession.Lifetime{Idle: 30 * day, Max: 30 * day}
		}
		return googlesession.Lifetime{}
	})
	c := s.google.Browser(s)
	var err error
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, err = s.manager.SignIn(w, r, r.Header.Get("Token"))
	})
	for target, want := range map[string]time.Duration{"/": 12 * time.Hour, "/?stay": 30 * day} {
		token := s.google.Token(alice, begin(t, c))
		serve(t, h, http.MethodPost, target, "", "Token", token, "Cookie", loginCookie+"="+cookie(t, c, loginCookie))
		require.NoError(t, err)
		require.Equal(t, want, store.last.MaxLifetime, target)
	}
}

// A session whose idle timeout is shorter than TouchEvery stays live while it is used, and
// ends when it is not.
func TestIdleTimeoutUnderTouchEvery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var store *recorder
		s := newSite(t, func(c *googlesession.Config) {
			store = &recorder{spy: c.Sessions.(*spy)}
			c.Sessions, c.TouchEvery = store, 10*time.Minute
			c.Lifetime = func(context.Context, googlesession.SignIn) googlesession.Lifetime {
				return googlesession.Lifetime{Idle: time.Minute}
			}
		})
		c := s.signIn(t, alice)
		for range 100 {
			advance(29 * time.Second)
			require.Equal(t, http.StatusOK, get(t, c, "/private").status)
		}
		before := store.count("CheckSession")
		advance(time.Minute)
		require.Equal(t, http.StatusUnauthorized, get(t, c, "/private").status)
		require.Equal(t, 1, store.count("CheckSession")-before, "one call of the store for each request")
	})
}

// A mistake of the application's own code does not hide an outage of the store.
func TestMistakeDoesNotHideAnOutage(t *testing.T) {
	s, lines := newQuietSite(t, func(c *googlesession.Config) {
		c.Lifetime = func(_ context.Context, in googlesession.SignIn) googlesession.Lifetime {
			if in.User.Email != alice {
				return googlesession.Lifetime{Max: -1}
			}
			return googlesession.Lifetime{}
		}
	})
	c, other := s.signIn(t, alice), s.google.Browser(s)
	guard := s.manager.Require(func(context.Context, googlesession.Session) error { return googlesession.Denial{Status: 200} })
	session := sessionCookie + "=" + cookie(t, c, sessionCookie)
	require.Equal(t, 503, serve(t, guard(http.NotFoundHandler()), http.MethodGet, "/", "", "Cookie", session).status)
	require.Equal(t, 503, post(t, other, s.google.Token(bob, begin(t, other))).status)
	s.store.failing("CheckSession", errors.New("connection refused"))
	require.Equal(t, 503, get(t, c, "/private").status)
	require.Len(t, lines(t), 3)
	require.Contains(t, lines(t)[0]["error"], "status 200")
	require.Contains(t, lines(t)[1]["error"], "Config.Lifetime returned")
	require.Equal(t, "connection refused", lines(t)[2]["error"])
}

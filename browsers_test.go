package googlesession_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
)

const (
	deviceCookie = "__Host-Http-device"
)

// enter signs a browser in and returns the number of its EventNewDevice. It forgets the
// events before.
func (s *site) enter(t testing.TB, c *http.Client, email string) (alarms int) {
	t.Helper()
	s.events = nil
	a := post(t, c, s.google.Token(email, begin(t, c)))
	require.Equal(t, http.StatusOK, a.status, a.body)
	return s.alarms()
}

func (s *site) alarms() (n int) {
	for _, k := range s.kinds() {
		if k == googlesession.EventNewDevice {
			n++
		}
	}
	return n
}

// A user signs in with one browser a day, and the session expires in between. A second
// browser makes one alarm.
func TestNewDevice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, nil)
		phone, laptop := s.google.Browser(s), s.google.Browser(s)
		for i := range 30 {
			require.Zero(t, s.enter(t, phone, alice), "the browser of a new user, and of every day")
			want := []googlesession.EventKind{googlesession.EventUserCreated, googlesession.EventSignedIn}
			require.Equal(t, want[min(i, 1):], s.kinds())
			advance(day)
			require.Equal(t, http.StatusUnauthorized, get(t, phone, "/private").status)
		}
		require.Equal(t, 1, s.enter(t, laptop, alice))
		require.Equal(t, []googlesession.EventKind{googlesession.EventSignedIn, googlesession.EventNewDevice}, s.kinds())
		signedIn, alarm := s.events[0], s.events[1]
		alarm.Kind, alarm.Time = signedIn.Kind, signedIn.Time
		require.Equal(t, signedIn, alarm, "the alarm names the user, the session and the device of the sign-in")
		for range 3 {
			advance(day)
			require.Zero(t, s.enter(t, laptop, alice))
			require.Zero(t, s.enter(t, phone, alice))
			require.Equal(t, http.StatusNoContent, do(t, laptop, http.MethodPost, "/api/logout", "").status)
		}
		for range 3 {
			advance(399 * day)
			require.Zero(t, s.enter(t, phone, alice), "each sign-in renews the cookie")
		}
		advance(401 * day)
		require.Equal(t, 1, s.enter(t, phone, alice), "the browser has forgotten the cookie")
	})
}

// The user agent is not part of the decision.
func TestNewDeviceIgnoresTheUserAgent(t *testing.T) {
	s := newSite(t, nil)
	phone, thief := s.google.Browser(s), s.google.Browser(s)
	for _, tt := range []struct {
		browser *http.Client
		agent   string
		want    int
	}{{phone, "phone/1", 0}, {phone, "phone/2", 0}, {thief, "phone/2", 1}} {
		s.events = nil
		require.Equal(t, http.StatusOK, post(t, tt.browser, s.google.Token(alice, begin(t, tt.browser)), "User-Agent", tt.agent).status)
		require.Equal(t, tt.want, s.alarms(), tt.agent)
	}
}

func TestOldestBrowserIsForgotten(t *testing.T) {
	s := newSite(t, nil)
	var browsers []*http.Client
	for i := range googlesession.MaxBrowsers {
		browsers = append(browsers, s.google.Browser(s))
		require.Equal(t, min(i, 1), s.enter(t, browsers[i], alice))
	}
	for _, c := range browsers {
		require.Zero(t, s.enter(t, c, alice))
	}
	require.Equal(t, 1, s.enter(t, s.google.Browser(s), alice))
	require.Zero(t, s.enter(t, browsers[1], alice))
	require.Equal(t, 1, s.enter(t, browsers[0], alice), "the least recent one")
}

// Two users of one browser have one cookie, and their hashes have nothing in common.
func TestBrowserOfTwoUsers(t *testing.T) {
	s := newSite(t, nil)
	family, office := s.google.Browser(s), s.google.Browser(s)
	require.Zero(t, s.enter(t, family, alice))
	value := cookie(t, family, deviceCookie)
	require.Zero(t, s.enter(t, family, "bob@gmail.com"))
	require.Equal(t, value, cookie(t, family, deviceCookie))
	require.Zero(t, s.enter(t, family, alice))
	require.Equal(t, 1, s.enter(t, office, alice), "a browser of Alice's")
	require.Equal(t, 1, s.enter(t, office, "bob@gmail.com"), "is a new one for Bob")
	for _, email := range []string{alice, "bob@gmail.com"} {
		known, err := s.store.Browsers(t.Context(), s.google.Subject(email), nil)
		require.NoError(t, err)
		var want []googlesession.BrowserID
		for _, c := range []*http.Client{office, family} {
			sum := sha256.Sum256([]byte("gs-browser/1\x00" + s.google.Subject(email) + "\x00" + cookie(t, c, deviceCookie)))
			want = append(want, googlesession.BrowserID(sum[:16]))
		}
		require.Equal(t, want, known)
	}
}

// The browser has to present one well-formed cookie. Every other cookie makes an alarm, and is
// replaced.
func TestMalformedDeviceCookie(t *testing.T) {
	s := newSite(t, nil)
	c := s.google.Browser(s)
	s.enter(t, c, alice)
	good := cookie(t, c, deviceCookie)
	last := strings.IndexByte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", good[42])
	for _, tt := range []struct {
		name    string
		cookies []string
		want    int
	}{
		{"the browser's", []string{good}, 0},
		{"planted", []string{strings.Repeat("A", 43), good}, 1},
		{"planted behind", []string{good, strings.Repeat("A", 43)}, 1},
		{"twice", []string{good, good}, 1},
		{"another spelling of the last byte", []string{good[:42] + "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"[last^1:][:1]}, 1},
		{"padded", []string{good + "="}, 1},
		{"short", []string{good[:42]}, 1},
		{"empty", []string{""}, 1},
		{"none", nil, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s.events = nil
			fresh := s.google.Browser(s) // for a nonce cookie of its own
			token := s.google.Token(alice, begin(t, fresh))
			header := []string{"Content-Type", "application/json", "Cookie", loginCookie + "=" + cookie(t, fresh, loginCookie)}
			for _, value := range tt.cookies {
				header = append(header, "Cookie", deviceCookie+"="+value)
			}
			a := serve(t, s, http.MethodPost, "/api/login", `{"credential":"`+token+`"}`, header...)
			require.Equal(t, http.StatusOK, a.status, a.body)
			require.Equal(t, tt.want, s.alarms())
			got, _, _ := strings.Cut(strings.TrimPrefix(a.header["Set-Cookie"][1], deviceCookie+"="), ";")
			require.Regexp(t, `^[A-Za-z0-9_-]{43}$`, got)
			require.Equal(t, tt.want == 0, got == good, "a browser's own cookie is kept, and every other one is replaced")
		})
	}
}

// A browser that repeats a sign-in whose answer was lost is one browser, and its user is new.
func TestRepeatedSignInIsOneBrowser(t *testing.T) {
	s := newSite(t, nil)
	c := s.google.Browser(s)
	token := s.google.Token(alice, begin(t, c))
	nonce := cookie(t, c, loginCookie)
	for range 2 {
		a := serve(t, s, http.MethodPost, "/api/login", `{"credential":"`+token+`"}`,
			"Content-Type", "application/json", "Cookie", loginCookie+"="+nonce)
		require.Equal(t, http.StatusOK, a.status, a.body)
		public, ok := googlesession.NonceOf(nonce)
		require.True(t, ok)
		require.NotContains(t, a.header["Set-Cookie"][1], nonce)
		require.NotContains(t, a.header["Set-Cookie"][1], public, "the page and Google know the nonce")
	}
	require.Zero(t, s.alarms())
}

func TestDeletedUsersBrowsersAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, nil)
		phone, laptop := s.google.Browser(s), s.google.Browser(s)
		s.enter(t, phone, alice)
		require.Equal(t, 1, s.enter(t, laptop, alice))
		require.NoError(t, s.manager.DeleteUser(t.Context(), s.google.Subject(alice)))
		advance(2 * time.Hour)
		require.Zero(t, s.enter(t, laptop, alice), "a new user")
		require.Equal(t, 1, s.enter(t, phone, alice), "a browser of the deleted user")
	})
}

// Without Events, or with NoDeviceCookie, a sign-in sets no device cookie, does not call
// Browsers and emits no EventNewDevice.
func TestNoDeviceCookie(t *testing.T) {
	for name, edit := range map[string]func(*googlesession.Config){
		"NoDeviceCookie": func(c *googlesession.Config) { c.NoDeviceCookie = true },
		"no Events":      func(c *googlesession.Config) { c.Events = nil },
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, edit)
			for range 2 {
				c := s.google.Browser(s)
				require.Zero(t, s.enter(t, c, alice))
				require.Empty(t, cookie(t, c, deviceCookie))
			}
			require.Zero(t, s.store.count("Browsers", "Sessions"))
		})
	}
}

// Users from before the library had the cookie have no alarm at their next sign-in.
func TestNoAlarmAfterAnUpgrade(t *testing.T) {
	before := newSite(t, func(c *googlesession.Config) { c.NoDeviceCookie = true })
	before.signIn(t, alice)
	s := newSite(t, func(c *googlesession.Config) { c.Sessions = before.store })
	require.Zero(t, s.enter(t, s.google.Browser(s), alice))
	require.Equal(t, 1, s.enter(t, s.google.Browser(s), alice))
}

// A refused sign-in does not make its browser known, and a re-authentication makes no alarm.
func TestBrowserIsKnownByASignInOnly(t *testing.T) {
	s := newSite(t, func(c *googlesession.Config) { c.MaxSessions, c.RefuseOverMax = 1, true })
	phone, laptop := s.google.Browser(s), s.google.Browser(s)
	s.enter(t, phone, alice)
	asked := s.store.count("Browsers")
	require.Equal(t, http.StatusForbidden, post(t, laptop, s.google.Token(alice, begin(t, laptop))).status)
	require.Empty(t, cookie(t, laptop, deviceCookie))

	// The phone's cookie is lost, so that a sign-in from it would make an alarm.
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	at := &url.URL{Scheme: "https", Host: "app.test"}
	for _, ck := range phone.Jar.Cookies(at) {
		if ck.Name != deviceCookie {
			jar.SetCookies(at, []*http.Cookie{ck})
		}
	}
	phone.Jar = jar
	s.events = nil
	require.Equal(t, http.StatusOK, again(t, phone, s.google.Token(alice, begin(t, phone))).status)
	require.Zero(t, s.alarms())
	require.Equal(t, asked, s.store.count("Browsers"))

	require.Equal(t, http.StatusNoContent, do(t, phone, http.MethodPost, "/api/logout", "").status)
	require.Equal(t, 1, s.enter(t, laptop, alice))
}

// If the user store does not remember browsers now, the sign-in succeeds, and the operator and
// the application get to know that the alarm may be missing.
func TestSignInWithoutBrowsers(t *testing.T) {
	s := newSite(t, nil)
	s.enter(t, s.google.Browser(s), alice)
	s.store.failing("Browsers", errors.New("not implemented"))
	c := s.google.Browser(s)
	require.Zero(t, s.enter(t, c, alice))
	require.Equal(t, http.StatusOK, get(t, c, "/private").status)
	require.Equal(t, []googlesession.EventKind{googlesession.EventSignedIn, googlesession.EventUnavailable}, s.kinds())
	e := s.events[1]
	require.Equal(t, s.google.Subject(alice), e.UserID)
	require.Equal(t, s.events[0].Ref, e.Ref)
	require.Equal(t, s.events[0].PublicID, e.PublicID)
	require.ErrorIs(t, e.Err, googlesession.ErrUnavailable)
	require.Contains(t, s.log.String(), "remembering a browser")
	require.NotContains(t, s.log.String(), cookie(t, c, deviceCookie))

	s.store.failing("Browsers", nil)
	require.Equal(t, 1, s.enter(t, c, alice), "the alarm is late")
}

// A thief who hangs up in the middle of the sign-in does not stop the alarm.
func TestHangingUpDoesNotStopTheAlarm(t *testing.T) {
	s := newSite(t, nil)
	s.enter(t, s.google.Browser(s), alice)
	c := s.google.Browser(s)
	token := s.google.Token(alice, begin(t, c))
	ctx, hangUp := context.WithCancel(t.Context())
	s.events = nil
	s.store.hook = func(method string) {
		if method == "Browsers" {
			hangUp()
		}
	}
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, origin+"/api/login", strings.NewReader(`{"credential":"`+token+`"}`))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Cookie", loginCookie+"="+cookie(t, c, loginCookie))
	s.ServeHTTP(httptest.NewRecorder(), r)
	require.Error(t, ctx.Err())
	require.Equal(t, 1, s.alarms())
}

// A program has no cookie, so each of its sign-ins is an alarm, except for a new user. A
// browser that comes after a program is new.
func TestPrograms(t *testing.T) {
	s := newSite(t, func(c *googlesession.Config) { c.NoDeviceCookie = true })
	s.signIn(t, alice)
	withAlarms := newSite(t, func(c *googlesession.Config) { c.Sessions = s.store })
	program := func(isNew bool) int {
		u := s.user(t, alice)
		if isNew {
			u.SeenAt = u.CreatedAt
		} else {
			u.SeenAt = u.CreatedAt.Add(time.Minute)
		}
		withAlarms.events = nil
		withAlarms.manager.NoteProgram(httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", nil), googlesession.Session{User: u})
		return withAlarms.alarms()
	}
	require.Zero(t, program(true), "a new user")
	require.Equal(t, 1, program(false))
	require.Equal(t, 1, program(false), "each time")
	c := s.google.Browser(withAlarms)
	require.Equal(t, 1, withAlarms.enter(t, c, alice), "the first browser after a program")
	require.Zero(t, withAlarms.enter(t, c, alice))
	withAlarms.store.failing("Browsers", errors.New("down"))
	require.Equal(t, 1, program(false), "the alarm does not need the store")
}

package googlesession_test

import (
	"context"
	"html"
	"net/http"
	"net/http/httptest"
	"regexp"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	memstore "github.com/googlesession/googlesession/store_memory"
)

// New refuses device binding where it cannot work.
func TestDeviceBindingConfig(t *testing.T) {
	for name, tt := range map[string]struct {
		edit func(*googlesession.Config)
		want string // "" means that New accepts it
	}{
		"offer":               {func(*googlesession.Config) {}, ""},
		"a plain store":       {func(c *googlesession.Config) { c.Sessions = struct{ googlesession.SessionStore }{c.Sessions} }, "BindingStore"},
		"no base URL":         {func(c *googlesession.Config) { c.BaseURL = "" }, "BaseURL"},
		"redirect mode":       {func(c *googlesession.Config) { c.RedirectMode = true }, "RedirectMode"},
		"HTTP":                {func(c *googlesession.Config) { c.DangerouslyAllowHTTP = true }, "DangerouslyAllowHTTP"},
		"no such policy":      {func(c *googlesession.Config) { c.DeviceBinding = 4 }, "not a policy"},
		"four minutes":        {func(c *googlesession.Config) { c.BoundFor = 4 * time.Minute }, "BoundFor"},
		"negative":            {func(c *googlesession.Config) { c.BoundFor = -time.Minute }, "BoundFor"},
		"half a second":       {func(c *googlesession.Config) { c.BoundFor = 5*time.Minute + time.Second/2 }, "BoundFor"},
		"more than a day":     {func(c *googlesession.Config) { c.BoundFor = 25 * time.Hour }, "BoundFor"},
		"five minutes":        {func(c *googlesession.Config) { c.BoundFor = 5 * time.Minute }, ""},
		"off, and HTTP":       {func(c *googlesession.Config) { c.DeviceBinding, c.DangerouslyAllowHTTP, c.BaseURL = 0, true, "" }, ""},
		"off, and a bad time": {func(c *googlesession.Config) { c.DeviceBinding, c.BoundFor = 0, 1 }, "BoundFor"},
		"off, and plain store": {func(c *googlesession.Config) {
			c.DeviceBinding, c.Sessions = 0, struct{ googlesession.SessionStore }{c.Sessions}
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			c := googlesession.Config{Sessions: memstore.New(nil), BaseURL: origin + "/api", DeviceBinding: googlesession.BindOffer}
			tt.edit(&c)
			m, err := googlesession.New(c)
			if tt.want == "" {
				require.NoError(t, err)
				if c.DeviceBinding == googlesession.BindNobody {
					require.Panics(t, func() { m.RequireBound(http.NotFoundHandler()) })
				}
				return
			}
			require.ErrorContains(t, err, tt.want)
		})
	}
}

func TestBindPolicyString(t *testing.T) {
	for p, want := range map[googlesession.BindPolicy]string{
		googlesession.BindNobody: "off", googlesession.BindOffer: "offer", googlesession.BindAdmins: "admins",
		googlesession.BindEverybody: "everybody", 9: "BindPolicy(9)",
	} {
		require.Equal(t, want, p.String())
	}
}

// A stream ends with the proof that opened it. A stream from before the session was bound ends
// when every request needs a proof.
func TestStreamsEndWithTheirProof(t *testing.T) {
	for _, tt := range []struct {
		name  string
		open  func(*testing.T, *device) // what the browser has done when the stream begins
		then  func(*testing.T, *device) // and afterwards
		goes  time.Duration             // how long the stream goes on at least
		ended time.Duration             // when it has ended, or 0
	}{
		{"not bound", func(*testing.T, *device) {}, func(*testing.T, *device) {}, 25 * time.Minute, 0},
		{"bound", prove, func(*testing.T, *device) {}, 10*time.Minute + 50*time.Second, 11*time.Minute + time.Second},
		{"bound later", func(*testing.T, *device) {}, prove, 29 * time.Second, 31 * time.Second},
		{"registered later", func(*testing.T, *device) {}, func(t *testing.T, d *device) {
			require.Equal(t, http.StatusOK, d.register(t, d.proof(t, d.offer, true)).status)
		}, 25 * time.Minute, 0},
	} {
		inOwnBubble(t, tt.name, func(t *testing.T) {
			s := newBoundSite(t, nil)
			d := newDevice(t, s, alice)
			tt.open(t, d)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			ended := streamOf(ctx, s.manager.EndWithSession(time.Minute), d.Client)
			synctest.Wait()
			tt.then(t, d)
			advance(tt.goes)
			require.NoError(t, over(ended))
			if tt.ended > 0 {
				advance(tt.ended - tt.goes)
				var d googlesession.Denial
				require.ErrorAs(t, over(ended), &d)
				require.Equal(t, googlesession.CodeProofMissing, d.Code)
				require.NotErrorIs(t, d, googlesession.ErrNoSession, "the session goes on")
			}
			cancel()
			synctest.Wait()
		})
	}
}

// streamOf opens a stream with the browser's cookies and returns the cause of its end.
func streamOf(ctx context.Context, guard func(http.Handler) http.Handler, c *http.Client) <-chan error {
	ended := make(chan error, 1)
	h := guard(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		<-r.Context().Done()
		ended <- context.Cause(r.Context())
	}))
	r := httptest.NewRequestWithContext(ctx, http.MethodGet, origin+"/events", nil)
	for _, ck := range c.Jar.Cookies(siteURL()) {
		r.AddCookie(ck)
	}
	go h.ServeHTTP(httptest.NewRecorder(), r)
	return ended
}

// After a sign-in by redirect, the offer comes with the answer to a page of this site, and only
// to the browser whose session it belongs to.
func TestOfferAfterRedirect(t *testing.T) {
	s := newRedirectSite(t, func(c *googlesession.Config) { c.DeviceBinding = googlesession.BindOffer })
	c := s.google.Browser(s)
	a := browseBack(t, c, atGoogle(t, s, toGoogle(t, c, "?next=%2Fa%3Fb%3Dc"), alice))
	require.Equal(t, http.StatusOK, a.status, a.body)
	require.NotContains(t, a.header, "Secure-Session-Registration")
	found := regexp.MustCompile(`url=(/api/dbsc/offer\?next=%2Fa%3Fb%3Dc&amp;offer=[\w-]{43})">`).FindStringSubmatch(a.body)
	require.NotNil(t, found, a.body)
	path := html.UnescapeString(found[1])

	stranger := get(t, s.google.Browser(s), path)
	require.NotContains(t, stranger.header, "Secure-Session-Registration")
	require.Equal(t, "/a?b=c", stranger.header.Get("Location"))

	a = get(t, c, path)
	require.Equal(t, http.StatusSeeOther, a.status)
	require.Equal(t, "/a?b=c", a.header.Get("Location"))
	require.NotEmpty(t, offerOf(t, a.header))

	for _, next := range []string{"https://evil.example", "//evil.example", "/%5Cevil.example", "javascript:alert(1)", ""} {
		require.Equal(t, "/", get(t, c, "/api/dbsc/offer?next="+next).header.Get("Location"), next)
	}
}

package googlesession_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	memstore "github.com/googlesession/googlesession/store_memory"
)

// newHookSite returns a site that calls hook at each sign-in.
func newHookSite(t *testing.T, hook func(*site, context.Context, googlesession.SignIn) error) *site {
	t.Helper()
	var s *site
	s = newSite(t, func(c *googlesession.Config) {
		c.SignedIn = func(ctx context.Context, in googlesession.SignIn) error { return hook(s, ctx, in) }
	})
	return s
}

// The hook learns who signs in, whether the user is new, and which session a
// re-authentication replaces.
func TestSignedIn(t *testing.T) {
	var calls []googlesession.SignIn
	s := newHookSite(t, func(_ *site, _ context.Context, in googlesession.SignIn) error {
		calls = append(calls, in)
		return nil
	})
	c := s.signIn(t, alice)
	require.Equal(t, http.StatusOK, again(t, c, s.google.Token(alice, begin(t, c))).status)
	s.signIn(t, "bob@gmail.com")
	require.Len(t, calls, 3)
	for i, want := range []struct {
		email         string
		isNew, reauth bool
	}{{alice, true, false}, {alice, false, true}, {"bob@gmail.com", true, false}} {
		in := calls[i]
		require.Equal(t, s.google.Subject(want.email), in.User.ID)
		require.Equal(t, want.email, in.Identity.Email)
		require.Equal(t, want.isNew, in.New, i)
		require.Equal(t, want.reauth, in.Replaces != nil, i)
		require.Equal(t, "/api/login", in.Request.RequestURI)
	}
	created := 0
	for _, e := range s.events {
		if e.Kind == googlesession.EventUserCreated {
			created++
			require.NotEmpty(t, e.Device.IP)
		}
	}
	require.Equal(t, 2, created)
}

// An error of the hook refuses the sign-in, leaves no session and no cookie, and is not
// shown.
func TestSignedInRefuses(t *testing.T) {
	secret := errors.New("pq: secret text")
	for _, tt := range []struct {
		name   string
		err    error
		status int
		code   googlesession.Code
	}{
		{"forbidden", fmt.Errorf("%w: %w", googlesession.ErrForbidden, secret), 403, googlesession.CodeForbidden},
		{"outage", fmt.Errorf("%w: %w", googlesession.ErrUnavailable, secret), 503, googlesession.CodeUnavailable},
		{"any other error", secret, 503, googlesession.CodeUnavailable},
		{"an error of another store", googlesession.ErrNoSession, 503, googlesession.CodeUnavailable},
		{"unknown user", googlesession.ErrNotFound, 503, googlesession.CodeUnavailable},
		{"own denial", googlesession.Denial{Status: 402, Code: "no_plan", Detail: "Please pay.", Err: secret}, 402, "no_plan"},
		{"pointer to a denial", &googlesession.Denial{Status: 402, Code: "no_plan"}, 402, "no_plan"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newHookSite(t, func(*site, context.Context, googlesession.SignIn) error { return tt.err })
			c := s.google.Browser(s)
			a := post(t, c, s.google.Token(alice, begin(t, c)))
			require.Equal(t, tt.status, a.status)
			require.Equal(t, tt.code, a.code(t))
			require.NotContains(t, a.body, "pq:")
			require.Empty(t, a.header["Set-Cookie"])
			require.Zero(t, s.store.count("CreateSession"))
			require.Contains(t, s.kinds(), googlesession.EventUserCreated, "the user exists, with or without a session")
		})
	}
}

// A panic in the hook leaves no session.
func TestSignedInPanics(t *testing.T) {
	s := newHookSite(t, func(*site, context.Context, googlesession.SignIn) error { panic("bug") })
	c := s.google.Browser(s)
	nonce := begin(t, c)
	require.Panics(t, func() {
		serve(t, s, http.MethodPost, "/api/login", `{"credential":"`+s.google.Token(alice, nonce)+`"}`,
			"Content-Type", "application/json", "Cookie", loginCookie+"="+cookie(t, c, loginCookie))
	})
	require.Zero(t, s.store.count("CreateSession"))
}

// The session cannot be created after the hook was called, so the hook is called again for
// one person. The second sign-in is not the one that created the user.
func TestSignedInMayRunTwice(t *testing.T) {
	var isNew []bool
	s := newHookSite(t, func(_ *site, _ context.Context, in googlesession.SignIn) error {
		isNew = append(isNew, in.New)
		return nil
	})
	s.store.failing("CreateSession", errors.New("down"))
	c := s.google.Browser(s)
	require.Equal(t, http.StatusServiceUnavailable, post(t, c, s.google.Token(alice, begin(t, c))).status)
	s.store.failing("CreateSession", nil)
	require.Equal(t, http.StatusOK, post(t, c, s.google.Token(alice, begin(t, c))).status)
	require.Equal(t, []bool{true, false}, isNew)
}

// Data that the hook sets is in the session that follows, wherever sessions and users are.
// Config.Lifetime is called after the hook.
func TestSignedInSetsData(t *testing.T) {
	for name, users := range map[string]googlesession.UserStore{"one store": nil, "two stores": memstore.New(nil)} {
		t.Run(name, func(t *testing.T) {
			var s *site
			var order []string
			s = newSite(t, func(c *googlesession.Config) {
				c.Users = users
				c.SignedIn = func(ctx context.Context, in googlesession.SignIn) error {
					order = append(order, "SignedIn")
					_, err := s.manager.SetUserData(ctx, in.User.ID, "account 7")
					return err
				}
				c.Lifetime = func(context.Context, googlesession.SignIn) googlesession.Lifetime {
					order = append(order, "Lifetime")
					return googlesession.Lifetime{}
				}
			})
			value := s.startSession(t, alice)
			a := serve(t, echoData(s.manager), http.MethodGet, "/", "", "Cookie", sessionCookie+"="+value)
			require.Equal(t, "account 7", a.body)
			require.Equal(t, []string{"SignedIn", "Lifetime"}, order)
		})
	}
}

// ownIDs is a user store with IDs of its own.
type ownIDs struct{ store }

func (o ownIDs) SignIn(ctx context.Context, id googlesession.Identity) (googlesession.User, error) {
	u, err := o.store.SignIn(ctx, id)
	u.ID = "account-7"
	return u, err
}

// A user store must use the subject as the ID. Otherwise a re-authentication and Google's
// security events would not find the user.
func TestUserStoreWithOwnIDs(t *testing.T) {
	s := newSite(t, func(c *googlesession.Config) { c.Users = ownIDs{c.Sessions.(store)} })
	c := s.google.Browser(s)
	a := post(t, c, s.google.Token(alice, begin(t, c)))
	require.Equal(t, http.StatusServiceUnavailable, a.status)
	require.NotContains(t, a.body, "account-7")
	require.Zero(t, s.store.count("CreateSession"))
	require.Contains(t, s.log.String(), "docs/own-users.md")
}

// A user who is disabled while a function of the application blocks gets no session, even if the
// session store has forgotten the user by then.
func TestBlockedHook(t *testing.T) {
	hooks := map[string]func(*googlesession.Config, func(context.Context)){
		"SignedIn": func(c *googlesession.Config, block func(context.Context)) {
			c.SignedIn = func(ctx context.Context, _ googlesession.SignIn) error {
				block(ctx)
				return nil
			}
		},
		"Lifetime": func(c *googlesession.Config, block func(context.Context)) {
			c.Lifetime = func(ctx context.Context, _ googlesession.SignIn) (l googlesession.Lifetime) {
				block(ctx)
				return l
			}
		},
		"Events": func(c *googlesession.Config, block func(context.Context)) {
			c.Events = func(ctx context.Context, e googlesession.Event) {
				if e.Kind == googlesession.EventUserCreated {
					block(ctx)
				}
			}
		},
	}
	changes := map[string]func(*googlesession.Manager, context.Context, string) error{
		"disabled": func(m *googlesession.Manager, ctx context.Context, id string) error {
			_, err := m.SetAccess(ctx, id, disable)
			return err
		},
		"deleted": (*googlesession.Manager).DeleteUser,
	}
	for where, set := range hooks {
		for what, change := range changes {
			t.Run(where+" "+what, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					var s *site
					s = newSite(t, func(c *googlesession.Config) {
						c.Users = memstore.New(nil)
						set(c, func(ctx context.Context) {
							require.NoError(t, change(s.manager, ctx, s.google.Subject(alice)))
							advance(2 * googlesession.TokenWindow)
							for i := range 1000 { // each call forgets a few users
								_, err := s.store.PutUser(ctx, googlesession.User{ID: fmt.Sprint(i), Version: 1})
								require.NoError(t, err)
							}
						})
					})
					c := s.google.Browser(s)
					a := post(t, c, s.google.Token(alice, begin(t, c)))
					require.Equal(t, http.StatusServiceUnavailable, a.status, a.body)
					list, err := s.manager.Sessions(t.Context(), s.google.Subject(alice))
					require.NoError(t, err)
					require.Empty(t, list)
				})
			})
		}
	}
}

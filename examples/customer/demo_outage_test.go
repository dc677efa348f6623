package main

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
)

// During an outage of the stores every request that needs them is answered with 503, no
// session ends, and everything works afterwards.
func TestDemoOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t)
		user, visitor := b.newBrowser(t), b.newBrowser(t)
		require.Equal(t, http.StatusOK, b.server.signIn(t, user, "ada@example.com").status)
		inside := b.server.openBrowser(t, user, `{}`)
		live := b.server.openStream(t, user)
		begin := func(seconds string) {
			res := b.server.request(t, visitor, http.MethodPost, demoOutagePath, `{"seconds":`+seconds+`}`)
			require.Equal(t, http.StatusOK, res.status, res.body)
			require.InDelta(t, 0, time.Until(parseTime(t, jsonString(t, res, "until"))).Seconds(), 60)
		}
		requireStatus := func(want int) {
			t.Helper()
			for _, path := range []string{"/api/user", "/api/sessions", "/readyz", "/demo/browsers/" + inside.ID + "/events"} {
				method := http.MethodHead // the events do not end
				require.Equal(t, want, b.server.request(t, user, method, path, "").status, path)
			}
		}
		requireStatus(http.StatusOK)
		begin("20")
		requireStatus(http.StatusServiceUnavailable)
		require.Equal(t, http.StatusServiceUnavailable, b.server.request(t, user, http.MethodPost, demoBrowsersPath, `{}`).status)
		require.Equal(t, http.StatusOK, b.server.get(t, visitor, "/healthz").status)
		time.Sleep(20*time.Second - time.Millisecond) //nolint:forbidigo // synctest
		requireStatus(http.StatusServiceUnavailable)
		time.Sleep(time.Millisecond) //nolint:forbidigo // synctest
		requireStatus(http.StatusOK)

		begin("60")
		requireStatus(http.StatusServiceUnavailable)
		require.Equal(t, http.StatusNoContent, b.server.request(t, visitor, http.MethodDelete, demoOutagePath, "").status)
		requireStatus(http.StatusOK)
		require.Zero(t, live.lines.Buffered(), "the stream goes on")
		require.Equal(t, http.StatusOK, b.server.sendFrom(t, user, inside.ID, "GET", "/api/user", "").Status)
		require.NoError(t, b.http.Shutdown(t.Context()))
	})
}

// Every method of the stores fails during the outage and changes nothing.
func TestDemoOutageOfEveryMethod(t *testing.T) {
	a, _ := openApp(t, "-db", "memory")
	a.demo.outage.begin(time.Minute)
	sessions, users, ctx := a.stores.sessions, a.stores.users, t.Context()
	_, _, errOfAll := sessions.AllSessions(ctx, "", 1)
	for name, err := range map[string]error{
		"CreateSession": errorOf(sessions.CreateSession(ctx, googlesession.NewSession{})),
		"CheckSession":  errorOf(sessions.CheckSession(ctx, googlesession.Ref{}, 0)),
		"RevokeSession": errorOf(sessions.RevokeSession(ctx, googlesession.Ref{})),
		"RevokeUser":    errorOf(sessions.RevokeUser(ctx, "u", nil)),
		"PutUser":       errorOf(sessions.PutUser(ctx, googlesession.User{ID: "u"})),
		"Sessions":      errorOf(sessions.Sessions(ctx, "u")),
		"AllSessions":   errOfAll,
		"SignIn":        errorOf(users.SignIn(ctx, googlesession.Identity{})),
		"User":          errorOf(users.User(ctx, "u")),
		"Users":         errorOf(users.Users(ctx, googlesession.UserQuery{})),
		"SetAccess":     errorOf(users.SetAccess(ctx, "u", googlesession.AccessChange{})),
		"SetData":       errorOf(users.SetData(ctx, "u", "", nil)),
		"RefuseTokens":  errorOf(users.RefuseTokens(ctx, "u", time.Now())),
		"DeleteUser":    users.DeleteUser(ctx, "u"),
		"Browsers":      errorOf(users.Browsers(ctx, "u", nil)),
	} {
		require.ErrorIs(t, err, googlesession.ErrUnavailable, name)
		require.ErrorIs(t, err, errDemoOutage, name)
	}
}

func errorOf[T any](_ T, err error) error { return err }

// Sessions and users stay one store, so that the library disables a user in one transaction.
func TestDemoStoresStayOneStore(t *testing.T) {
	a, _ := openApp(t, "-db", "memory")
	both, ok := a.stores.sessions.(googlesession.UserStore)
	require.True(t, ok)
	require.True(t, a.stores.users == both, "the library compares the stores") //nolint:testifylint // Equal compares contents

	google, _ := openApp(t, "-db", "memory", "-client-id", "id")
	_, isDemo := google.stores.sessions.(demoStore)
	require.False(t, isDemo)
}

package recipes_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
)

//recipe:frameworks
func ginApp(m *googlesession.Manager, editors func(http.Handler) http.Handler, hello gin.HandlerFunc) http.Handler {
	r := gin.New()
	r.Any("/api/*path", gin.WrapH(http.StripPrefix("/api", m.Handler())))
	users := r.Group("/", ginGuard(m.RequireUser))
	users.GET("/hello", hello)
	users.POST("/hello", hello)
	users.POST("/danger", ginGuard(m.RequireFresh(10*time.Minute)), hello)
	users.GET("/reports", ginGuard(editors), hello)
	return r
}

//recipe:frameworks
func ginGuard(guard func(http.Handler) http.Handler) gin.HandlerFunc {
	return func(c *gin.Context) {
		admitted := false
		guard(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			admitted = true
			c.Request = r // r has the session in its context
			c.Next()      // inside the guard, so that EndWithSession works
		})).ServeHTTP(c.Writer, c.Request)
		if !admitted {
			c.Abort() // without this, gin runs the handler after the guard has answered 401
		}
	}
}

//recipe:frameworks
func ginHello(greet func(googlesession.User) string) gin.HandlerFunc {
	return func(c *gin.Context) {
		user, _ := googlesession.UserFrom(c.Request.Context()) // not UserFrom(c)
		c.String(http.StatusOK, greet(user))
	}
}

func TestGin(t *testing.T) {
	gin.SetMode(gin.ReleaseMode)
	testRecipe(t, func(_ *testing.T, m *googlesession.Manager, editors guard, greet func(googlesession.User) string) http.Handler {
		return ginApp(m, editors, ginHello(greet))
	})
}

// An adaptor that does not call Abort sends the 401, and gin then runs the handler all the
// same, because gin's chain ends only with Abort.
func TestGinGuardWithoutAbort(t *testing.T) {
	gin.SetMode(gin.ReleaseMode)
	m, google := newManager(t, nil)
	wrong := func(guard func(http.Handler) http.Handler) gin.HandlerFunc {
		return func(c *gin.Context) {
			guard(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				c.Request = r
				c.Next()
			})).ServeHTTP(c.Writer, c.Request)
		}
	}
	for _, tt := range []struct {
		name  string
		guard func(func(http.Handler) http.Handler) gin.HandlerFunc
		ran   bool
	}{
		{"without Abort", wrong, true},
		{"the recipe", ginGuard, false},
	} {
		ran := false
		r := gin.New()
		r.POST("/transfer", tt.guard(m.RequireUser), func(*gin.Context) { ran = true })
		res := do(t, google.Browser(r), "POST", "/transfer")
		require.Equal(t, http.StatusUnauthorized, res.status, tt.name)
		require.Equal(t, tt.ran, ran, "%s: the handler has run", tt.name)
	}

	// gin.WrapH runs the guard around an empty handler and goes on in the same way.
	ran := false
	r := gin.New()
	r.POST("/transfer", gin.WrapH(m.RequireUser(http.NotFoundHandler())), func(*gin.Context) { ran = true })
	res := do(t, google.Browser(r), "POST", "/transfer")
	require.Equal(t, http.StatusUnauthorized, res.status)
	require.True(t, ran)
}

// A *gin.Context is a context, but it does not have the values of the request's context.
func TestGinContextHasNoUser(t *testing.T) {
	gin.SetMode(gin.ReleaseMode)
	m, google := newManager(t, nil)
	var fromGin, fromRequest bool
	app := ginApp(m, m.RequireAdmin, func(c *gin.Context) {
		_, fromGin = googlesession.UserFrom(c)
		_, fromRequest = googlesession.UserFrom(c.Request.Context())
	})
	do(t, google.SignIn(t, app, "/api/login", ada), "GET", "/hello")
	require.True(t, fromRequest)
	require.False(t, fromGin)
}

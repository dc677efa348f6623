package recipes_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/labstack/echo/v5"

	"github.com/googlesession/googlesession"
)

//recipe:frameworks
func echoApp(m *googlesession.Manager, editors func(http.Handler) http.Handler, hello echo.HandlerFunc) http.Handler {
	e := echo.New()
	e.Any("/api/*", echo.WrapHandler(http.StripPrefix("/api", m.Handler())))
	users := e.Group("", echo.WrapMiddleware(m.RequireUser))
	users.GET("/hello", hello)
	users.POST("/hello", hello)
	users.POST("/danger", hello, echo.WrapMiddleware(m.RequireFresh(10*time.Minute)))
	users.GET("/reports", hello, echo.WrapMiddleware(editors))
	return e
}

//recipe:frameworks
func echoHello(greet func(googlesession.User) string) echo.HandlerFunc {
	return func(c *echo.Context) error {
		user, _ := googlesession.UserFrom(c.Request().Context())
		return c.String(http.StatusOK, greet(user))
	}
}

func TestEcho(t *testing.T) {
	testRecipe(t, func(_ *testing.T, m *googlesession.Manager, editors guard, greet func(googlesession.User) string) http.Handler {
		return echoApp(m, editors, echoHello(greet))
	})
}

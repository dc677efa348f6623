package recipes_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/googletest"
	memstore "github.com/googlesession/googlesession/store_memory"
)

//recipe:instead
func setFlash(w http.ResponseWriter, message string) {
	http.SetCookie(w, &http.Cookie{Name: "__Host-flash", Value: url.QueryEscape(message), Path: "/", MaxAge: 60, Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode})
}

//recipe:instead
func takeFlash(w http.ResponseWriter, r *http.Request) string {
	c, err := r.Cookie("__Host-flash")
	if err != nil {
		return ""
	}
	http.SetCookie(w, &http.Cookie{Name: "__Host-flash", Path: "/", MaxAge: -1, Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode})
	message, _ := url.QueryUnescape(c.Value)
	return message // escape it, because the browser's user can change a cookie
}

// carts is the application's table of carts.
type carts struct {
	mu    sync.Mutex
	items map[string][]string
}

func (c *carts) add(key string, items ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.items[key] = append(c.items[key], items...)
}

func (c *carts) take(key string) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	items := c.items[key]
	delete(c.items, key)
	return items
}

func (c *carts) list(key string) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.items[key])
}

//recipe:instead
func cartKey(w http.ResponseWriter, r *http.Request, all *carts) string {
	visitor := ""
	if c, err := r.Cookie("__Host-cart"); err == nil && len(c.Value) == 26 {
		visitor = "visitor:" + c.Value
	}
	if user, ok := googlesession.UserFrom(r.Context()); ok { // the handler is behind Load
		key := "user:" + user.ID
		if visitor != "" {
			all.add(key, all.take(visitor)...)
			http.SetCookie(w, &http.Cookie{Name: "__Host-cart", Path: "/", MaxAge: -1, Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode})
		}
		return key
	}
	if visitor == "" {
		value := rand.Text() // 26 letters and digits
		visitor = "visitor:" + value
		http.SetCookie(w, &http.Cookie{Name: "__Host-cart", Value: value, Path: "/", MaxAge: 30 * 86400, Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode})
	}
	return visitor
}

//recipe:instead
func viewAsRoutes(m *googlesession.Manager, mux *http.ServeMux, orders func(ctx context.Context, userID string) string, audit func(actor, userID string)) {
	mux.Handle("GET /orders", m.RequireUser(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, _ := googlesession.UserFrom(r.Context())
		fmt.Fprint(w, orders(r.Context(), user.ID))
	})))
	mux.Handle("GET /admin/view/{id}/orders", m.RequireAdmin(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		admin, _ := googlesession.UserFrom(r.Context())
		audit(admin.ID, r.PathValue("id"))
		fmt.Fprint(w, orders(r.Context(), r.PathValue("id")))
	})))
}

//recipe:instead
func lifetimes(_ context.Context, in googlesession.SignIn) googlesession.Lifetime {
	switch {
	case in.User.Admin:
		return googlesession.Lifetime{Idle: 10 * time.Minute, Max: time.Hour}
	case in.Remember:
		return googlesession.Lifetime{Idle: 7 * 24 * time.Hour, Max: 30 * 24 * time.Hour}
	default:
		return googlesession.Lifetime{BrowserOnly: true}
	}
}

func TestInsteadOfFlashMessages(t *testing.T) {
	m, google := newManager(t, nil)
	app := api(m)
	app.Handle("POST /save", m.RequireUser(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		setFlash(w, "Saved; “äöü”.")
		http.Redirect(w, r, "/page", http.StatusSeeOther)
	})))
	app.HandleFunc("GET /page", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, takeFlash(w, r)) })
	user := google.SignIn(t, app, "/api/login", ada)
	res := do(t, user, "POST", "/save", "Origin", googletest.Origin)
	require.Equal(t, http.StatusSeeOther, res.status)
	require.Equal(t, "Saved; “äöü”.", do(t, user, "GET", "/page").text)
	require.Empty(t, do(t, user, "GET", "/page").text)
	for _, c := range user.Jar.Cookies(&url.URL{Scheme: "https", Host: "app.test"}) {
		require.NotEqual(t, "__Host-flash", c.Name, "the cookie of a message that was shown")
	}
}

// A cart from before the sign-in becomes the user's. A visitor has a cookie that admits to
// nothing but the cart, so it cannot be fixed to sign a user in.
func TestInsteadOfSessionBeforeSignIn(t *testing.T) {
	m, google := newManager(t, nil)
	all := &carts{items: map[string][]string{}}
	app := api(m)
	app.Handle("/cart", m.Load(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		key := cartKey(w, r, all)
		if item := r.URL.Query().Get("add"); item != "" {
			all.add(key, item)
		}
		fmt.Fprint(w, strings.Join(all.list(key), ","))
	})))
	visitor, other := google.Browser(app), google.Browser(app)
	do(t, visitor, "POST", "/cart?add=tea")
	require.Equal(t, "tea,milk", do(t, visitor, "POST", "/cart?add=milk").text)
	require.Empty(t, do(t, other, "GET", "/cart").text, "another visitor's cart")

	user := google.SignIn(t, app, "/api/login", ada)
	do(t, user, "POST", "/cart?add=bread")
	// The visitor signs in, so the browser has both cookies.
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	site := &url.URL{Scheme: "https", Host: "app.test"}
	jar.SetCookies(site, append(visitor.Jar.Cookies(site), user.Jar.Cookies(site)...))
	both := google.Browser(app)
	both.Jar = jar
	require.Equal(t, "bread,tea,milk", do(t, both, "GET", "/cart").text)
	require.Equal(t, "bread,tea,milk", do(t, user, "GET", "/cart").text)
	require.Empty(t, do(t, visitor, "GET", "/cart").text, "the visitor's cart after the sign-in")
}

// An administrator sees a user's data as the administrator, so nothing can be done in the
// user's name, and the right ends with the administrator's session.
func TestInsteadOfImpersonation(t *testing.T) {
	m, google := newManager(t, func(c *googlesession.Config) { c.Admins = []string{eve} })
	app := api(m)
	var audit []string
	viewAsRoutes(m, app, func(_ context.Context, id string) string { return "orders of " + id },
		func(actor, id string) { audit = append(audit, actor+" "+id) })
	user, admin := google.SignIn(t, app, "/api/login", ada), google.SignIn(t, app, "/api/login", eve)
	id := google.Subject(ada)
	path := "/admin/view/" + id + "/orders"
	require.Equal(t, "orders of "+id, do(t, user, "GET", "/orders").text)
	require.Equal(t, "orders of "+id, do(t, admin, "GET", path).text)
	require.Equal(t, []string{google.Subject(eve) + " " + id}, audit)
	require.Equal(t, http.StatusForbidden, do(t, user, "GET", path).status)
	_, err := m.RevokeUser(t.Context(), google.Subject(eve))
	require.NoError(t, err)
	require.Equal(t, http.StatusUnauthorized, do(t, admin, "GET", path).status)
	require.Len(t, audit, 1)
}

func TestInsteadOfRememberMeTokens(t *testing.T) {
	m, google := newManager(t, func(c *googlesession.Config) {
		c.Admins = []string{eve}
		c.Lifetime = lifetimes
	})
	app := api(m)
	for _, tt := range []struct {
		name, email, remember string
		maxAge                int
	}{
		{"remembered", ada, `,"remember":true`, 30 * 86400},
		{"not remembered", ada, ``, 0},
		{"an administrator", eve, `,"remember":true`, 3600},
	} {
		browser := google.Browser(app)
		var login struct{ Nonce string }
		decode(t, do(t, browser, "GET", "/api/login").text, &login)
		body := `{"credential":"` + google.Token(tt.email, login.Nonce) + `"` + tt.remember + `}`
		cookies := postLogin(t, browser, body).cookies
		i := slices.IndexFunc(cookies, func(c *http.Cookie) bool { return c.Name == "__Host-Http-session" })
		require.GreaterOrEqual(t, i, 0, tt.name)
		require.Equal(t, tt.maxAge, cookies[i].MaxAge, tt.name)
	}
}

// Sister hosts share users and not cookies. Ending a user's sessions ends them on each host.
func TestInsteadOfParentDomainCookies(t *testing.T) {
	store := memstore.New(nil)
	shared := func(c *googlesession.Config) { c.Sessions = store }
	shop, google := newManager(t, shared)
	forum, forumGoogle := newManager(t, shared)
	onShop := google.SignIn(t, api(shop), "/api/login", ada)
	onForum := forumGoogle.SignIn(t, api(forum), "/api/login", ada)
	require.Equal(t, google.Subject(ada), forumGoogle.Subject(ada))
	for _, browser := range []*http.Client{onShop, onForum} {
		require.Equal(t, 2, strings.Count(do(t, browser, "GET", "/api/sessions").text, `"current"`), "the list shows both hosts")
	}
	n, err := shop.RevokeUser(t.Context(), google.Subject(ada))
	require.NoError(t, err)
	require.Equal(t, 2, n)
	for _, browser := range []*http.Client{onShop, onForum} {
		require.Equal(t, http.StatusUnauthorized, do(t, browser, "GET", "/api/user").status)
	}
}

package googlesession_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"html/template"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"time"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/googletest"
	"github.com/googlesession/googlesession/googletoken"
	memstore "github.com/googlesession/googlesession/store_memory"
)

// newExample returns a Manager whose Google is the stand-in.
func newExample(edit func(*googlesession.Config)) (*googlesession.Manager, *googletest.Google) {
	google := googletest.NewGoogle("client-id")
	verifier, err := googletoken.New(googletoken.Config{ClientIDs: []string{google.ClientID()}, HTTPClient: google.Client()})
	if err != nil {
		log.Fatal(err)
	}
	cfg := googlesession.Config{Sessions: memstore.New(nil), Verifier: verifier}
	if edit != nil {
		edit(&cfg)
	}
	m, err := googlesession.New(cfg)
	if err != nil {
		log.Fatal(err)
	}
	return m, google
}

var loginTemplate = template.Must(template.New("login").Parse(`<!doctype html>
<script src="https://accounts.google.com/gsi/client" async></script>
<div id="g_id_onload" data-client_id="{{.ClientID}}" data-nonce="{{.Nonce}}"
     data-ux_mode="redirect" data-login_uri="https://app.example.com/api/login"></div>
<div class="g_id_signin"></div>
`))

// The server renders the page with Google's button. BeginSignIn sets the nonce cookie, so it
// comes before the first byte of the page. With Config.RedirectMode, Google's page posts the
// token to the library's POST /login.
func ExampleManager_BeginSignIn() {
	m, google := newExample(func(c *googlesession.Config) { c.RedirectMode = true })
	page := func(w http.ResponseWriter, r *http.Request) {
		nonce, err := m.BeginSignIn(w, r)
		if err != nil {
			http.Error(w, "Please try again later.", http.StatusServiceUnavailable)
			return
		}
		if err := loginTemplate.Execute(w, map[string]string{"ClientID": google.ClientID(), "Nonce": nonce}); err != nil {
			log.Print(err)
		}
	}
	w := httptest.NewRecorder()
	page(w, httptest.NewRequest(http.MethodGet, "/login", nil))
	fmt.Println(w.Code, w.Result().Cookies()[0].Name)
	// Output: 200 __Host-Http-login
}

// A handler of the application signs a user in, here from a JSON body of its own format. The
// error is a Denial, whose Status and Detail may be shown.
func ExampleManager_SignIn() {
	m, _ := newExample(nil)
	signIn := func(w http.ResponseWriter, r *http.Request) {
		var body struct{ Token string }
		if err := json.NewDecoder(io.LimitReader(r.Body, 1<<16)).Decode(&body); err != nil {
			http.Error(w, "malformed body", http.StatusBadRequest)
			return
		}
		s, err := m.SignIn(w, r, body.Token)
		if d, ok := errors.AsType[googlesession.Denial](err); ok {
			http.Error(w, d.Detail, d.Status)
			return
		}
		fmt.Fprintf(w, "Hello %s", s.User.Name)
	}
	http.HandleFunc("POST /sign-in", signIn)
}

// Deleting an account needs a sign-in of the last ten minutes, so that a thief cannot do it
// with a browser that was left open. After 401 reauth_needed the page asks Google again and
// posts the new token with "reauth": true.
func ExampleManager_RequireFresh() {
	m, _ := newExample(nil)
	deleteAccount := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, _ := googlesession.UserFrom(r.Context())
		if err := m.DeleteUser(r.Context(), user.ID); err != nil {
			http.Error(w, "Please try again later.", http.StatusServiceUnavailable)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
	fresh := m.RequireFresh(10 * time.Minute)
	http.Handle("DELETE /account", fresh(deleteAccount))
}

// Server-sent events end with the session. The handler returns when its context is done, and
// context.Cause says why.
func ExampleManager_EndWithSession() {
	m, _ := newExample(nil)
	clock := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		ticker := time.NewTicker(time.Second)
		defer ticker.Stop()
		for {
			select {
			case <-r.Context().Done():
				fmt.Fprintf(w, "event: ended\ndata: %v\n\n", context.Cause(r.Context()))
				return
			case now := <-ticker.C:
				fmt.Fprintf(w, "data: %s\n\n", now.Format(time.TimeOnly))
				if err := http.NewResponseController(w).Flush(); err != nil {
					return
				}
			}
		}
	})
	endWithSession := m.EndWithSession(time.Minute)
	http.Handle("GET /clock", m.RequireUser(endWithSession(clock)))
}

// Events counts refusals and writes every event to the log. It runs in the goroutine of the
// request, so it does not wait for a network.
func ExampleConfig_events() {
	var refused atomic.Int64
	log := googlesession.LogEvents(slog.New(slog.DiscardHandler))
	m, google := newExample(func(c *googlesession.Config) {
		c.Events = func(ctx context.Context, e googlesession.Event) {
			if e.Kind == googlesession.EventDenied {
				refused.Add(1)
			}
			log(ctx, e)
		}
	})
	h := m.RequireUser(http.NotFoundHandler())
	res, err := google.Browser(h).Get(googletest.Origin + "/")
	if err != nil {
		fmt.Println(err)
		return
	}
	_ = res.Body.Close()
	fmt.Println(res.StatusCode, refused.Load())
	// Output: 401 1
}

// Deny answers refused pages of administrators with a page of the application, and leaves
// every other refusal to WriteDenial. m is declared before Deny, because Deny calls a
// method of the Manager that New returns. Deny is not called before New has returned.
func ExampleConfig_deny() {
	var m *googlesession.Manager
	m, google := newExample(func(c *googlesession.Config) {
		c.Deny = func(w http.ResponseWriter, r *http.Request, d googlesession.Denial) {
			if d.Code != googlesession.CodeNotAdmin || !googlesession.IsNavigation(r) {
				m.WriteDenial(w, r, d)
				return
			}
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			w.WriteHeader(d.Status)
			fmt.Fprintf(w, "<h1>%s</h1><p>%s is not for you.", html.EscapeString(d.Detail), html.EscapeString(r.URL.Path))
		}
	})
	h := m.RequireAdmin(http.NotFoundHandler())
	res, err := google.Browser(h).Get(googletest.Origin + "/")
	if err != nil {
		fmt.Println(err)
		return
	}
	_ = res.Body.Close()
	fmt.Println(res.StatusCode, res.Header.Get("Content-Type"))
	// Output: 401 application/problem+json
}

// The application's own handler answers 404 in the form in which the library answers
// refusals.
func ExampleManager_WriteDenial() {
	m, _ := newExample(nil)
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		m.WriteDenial(w, r, googlesession.Denial{Code: googlesession.CodeNotFound})
	})
}

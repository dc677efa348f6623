import{Cn as e,D as t,En as n,Fn as r,Ln as i,Pn as a,Tn as o,an as s,dn as c,fn as l,in as u,sn as d,vt as f,yn as p}from"./first-BNdWrdsr.js";function m(e){let t=e.search(/^\)$/m);return e.slice(t<0?0:t+1).trim()}var h=(e,t)=>e.replace(/\$\{1:-[^}]*\}/,`${t}/?key=AS-PRINTED`).trim(),g=`// Command minimal is a server with Sign in with Google: GOOGLE_CLIENT_ID=… go run ./examples/minimal
package main

import (
	"fmt"
	"html"
	"log"
	"net/http"
	"os"
	"time"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/googletoken"
	memstore "github.com/googlesession/googlesession/store_memory"
)

const loginPage = \`<!doctype html><title>Login</title><div id="google-signin"></div><script src="/api/login.js"><\/script>\`

func handler(v googlesession.TokenVerifier) http.Handler {
	m, err := googlesession.New(googlesession.Config{Sessions: memstore.New(nil), Verifier: v, LoginPage: "/login"})
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/api/", http.StripPrefix("/api", m.Handler()))
	mux.HandleFunc("GET /login", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, loginPage) })
	mux.Handle("/", m.RequireUser(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, _ := googlesession.UserFrom(r.Context())
		fmt.Fprintf(w, \`<!doctype html>Hello, %s. <form method="post" action="/api/logout"><button>Sign out</button></form>\`, html.EscapeString(user.Name))
	})))
	return mux
}

func main() {
	v, err := googletoken.New(googletoken.Config{ClientIDs: []string{os.Getenv("GOOGLE_CLIENT_ID")}})
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal((&http.Server{Addr: "localhost:8080", Handler: handler(v), ReadHeaderTimeout: 5 * time.Second, IdleTimeout: time.Minute}).ListenAndServe())
}
`,_=`package snippets

import (
	"context"

	"github.com/googlesession/googlesession"
)

// Disable keeps a user out. When it has returned nil, all sessions of the user have ended on
// every server, their streams end, and a sign-in that has begun does not succeed.
func Disable(ctx context.Context, m *googlesession.Manager, userID, actor, reason string) error {
	ctx = googlesession.WithActor(ctx, actor, reason) // for the audit
	disabled := true
	_, err := m.SetAccess(ctx, userID, googlesession.AccessChange{Disabled: &disabled})
	return err
}
`,v=`package snippets

import (
	"context"
	"time"

	"github.com/googlesession/googlesession"
)

// EndIdle ends the sessions of a user that have not been used since the given time. When
// Revoke has returned nil, every server refuses the cookie.
func EndIdle(ctx context.Context, m *googlesession.Manager, userID string, since time.Time) error {
	list, err := m.Sessions(ctx, userID)
	for _, s := range list {
		if err == nil && s.SeenAt.Before(since) {
			err = m.Revoke(ctx, s.Ref)
		}
	}
	return err
}
`,y=`package snippets

import (
	"context"
	"log/slog"

	"github.com/googlesession/googlesession"
)

// Listen makes the library accept what Google reports about accounts, at the route
// /api/security-events. The library ends the sessions, and the application learns of it.
func Listen(c *googlesession.Config, v googlesession.SecurityEventVerifier, log *slog.Logger) {
	c.SecurityEventVerifier = v
	c.Events = func(ctx context.Context, e googlesession.Event) {
		if e.Kind == googlesession.EventSecurityReport {
			log.WarnContext(ctx, "Google reports", "event", e.Reason, "user", e.UserID, "ended", e.Count)
		}
	}
}
`,b=`<!doctype html>
<title>Login</title>
<div id="google-signin"></div>
<script src="/api/login.js"><\/script>
`,x=`package snippets

import (
	"errors"
	"net/http"

	"github.com/googlesession/googlesession"
)

// ServeDevices shows how to tell an outage from a session that has ended. The library's own
// routes and guards answer in the same way.
func ServeDevices(m *googlesession.Manager, w http.ResponseWriter, r *http.Request) {
	user, _ := googlesession.UserFrom(r.Context())
	list, err := m.Sessions(r.Context(), user.ID)
	if errors.Is(err, googlesession.ErrUnavailable) {
		w.Header().Set("Retry-After", "5")
		http.Error(w, "Please try again.", http.StatusServiceUnavailable)
		return
	}
	showDevices(w, list)
}
`,S=`package snippets

import (
	"fmt"
	"net/http"

	"github.com/googlesession/googlesession"
)

// Serve adds the sign-in and a page for signed-in users.
func Serve(mux *http.ServeMux, m *googlesession.Manager) {
	mux.Handle("/api/", http.StripPrefix("/api", m.Handler()))
	page := func(w http.ResponseWriter, r *http.Request) {
		user, _ := googlesession.UserFrom(r.Context())
		fmt.Fprintln(w, "Hello,", user.Email)
	}
	mux.Handle("GET /hello", m.RequireUser(http.HandlerFunc(page)))
}
`,C=`package snippets

import (
	"fmt"
	"net/http"
	"time"

	"github.com/googlesession/googlesession"
)

// Stream returns a handler whose answers end with the session of the browser.
func Stream(m *googlesession.Manager) http.Handler {
	stream := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprint(w, "event: hello\\ndata: {}\\n\\n")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done() // the session has ended, or the browser has gone
		fmt.Fprint(w, "event: ended\\ndata: {}\\n\\n")
	}
	return m.RequireUser(m.EndWithSession(5 * time.Second)(http.HandlerFunc(stream)))
}
`,w=`demo=\${1:-http://localhost:8080/?key=AS-PRINTED}

base=\${demo%/?key=*}
curl -s -c jar -o page "$demo"
nonce=$(curl -s -b jar -c jar $base/api/login | sed 's/.*"nonce":"\\([^"]*\\)".*/\\1/')
curl -s -b jar --json '{"email":"ada@example.com","nonce":"'$nonce'"}' $base/demo/token > token.json
curl -s -b jar -c jar --json @token.json $base/api/login
curl -s -b jar $base/api/user
curl -s -b jar $base/api/customer
cp jar stolen
curl -s -b jar -c jar -X POST $base/api/logout
curl -s -b stolen $base/api/user
`,T={signIn:m(S),end:m(v),thief:m(S),outage:m(x),hijack:m(y),disable:m(_)+`

`+m(C)},E=d(`<div class="code svelte-1xc57u"><button type="button" class="outline small svelte-1xc57u"> <span class="hidden"> </span></button> <pre dir="ltr" translate="no" class="svelte-1xc57u"><code class="svelte-1xc57u"> </code></pre></div>`);function D(c,d){r(d,!0);async function m(){try{await navigator.clipboard.writeText(d.text),t(f(`top.copied`))}catch{t(f(`top.notCopied`),{tone:`problem`})}}var h=E(),g=e(h),_=e(g,!0),v=n(_),y=o(v,!0);i(g);var b=n(g,2),x=e(b),S=o(x,!0);i(b),i(h),p(e=>{u(_,e),u(y,d.name),u(S,d.text),b.dir=b.dir},[()=>f(`top.copy`)]),l(`click`,g,m),s(c,h),a()}c([`click`]);export{g as a,b as i,T as n,h as o,w as r,D as t};
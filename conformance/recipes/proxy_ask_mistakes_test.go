package recipes_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// askCached makes nginx cache the answers of the Go server, unless their headers forbid it.
var askCached = []edit{
	cached[0],
	{"        internal;\n", "        internal;\n" + strings.Replace(cachedLocation, "200", "204", 1)},
}

// askMistakes are the rows of the second table of mistakes in docs/proxies.md.
var askMistakes = []struct {
	name  string
	kind  *proxyKind
	edits []edit
	see   func(t *testing.T, s *proxyServer, o *otherProgram, b *browser)
}{
	{"X-Forwarded-Method is not set", nginx, []edit{{"    proxy_set_header X-Forwarded-Method $request_method;\n", ""}}, seeMethodBelieved},
	{"the location has a `proxy_set_header` of its own", nginx, []edit{{"        auth_request /forward-auth;\n", "        auth_request /forward-auth; proxy_set_header X-Mine 1;\n"}}, seeForgedUser("/app")},
	{"the client's X-User-Email is kept", caddy, []edit{{"\t\trequest_header -X-User-*\n", ""}}, seeForgedUser("/public/")},
	{"the client's X_User_Email is kept", caddy, []edit{{"\t\trequest_header -X_User_*\n", ""}}, seeForgedAlias},
	{"the client's X-User-Email is kept", traefik, []edit{{"X-User-Email: \"\"\n", "\n"}}, seeForgedUser("/public/")},
	{"the part without sign-in gets the path unresolved", nginx, []edit{{":9000/public/;", ":9000;"}}, seeDots},
	{"the part without sign-in gets the path unresolved", caddy, []edit{{"\t\trespond @dots 400\n", ""}}, seeDots},
	{"`preserveLocationHeader` is missing", traefik, []edit{{"        preserveLocationHeader: true\n", ""}}, seeInnerAddress},
	{"`trustForwardHeader: true`, and `forwardedHeaders.insecure` on the entry point", traefik, []edit{insecureEntry, {"trustForwardHeader: false", "trustForwardHeader: true"}}, seeMethodForged},
	{"`error_page` is missing", nginx, []edit{{"        error_page 401 403 500 = @refused;\n", ""}}, seeBareRefusals},
	{"a cache of the answers ignores Cache-Control", nginx, append(askCached[:2:2], edit{askCached[1].new, askCached[1].new + "proxy_ignore_headers Cache-Control Vary;\n"}), seeOldAnswer},
}

// insecureEntry is what Traefik's static configuration would say about an entry point that
// keeps the X-Forwarded headers of every client.
var insecureEntry = edit{"http:\n  routers:", "forwardedHeaders: {insecure: true}\nhttp:\n  routers:"}

// Each mistake has the effect that docs/proxies.md names.
func TestForwardAuthMistakes(t *testing.T) {
	t.Parallel()
	for _, tt := range askMistakes {
		t.Run(tt.kind.name+" "+tt.name, func(t *testing.T) {
			t.Parallel()
			s, o, b := tt.kind.asking(t, tt.edits...)
			tt.see(t, s, o, b)
		})
	}
}

func seeMethodBelieved(t *testing.T, s *proxyServer, o *otherProgram, b *browser) {
	b.signIn(s.google, ada)
	require.Equal(t, http.StatusInternalServerError, b.get("/app").status)
	require.Empty(t, o.requests())
	require.Equal(t, http.StatusOK, b.post("/app", "https://evil.example", "X-Forwarded-Method", "GET").status, "the client's own header")
}

func seeMethodForged(t *testing.T, s *proxyServer, _ *otherProgram, b *browser) {
	b.signIn(s.google, ada)
	require.Equal(t, http.StatusOK, b.post("/app", "https://evil.example", "X-Forwarded-Method", "GET").status)
}

// The setting trustForwardHeader: false is enough, and so is an entry point that trusts no
// client.
func TestForwardAuthInsecureEntry(t *testing.T) {
	t.Parallel()
	s, o, b := traefik.asking(t, insecureEntry)
	b.signIn(s.google, ada)
	require.Equal(t, "cross_origin", b.post("/app", "https://evil.example", "X-Forwarded-Method", "GET").code())
	require.Empty(t, o.requests())
}

// seeForgedUser sees the other program believe the client at this path.
func seeForgedUser(path string) func(*testing.T, *proxyServer, *otherProgram, *browser) {
	return func(t *testing.T, s *proxyServer, o *otherProgram, b *browser) {
		b.signIn(s.google, ada)
		b.get(path, append(forgedUser, "X-Forwarded-Method", "GET", "X-Forwarded-Host", proxyHost, "X-Forwarded-Uri", "/")...)
		seen := o.requests()
		require.Len(t, seen, 1)
		require.Equal(t, root, seen[0].header.Get("X-User-Email"))
	}
}

func seeForgedAlias(t *testing.T, s *proxyServer, o *otherProgram, b *browser) {
	b.signIn(s.google, ada)
	require.Equal(t, []string{root}, aliases(b, o))
}

// Programs that read headers as CGI does (RFC 3875, section 4.1.18) take X_User_Email for
// X-User-Email. Of the real proxies, nginx drops such headers by itself.
func TestForwardAuthRemovesAliases(t *testing.T) {
	t.Parallel()
	for _, kind := range []*proxyKind{nginx, caddy} {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			s, o, b := kind.asking(t)
			b.signIn(s.google, ada)
			require.Empty(t, aliases(b, o))
		})
	}
}

// aliases sends a forged header whose name has _ for -, and returns its values at the other
// program.
func aliases(b *browser, o *otherProgram) []string {
	b.t.Helper()
	require.Equal(b.t, http.StatusOK, b.get("/app", "X_User_Email", root).status)
	seen := o.requests()
	require.Len(b.t, seen, 1)
	var values []string
	for name, v := range seen[0].header {
		if strings.EqualFold(name, "X_User_Email") {
			values = append(values, v...)
		}
	}
	return values
}

// seeDots sees a visitor who is not signed in reach a path that begins with /app/.
func seeDots(t *testing.T, _ *proxyServer, o *otherProgram, b *browser) {
	require.Equal(t, http.StatusOK, b.get("/app/../public/x").status)
	require.Equal(t, "/app/../public/x", o.requests()[0].uri)
}

func seeInnerAddress(t *testing.T, s *proxyServer, _ *otherProgram, b *browser) {
	require.Equal(t, s.url+"/login?code=no_session&next=%2Fapp", b.get("/app", navigation...).header.Get("Location"))
}

func seeBareRefusals(t *testing.T, s *proxyServer, o *otherProgram, b *browser) {
	got := b.get("/app")
	require.Equal(t, http.StatusUnauthorized, got.status)
	require.Empty(t, got.code())
	require.Equal(t, http.StatusInternalServerError, b.get("/app", navigation...).status, "nginx takes the redirect for a fault")
	b.signIn(s.google, ada)
	s.store.down.Store(true)
	require.Equal(t, http.StatusInternalServerError, b.get("/app").status)
	require.Empty(t, o.requests())
}

func TestForwardAuthCacheObeysNoStore(t *testing.T) {
	t.Parallel()
	s, o, b := nginx.asking(t, askCached...)
	b.signIn(s.google, ada)
	require.Equal(t, http.StatusOK, b.get("/app").status)
	s.revoke(t)
	require.Equal(t, http.StatusUnauthorized, b.get("/app").status)
	require.Len(t, o.requests(), 1)
}

func seeOldAnswer(t *testing.T, s *proxyServer, o *otherProgram, b *browser) {
	b.signIn(s.google, ada)
	require.Equal(t, http.StatusOK, b.get("/app").status)
	s.revoke(t)
	require.Equal(t, http.StatusOK, b.get("/app").status, "the session has ended")
	require.Equal(t, http.StatusOK, newBrowser(t, b.addr).get("/app").status, "a browser without a session")
	for _, seen := range o.requests() {
		require.Equal(t, ada, seen.header.Get("X-User-Email"))
	}
}

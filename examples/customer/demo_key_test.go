package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// requestWithoutKey sends a request from a client that has no cookies, as a stranger who
// has not seen the program's terminal does.
func requestWithoutKey(t *testing.T, method, address, body string, headers ...string) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(body))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/json")
	setHeaders(r, headers...)
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(r)
	require.NoError(t, err)
	defer client.CloseIdleConnections()
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return answer{res.StatusCode, res.Header, string(text)}
}

// Clients of a proxy on this machine look like browsers on this machine if the proxy
// passes on nothing about them. They do not know the key.
func TestDemoNeedsItsKey(t *testing.T) {
	s := start(t, "-db", "memory")
	target, err := url.Parse(s.url)
	require.NoError(t, err)
	plain := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		r.Out.Header.Del("X-Forwarded-For")
	}}
	proxy := httptest.NewServer(plain)
	t.Cleanup(proxy.Close)
	other := start(t, "-db", "memory")
	require.NotEqual(t, s.key(), other.key(), "each start has a key of its own")

	token := `{"email":"` + demoAdmin + `","nonce":"n"}`
	tests := []struct {
		name    string
		query   string
		headers []string
		want    int
	}{
		{"no key", "", nil, http.StatusMisdirectedRequest},
		{"empty key", "?key=", nil, http.StatusMisdirectedRequest},
		{"another key", "?key=" + other.key(), nil, http.StatusMisdirectedRequest},
		{"part of the key", "?key=" + s.key()[:len(s.key())-1], nil, http.StatusMisdirectedRequest},
		{"key in lower case", "?key=" + strings.ToLower(s.key()), nil, http.StatusMisdirectedRequest},
		{"empty cookie", "", []string{"Cookie: " + keyCookie(target.Host) + "="}, http.StatusMisdirectedRequest},
		{"cookie of another demo", "", []string{"Cookie: " + keyCookie(target.Host) + "=" + other.key()}, http.StatusMisdirectedRequest},
		{"cookie under another name", "", []string{"Cookie: key=" + s.key()}, http.StatusMisdirectedRequest},
		{"empty mint key", "?mint=", nil, http.StatusMisdirectedRequest},

		{"key in the query", "?key=" + s.key(), nil, http.StatusOK},
		{"key in the cookie", "", []string{"Cookie: " + keyCookie(target.Host) + "=" + s.key()}, http.StatusOK},
		{"key in one of two cookies", "", []string{"Cookie: " + keyCookie(target.Host) + "=x; " + keyCookie(target.Host) + "=" + s.key()}, http.StatusOK},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, base := range []string{s.url, proxy.URL} {
				for _, path := range []string{"/", "/login", "/api/login", "/api/login/", "/healthz", "/metrics", "/docs", demoScript, "/icon.svg"} {
					res := requestWithoutKey(t, http.MethodGet, base+path+tt.query, "", tt.headers...)
					require.Equal(t, tt.want, res.status, "GET %s", path)
				}
				res := requestWithoutKey(t, http.MethodPost, base+demoToken+tt.query, token, tt.headers...)
				require.Equal(t, tt.want, res.status, "POST %s", demoToken)
				res = requestWithoutKey(t, http.MethodPost, base+demoEvent+tt.query, `{"email":"ada@example.com","type":"verification"}`, tt.headers...)
				require.Equal(t, max(tt.want, http.StatusAccepted), res.status, "POST %s", demoEvent)
			}
		})
	}
	require.NotContains(t, s.log.String(), s.key())
}

// Opening the printed address sets a cookie and removes the key from the address bar.
func TestDemoKeyBecomesACookie(t *testing.T) {
	s := start(t, "-db", "memory", "-demo-key", "only-on-this-machine")
	require.Equal(t, "only-on-this-machine", s.key())
	host := strings.TrimPrefix(s.url, "http://")
	want := keyCookie(host) + "=" + s.key() + "; Path=/; HttpOnly; SameSite=Strict"
	for path, to := range map[string]string{
		"/?key=": "/", "/login?next=%2Fcustomer&key=": "/login?next=%2Fcustomer", "//evil.example/?key=": "/evil.example/",
		`/\evil.example?key=`: "/%5Cevil.example",
	} {
		res := requestWithoutKey(t, http.MethodGet, s.url+path+s.key(), "", "Accept: text/html")
		require.Equal(t, http.StatusSeeOther, res.status, path)
		require.Equal(t, to, res.header.Get("Location"), path)
		require.Equal(t, want, res.header.Get("Set-Cookie"), path)
		require.Equal(t, "no-store", res.header.Get("Cache-Control"), path)
	}
	res := requestWithoutKey(t, http.MethodGet, s.url+"/?key="+s.key(), "")
	require.Equal(t, http.StatusOK, res.status, "a client that does not ask for a page is not redirected")
	require.Equal(t, want, res.header.Get("Set-Cookie"))

	res = requestWithoutKey(t, http.MethodGet, s.url+"/customer", "", "Accept: text/html")
	require.Equal(t, http.StatusMisdirectedRequest, res.status)
	require.Contains(t, res.body, "printed in its terminal")
	require.NotContains(t, res.body, s.key())

	google := start(t, "-db", "memory", "-client-id", "id")
	require.Empty(t, google.key())
	require.Equal(t, http.StatusOK, requestWithoutKey(t, http.MethodGet, google.url+"/?key=x", "", "Accept: text/html").status)
}

// The browser sends the cookie with the requests of a page on another port of this
// machine. Such a page cannot make tokens or events.
func TestDemoRefusesPagesOfOtherPorts(t *testing.T) {
	alone, trusting := start(t, "-db", "memory"), start(t, "-db", "memory", "-demo", "-origins", "http://localhost:5173")
	script := func(s *server) string { return s.get(t, newBrowser(t), demoScript).body }
	mint := regexp.MustCompile(`/demo/token\?mint=([\w-]+)`).FindStringSubmatch(script(alone))[1]
	tests := []struct {
		name    string
		server  *server
		headers []string
		want    int
		script  int
	}{
		{"curl", alone, nil, 200, 200},
		{"own page", alone, []string{"Sec-Fetch-Site: same-origin"}, 200, 200},
		{"own page, older browser", alone, []string{"Origin: " + alone.url}, 200, 200},
		{"typed address", alone, []string{"Sec-Fetch-Site: none"}, 200, 200},
		{"another port", alone, []string{"Sec-Fetch-Site: same-site", "Origin: http://localhost:5173"}, 403, 403},
		{"another port, older browser", alone, []string{"Origin: http://localhost:5173"}, 403, 200},
		{"another name for this machine", alone, []string{"Sec-Fetch-Site: cross-site", "Origin: http://127.0.0.1:5173"}, 403, 403},
		{"trusted port", trusting, []string{"Sec-Fetch-Site: same-site", "Origin: http://localhost:5173"}, 200, 200},
		{"another than the trusted port", trusting, []string{"Sec-Fetch-Site: same-site", "Origin: http://localhost:5174"}, 403, 200},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			browser := newBrowser(t)
			require.Equal(t, tt.script, tt.server.get(t, browser, demoScript, tt.headers...).status)
			res := tt.server.request(t, browser, http.MethodPost, demoToken, `{"email":"ada@example.com","nonce":"n"}`, tt.headers...)
			require.Equal(t, tt.want, res.status, res.body)
			if tt.want == http.StatusForbidden {
				require.Equal(t, "cross_origin", problemCode(t, res))
			}
			res = tt.server.request(t, browser, http.MethodPost, demoEvent, `{"email":"ada@example.com","type":"verification"}`, tt.headers...)
			require.Equal(t, max(tt.want, http.StatusAccepted), res.status, res.body)
		})
	}

	// The mint key in the script makes tokens and opens nothing else.
	body := `{"email":"ada@example.com","nonce":"n"}`
	require.Equal(t, http.StatusOK, requestWithoutKey(t, http.MethodPost, alone.url+demoToken+"?mint="+mint, body).status)
	for _, path := range []string{"/", "/api/login", demoEvent, demoScript, demoToken + "/x"} {
		require.Equal(t, http.StatusMisdirectedRequest, requestWithoutKey(t, http.MethodGet, alone.url+path+"?mint="+mint, "").status, path)
	}
	require.Equal(t, http.StatusMisdirectedRequest, requestWithoutKey(t, http.MethodPost, alone.url+demoToken+"?key="+mint, body).status)
	preflight := []string{"Origin: http://localhost:5173", "Access-Control-Request-Method: POST", "Access-Control-Request-Headers: content-type"}
	res := requestWithoutKey(t, http.MethodOptions, trusting.url+demoToken, "", preflight...)
	require.Equal(t, "http://localhost:5173", res.header.Get("Access-Control-Allow-Origin"), "browsers send a preflight request without the cookie")
}

package googletest_test

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession/googletest"
)

const (
	callback      = "https://app.test/callback"
	codeVerifier  = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk" // RFC 7636, appendix B
	codeChallenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
)

// authorizationRequest returns a request for Google's page, with changes.
func authorizationRequest(change url.Values) string {
	query := url.Values{
		"client_id": {client}, "response_type": {"code"}, "scope": {"openid email profile"}, "redirect_uri": {callback},
		"state": {"a state"}, "nonce": {nonce}, "code_challenge": {codeChallenge}, "code_challenge_method": {"S256"},
		"prompt": {"select_account"},
	}
	maps.Copy(query, change)
	return googletest.AuthorizationURL + "?" + query.Encode()
}

func TestAuthorize(t *testing.T) {
	g := googletest.NewGoogle(client)
	back, err := g.Authorize(authorizationRequest(nil), "ada@example.com")
	require.NoError(t, err)
	u, err := url.Parse(back)
	require.NoError(t, err)
	query := u.Query()
	require.Equal(t, callback, strings.TrimSuffix(back, "?"+u.RawQuery))
	require.Equal(t, "a state", query.Get("state"))
	require.Equal(t, "https://accounts.google.com", query.Get("iss"))
	require.NotEmpty(t, query.Get("scope"))
	require.Regexp(t, `^4/[0-9A-Z]{40,250}$`, query.Get("code"))

	back, err = g.Authorize(authorizationRequest(url.Values{"redirect_uri": {callback + "?a=b"}}), "")
	require.NoError(t, err)
	require.Equal(t, callback+"?a=b&error=access_denied&iss=https%3A%2F%2Faccounts.google.com&state=a+state", back)
}

func TestAuthorizeRefuses(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change url.Values
		want   string
	}{
		{"no client", url.Values{"client_id": nil}, "invalid_client"},
		{"another client", url.Values{"client_id": {"x"}}, "invalid_client"},
		{"token", url.Values{"response_type": {"token"}}, "response_type"},
		{"no scope", url.Values{"scope": nil}, "openid"},
		{"no address", url.Values{"scope": {"openid"}}, "email"},
		{"more than a sign-in", url.Values{"scope": {"openid email https://www.googleapis.com/auth/drive"}}, "invalid_scope"},
		{"no redirect URI", url.Values{"redirect_uri": nil}, "redirect_uri_mismatch"},
		{"http", url.Values{"redirect_uri": {"http://app.test/callback"}}, "redirect_uri_mismatch"},
		{"fragment", url.Values{"redirect_uri": {callback + "#x"}}, "redirect_uri_mismatch"},
		{"wildcard", url.Values{"redirect_uri": {"https://*.app.test/callback"}}, "redirect_uri_mismatch"},
		{"no state", url.Values{"state": nil}, "state"},
		{"no nonce", url.Values{"nonce": nil}, "nonce"},
		{"no challenge", url.Values{"code_challenge": nil}, "code_challenge"},
		{"short challenge", url.Values{"code_challenge": {codeChallenge[1:]}}, "code_challenge"},
		{"plain challenge", url.Values{"code_challenge_method": {"plain"}}, "S256"},
		{"no method", url.Values{"code_challenge_method": nil}, "S256"},
		{"no page", url.Values{"prompt": {"none"}}, "prompt"},
		{"repeated", url.Values{"state": {"a", "b"}}, "repeated parameter state"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g := googletest.NewGoogle(client)
			_, err := g.Authorize(authorizationRequest(tt.change), "ada@example.com")
			require.ErrorContains(t, err, tt.want)
			for _, method := range []string{http.MethodGet, http.MethodPost} {
				w := httptest.NewRecorder()
				r := httptest.NewRequestWithContext(t.Context(), method, authorizationRequest(tt.change), strings.NewReader("email=ada@example.com"))
				r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				g.AuthorizationHandler().ServeHTTP(w, r)
				require.Equal(t, http.StatusBadRequest, w.Code)
				require.Contains(t, w.Body.String(), tt.want)
			}
		})
	}
	g := googletest.NewGoogle(client)
	_, err := g.Authorize(authorizationRequest(nil), "ada")
	require.ErrorContains(t, err, "not an e-mail address")
	g.RedirectURIs = []string{"https://app.test/registered"}
	_, err = g.Authorize(authorizationRequest(nil), "ada@example.com")
	require.ErrorContains(t, err, "redirect_uri_mismatch")
	_, err = g.Authorize(authorizationRequest(url.Values{"redirect_uri": g.RedirectURIs}), "ada@example.com")
	require.NoError(t, err)
	_, err = g.Authorize(authorizationRequest(url.Values{"redirect_uri": {"http://localhost:8080/callback"}}), "ada@example.com")
	require.ErrorContains(t, err, "redirect_uri_mismatch")
}

// The page needs no script and no other resource, and its forms lead back to the application.
func TestAuthorizationHandler(t *testing.T) {
	g := googletest.NewGoogle(client)
	h := g.AuthorizationHandler("ada@example.com", `"><script>@example.com`)
	send := func(method, target, body string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		r := httptest.NewRequestWithContext(t.Context(), method, target, strings.NewReader(body))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		h.ServeHTTP(w, r)
		return w
	}
	page := send(http.MethodGet, authorizationRequest(url.Values{"login_hint": {"bob@example.com"}}), "")
	require.Equal(t, http.StatusOK, page.Code)
	require.Equal(t, "text/html; charset=utf-8", page.Header().Get("Content-Type"))
	require.Equal(t, "no-store", page.Header().Get("Cache-Control"))
	require.Contains(t, page.Body.String(), `value="ada@example.com"`)
	require.Contains(t, page.Body.String(), `value="bob@example.com"`)
	require.NotContains(t, page.Body.String(), "<script")
	require.NotRegexp(t, `src=|href=|style=|url\(`, page.Body.String())

	chosen := send(http.MethodPost, authorizationRequest(nil), "email=ada%40example.com")
	require.Equal(t, http.StatusSeeOther, chosen.Code)
	require.Regexp(t, `^https://app\.test/callback\?.*code=4%2F`, chosen.Header().Get("Location"))
	cancelled := send(http.MethodPost, authorizationRequest(nil), "cancel=true")
	require.Contains(t, cancelled.Header().Get("Location"), "error=access_denied")

	require.Equal(t, http.StatusBadRequest, send(http.MethodPost, authorizationRequest(nil), "").Code)
	require.Equal(t, http.StatusBadRequest, send(http.MethodPost, authorizationRequest(nil), "email=ada").Code)
	require.Equal(t, http.StatusBadRequest, send(http.MethodPost, authorizationRequest(nil), "email=a@b&cancel=true").Code)
	require.Equal(t, http.StatusBadRequest, send(http.MethodPost, authorizationRequest(nil), "email="+strings.Repeat("a", 5<<10)).Code)
	require.Equal(t, http.StatusMethodNotAllowed, send(http.MethodPut, authorizationRequest(nil), "").Code)
}

// exchange sends a form to the token endpoint and returns the answer.
func exchange(t testing.TB, g *googletest.Google, form url.Values) (status int, answer map[string]any) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, googletest.ExchangeURL, strings.NewReader(form.Encode()))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := g.Client().Do(r)
	require.NoError(t, err)
	defer res.Body.Close()
	require.NoError(t, json.NewDecoder(res.Body).Decode(&answer))
	return res.StatusCode, answer
}

// exchangeForm returns a form with a new code that the token endpoint accepts.
func exchangeForm(t testing.TB, g *googletest.Google) url.Values {
	t.Helper()
	back, err := g.Authorize(authorizationRequest(nil), "ada@example.com")
	require.NoError(t, err)
	u, err := url.Parse(back)
	require.NoError(t, err)
	return url.Values{
		"grant_type": {"authorization_code"}, "code": {u.Query().Get("code")}, "code_verifier": {codeVerifier},
		"redirect_uri": {callback}, "client_id": {client}, "client_secret": {g.ClientSecret()},
	}
}

func TestServeExchange(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change url.Values
		status int
		code   string
	}{
		{"good", nil, 200, ""},
		{"another grant", url.Values{"grant_type": {"refresh_token"}}, 400, "unsupported_grant_type"},
		{"another client", url.Values{"client_id": {"x"}}, 401, "invalid_client"},
		{"another secret", url.Values{"client_secret": {"x"}}, 401, "invalid_client"},
		{"no secret", url.Values{"client_secret": nil}, 401, "invalid_client"},
		{"unknown code", url.Values{"code": {"4/x"}}, 400, "invalid_grant"},
		{"no code", url.Values{"code": nil}, 400, "invalid_grant"},
		{"another verifier", url.Values{"code_verifier": {strings.Repeat("x", 43)}}, 400, "invalid_grant"},
		{"the challenge", url.Values{"code_verifier": {codeChallenge}}, 400, "invalid_grant"},
		{"no verifier", url.Values{"code_verifier": nil}, 400, "invalid_grant"},
		{"another redirect URI", url.Values{"redirect_uri": {callback + "/"}}, 400, "redirect_uri_mismatch"},
		{"repeated", url.Values{"client_id": {client, client}}, 400, "invalid_request"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g := googletest.NewGoogle(client)
			form := exchangeForm(t, g)
			maps.Copy(form, tt.change)
			status, answer := exchange(t, g, form)
			require.Equal(t, tt.status, status, answer)
			require.Equal(t, 1, g.Requests(googletest.ExchangeURL))
			if tt.code != "" {
				require.Equal(t, tt.code, answer["error"])
				require.NotContains(t, answer, "id_token")
				return
			}
			claims, err := newValidator(t, g.Client()).Validate(t.Context(), answer["id_token"].(string), client)
			require.NoError(t, err)
			require.Equal(t, nonce, claims.Claims["nonce"])
			require.Equal(t, "ada@example.com", claims.Claims["email"])
			require.NotEmpty(t, answer["access_token"])

			status, answer = exchange(t, g, form)
			require.Equal(t, http.StatusBadRequest, status, "a second time")
			require.Equal(t, "invalid_grant", answer["error"])
		})
	}
}

// A code expires after ten minutes, on the clock of the bubble.
func TestCodeExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := googletest.NewGoogle(client)
		early, late := exchangeForm(t, g), exchangeForm(t, g)
		time.Sleep(10*time.Minute - time.Millisecond) //nolint:forbidigo // synctest
		status, _ := exchange(t, g, early)
		require.Equal(t, http.StatusOK, status)
		time.Sleep(time.Millisecond) //nolint:forbidigo // synctest
		status, answer := exchange(t, g, late)
		require.Equal(t, http.StatusBadRequest, status)
		require.Equal(t, "invalid_grant", answer["error"])
	})
}

// The token endpoint has Google's path in Handler, and a test can replace it.
func TestRespondExchange(t *testing.T) {
	g := googletest.NewGoogle(client)
	post := func(contentType string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/token", strings.NewReader(exchangeForm(t, g).Encode()))
		r.Header.Set("Content-Type", contentType)
		g.Handler().ServeHTTP(w, r)
		return w
	}
	const form = "application/x-www-form-urlencoded"
	require.Equal(t, http.StatusOK, post(form).Code)
	require.Equal(t, http.StatusBadRequest, post("application/json").Code)
	g.RespondExchange(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Late", "yes")
		g.ServeExchange(w, r)
	})
	w := post(form)
	require.Equal(t, http.StatusOK, w.Code)
	require.Equal(t, "yes", w.Header().Get("X-Late"))
	g.RespondExchange(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "down") })
	require.Equal(t, "down", post(form).Body.String())
	g.RespondExchange(nil)
	require.Equal(t, http.StatusOK, post(form).Code)

	w = httptest.NewRecorder()
	g.Handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/token", nil))
	require.Equal(t, http.StatusMethodNotAllowed, w.Code)
	require.Empty(t, g.Strays())
}

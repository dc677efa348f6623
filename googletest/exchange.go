package googletest

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"time"
)

// ClientSecret returns the secret of the client ID, which [ExchangeURL] demands.
func (g *Google) ClientSecret() string { return g.clientSecret }

// RespondExchange makes h answer the requests for [ExchangeURL] from now on. A nil h makes
// [Google.ServeExchange] answer them again. h may call ServeExchange, for example after a
// delay. If h waits for the end of the request's context, it has to read the body first. To
// answer with a token of its own, h writes a JSON object with the members access_token,
// token_type and id_token.
func (g *Google) RespondExchange(h http.HandlerFunc) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.exchange = h
}

// ServeExchange exchanges a code of [Google.Authorize] for an ID token. It answers the
// requests for [ExchangeURL] unless [Google.RespondExchange] has set another handler. Its
// refusals have Google's statuses and error codes (RFC 6749, section 5.2). A code can be
// used for one exchange, even if that exchange is refused.
func (g *Google) ServeExchange(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-cache, no-store, max-age=0, must-revalidate")
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	refuse := func(status int, code, description string) {
		w.WriteHeader(status)
		writeJSON(w, map[string]any{"error": code, "error_description": description})
	}
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", "POST")
		refuse(http.StatusMethodNotAllowed, "invalid_request", "Use POST")
		return
	}
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/x-www-form-urlencoded" {
		refuse(http.StatusBadRequest, "invalid_request", "Use a form")
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	if err := r.ParseForm(); err != nil {
		refuse(http.StatusBadRequest, "invalid_request", "Malformed form")
		return
	}
	form := r.PostForm
	for name, list := range form {
		if len(list) != 1 {
			refuse(http.StatusBadRequest, "invalid_request", "Repeated parameter: "+name)
			return
		}
	}
	switch {
	case form.Get("grant_type") != "authorization_code":
		refuse(http.StatusBadRequest, "unsupported_grant_type", "Invalid grant_type: "+form.Get("grant_type"))
		return
	case form.Get("client_id") != g.clientID:
		refuse(http.StatusUnauthorized, "invalid_client", "The OAuth client was not found.")
		return
	case form.Get("client_secret") != g.clientSecret:
		refuse(http.StatusUnauthorized, "invalid_client", "Unauthorized")
		return
	}
	granted, ok := g.take(form.Get("code"))
	sum := sha256.Sum256([]byte(form.Get("code_verifier")))
	switch {
	case !ok:
		refuse(http.StatusBadRequest, "invalid_grant", "Malformed auth code.")
	case form.Get("redirect_uri") != granted.redirectURI:
		refuse(http.StatusBadRequest, "redirect_uri_mismatch", "Bad Request")
	case form.Get("code_verifier") == "":
		refuse(http.StatusBadRequest, "invalid_grant", "Missing code verifier.")
	case subtle.ConstantTimeCompare([]byte(base64url(sum[:])), []byte(granted.challenge)) != 1:
		refuse(http.StatusBadRequest, "invalid_grant", "Invalid code verifier.")
	default:
		writeJSON(w, g.grantedTokens(granted))
	}
}

// take returns the grant of a code and deletes it, so that the code cannot be used again.
// It reports false if the code is unknown, was used or has expired.
func (g *Google) take(code string) (grant, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	granted, ok := g.grants[code]
	delete(g.grants, code)
	return granted, ok && time.Now().Before(granted.expires)
}

// grantedTokens returns the answer to the exchange of a code. The ID token has the claims
// of Google's token endpoint, which sends at_hash (OpenID Connect Core 1.0, section 3.1.3.6)
// and does not send nbf and jti.
func (g *Google) grantedTokens(granted grant) map[string]any {
	access := "ya29.a0" + rand.Text() + rand.Text()
	d := g.Draft(granted.email, granted.nonce)
	delete(d.Claims, "nbf")
	delete(d.Claims, "jti")
	sum := sha256.Sum256([]byte(access))
	d.Claims["at_hash"] = base64url(sum[:16])
	return map[string]any{
		"access_token": access,
		"expires_in":   3599,
		"scope":        "openid https://www.googleapis.com/auth/userinfo.email https://www.googleapis.com/auth/userinfo.profile",
		"token_type":   "Bearer",
		"id_token":     g.Mint(d),
	}
}

// writeJSON writes an answer of the token endpoint.
func writeJSON(w http.ResponseWriter, answer map[string]any) {
	body, err := json.Marshal(answer)
	if err != nil {
		panic(fmt.Sprintf("googletest: %v", err)) // strings and numbers can always be encoded
	}
	_, _ = w.Write(body)
}

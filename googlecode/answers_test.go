package googlecode_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession/googletest"
)

// Every answer without a token is an outage, except invalid_grant. The request is not
// repeated, a redirect is not followed, and the answer is not quoted.
func TestBadAnswers(t *testing.T) {
	const secretText = "SECRET-IN-THE-ANSWER"
	answer := func(status int, media, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", media)
			w.Header().Set("Location", "https://evil.example/"+secretText)
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		}
	}
	const js = "application/json; charset=utf-8"
	good := `{"access_token":"` + secretText + `","id_token":"x.y.z"`
	for _, tt := range []struct {
		name    string
		respond http.HandlerFunc
		want    string
		refused bool
	}{
		{"500", answer(500, js, `{"error":"internal_failure","error_description":"`+secretText+`"}`), "status 500", false},
		{"502 in HTML", answer(502, "text/html", "<p>"+secretText), "status 502", false},
		{"500 that speaks of the grant", answer(500, js, `{"error":"invalid_grant"}`), "status 500", false},
		{"redirect", answer(302, js, ""), "status 302", false},
		{"redirect that keeps the method", answer(307, js, good+"}"), "status 307", false},
		{"429", answer(429, js, `{"error":"rate_limit_exceeded"}`), "rate_limit_exceeded, status 429", false},
		{"400 without a code", answer(400, js, `{"x":"`+secretText+`"}`), "status 400", false},
		{"400 in HTML", answer(400, "text/html", `{"error":"invalid_grant"}`), "status 400", false},
		{"invalid_grant", answer(400, js, `{"error":"invalid_grant","error_description":"`+secretText+`","error_uri":"`+secretText+`"}`), "invalid_grant, status 400", true},
		{"invalid_grant in 200", answer(200, js, `{"error":"invalid_grant"}`), "not that of a token endpoint", false},
		{"invalid_client", answer(401, js, `{"error":"invalid_client","error_description":"`+secretText+`"}`), "check Config.ClientID", false},
		{"unauthorized_client", answer(400, js, `{"error":"unauthorized_client"}`), "check Config.ClientID", false},
		{"invalid_request", answer(400, js, `{"error":"invalid_request"}`), "refuses the request (invalid_request, status 400)", false},
		{"a long error code", answer(400, js, `{"error":"`+strings.Repeat("x", 65)+secretText+`"}`), "unreadable error code", false},
		{"an error code with spaces", answer(400, js, `{"error":"a `+secretText+`"}`), "unreadable error code", false},
		{"an error code with a line end", answer(400, js, `{"error":"a\n`+secretText+`"}`), "unreadable error code", false},
		{"empty", answer(200, js, ""), "not that of a token endpoint", false},
		{"not JSON", answer(200, js, secretText), "not that of a token endpoint", false},
		{"wrong types", answer(200, js, `{"access_token":{"`+secretText+`":1}}`), "not that of a token endpoint", false},
		{"an array", answer(200, js, `["`+secretText+`"]`), "not that of a token endpoint", false},
		{"no access token", answer(200, js, `{"id_token":"x"}`), "not that of a token endpoint", false},
		{"no ID token", answer(200, js, `{"access_token":"`+secretText+`"}`), "no ID token", false},
		{"an ID token of another type", answer(200, js, `{"access_token":"a","id_token":1}`), "no ID token", false},
		{"201", answer(201, js, good+"}"), "status 201", false},
		{"HTML", answer(200, "text/html", good+"}"), "not JSON", false},
		{"a form", answer(200, "application/x-www-form-urlencoded", "access_token=a&id_token="+secretText), "not JSON", false},
		{"text", answer(200, "text/plain", "access_token=a&id_token="+secretText), "not JSON", false},
		{"no media type", answer(200, "", good+"}"), "not JSON", false},
		{"64 KiB and one", answer(200, js, good+strings.Repeat(" ", 64<<10-len(good))+"}"), "larger than 64 KiB", false},
		{"endless", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", js)
			for block := bytes.Repeat([]byte(" "), 8<<10); ; {
				if _, err := w.Write(block); err != nil {
					return
				}
			}
		}, "larger than 64 KiB", false},
		{"cut off", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", js)
			w.Header().Set("Content-Length", "1000")
			_, _ = io.WriteString(w, good)
		}, "cut off", false},
		{"connection closed", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "asking Google", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g := googletest.NewGoogle(clientID)
			g.RespondExchange(tt.respond)
			x := newExchanger(t, g, nil)
			code := newCode(t, g)
			token, err := x.Exchange(t.Context(), code, verifier, redirectURI)
			require.Empty(t, token)
			require.ErrorContains(t, err, tt.want)
			requireRefused(t, tt.refused, err)
			require.Equal(t, 1, g.Requests(googletest.ExchangeURL), "one attempt")
			require.Empty(t, g.Strays(), "no redirect is followed")
			for _, secret := range []string{secretText, code, verifier, g.ClientSecret()} {
				require.NotContains(t, fmt.Sprintf("%v %+v %#v", err, err, err), secret)
			}
		})
	}
	t.Run("64 KiB", func(t *testing.T) {
		g := googletest.NewGoogle(clientID)
		g.RespondExchange(answer(200, js, good+strings.Repeat(" ", 64<<10-len(good)-1)+"}"))
		token, err := newExchanger(t, g, nil).Exchange(t.Context(), "4/code", verifier, redirectURI)
		require.NoError(t, err)
		require.Equal(t, "x.y.z", token)
	})
}

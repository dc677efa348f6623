package googlesession_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
)

// login.js has a text in each of its languages for every code that a person on the login
// page can meet. It shows the other codes with the server's English sentence.
func TestLoginScriptTexts(t *testing.T) {
	s := newSite(t, nil)
	a := get(t, s.google.Browser(s), "/api/login.js")
	m := regexp.MustCompile(`(?s)\nconst texts = (\{.*?\n\});\n`).FindStringSubmatch(a.body)
	require.NotNil(t, m, a.body)
	var texts map[string]struct{ Page, Codes map[string]string }
	require.NoError(t, json.Unmarshal([]byte(m[1]), &texts))
	require.ElementsMatch(t, []string{"en", "de", "fr", "es", "pt", "ja", "zh"}, slices.Collect(maps.Keys(texts)))

	english := texts["en"]
	for _, code := range []googlesession.Code{
		googlesession.CodeBadRequest, googlesession.CodeNoSession, googlesession.CodeSessionExpired,
		googlesession.CodeSessionRevoked, googlesession.CodeTokenRefused, googlesession.CodeNonceMismatch,
		googlesession.CodeReauthNeeded, googlesession.CodeUserDisabled, googlesession.CodeNotAdmin,
		googlesession.CodeNotAdmitted, googlesession.CodeWrongAccount, googlesession.CodeTooManySessions,
		googlesession.CodeCrossOrigin, googlesession.CodeTooSlow, googlesession.CodeMisdirectedRequest,
		googlesession.CodeForbidden, googlesession.CodeCancelled, googlesession.CodeUnavailable,
	} {
		require.Contains(t, english.Codes, string(code))
	}
	for lang, text := range texts {
		for name, part := range map[string][2]map[string]string{"page": {english.Page, text.Page}, "codes": {english.Codes, text.Codes}} {
			require.ElementsMatch(t, slices.Collect(maps.Keys(part[0])), slices.Collect(maps.Keys(part[1])), "%s, %s", lang, name)
			for key, words := range part[1] {
				require.Regexp(t, `^\S.*\S$`, words, "%s, %s", lang, key)
				if lang != "en" {
					require.NotEqual(t, part[0][key], words, "%s, %s", lang, key)
				}
			}
		}
	}
}

// The English text of a code is the sentence that the server answers with.
func TestLoginScriptSaysWhatTheServerSays(t *testing.T) {
	s := newSite(t, nil)
	script := get(t, s.google.Browser(s), "/api/login.js").body
	for _, tt := range []struct{ method, path, body, origin string }{
		{http.MethodGet, "/api/user", "", origin},
		{http.MethodPost, "/api/login", "{}", origin},
		{http.MethodPost, "/api/login", `{"credential":"x"}`, origin},
		{http.MethodPost, "/api/login", "{}", "https://evil.test"},
	} {
		a := serve(t, s, tt.method, tt.path, tt.body, "Origin", tt.origin, "Content-Type", "application/json")
		var problem struct{ Code, Detail string }
		require.NoError(t, json.Unmarshal([]byte(a.body), &problem), a.body)
		text, err := json.Marshal(problem.Detail)
		require.NoError(t, err)
		require.Contains(t, script, `"`+problem.Code+`": `+string(text), "%s %s", tt.method, tt.path)
	}
}

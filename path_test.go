package googlesession_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
)

// nextPaths returns the cases of safePath. Those in the file are valid for the front end of
// examples/customer, too, which has the same rules. The others are too long for the file, or
// are not UTF-8.
func nextPaths(tb testing.TB) [][2]string {
	tb.Helper()
	text, err := os.ReadFile("testdata/next_paths.json")
	require.NoError(tb, err)
	var cases [][2]string
	require.NoError(tb, json.Unmarshal(text, &cases))
	require.NotEmpty(tb, cases)
	return append(cases, [][2]string{
		{"/a?q=\xff", "/a?q=%FF"},
		{"/" + strings.Repeat("a", 2047), "/" + strings.Repeat("a", 2047)},
		{"/" + strings.Repeat("a", 2048), "/"},
		{"/" + strings.Repeat(" ", 1000), "/"},    // 3001 bytes when it is escaped
		{"/a?q=" + strings.Repeat("ä", 400), "/"}, // 2405 bytes when it is escaped
	}...)
}

func TestSafePath(t *testing.T) {
	for _, tt := range nextPaths(t) {
		require.Equal(t, tt[1], googlesession.SafePath(tt[0]), "safePath(%q)", tt[0])
	}
}

// FuzzSafePath checks that a browser stays on the site, wherever the path leads.
func FuzzSafePath(f *testing.F) {
	for _, tt := range nextPaths(f) {
		f.Add(tt[0])
	}
	base, _ := url.Parse("https://app.test/login")
	f.Fuzz(func(t *testing.T, s string) {
		got := googlesession.SafePath(s)
		require.Equal(t, got, googlesession.SafePath(got), "idempotent")
		require.NotContains(t, got, "\\")
		// Browsers drop tabs and line ends, and read a backslash as a slash (URL Standard,
		// section 4.4).
		like := strings.NewReplacer("\t", "", "\n", "", "\r", "", "\\", "/").Replace(strings.TrimSpace(got))
		require.True(t, strings.HasPrefix(like, "/") && !strings.HasPrefix(like, "//"), got)
		u, err := base.Parse(like)
		require.NoError(t, err)
		require.Equal(t, "https://app.test", u.Scheme+"://"+u.Host)
		require.False(t, strings.HasPrefix(u.Path, "//"), got)

		w := httptest.NewRecorder()
		http.Redirect(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil), got, http.StatusSeeOther)
		require.NotContains(t, w.Header().Get("Location"), "\n")
	})
}

// FuzzCookie checks that a cookie's value has one spelling, and that parsing does not panic.
func FuzzCookie(f *testing.F) {
	m, err := googlesession.New(googlesession.Config{Sessions: admitsAll{}})
	require.NoError(f, err)
	token, _ := m.NewToken("alice")
	for _, s := range []string{token, "", token[:58], token + "A", strings.Repeat("A", 59), strings.Repeat("A", 58) + "B", token[:30] + "\r\n" + token[32:]} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		ref, ok := m.RefOf(s)
		raw, err := base64.RawURLEncoding.Strict().DecodeString(s)
		require.Equal(t, err == nil && len(raw) == 44 && len(s) == 59, ok, "as encoding/base64 reads it")
		if _, isRef := googlesession.ParseRef(s); !ok {
			require.Error(t, isRef)
			return
		}
		require.Regexp(t, `^[A-Za-z0-9_-]{59}$`, s)
		parsed, err := googlesession.ParseRef(s)
		require.NoError(t, err)
		require.Equal(t, s, parsed.String(), "one spelling")
		require.Equal(t, parsed.Tag, ref.Tag)
		require.NotEqual(t, parsed.ID, ref.ID, "a Ref is not a cookie")
	})
}

// FuzzCookieHeader checks that the fast path returns the session cookie that net/http finds,
// and that net/http finds only one.
func FuzzCookieHeader(f *testing.F) {
	m, err := googlesession.New(googlesession.Config{Sessions: admitsAll{}})
	require.NoError(f, err)
	token, _ := m.NewToken("alice")
	c := sessionCookie + "=" + token
	for _, lines := range []string{
		c, "a=b; " + c, c + "; a=b", "a=b; " + c + "; c=d", // as browsers write it
		c + "; " + c, c + ";" + c, c + "; " + sessionCookie, sessionCookie + "; " + c, c + "; " + sessionCookie + "=", c + "\n" + c,
		"a=b;" + c, "a=b ;" + c, "a=b;\t" + c, "; " + c, " " + c, c + " ", c + ";", c + " ; a=b", "x" + c, "a=; x" + c, "a=\"b; " + c + "\"",
		sessionCookie + "2=1; " + c, c + "; " + sessionCookie + "-x=1", sessionCookie + "-x=1; " + c, sessionCookie + "-; " + c,
		sessionCookie + "-" + c, sessionCookie + "-x; " + c + "; " + sessionCookie, sessionCookie + "-" + sessionCookie + "=" + token, "a=" + c, "a=" + c + "; " + c, sessionCookie + " =" + token, sessionCookie + "= " + token,
		sessionCookie + "=\"" + token + "\"", sessionCookie + "=\"" + token[:57] + "\"", sessionCookie + "=" + token[:58] + " ", sessionCookie + "=" + token[:58] + "\\",
		sessionCookie + "=" + sessionCookie + token[len(sessionCookie):], strings.Repeat("a;", 3000) + c, strings.Repeat("a;", 1400) + c,
	} {
		f.Add(lines)
	}
	f.Fuzz(func(t *testing.T, lines string) {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		r.Header["Cookie"] = strings.Split(lines, "\n")
		var want, got googlesession.Ref
		if found := r.CookiesNamed(sessionCookie); len(found) == 1 {
			want, _ = m.RefOf(found[0].Value)
		}
		if value, count := m.ReadCookie(r); count == 1 {
			got, _ = m.RefOf(value)
		}
		require.Equal(t, want, got, "%q", lines)
	})
}

// FuzzLoginBody checks that every body is a credential or a Denial, and that none panics.
func FuzzLoginBody(f *testing.F) {
	for _, body := range []string{
		`{"credential":"x"}`, `{"credential":"x","a":[{}]}`, `{}`, `[`, `{"credential":null}`, "{\"credential\":\"\xff\"}",
		`credential=x&g_csrf_token=t&state=/a`, `credential=%zz`, `credential=x;g_csrf_token=t`,
	} {
		f.Add("application/json", body)
		f.Add("application/x-www-form-urlencoded", body)
		f.Add("text/plain; charset=\"", body)
	}
	f.Fuzz(func(t *testing.T, media, body string) {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/login", strings.NewReader(body))
		r.Header.Set("Content-Type", media)
		r.Header.Set("Cookie", "g_csrf_token=t")
		_, next, err := googlesession.ReadLogin(httptest.NewRecorder(), r)
		if err != nil {
			var d googlesession.Denial
			require.ErrorAs(t, err, &d)
			require.Contains(t, []int{400, 403, 413, 415}, d.Status)
			return
		}
		if next != "" {
			require.Equal(t, next, googlesession.SafePath(next))
		}
	})
}

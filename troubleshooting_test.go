package googlesession_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/googletest"
)

// quoted returns a line of the log as docs/troubleshooting.md quotes it. It leaves out what
// differs from request to request.
func quoted(l logLine) string {
	text := l.text("level") + " " + l.text("msg")
	if l["code"] != nil {
		text += " code=" + l.text("code")
	}
	if reason := l.text("reason"); strings.Contains(reason, " ") {
		text += fmt.Sprintf(" reason=%q", reason)
	} else if reason != "" {
		text += " reason=" + reason
	}
	text += " …"
	if l["error"] != nil {
		text += fmt.Sprintf(" error=%q", l.text("error"))
	}
	return text
}

// otherLines provokes what the table of TestRefusalsThatNeedTheOperator does not have.
func otherLines(t *testing.T) (lines []logLine) {
	t.Helper()
	collect := func(edit func(*googlesession.Config), do func(*site, *http.Client)) {
		s, read := newQuietSite(t, edit)
		do(s, s.google.Browser(s))
		lines = append(lines, read(t)...)
	}
	signIn := func(s *site, c *http.Client, change func(claims map[string]any)) {
		d := s.google.Draft(adminEmail, begin(t, c))
		change(d.Claims)
		post(t, c, s.google.Mint(d))
	}
	collect(nil, func(s *site, c *http.Client) {
		signIn(s, c, func(map[string]any) {})
		s.store.failing("CheckSession", errors.New("connection refused"))
		get(t, c, "/private")
		s.store.failing("SignIn", errors.New("connection refused"))
		post(t, c, s.google.Token(alice, begin(t, c)))
	})
	collect(nil, func(s *site, c *http.Client) {
		s.google.Respond(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
		post(t, c, s.google.Token(alice, begin(t, c)))
	})
	collect(nil, func(s *site, c *http.Client) {
		signIn(s, c, func(map[string]any) {})
		advance(time.Second)
		for _, kid := range []string{"invented", "another"} {
			d := s.google.Draft(alice, begin(t, c))
			d.Header["kid"] = kid
			post(t, c, s.google.Mint(d))
		}
	})
	for _, change := range []func(map[string]any){
		func(c map[string]any) { c["email_verified"] = false },
		func(c map[string]any) { delete(c, "hd") },
		func(c map[string]any) { c["hd"] = "other.example" },
	} {
		collect(func(c *googlesession.Config) { c.Admins = []string{adminEmail} }, func(s *site, c *http.Client) { signIn(s, c, change) })
	}
	collect(nil, func(s *site, c *http.Client) {
		inner := s.Handler
		s.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r.RemoteAddr = "127.0.0.1:1"
			inner.ServeHTTP(w, r)
		})
		post(t, c, s.google.Token(alice, begin(t, c)), "X-Forwarded-For", "198.51.100.7")
	})
	collect(func(c *googlesession.Config) {
		c.SecurityEventVerifier = c.Verifier.(googlesession.SecurityEventVerifier)
	}, func(s *site, _ *http.Client) {
		deliver(t, s, googletest.NewGoogle("other.apps.googleusercontent.com").SecurityEvent(googlesession.ChangeSessionsRevoked, alice))
	})
	collect(nil, func(s *site, _ *http.Client) { serve(t, s.manager.Handler(), http.MethodGet, "/api/login", "") })
	collect(func(c *googlesession.Config) { c.LoginPage = "/private" }, func(s *site, _ *http.Client) {
		serve(t, s, http.MethodGet, "/private", "", "Sec-Fetch-Mode", "navigate")
	})
	collect(func(c *googlesession.Config) { c.BaseURL, c.CodeExchanger = origin, new(lateExchanger) }, func(s *site, c *http.Client) {
		get(t, c, "/api/login/google")
	})
	collect(func(c *googlesession.Config) { c.Sessions = otherUsers{c.Sessions.(store)} }, func(s *site, c *http.Client) {
		signIn(s, c, func(map[string]any) {})
		get(t, c, "/private")
	})
	collect(func(c *googlesession.Config) { c.Users = ownIDs{c.Sessions.(store)} }, func(s *site, c *http.Client) {
		signIn(s, c, func(map[string]any) {})
	})
	collect(nil, func(s *site, c *http.Client) {
		signIn(s, c, func(claims map[string]any) { claims["iat"] = time.Now().Add(-2 * time.Minute).Unix() })
		advance(3 * time.Second)
		fresh := s.manager.RequireFresh(time.Minute)(http.NotFoundHandler())
		serve(t, fresh, http.MethodGet, "/pay", "", "Cookie", sessionCookie+"="+cookie(t, c, sessionCookie))
	})
	return lines
}

// otherUsers is a session store that returns the session of another user.
type otherUsers struct{ store }

func (o otherUsers) CheckSession(ctx context.Context, r googlesession.Ref, d time.Duration) (googlesession.Session, error) {
	s, err := o.store.CheckSession(ctx, r, d)
	s.User.ID = "another"
	return s, err
}

// The document has every line that needs the operator, as the library writes it, and no
// other. It has the codes with the status and the text that a browser gets.
func TestTroubleshooting(t *testing.T) {
	data, err := os.ReadFile("docs/troubleshooting.md")
	require.NoError(t, err)
	doc := string(data)
	// A second and third reason stand by themselves in a cell.
	told := map[string]bool{}
	for _, m := range regexp.MustCompile("`((?:WARN|ERROR|INFO) [^`]*)`").FindAllStringSubmatch(doc, -1) {
		told[m[1]] = false
	}
	require.NotEmpty(t, told)
	for _, tt := range operatorCases {
		synctest.Test(t, func(t *testing.T) {
			s, lines := newQuietSite(t, tt.edit)
			tt.send(t, s)
			require.Len(t, lines(t), 1)
			told[quoted(lines(t)[0])] = true
		})
	}
	synctest.Test(t, func(t *testing.T) {
		for _, l := range otherLines(t) {
			if l.text("level") == "INFO" && l.text("hint") == "" || l.text("reason") == "token_refused:signature" {
				continue // an ordinary refusal on the way
			}
			told[quoted(l)] = true
		}
	})
	for line, provoked := range told {
		require.True(t, provoked, "the library does not write this line: %s", line)
		if code, reason, ok := strings.Cut(line, "reason=\""); ok && !strings.Contains(doc, line) {
			require.Contains(t, doc, "`reason=\""+strings.TrimSuffix(reason, " …")+"`", code)
			continue
		}
		require.Contains(t, doc, "`"+line+"`")
	}

	// A cause that no test here provokes is in the document too.
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	causes := 0
	for _, file := range files {
		source, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, m := range regexp.MustCompile(`operatorError\{\s*"([^"]+)"`).FindAllStringSubmatch(string(source), -1) {
			require.Contains(t, doc, m[1], file)
			causes++
		}
	}
	require.Greater(t, causes, 10)

	codes := regexp.MustCompile("\\*([^*]+)\\* (\\d{3}) `([a-z_]+)`").FindAllStringSubmatch(doc, -1)
	require.NotEmpty(t, codes)
	for _, m := range codes {
		d := googlesession.DenialOf(googlesession.Code(m[3]))
		require.Equal(t, m[2], fmt.Sprint(d.Status), m[3])
		require.Equal(t, m[1], d.Detail, m[3])
	}
}

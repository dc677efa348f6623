package conformance_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession/conformance/servers"
)

// buildExample returns the path of the example's program.
func buildExample(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "customer")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, "./customer")
	build.Dir = "../examples"
	out, err := build.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return program
}

// startExample runs a copy of the example in its demo mode and returns its URL.
func startExample(t *testing.T, program string, args ...string) string {
	t.Helper()
	args = append([]string{"-demo", "-demo-key", demoKey, "-addr", "127.0.0.1:0"}, args...)
	cmd := exec.CommandContext(t.Context(), program, args...)
	var log bytes.Buffer
	cmd.Stderr = &log
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
		if t.Failed() {
			t.Log(log.String())
		}
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	require.NoError(t, err, "nothing was printed")
	url, found := strings.CutPrefix(strings.TrimSpace(line), "Open ")
	require.True(t, found, line)
	return strings.TrimSuffix(url, "/?key="+demoKey)
}

// demoKey is the key that the demo requires with each request.
const demoKey = "conformance-tests"

// A visitor is a browser, to which http://localhost is a secure context. Cookies do not
// depend on the port, so the copies of the example are one site with two servers.
type visitor struct {
	t      *testing.T
	client *http.Client
}

func newVisitor(t *testing.T) *visitor {
	t.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	return &visitor{t, &http.Client{Jar: jar, Transport: overHTTP{}, Timeout: 20 * time.Second}}
}

// overHTTP sends requests for https over plain HTTP, so that the cookie jar keeps Secure
// cookies. It adds the cookie that the first request with the demo's key sets.
type overHTTP struct{}

func (overHTTP) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.URL.Scheme = "http"
	r.AddCookie(&http.Cookie{Name: "demo-key-" + r.URL.Port(), Value: demoKey})
	return http.DefaultTransport.RoundTrip(r)
}

// An answer is the response to one request.
type answer struct {
	status int
	header http.Header
	body   string
}

func (v *visitor) do(method, url, body string) answer {
	v.t.Helper()
	url = strings.Replace(url, "http://", "https://", 1)
	r, err := http.NewRequestWithContext(v.t.Context(), method, url, strings.NewReader(body))
	require.NoError(v.t, err)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	res, err := v.client.Do(r)
	require.NoError(v.t, err)
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	require.NoError(v.t, err)
	return answer{res.StatusCode, res.Header, string(text)}
}

func (v *visitor) status(method, url string) int {
	v.t.Helper()
	return v.do(method, url, "").status
}

func (v *visitor) signIn(url, email string) {
	v.t.Helper()
	a := v.trySignIn(url, email)
	require.Equal(v.t, http.StatusOK, a.status, a.body)
}

func (v *visitor) trySignIn(url, email string) answer {
	v.t.Helper()
	var login struct{ Nonce string }
	v.do(http.MethodGet, url+"/api/login", "").decode(v.t, &login)
	token := v.do(http.MethodPost, url+"/demo/token", `{"email":"`+email+`","nonce":"`+login.Nonce+`"}`)
	return v.do(http.MethodPost, url+"/api/login", token.body)
}

func (a answer) decode(t *testing.T, into any) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(a.body), into), a.body)
}

// A place is where two copies of the example store their data.
type place struct {
	store       *servers.Server
	crash       syscall.Signal
	driver, dsn string // those of the application's database
	args        []string
}

// Two copies of the example share one server. A session that one copy ends is refused by
// the other one too. During an outage of the server both answer 503, and no browser loses
// its session.
func TestExampleOnTwoServers(t *testing.T) {
	program := buildExample(t)
	for name, start := range map[string]func(t *testing.T) place{
		"PostgreSQL": func(t *testing.T) place {
			t.Helper()
			s := privatePostgres(t)
			return place{s, syscall.SIGQUIT, "pgx", s.PostgresDSN(), []string{"-db", s.PostgresDSN()}}
		},
		"MariaDB": func(t *testing.T) place {
			t.Helper()
			s := privateMySQL(t)
			return place{s, syscall.SIGKILL, "mysql", s.MySQLDSN(), []string{"-db", "mysql://root@" + s.Addr + "/googlesession"}}
		},
		"Redis": func(t *testing.T) place {
			t.Helper()
			s, file := privateRedis(t, "--appendonly", "yes"), newFile(t)
			return place{s, syscall.SIGKILL, "sqlite", file, []string{"-db", "sqlite:" + file, "-redis", "redis://" + s.Addr}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			at := start(t)
			args := append(at.args, "-invited-only")
			a, b := startExample(t, program, args...), startExample(t, program, args...)
			admin := newVisitor(t)
			admin.signIn(a, "admin@example.com")
			inviteOnTwoServers(t, admin, a, b)
			cleanUpTheAudit(t, admin, a, at)
			endStreamsOnTwoServers(t, admin, a, b)

			ada, elsewhere := newVisitor(t), newVisitor(t)
			ada.signIn(a, "ada@example.com")
			elsewhere.signIn(b, "ada@example.com")
			require.Equal(t, http.StatusOK, ada.status(http.MethodGet, b+"/api/customer"))
			require.Equal(t, http.StatusOK, elsewhere.status(http.MethodGet, b+"/api/user"))

			var list struct {
				Sessions []struct {
					ID      string
					Current bool
				}
			}
			ada.do(http.MethodGet, a+"/api/sessions", "").decode(t, &list)
			require.Len(t, list.Sessions, 2)
			for _, s := range list.Sessions {
				if !s.Current {
					require.Equal(t, http.StatusNoContent, ada.status(http.MethodDelete, a+"/api/sessions/"+s.ID))
				}
			}
			require.Equal(t, http.StatusUnauthorized, elsewhere.status(http.MethodGet, b+"/api/user"), "ended on the other server")

			at.store.End(at.crash)
			for _, url := range []string{a, b} {
				for _, path := range []string{"/api/user", "/api/customer", "/readyz"} {
					began := time.Now()
					a := ada.do(http.MethodGet, url+path, "")
					require.Equal(t, http.StatusServiceUnavailable, a.status, a.body)
					require.NotEmpty(t, a.header.Get("Retry-After"))
					require.Empty(t, a.header["Set-Cookie"])
					require.Less(t, time.Since(began), 10*time.Second)
				}
			}
			require.NoError(t, at.store.Start(t.Context()))
			for _, url := range []string{a, b} {
				require.Eventually(t, func() bool { return ada.status(http.MethodGet, url+"/api/customer") == http.StatusOK },
					20*time.Second, 50*time.Millisecond, "the cookie works again")
			}
			require.Equal(t, http.StatusUnauthorized, elsewhere.status(http.MethodGet, a+"/api/user"), "still ended")
			record(name, "two copies of the example", 1)
		})
	}
}

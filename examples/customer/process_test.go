package main

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession/googletest"
)

// startProcess runs the program in a separate process.
func startProcess(t *testing.T, env []string, args ...string) (*server, *exec.Cmd) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], append([]string{"-addr", "127.0.0.1:0"}, args...)...)
	return startCommand(t, env, cmd)
}

// startLimited runs the program in a separate process with a limit on open files.
func startLimited(t *testing.T, files int, args ...string) (*server, *exec.Cmd) {
	t.Helper()
	script := fmt.Sprintf(`ulimit -n %d && exec "$0" -addr 127.0.0.1:0 "$@"`, files)
	cmd := exec.CommandContext(t.Context(), "sh", append([]string{"-c", script, os.Args[0]}, args...)...)
	return startCommand(t, nil, cmd)
}

func startCommand(t *testing.T, env []string, cmd *exec.Cmd) (*server, *exec.Cmd) {
	t.Helper()
	s := &server{log: &lockedBuffer{}}
	cmd.Env = append([]string{runAsCustomer + "=1"}, env...)
	cmd.Stderr = s.log
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	s.stop = sync.OnceValue(func() int {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
		return cmd.ProcessState.ExitCode()
	})
	t.Cleanup(func() { s.stop() })
	s.url = readURL(t, stdout, s.log)
	return s, cmd
}

// TestTour runs the commands of the README.
func TestTour(t *testing.T) {
	s := start(t, "-db", tempDB(t))
	script, err := filepath.Abs("testdata/tour.sh")
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), "sh", "-eu", script, s.url+"/?key="+s.key())
	cmd.Dir = t.TempDir()
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + cmd.Dir}
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	require.NoError(t, err)

	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	require.Len(t, lines, 4, "%s", out)
	user := `"username":"ada@example.com","email":"ada@example.com","name":"Ada Example"`
	require.Contains(t, lines[0], user)
	require.Equal(t, lines[0], lines[1])
	require.Equal(t, 20, strings.Count(lines[2], `"id":`))
	require.Contains(t, lines[3], `"code":"session_revoked"`)

	text, err := os.ReadFile(script)
	require.NoError(t, err)
	require.LessOrEqual(t, strings.Count(string(text), "\n"), 12, "the README shows the script")
}

func TestSignalsEndTheProcess(t *testing.T) {
	for _, signal := range []os.Signal{syscall.SIGTERM, os.Interrupt} {
		s, cmd := startProcess(t, nil, "-db", tempDB(t))
		// A request in flight is answered before the process ends.
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(s.url, "http://"))
		require.NoError(t, err)
		defer func() { _ = conn.Close() }()
		_, err = io.WriteString(conn, "POST /api/login?key="+s.key()+" HTTP/1.1\r\nHost: localhost\r\n"+
			"Content-Type: application/json\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
		require.NoError(t, err)
		answers := bufio.NewReader(conn)
		line, err := answers.ReadString('\n')
		require.NoError(t, err)
		require.Contains(t, line, "100 Continue")

		require.NoError(t, cmd.Process.Signal(signal))
		require.Eventually(t, func() bool { return strings.Contains(s.log.String(), "shutting down") },
			10*time.Second, 10*time.Millisecond)
		_, err = io.WriteString(conn, "{}")
		require.NoError(t, err)
		_, err = answers.ReadString('\n') // reads the empty line after "100 Continue"
		require.NoError(t, err)
		res, err := http.ReadResponse(answers, nil)
		require.NoError(t, err)
		require.Equal(t, http.StatusBadRequest, res.StatusCode)
		require.NoError(t, res.Body.Close())
		require.NoError(t, cmd.Wait(), "%s: %s", signal, s.log) // s.stop would send a second signal, which ends the process at once
	}
}

// With a client ID, the program fetches Google's keys through the proxy of the
// environment and trusts the root certificates of the environment.
func TestGooglesKeysThroughAProxy(t *testing.T) {
	const clientID = "id.apps.googleusercontent.com"
	google := googletest.NewGoogle(clientID)
	roots, certificate := newCA(t, "www.googleapis.com")
	web := httptest.NewUnstartedServer(google.Handler())
	web.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}}
	web.StartTLS()
	t.Cleanup(web.Close)
	proxy := newProxy(t, web.Listener.Addr().String())

	s, _ := startProcess(t, []string{
		"CUSTOMER_CLIENT_ID=" + clientID, "HTTPS_PROXY=" + proxy.URL, "SSL_CERT_FILE=" + roots, "SSL_CERT_DIR=/nonexistent",
	}, "-db", "memory")
	require.Empty(t, proxy.targets(), "a connection before the first sign-in")
	browser := newBrowser(t)
	credential := google.Token("ada@example.com", s.beginSignIn(t, browser))
	res := s.request(t, browser, http.MethodPost, "/api/login", `{"credential":"`+credential+`"}`)
	require.Equal(t, http.StatusOK, res.status, "%s\n%s", res.body, s.log)
	require.Equal(t, "ada@example.com", jsonString(t, s.get(t, browser, "/api/user"), "email"))
	require.Equal(t, google.Subject("ada@example.com"), jsonString(t, res, "id"))
	require.Equal(t, []string{"www.googleapis.com:443"}, proxy.targets())
	require.Equal(t, 1, google.Requests(googletest.CertsURL))

	// A token of another issuer, such as a demo, is refused.
	stranger := googletest.NewGoogle(clientID)
	forged := stranger.Token("ada@example.com", s.beginSignIn(t, browser))
	res = s.request(t, browser, http.MethodPost, "/api/login", `{"credential":"`+forged+`"}`)
	require.Equal(t, http.StatusUnauthorized, res.status)
	require.Equal(t, "token_refused", problemCode(t, res))
	require.Equal(t, http.StatusOK, s.get(t, browser, "/api/user").status, "a refused sign-in does not sign the browser out")
	require.Zero(t, s.stop())
}

// newCA returns the name of a file with a root certificate, and a certificate for host.
func newCA(t *testing.T, host string) (roots string, leaf tls.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	ca := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	caDER, err := x509.CreateCertificate(rand.Reader, ca, ca, key.Public(), key)
	require.NoError(t, err)
	cert := &x509.Certificate{
		SerialNumber: big.NewInt(2), NotBefore: ca.NotBefore, NotAfter: ca.NotAfter, DNSNames: []string{host},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, cert, ca, key.Public(), key)
	require.NoError(t, err)
	roots = filepath.Join(t.TempDir(), "roots.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: caDER})
	require.NoError(t, os.WriteFile(roots, text, 0o600))
	return roots, tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// A proxy connects every CONNECT request to one address and records the hosts that were
// asked for.
type proxy struct {
	*httptest.Server

	mu    sync.Mutex
	asked []string
}

func newProxy(t *testing.T, to string) *proxy {
	t.Helper()
	p := &proxy{}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		p.asked = append(p.asked, r.Host)
		p.mu.Unlock()
		if r.Method != http.MethodConnect {
			http.Error(w, "CONNECT only", http.StatusMethodNotAllowed)
			return
		}
		upstream, err := (&net.Dialer{}).DialContext(r.Context(), "tcp", to)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			_ = upstream.Close()
			return
		}
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\n\r\n")
		go func() {
			_, _ = io.Copy(upstream, conn)
			_ = upstream.Close()
		}()
		_, _ = io.Copy(conn, upstream)
		_ = conn.Close()
	}))
	t.Cleanup(p.Close)
	return p
}

func (p *proxy) targets() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.asked...)
}

package googletoken_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession/googletest"
	"github.com/googlesession/googlesession/googletoken"
)

// Without an HTTPClient, keys come through the proxy of the environment. net/http reads the
// environment once in a process, so the Verifier runs in a process of its own.
func TestKeysThroughEnvironmentProxy(t *testing.T) {
	const child = "GOOGLETOKEN_TEST_TOKEN"
	if token := os.Getenv(child); token != "" {
		v, err := googletoken.New(googletoken.Config{ClientIDs: []string{clientID}})
		require.NoError(t, err)
		id, err := v.Verify(t.Context(), token, nonce)
		require.NoError(t, err)
		require.Equal(t, email, id.Email)
		return
	}
	if runtime.GOOS == "windows" || runtime.GOOS == "darwin" {
		t.Skip("SSL_CERT_FILE does not replace the system's certificates on this system")
	}

	g := googletest.NewGoogle(clientID)
	certificate, file := certificateFor(t, "www.googleapis.com")
	google := httptest.NewUnstartedServer(g.Handler())
	google.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
	google.EnableHTTP2 = true
	google.StartTLS()
	defer google.Close()
	var mu sync.Mutex
	var asked []string
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		asked = append(asked, r.Method+" "+r.Host)
		mu.Unlock()
		tunnel(w, r, google.Listener.Addr().String())
	}))
	defer proxy.Close()

	program, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), program, "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = []string{
		child + "=" + g.Token(email, nonce), "HTTPS_PROXY=" + proxy.URL,
		"SSL_CERT_FILE=" + file, "SSL_CERT_DIR=" + t.TempDir(),
	}
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Contains(t, string(out), "--- PASS: "+t.Name())
	require.Equal(t, []string{"CONNECT www.googleapis.com:443"}, asked)
	require.Equal(t, 1, fetches(g))
	require.Empty(t, g.Strays())
}

// tunnel connects the two ends and returns when both have finished.
func tunnel(w http.ResponseWriter, r *http.Request, addr string) {
	var dialer net.Dialer
	server, err := dialer.DialContext(r.Context(), "tcp", addr)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer server.Close() //nolint:errcheck // both ends have finished
	w.WriteHeader(http.StatusOK)
	client, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer client.Close() //nolint:errcheck // both ends have finished
	var wg sync.WaitGroup
	wg.Go(func() {
		_, _ = io.Copy(server, buffered)
		_ = server.(*net.TCPConn).CloseWrite()
	})
	_, _ = io.Copy(client, server)
	_ = client.(*net.TCPConn).CloseWrite()
	wg.Wait()
}

// certificateFor returns a certificate for this host, and a file of root certificates that
// makes it trusted.
func certificateFor(t *testing.T, host string) (certificate tls.Certificate, file string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{host}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	file = filepath.Join(t.TempDir(), "roots.pem")
	require.NoError(t, os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, file
}

package recipes_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// proxyFolder has the configurations that docs/proxies.md shows.
const proxyFolder = "testdata/proxies"

// proxyHost is the name of the site in the configurations. Its certificate is that of
// httptest.
const proxyHost = "app.example.com"

// The addresses in the configurations.
const (
	docsServer = "127.0.0.1:8080" // the Go server
	docsOther  = "127.0.0.1:9000" // the other program, which does not know the library
)

// A proxyKind is a proxy that the tests start.
type proxyKind struct {
	name  string
	front string // the configuration of a proxy in front of the Go server
	ask   string // the configuration of a proxy that asks the Go server about another program
	start func(t *testing.T, config string) (addr string)

	down    int   // the status without a Go server, of a proxy that asks
	refused int64 // the calls to the store for a request that is refused
}

var (
	nginx   = &proxyKind{"nginx", "nginx.conf", "nginx-forward-auth.conf", startNginx, http.StatusBadGateway, 2}
	caddy   = &proxyKind{"Caddy", "Caddyfile", "Caddyfile-forward-auth", startCaddy, http.StatusBadGateway, 1}
	traefik = &proxyKind{"stand-in for Traefik", "", "traefik.yml", startTraefik, http.StatusInternalServerError, 1}
)

// An edit replaces a line, or a part of a line, of a configuration.
type edit struct{ old, new string }

// proxyConfig returns the named configuration, edited, for a Go server and another program
// at these addresses. Every old text must be in the configuration, so that an edit cannot
// do nothing.
func proxyConfig(t *testing.T, name, server, other string, edits ...edit) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(proxyFolder, name))
	require.NoError(t, err)
	config := string(text)
	for _, e := range edits {
		require.Contains(t, config, e.old, name)
		config = strings.ReplaceAll(config, e.old, e.new)
	}
	config = strings.ReplaceAll(config, docsServer, server)
	if other != "" {
		config = strings.ReplaceAll(config, docsOther, other)
	}
	return config
}

// startNginx starts nginx with these contents of its http block, and returns its address.
func startNginx(t *testing.T, config string) string {
	t.Helper()
	program := installed(t, "nginx")
	dir, addr := t.TempDir(), freeAddr(t)
	cert, key := writeCertificate(t, dir)
	config = strings.NewReplacer(
		"listen 443 ssl", "listen "+addr+" ssl",
		"/etc/ssl/app.example.com.pem", cert,
		"/etc/ssl/app.example.com.key", key,
		"CACHE", filepath.Join(dir, "cache"),
	).Replace(config)
	// One process, so that ending it leaves no worker behind.
	main := "daemon off;\nmaster_process off;\npid " + dir + "/pid;\nerror_log stderr warn;\nevents {}\nhttp {\naccess_log off;\n" +
		strings.ReplaceAll("client_body_temp_path D/body;\nproxy_temp_path D/proxy;\nfastcgi_temp_path D/fastcgi;\n"+
			"uwsgi_temp_path D/uwsgi;\nscgi_temp_path D/scgi;\n", "D/", dir+"/")
	file := filepath.Join(dir, "nginx.conf")
	require.NoError(t, os.WriteFile(file, []byte(main+config+"}\n"), 0o600))
	startProxy(t, dir, addr, program, "-e", "stderr", "-p", dir, "-c", file)
	return addr
}

// startCaddy starts Caddy with this site, and returns its address.
func startCaddy(t *testing.T, config string) string {
	t.Helper()
	program := installed(t, "caddy")
	dir, addr := t.TempDir(), freeAddr(t)
	cert, key := writeCertificate(t, dir)
	host, port, err := net.SplitHostPort(addr)
	require.NoError(t, err)
	global := fmt.Sprintf("{\n\tadmin off\n\tauto_https disable_redirects\n\tdefault_bind %s\n\thttps_port %s\n}\n", host, port)
	site := proxyHost + " {"
	require.Contains(t, config, site)
	config = global + strings.Replace(config, site, site+"\n\ttls "+cert+" "+key, 1)
	file := filepath.Join(dir, "Caddyfile")
	require.NoError(t, os.WriteFile(file, []byte(config), 0o600))
	startProxy(t, dir, addr, program, "run", "--config", file, "--adapter", "caddyfile")
	return addr
}

// startProxy starts the program and returns when it accepts connections. The process is
// ended when the test ends.
func startProxy(t *testing.T, dir, addr, program string, args ...string) {
	t.Helper()
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	cmd := exec.CommandContext(ctx, program, args...)
	var log bytes.Buffer
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &log, &log
	cmd.Env = append(os.Environ(), "HOME="+dir, "XDG_DATA_HOME="+dir, "XDG_CONFIG_HOME="+dir)
	require.NoError(t, cmd.Start())
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
	t.Cleanup(func() {
		stop()
		<-ended
		if t.Failed() {
			t.Logf("%s:\n%s", filepath.Base(program), log.Bytes())
		}
	})
	for deadline := time.Now().Add(30 * time.Second); ; {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", addr)
		if err == nil {
			require.NoError(t, conn.Close())
			return
		}
		select {
		case <-ended:
			t.Fatalf("%s has ended:\n%s", filepath.Base(program), log.Bytes())
		case <-time.After(10 * time.Millisecond):
		}
		require.True(t, time.Now().Before(deadline), "%s does not answer", filepath.Base(program))
	}
}

// freeAddr returns an address on which no process listens now. Its IP address is a random
// one of the loopback network, so that neither a test that runs at the same time nor an
// outgoing connection takes the port before the proxy does.
func freeAddr(t *testing.T) string {
	t.Helper()
	ip := net.IPv4(127, byte(1+rand.IntN(254)), byte(rand.IntN(256)), byte(1+rand.IntN(254))) //nolint:gosec // not a secret
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", net.JoinHostPort(ip.String(), "0"))
	require.NoError(t, err)
	defer func() { require.NoError(t, l.Close()) }()
	return l.Addr().String()
}

// proxyCertificate is the certificate of httptest, which is for example.com and its hosts.
func proxyCertificate(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	s := httptest.NewTLSServer(http.NotFoundHandler())
	defer s.Close()
	pool := x509.NewCertPool()
	pool.AddCert(s.Certificate())
	return s.TLS.Certificates[0], pool
}

// writeCertificate writes the certificate and its key into files of the folder.
func writeCertificate(t *testing.T, dir string) (cert, key string) {
	t.Helper()
	c, _ := proxyCertificate(t)
	der, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
	require.NoError(t, err)
	write := func(name, kind string, der []byte) string {
		file := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600))
		return file
	}
	return write("cert.pem", "CERTIFICATE", c.Certificate[0]), write("key.pem", "PRIVATE KEY", der)
}

// dialProxy returns a function that connects to the proxy at addr whatever the URL says,
// from an address that is not the proxy's.
func dialProxy(addr string) func(context.Context, string, string) (net.Conn, error) {
	client := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(browserIP)}}
	return func(ctx context.Context, network, _ string) (net.Conn, error) {
		return client.DialContext(ctx, network, addr)
	}
}

// browserIP is the address of the browsers of these tests. All of 127.0.0.0/8 is this
// machine on Linux.
const browserIP = "127.0.0.2"

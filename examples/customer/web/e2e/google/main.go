// Command google is a stand-in for Google, for browser tests of the program with a client
// ID. It serves Google's keys and exchanges codes behind a proxy. It also serves Google's
// script and the page of a sign-in by redirect, which the tests put in the place of
// https://accounts.google.com/. It terminates TLS for a site named app.test, so that a
// sibling host can try to plant cookies.
//
//	google -app http://127.0.0.1:PORT -roots FILE
//
// It prints one line of JSON with its addresses and the environment for the application.
package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"flag"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"time"

	"github.com/googlesession/googlesession/googletest"
)

const clientID = "test.apps.googleusercontent.com"

func main() {
	app := flag.String("app", "", "the application's `URL`")
	roots := flag.String("roots", "", "`file` for the root certificate")
	flag.Parse()
	if err := run(*app, *roots); err != nil {
		log.Fatal(err)
	}
}

func run(app, roots string) error {
	target, err := url.Parse(app)
	if err != nil {
		return err
	}
	config, err := newTLS(roots, "www.googleapis.com", "oauth2.googleapis.com", "app.test", "*.app.test", "other.test")
	if err != nil {
		return err
	}
	google := googletest.NewGoogle(clientID)
	pages := http.NewServeMux()
	pages.Handle("/gsi/client", google.ScriptHandler("/gsi/token", "ada@example.com"))
	pages.Handle("/gsi/token", google.TokenHandler())
	pages.Handle("/o/oauth2/v2/auth", google.AuthorizationHandler("ada@example.com", "bob@example.com"))

	failed := make(chan error)
	start := func(h http.Handler, config *tls.Config) string {
		listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
		if err != nil {
			log.Fatal(err)
		}
		address := listener.Addr().String()
		if config != nil {
			listener = tls.NewListener(listener, config)
		}
		server := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second}
		go func() { failed <- server.Serve(listener) }()
		return address
	}
	keys := start(google.Handler(), config)
	line, err := json.Marshal(map[string]any{
		"google": "http://" + start(pages, nil),
		"app":    start(newReverseProxy(target), config),
		"env": map[string]string{
			"CUSTOMER_CLIENT_ID": clientID, "CUSTOMER_CLIENT_SECRET": google.ClientSecret(),
			"HTTPS_PROXY": "http://" + start(tunnel(keys), nil), "SSL_CERT_FILE": roots, "SSL_CERT_DIR": "/nonexistent",
		},
	})
	if err != nil {
		return err
	}
	fmt.Println(string(line))
	return <-failed
}

// newTLS writes a root certificate to the file roots and returns the TLS configuration of
// a server with these names.
func newTLS(roots string, names ...string) (*tls.Config, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	root := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	rootDER, err := x509.CreateCertificate(rand.Reader, root, root, key.Public(), key)
	if err != nil {
		return nil, err
	}
	leaf := &x509.Certificate{SerialNumber: big.NewInt(2), NotBefore: root.NotBefore, NotAfter: root.NotAfter, DNSNames: names}
	leafDER, err := x509.CreateCertificate(rand.Reader, leaf, root, key.Public(), key)
	if err != nil {
		return nil, err
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: rootDER})
	if err := os.WriteFile(roots, text, 0o600); err != nil {
		return nil, err
	}
	certificate := tls.Certificate{Certificate: [][]byte{leafDER}, PrivateKey: key}
	return &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}, nil
}

// newReverseProxy passes on requests to app.test and keeps their Host header. For other
// hosts, such as evil.app.test and other.test, it serves an empty page, which the tests
// fill.
func newReverseProxy(target *url.URL) http.Handler {
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		r.Out.Host = r.In.Host
	}}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if host, _, _ := net.SplitHostPort(r.Host); host != "app.test" {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			_, _ = io.WriteString(w, "<!doctype html><title>another site</title>")
			return
		}
		proxy.ServeHTTP(w, r)
	})
}

// tunnel connects every CONNECT request to one address.
func tunnel(to string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
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
	})
}

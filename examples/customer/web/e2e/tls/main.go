// Command tls terminates TLS on localhost in front of a server, for the tests of what browsers
// do over https only. It prints its port and the hash of its key, in the form of Chromium's flag
// --ignore-certificate-errors-spki-list.
//
//	tls HOST:PORT
package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"os"
	"time"
)

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: tls HOST:PORT")
	}
	certificate, pin, err := newCertificate()
	if err != nil {
		log.Fatal(err)
	}
	listener, err := tls.Listen("tcp", "localhost:0", &tls.Config{
		Certificates: []tls.Certificate{certificate},
		NextProtos:   []string{"http/1.1"},
		MinVersion:   tls.VersionTLS12,
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port, pin)
	for {
		browser, err := listener.Accept()
		if err != nil {
			log.Fatal(err)
		}
		go forward(browser, os.Args[1])
	}
}

// newCertificate returns a self-signed certificate, and the hash of its public key.
func newCertificate() (certificate tls.Certificate, pin string, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return certificate, "", err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(24 * time.Hour),
		DNSNames:     []string{"localhost", "app.test"},
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return certificate, "", err
	}
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	sum := sha256.Sum256(public)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, base64.StdEncoding.EncodeToString(sum[:]), err
}

// forward copies both directions until either side closes its connection.
func forward(browser net.Conn, address string) {
	defer func() { _ = browser.Close() }()
	server, err := (&net.Dialer{}).DialContext(context.Background(), "tcp", address)
	if err != nil {
		return
	}
	defer func() { _ = server.Close() }()
	go func() {
		_, _ = io.Copy(server, browser)
		_ = server.(*net.TCPConn).CloseWrite()
	}()
	_, _ = io.Copy(browser, server)
}

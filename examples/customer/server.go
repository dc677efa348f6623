package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

// serve prepares the stores, listens, prints the URL to stdout and answers requests
// until ctx is done. Requests in flight then have 10 seconds to end.
func (a *app) serve(ctx context.Context, stdout io.Writer) error {
	if err := a.stores.open(ctx); err != nil {
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", a.opts.addr)
	if err != nil {
		return fmt.Errorf("%w (-addr sets another address)", err)
	}
	defer func() { _ = listener.Close() }() // an error says that the server has closed it
	if a.demo != nil && !isLoopback(hostname(listener.Addr().String())) {
		// The machine's hosts file may give localhost another address.
		return errors.New("demo mode: localhost is not a loopback address of this machine")
	}
	if err := a.setAddress(listener.Addr()); err != nil {
		return err
	}
	server := a.server()
	a.logWarnings()
	_, _ = fmt.Fprintln(stdout, "Open "+a.browserURL(listener.Addr()))

	sampling, stopSampling := context.WithCancel(ctx)
	var sampler sync.WaitGroup
	sampler.Go(func() { a.sampleTotals(sampling) })
	defer sampler.Wait()
	defer stopSampling()
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	a.log.Info("shutting down")
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	return server.Shutdown(ctx)
}

// server returns the HTTP server with limits on time and size. The limits stop an attacker
// who holds connections open, and browsers do not reach them.
func (a *app) server() *http.Server {
	server := &http.Server{
		Handler:           a.handler(),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       15 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    32 << 10,
		ErrorLog:          slog.NewLogLogger(a.log.Handler(), slog.LevelWarn),
	}
	server.RegisterOnShutdown(func() { close(a.closing) }) // Shutdown waits for streams but does not end them
	return server
}

// logWarnings logs which settings let more people in than an operator may expect.
func (a *app) logWarnings() {
	if a.demo != nil {
		a.log.Warn("demo mode: every person on this machine can sign in with any account; -client-id switches to Google")
	}
	if a.demo == nil && !a.opts.invitedOnly {
		a.log.Warn("every Google account can sign in and change the customers; -invited-only admits invited people only")
	}
	if a.opts.skipNonce {
		a.log.Warn("-skip-nonce: a stolen ID token can be used to sign in")
	}
	if a.opts.allowHTTP {
		a.log.Warn("-dangerously-allow-http: cookies are sent without Secure, and only requests to localhost are answered")
	}
}

// browserURL returns the address of the server for a browser on this machine. In demo mode
// the address contains the demo's key.
func (a *app) browserURL(addr net.Addr) string {
	address := localURL(a.opts.addr, addr)
	if a.demo != nil {
		address += "/?" + keyParameter + "=" + a.demo.key
	}
	return address
}

// localURL returns the address of a server that listens on addr, for a browser on this
// machine. It keeps the host name of -addr, because Google compares the spelling of an
// address. If addr is nil, the port is that of -addr.
func localURL(flag string, addr net.Addr) string {
	host, port, _ := net.SplitHostPort(flag)
	if addr != nil {
		_, port, _ = net.SplitHostPort(addr.String())
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return "http://" + net.JoinHostPort(host, port)
}

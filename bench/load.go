package bench

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"
)

// connections is how many connections the load generator uses. Each connection carries one
// request at a time.
const connections = 32

// overHTTP measures a net/http server over the loopback interface. The load generator does
// as little as possible, because it shares the machine with the server. It writes prepared
// requests and reads the answers.
func (r *Run) overHTTP() {
	const least = 0.8 // the least throughput, as a share of the throughput without authentication
	size := r.pick(1000, 50)
	headers := cookies(size, size)
	sites := []Site{anonymous()}
	for _, store := range r.stores("http_") {
		defer store.close()
		fill(store, size, r.cpus)
		store.settle()
		site := ours(store, headers)
		site.Name += ", " + store.name
		sites = append(sites, site)
	}
	sites = append(sites, scsInMemory(size, false), scsInMemory(size, true))

	var subjects []Subject
	for _, site := range sites {
		server := site.serve()
		defer server.stop()
		subjects = append(subjects, server.subject())
	}
	settings := r.settings()
	settings.Pass *= 4 // longer passes, because the connections do not finish their shares at the same time
	figures := settings.measure(subjects, connections)
	rows := [][]string{{"", "requests/s", "of that with nothing"}}
	for i, figure := range figures {
		share := 1 / figure.Over(figures[0])
		rows = append(rows, []string{subjects[i].Name, fmt.Sprintf("%.0f", 1e9/figure.Median()), fmt.Sprintf("%.2f", share)})
		if i == 1 {
			r.verdicts = append(r.verdicts, Verdict{
				What: "Over HTTP: " + subjects[i].Name, Want: fmt.Sprintf("≥ %.1f of the throughput without", least), Got: fmt.Sprintf("%.2f", share), Met: share >= least,
			})
		}
	}
	heading(r.out, "Over HTTP", sprint("%d connections over loopback, %d sessions; the load generator takes its part of the %d CPUs.", connections, size, r.cpus))
	printTable(r.out, rows)
}

// A server serves a site over TCP.
type server struct {
	Site

	http     http.Server
	listener net.Listener
}

func (s Site) serve() *server {
	listener := must1((&net.ListenConfig{}).Listen(background, "tcp", "127.0.0.1:0"))
	server := &server{Site: s, listener: listener}
	server.http.Handler, server.http.ReadHeaderTimeout = s.Handler, 5*time.Second
	go func() { _ = server.http.Serve(listener) }() // Serve returns when stop is called
	return server
}

func (s *server) stop() {
	ctx, cancel := context.WithTimeout(background, 5*time.Second)
	defer cancel()
	must(s.http.Shutdown(ctx))
}

// subject returns a subject that opens a connection for each worker.
func (s *server) subject() Subject {
	requests := make([][]byte, len(s.Cookies))
	for i, cookie := range s.Cookies {
		requests[i] = []byte("GET / HTTP/1.1\r\nHost: localhost\r\nCookie: " + cookie + "\r\n\r\n")
	}
	workers := 0
	return Subject{s.Name, func() func() {
		conn := must1((&net.Dialer{}).DialContext(background, "tcp", s.listener.Addr().String()))
		answers := bufio.NewReader(conn)
		next := workers * 7919 % len(requests)
		workers++
		return func() {
			must1(conn.Write(requests[next]))
			must(readAnswer(answers))
			if next++; next == len(requests) {
				next = 0
			}
		}
	}}
}

// readAnswer reads one answer, which must have the status 200 and a Content-Length.
func readAnswer(r *bufio.Reader) error {
	status, err := r.ReadSlice('\n')
	if err != nil {
		return err
	}
	if !bytes.HasPrefix(status, []byte("HTTP/1.1 200 ")) {
		return fmt.Errorf("bench: the server answers %q", status)
	}
	length := 0
	for {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return err
		}
		if len(line) == len("\r\n") {
			_, err := r.Discard(length)
			return err
		}
		if value, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				return err
			}
		}
	}
}

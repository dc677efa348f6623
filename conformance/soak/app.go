package soak

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/googlesession/googlesession/conformance/faults"
	"github.com/googlesession/googlesession/conformance/servers"
)

// An app is one server of the application. It is a process of its own, or a Manager in this
// process if the backend is the memory store.
type app struct {
	client *http.Client
	report *Report
	base   string        // the URL below which the routes are; a restart does not change it
	proxy  *faults.Proxy // stands between the app and its store; nil if the store has no server
	store  *flakyStore   // wraps the memory store; nil for other backends

	mu      sync.Mutex
	config  appConfig
	cmd     *exec.Cmd // nil for the memory store
	stdin   io.Closer
	done    chan struct{}
	server  net.Listener // set for the memory store only
	stopped bool
}

// start starts the app for the first time and remembers where it listens.
func (a *app) start(ctx context.Context, c appConfig) error {
	a.config = c
	if a.store != nil {
		l, handler, err := listen(ctx, c, stores{a.store, a.store})
		if err != nil {
			return err
		}
		a.server = l
		a.serves(l.Addr().String())
		go func() { _ = serve(l, handler) }()
		return nil
	}
	return a.launch()
}

// launch starts the process of the app and waits until the process listens. It does nothing
// if the app is stopped.
func (a *app) launch() error {
	program, err := os.Executable()
	if err != nil {
		return err
	}
	config, err := json.Marshal(a.config)
	if err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.stopped {
		return nil
	}
	cmd := exec.Command(program) //nolint:gosec,noctx // program is the executable of this process, and stop ends it without a context
	cmd.Env = append(os.Environ(), appVariable+"="+string(config))
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	a.cmd, a.stdin, a.done = cmd, stdin, make(chan struct{})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	go func(done chan<- struct{}) {
		_ = cmd.Wait()
		close(done)
	}(a.done)
	if err != nil {
		return fmt.Errorf("soak: a process did not print its address: %w", err)
	}
	if a.base == "" {
		a.serves(strings.TrimSpace(line))
	}
	return nil
}

// serves notes that the app listens on addr. A restarted process listens there again.
func (a *app) serves(addr string) {
	a.config.Addr = addr
	a.base = "http://" + addr + "/api"
}

// kill ends the process as a crash would, and starts the app again.
func (a *app) kill() error {
	a.signal(syscall.SIGKILL)
	<-a.done
	a.client.CloseIdleConnections()
	var err error
	for range 50 { // the port of the ended process may be in use for a moment
		if err = a.launch(); err == nil {
			return nil
		}
		pause(context.Background(), 20*time.Millisecond)
	}
	return err
}

func (a *app) signal(s os.Signal) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.cmd != nil {
		_ = a.cmd.Process.Signal(s)
	}
}

func (a *app) stop() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.stopped = true
	if a.server != nil {
		_ = a.server.Close()
	}
	if a.cmd != nil {
		_ = a.cmd.Process.Signal(servers.SignalResume)
		_ = a.stdin.Close()
		_ = a.cmd.Process.Kill()
		<-a.done
	}
	if a.proxy != nil {
		a.proxy.Close()
	}
	a.client.CloseIdleConnections()
}

// An answer is the response to one request.
type answer struct {
	status       int // 0 if a complete response did not arrive, for example because the process was killed
	code         string
	body         []byte
	cookies      []*http.Cookie
	began, ended time.Time
}

// unknown reports whether the answer leaves open if the request took effect.
func (a answer) unknown() bool { return a.status == 0 || a.status == http.StatusServiceUnavailable }

// refused reports whether the status is one that refuses a session or a sign-in.
func (a answer) refused() bool {
	return a.status == http.StatusUnauthorized || a.status == http.StatusForbidden
}

// A request is one call of a route.
type request struct {
	method, path string // path is a route such as "/sessions/{ref}"; the args replace "{id}" and "{ref}"
	args         []string
	cookies      []string // "name=value"
	body         string
	contentType  string
}

// do sends the request to the app. It passes the status and the time of the answer to the
// report, which judges them.
func (a *app) do(ctx context.Context, q request) answer {
	path := q.path
	for _, arg := range q.args {
		open, shut := strings.IndexByte(path, '{'), strings.IndexByte(path, '}')
		path = path[:open] + arg + path[shut+1:]
	}
	out := answer{began: time.Now()}
	// The end of ctx does not cancel the request, because the judge needs to know its
	// outcome.
	r, err := http.NewRequestWithContext(context.WithoutCancel(ctx), q.method, a.base+path, strings.NewReader(q.body))
	if err != nil {
		a.report.violation("bad request: %v", err)
		return out
	}
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	if q.contentType != "" {
		r.Header.Set("Content-Type", q.contentType)
	}
	if len(q.cookies) > 0 {
		r.Header.Set("Cookie", strings.Join(q.cookies, "; "))
	}
	res, err := a.client.Do(r)
	if err == nil {
		out.status, out.cookies = res.StatusCode, res.Cookies()
		out.body, err = io.ReadAll(res.Body)
		_ = res.Body.Close()
	}
	out.ended = time.Now()
	if err != nil {
		out.status = 0
		if errors.Is(err, os.ErrDeadlineExceeded) || out.ended.Sub(out.began) >= a.client.Timeout {
			a.report.violation("%s %s: no answer in %v", q.method, q.path, a.client.Timeout)
		}
		a.report.answered(q, out, 0)
		return out
	}
	var problem struct{ Code string }
	if out.status >= http.StatusBadRequest && json.Unmarshal(out.body, &problem) == nil {
		out.code = problem.Code
	}
	took, err := time.ParseDuration(res.Header.Get(tookHeader) + "ns")
	if err != nil {
		took = out.ended.Sub(out.began)
	}
	a.report.answered(q, out, took)
	return out
}

// pause waits for the duration or until ctx is done.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/googlesession/googlesession"
)

const (
	// liveRecheck is how long a stream may go on after another server has ended its
	// session.
	liveRecheck = 5 * time.Second

	// livePing keeps proxies from closing a silent connection.
	livePing = 25 * time.Second

	// liveWrite is how long a browser may leave what it was sent unread.
	liveWrite = 10 * time.Second
)

// liveHandler serves an event stream (WHATWG HTML, section 9.2) that lasts as long as
// the session. A stream is what a guard in front alone would leave open for ever.
func (a *app) liveHandler() http.Handler {
	return a.sessions.RequireUser(a.sessions.EndWithSession(liveRecheck)(http.HandlerFunc(a.serveLive)))
}

func (a *app) serveLive(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Content-Type", "text/event-stream")
	header.Set("X-Accel-Buffering", "no") // nginx would wait for more
	if r.Method == http.MethodHead {
		return
	}
	connection := http.NewResponseController(w)
	send := func(format string, args ...any) error {
		if err := connection.SetWriteDeadline(time.Now().Add(liveWrite)); err != nil {
			return err
		}
		if _, err := fmt.Fprintf(w, format+"\n\n", args...); err != nil {
			return err
		}
		return connection.Flush()
	}
	err := send("retry: 3000\nevent: hello\ndata: {}")
	ping := time.NewTicker(livePing)
	defer ping.Stop()
	for err == nil {
		select {
		case <-r.Context().Done():
			if code := endedCode(r.Context()); code != "" {
				_ = send("event: ended\ndata: {\"code\":%q}", code) // if it fails, the browser has gone
			}
			return
		case <-a.closing: // the browser comes back, to whichever server there is
			return
		case <-ping.C:
			err = send(": ping")
		}
	}
}

// endedCode is what the next request will be told; "" if the browser has gone. A browser
// that connects again is refused and stops trying.
func endedCode(ctx context.Context) googlesession.Code {
	switch err := context.Cause(ctx); {
	case errors.Is(err, googlesession.ErrSessionExpired):
		return googlesession.CodeSessionExpired
	case errors.Is(err, googlesession.ErrSessionRevoked):
		return googlesession.CodeSessionRevoked
	case errors.Is(err, googlesession.ErrNoSession):
		return googlesession.CodeNoSession
	case errors.Is(err, googlesession.ErrUserDisabled):
		return googlesession.CodeUserDisabled
	default:
		return ""
	}
}

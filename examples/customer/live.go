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
	// liveRecheck is the longest time for which a stream goes on after another server has
	// ended the session of the stream.
	liveRecheck = 5 * time.Second

	// livePing is the time between two comments in a stream. The comments keep proxies
	// from closing an idle connection.
	livePing = 25 * time.Second

	// liveWrite is the timeout of a write. It ends the stream of a browser that has stopped
	// reading.
	liveWrite = 10 * time.Second
)

// liveHandler serves an event stream (WHATWG HTML, section 9.2) that lasts as long as
// the session. RequireUser checks the session when the request begins. EndWithSession
// ends the stream when the session ends.
func (a *app) liveHandler() http.Handler {
	return a.sessions.RequireUser(a.sessions.EndWithSession(liveRecheck)(http.HandlerFunc(a.serveLive)))
}

func (a *app) serveLive(w http.ResponseWriter, r *http.Request) {
	send, ok := beginStream(w, r)
	if !ok {
		return
	}
	session, _ := googlesession.SessionFrom(r.Context())
	changed, stop := a.changes.watch(session)
	defer stop()
	err := send("retry: 3000\nevent: hello\ndata: {}")
	ping := time.NewTicker(livePing)
	defer ping.Stop()
	for err == nil {
		select {
		case <-r.Context().Done():
			// An error of send means that the browser has gone.
			if code := endedCode(r.Context()); code != "" {
				_ = send("event: ended\ndata: {\"code\":%q}", code)
			} else {
				_ = send("event: rights\ndata: {}") // the session goes on, but the user's rights have changed
			}
			return
		case <-a.closing: // the server shuts down, and the browser reconnects by itself
			return
		case <-changed:
			err = send("event: changed\ndata: {}")
		case <-ping.C:
			err = send(": ping")
		}
	}
}

// beginStream sets the headers of an event stream, and returns the function that sends an
// event. It reports false for a HEAD request, whose answer ends with the headers.
func beginStream(w http.ResponseWriter, r *http.Request) (send func(format string, args ...any) error, ok bool) {
	header := w.Header()
	header.Set("Content-Type", "text/event-stream")
	header.Set("X-Accel-Buffering", "no") // without this header, nginx holds events back in its buffer
	connection := http.NewResponseController(w)
	return func(format string, args ...any) error {
		if err := connection.SetWriteDeadline(time.Now().Add(liveWrite)); err != nil {
			return err
		}
		if _, err := fmt.Fprintf(w, format+"\n\n", args...); err != nil {
			return err
		}
		return connection.Flush()
	}, r.Method != http.MethodHead
}

// endedCode returns the code with which the next request of the ended session will be
// refused, or "" if the browser has disconnected. A browser that reconnects is refused
// with that code and stops reconnecting.
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

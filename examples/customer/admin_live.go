package main

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/googlesession/googlesession"
)

// countsPause is the shortest time between two events counts of a stream.
const countsPause = time.Second

// adminLiveHandler serves an event stream with what happens in this process. The event entry
// has an entry of the audit. The event counts says that the overview has changed. The stream
// ends with the session, and when its user stops being an administrator. A page opens it
// again by itself, so the request does not count as a use of the session.
func (a *app) adminLiveHandler() http.Handler {
	stream := a.sessions.EndWithSession(liveRecheck)(http.HandlerFunc(a.serveAdminLive))
	return a.sessions.WithoutUse(a.sessions.RequireAdmin(stream))
}

func (a *app) serveAdminLive(w http.ResponseWriter, r *http.Request) {
	send, ok := beginStream(w, r)
	if !ok {
		return
	}
	reader := a.feed.join() // before the first event, so that the page misses nothing after it
	defer a.feed.leave(reader)
	err := send("retry: 3000\nevent: hello\ndata: {}")
	ping := time.NewTicker(livePing)
	defer ping.Stop()
	changed, pause := reader.changed, time.NewTimer(0)
	defer pause.Stop()
	for err == nil {
		select {
		case <-r.Context().Done():
			if code := adminEndedCode(r.Context()); code != "" {
				_ = send("event: ended\ndata: {\"code\":%q}", code) // an error means that the browser has gone
			}
			return
		case <-a.closing:
			return
		case <-ping.C:
			err = send(": ping")
		case e, open := <-reader.entries:
			if !open {
				return // the browser reads too slowly, and opens the stream again
			}
			err = a.sendEntry(r.Context(), send, e)
		case <-changed:
			err = send("event: counts\ndata: {}")
			changed = nil // receives again after the pause
			pause.Reset(countsPause)
		case <-pause.C:
			changed = reader.changed
		}
	}
}

// sendEntry sends an entry with its names. During an outage of a store it sends the entry
// with the IDs alone.
func (a *app) sendEntry(ctx context.Context, send func(string, ...any) error, e auditEntry) error {
	body, err := a.newAuditNames().describe(ctx, e)
	if err != nil && ctx.Err() != nil {
		return nil //nolint:nilerr // the loop sees that the context is done
	}
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	return send("event: entry\ndata: %s", text)
}

// adminEndedCode returns what endedCode returns, or the code for a user who is not an
// administrator any more.
func adminEndedCode(ctx context.Context) googlesession.Code {
	if d, ok := errors.AsType[googlesession.Denial](context.Cause(ctx)); ok && d.Code == googlesession.CodeNotAdmin {
		return d.Code
	}
	return endedCode(ctx)
}

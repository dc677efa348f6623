package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/googlesession/googlesession"
)

// demoUserAgents are the browsers that people may have besides the present one.
var demoUserAgents = []string{
	"Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0",
	"Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1",
	"Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36",
}

// A demoBrowser is a browser inside the program. It signs in by the routes that other
// browsers use, and keeps an /api/live stream open.
type demoBrowser struct {
	ID        string `json:"id"`
	Email     string `json:"email"`
	User      string `json:"user"` // the ID of the user
	UserAgent string `json:"user_agent"`
	Session   string `json:"session"`

	owner  googlesession.PublicID // the session that has opened this browser
	ref    googlesession.Ref
	client *demoClient
	done   <-chan struct{}
	close  context.CancelFunc

	mu      sync.Mutex
	events  []demoBrowserEvent
	dropped int           // events that are not kept any more
	changed chan struct{} // closed when there is another event
	endedAt time.Time     // when the store confirmed that the session has ended
}

// A demoBrowserEvent is what the browser has experienced. The data is JSON.
type demoBrowserEvent struct {
	kind string
	data []byte
}

// maxDemoEvents is how many events of a browser the demo keeps.
const maxDemoEvents = 200

var errSignInRefused = errors.New("the account may not sign in")

// signIn makes the requests of a page that signs in.
func (b *demoBrowser) signIn(ctx context.Context, token func(email, nonce string) string) error {
	const attempts = 3
	for attempt := 1; ; attempt++ {
		login, err := b.send(ctx, http.MethodGet, "/api/login", "")
		if err != nil {
			return err
		}
		credential, err := json.Marshal(map[string]string{"credential": token(b.Email, jsonMember(login.body, "nonce"))})
		if err != nil {
			return err
		}
		answer, err := b.send(ctx, http.MethodPost, "/api/login", string(credential))
		switch {
		case err != nil:
			return err
		case answer.Status == http.StatusOK:
			b.User = jsonMember(answer.body, "id")
			return b.learnSession(ctx)
		case answer.Status >= http.StatusInternalServerError:
			return googlesession.ErrUnavailable
		case jsonMember(answer.body, "code") != string(googlesession.CodeTokenRefused) || attempt == attempts:
			return errSignInRefused
		}
		// A token counts whole seconds. After a security event or a deletion in this second,
		// only a token of the next second is new enough.
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// learnSession asks which session is the browser's own.
func (b *demoBrowser) learnSession(ctx context.Context) error {
	answer, err := b.send(ctx, http.MethodGet, "/api/sessions", "")
	if err != nil {
		return err
	}
	var list struct {
		Sessions []struct {
			ID      string
			Current bool
		}
	}
	if err := json.Unmarshal(answer.body, &list); err != nil {
		return err
	}
	for _, s := range list.Sessions {
		if s.Current {
			b.Session = s.ID
		}
	}
	b.ref, err = googlesession.ParseRef(b.Session)
	return err
}

// send sends a request and records it as an event.
func (b *demoBrowser) send(ctx context.Context, method, path, body string) (exchange, error) {
	x, err := b.client.send(ctx, method, path, body)
	if err == nil {
		b.record("request", map[string]any{"method": method, "path": path, "status": x.Status, "ms": x.MS})
	}
	return x, err
}

// follow keeps a stream open, as a page does, until the session has ended or the browser is
// closed. Then it asks who is signed in, as a page does that has lost its session.
func (b *demoBrowser) follow(ctx context.Context) {
	const retry = time.Second
	for {
		code, at := b.readStream(ctx)
		if code != "" {
			b.recordEnd(code, at)
			_, _ = b.send(ctx, http.MethodGet, "/api/user", "") // an error means that the browser is closed
			return
		}
		select {
		case <-time.After(retry):
		case <-ctx.Done():
			return
		}
	}
}

// readStream reads a stream to its end. It returns the code with which the server refuses
// the session, and when the browser has learnt that, or "" if the stream has ended for
// another reason.
func (b *demoBrowser) readStream(ctx context.Context) (code string, at time.Time) {
	const path = "/api/live"
	r, err := b.client.newRequest(ctx, http.MethodGet, path, "")
	if err != nil {
		return "", at
	}
	began := time.Now()
	res, err := b.client.http.Do(r)
	if err != nil {
		return "", at
	}
	defer func() { _ = res.Body.Close() }()
	b.record("request", map[string]any{
		"method": http.MethodGet, "path": path, "status": res.StatusCode, "ms": milliseconds(time.Since(began)),
	})
	lines := bufio.NewScanner(res.Body)
	if res.StatusCode == http.StatusUnauthorized || res.StatusCode == http.StatusForbidden {
		lines.Scan()
		return jsonMember(lines.Bytes(), "code"), time.Now()
	}
	ended := false
	for lines.Scan() {
		data, isData := strings.CutPrefix(lines.Text(), "data: ")
		switch {
		case lines.Text() == "event: ended":
			ended = true
		case ended && isData:
			return jsonMember([]byte(data), "code"), time.Now()
		}
	}
	return "", at
}

// recordEnd records the end of the session. The event has the time from the moment when the
// store confirmed the end until the browser learnt it, if a store call of this process has
// ended the session.
func (b *demoBrowser) recordEnd(code string, at time.Time) {
	b.mu.Lock()
	endedAt := b.endedAt
	b.mu.Unlock()
	data := map[string]any{"code": code}
	if !endedAt.IsZero() {
		data["ms"] = milliseconds(max(0, at.Sub(endedAt)))
	}
	b.record("ended", data)
}

func (b *demoBrowser) record(kind string, data any) {
	text, err := json.Marshal(data)
	if err != nil {
		panic("demo: " + err.Error()) // unreachable, because the values are texts and numbers
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.events) == maxDemoEvents {
		b.events = b.events[1:]
		b.dropped++
	}
	b.events = append(b.events, demoBrowserEvent{kind, text})
	close(b.changed)
	b.changed = make(chan struct{})
}

// eventsFrom returns the events from the number on that are kept, the number of the next
// event, and a channel that is closed when there is one.
func (b *demoBrowser) eventsFrom(number int) (events []demoBrowserEvent, next int, changed <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	next = b.dropped + len(b.events)
	number = min(max(number, b.dropped), next)
	return slices.Clone(b.events[number-b.dropped:]), next, b.changed
}

// noteEnd records when the store has ended the session. Only the first call counts.
func (b *demoBrowser) noteEnd() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.endedAt.IsZero() {
		b.endedAt = time.Now()
	}
}

// jsonMember returns a member of a JSON object that is a text, or "".
func jsonMember(object []byte, name string) string {
	members := map[string]any{}
	_ = json.Unmarshal(object, &members) // after an error the member is missing, which is handled
	text, _ := members[name].(string)
	return text
}

package googlesession_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
)

// A logLine is a line of the operator's log.
type logLine map[string]any

func (l logLine) text(key string) string {
	s, _ := l[key].(string)
	return s
}

// jsonLogger returns a Logger and the function that reads what it has written.
func jsonLogger(level slog.Level) (l *slog.Logger, lines func(testing.TB) []logLine) {
	out := new(syncBuffer)
	l = slog.New(slog.NewJSONHandler(out, &slog.HandlerOptions{Level: level}))
	return l, func(t testing.TB) (list []logLine) {
		t.Helper()
		for line := range strings.Lines(out.String()) {
			var l logLine
			require.NoError(t, json.Unmarshal([]byte(line), &l), line)
			list = append(list, l)
		}
		return list
	}
}

// newQuietSite returns a site without Config.Events, and the function that reads its log.
func newQuietSite(t testing.TB, edit func(*googlesession.Config)) (*site, func(testing.TB) []logLine) {
	t.Helper()
	l, lines := jsonLogger(slog.LevelDebug)
	s := newSite(t, func(c *googlesession.Config) {
		c.Events, c.Logger = nil, l
		if edit != nil {
			edit(c)
		}
	})
	return s, lines
}

// asHost gives every request another Host.
func asHost(h http.Handler, host string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Host = host
		h.ServeHTTP(w, r)
	})
}

// The log has the first refusal of a burst at once, and the number of the others after a
// minute. Without a second refusal the Manager starts no timer and writes no second line.
func TestBurst(t *testing.T) {
	cross := func(t *testing.T, s *site) {
		require.Equal(t, 403, serve(t, s, http.MethodPost, "/private", "", "Origin", "https://front.app.test").status)
	}
	null := func(t *testing.T, s *site) {
		require.Equal(t, 403, serve(t, s, http.MethodPost, "/private", "", "Origin", "null").status)
	}
	for _, n := range []int{1, 2, 1000} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, lines := newQuietSite(t, nil)
				for range n {
					cross(t, s)
				}
				null(t, s) // another cause of the same code is not hidden by the burst
				require.Len(t, lines(t), 2)
				advance(time.Minute - time.Millisecond)
				require.Len(t, lines(t), 2)
				advance(2 * time.Millisecond) // without a request
				if n == 1 {
					require.Len(t, lines(t), 2)
				} else {
					list := lines(t)
					require.Len(t, list, 3)
					l := list[2]
					require.Equal(t, "WARN", l["level"])
					require.Equal(t, "googlesession: request refused", l["msg"])
					require.Equal(t, "cross_origin", l["code"])
					require.InDelta(t, n-1, l["suppressed"], 0)
					require.Equal(t, list[0]["hint"], l["cause"])
				}
				before := len(lines(t))
				cross(t, s)
				require.Len(t, lines(t), before+1, "the next minute begins with a line of its own")
				advance(time.Hour)
				require.Len(t, lines(t), before+1, "and ends without a number")
			})
		})
	}
}

// During an outage each kind of failed call has one line in a minute. Another call, a
// timeout and another kind of error have lines of their own.
func TestOutageIsSummarized(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, lines := newQuietSite(t, nil)
		c := s.signIn(t, alice)
		s.store.failing("CheckSession", errors.New("connection refused"))
		for range 100 {
			require.Equal(t, 503, get(t, c, "/private?q="+marked).status)
		}
		list := lines(t)
		require.Len(t, list, 1)
		require.Equal(t, "ERROR", list[0]["level"])
		require.Equal(t, "googlesession: unavailable", list[0]["msg"])
		require.Equal(t, "connection refused", list[0]["error"])
		require.Equal(t, "unavailable", list[0]["code"])
		require.Equal(t, "/private", list[0]["path"])

		s.store.failing("CheckSession", fmt.Errorf("query: %w", context.DeadlineExceeded))
		get(t, c, "/private")
		get(t, c, "/public")
		require.Len(t, lines(t), 2, "a timeout is another cause")

		s.store.failing("SignIn", errors.New("connection refused"))
		for range 3 {
			require.Equal(t, 503, post(t, c, s.google.Token(alice, begin(t, c))).status)
		}
		require.Len(t, lines(t), 3, "another call")
		require.Contains(t, lines(t)[2].text("error"), "signing a user in")

		advance(time.Minute + time.Millisecond)
		list = lines(t)
		require.Len(t, list, 6, "the numbers")
		numbers := map[string]any{}
		for _, l := range list[3:] {
			require.Equal(t, "ERROR", l["level"])
			require.Equal(t, "unavailable", l["code"])
			numbers[l.text("cause")] = l["suppressed"]
		}
		require.Equal(t, map[string]any{"checking a session": 99.0, "checking a session (timeout)": 1.0, "signing a user in": 2.0}, numbers)
	})
}

// LogEvents does not write an event that the Manager has logged or counted, unless
// LogEvents has another Logger.
func TestNothingIsLoggedTwice(t *testing.T) {
	for _, which := range []string{"the same Logger", "the same handler", "another Logger", "nil"} {
		t.Run(which, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l, lines := jsonLogger(slog.LevelDebug)
				to, elsewhere := l, lines
				switch which {
				case "the same handler":
					to = slog.New(l.Handler())
				case "another Logger":
					to, elsewhere = jsonLogger(slog.LevelDebug)
				case "nil":
					old := slog.Default()
					slog.SetDefault(l)
					defer slog.SetDefault(old)
					l, to = nil, nil
				}
				var events []googlesession.Event
				s := newSite(t, func(c *googlesession.Config) {
					write := googlesession.LogEvents(to)
					c.Logger = l
					c.Events = func(ctx context.Context, e googlesession.Event) {
						events = append(events, e)
						write(ctx, e)
					}
				})
				for range 3 {
					serve(t, s, http.MethodPost, "/private", "", "Origin", "null")
				}
				for range 3 {
					serve(t, s, http.MethodPost, "/api/login", "{}", "Content-Type", "application/json")
				}
				c := s.google.Browser(s)
				s.store.failing("SignIn", errors.New("down"))
				for range 3 {
					post(t, c, s.google.Token(alice, begin(t, c)))
				}
				serve(t, s, http.MethodGet, "/private", "") // the Manager does not log this
				require.Len(t, events, 10, "a function of the application's own gets every event")
				if which == "another Logger" {
					require.Len(t, lines(t), 3)
					require.Len(t, elsewhere(t), 10, "every event")
					return
				}
				require.Len(t, lines(t), 4)
				require.Equal(t, "googlesession: denied", lines(t)[3]["msg"])
				require.Equal(t, "DEBUG", lines(t)[3]["level"])
			})
		})
	}
}

// If the Config's Logger does not log a level, the Manager has not logged the event, so
// LogEvents writes it.
func TestLevelThatTheLoggerDoesNotLog(t *testing.T) {
	l, lines := jsonLogger(slog.LevelError)
	other, elsewhere := jsonLogger(slog.LevelDebug)
	s := newSite(t, func(c *googlesession.Config) { c.Logger, c.Events = l, googlesession.LogEvents(other) })
	for range 3 {
		serve(t, s, http.MethodPost, "/private", "", "Origin", "null")
	}
	require.Empty(t, lines(t))
	require.Len(t, elsewhere(t), 3)
}

// Bursts of many goroutines are counted exactly, and a Logger whose handler panics does not
// end the process.
func TestBurstOfManyGoroutines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, lines := newQuietSite(t, func(c *googlesession.Config) {
			c.Logger = slog.New(panicsOnNumbers{c.Logger.Handler()})
		})
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() {
				for range 20 {
					serve(t, s, http.MethodPost, "/private", "", "Origin", "null")
				}
			})
		}
		wg.Wait()
		advance(2 * time.Minute)
		list := lines(t)
		require.Len(t, list, 2)
		require.InDelta(t, 999, list[1]["suppressed"], 0)
	})
}

// panicsOnNumbers writes a record and panics if it has the number of suppressed lines.
type panicsOnNumbers struct{ slog.Handler }

func (p panicsOnNumbers) Handle(ctx context.Context, r slog.Record) error {
	err := p.Handler.Handle(ctx, r)
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == "suppressed" {
			panic("handler")
		}
		return true
	})
	return err
}

// A verifier that invents reasons cannot make the Manager keep or write a line for each
// reason.
func TestInventedReasons(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := new(inventive)
		s, lines := newQuietSite(t, func(c *googlesession.Config) { c.Verifier = v })
		for range 1000 {
			serve(t, s, http.MethodPost, "/api/login", `{"credential":"x"}`, "Content-Type", "application/json",
				"Cookie", loginCookie+"="+strings.Repeat("A", 43))
		}
		require.Less(t, len(lines(t)), 100)
		advance(time.Minute + time.Millisecond)
		require.Less(t, len(lines(t)), 100)
		last := lines(t)[len(lines(t))-1]
		require.InDelta(t, 1000-64-1, last["suppressed"], 0)
	})
}

// inventive is a verifier that refuses each token for another reason.
type inventive struct{ n int }

func (*inventive) ClientID() string { return clientID }

func (v *inventive) Verify(context.Context, string, string) (googlesession.Identity, error) {
	v.n++
	return googlesession.Identity{}, &googlesession.TokenError{Reason: googlesession.TokenReason(fmt.Sprint("reason", v.n))}
}

package googletest_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession/googletest"
)

// answer returns a function that answers refreshes with this status and body.
func answer(status int, body string) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, _ *http.Request) bool {
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
		return true
	}
}

// Each answer to a refresh keeps or ends the session, as in Chromium.
func TestBoundBrowserAnswers(t *testing.T) {
	challenged := func(w http.ResponseWriter, r *http.Request) bool {
		w.Header().Set("Secure-Session-Challenge", `"same";id="`+r.Header.Get("Sec-Secure-Session-Id")+`"`)
		w.WriteHeader(http.StatusForbidden)
		return true
	}
	for _, tt := range []struct {
		name    string
		answer  func(http.ResponseWriter, *http.Request) bool
		kept    bool
		skipped string // the reason in Secure-Session-Skipped; "" if the header is missing
		tries   int
	}{
		{"empty", answer(200, ""), true, "", 1},
		{"no content", answer(204, ""), true, "", 1},
		{"continue false", answer(200, `{"continue":false}`), false, "", 1},
		{"no JSON", answer(200, "OK"), false, "", 1},
		{"blank", answer(200, "\n"), false, "", 1},
		{"no configuration", answer(200, "{}"), false, "", 1},
		{"redirect", answer(302, ""), false, "", 1},
		{"bad request", answer(400, ""), false, "", 1},
		{"unauthorized", answer(401, ""), false, "", 1},
		{"not found", answer(404, ""), false, "", 1},
		{"too many requests", answer(429, ""), false, "", 1},
		{"forbidden", answer(403, ""), false, "", 4},
		{"challenges", challenged, false, "", 4},
		{"server error", answer(500, ""), true, "server_error", 1},
		{"unavailable", answer(503, ""), true, "server_error", 1},
		{"proxy", answer(407, ""), true, "unreachable", 1},
		{"broken", func(http.ResponseWriter, *http.Request) bool { panic(http.ErrAbortHandler) }, true, "unreachable", 1},
		{"hangs", func(_ http.ResponseWriter, r *http.Request) bool { <-r.Context().Done(); return true }, true, "unreachable", 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, s *boundServer, b *googletest.BoundBrowser) {
				ada := signIn(t, b)
				id := b.Sessions()
				require.Equal(t, "200 bound", page(t, ada))
				after(11 * time.Minute)
				tries := 0
				s.refresh = func(w http.ResponseWriter, r *http.Request) bool { tries++; return tt.answer(w, r) }
				start := time.Now()
				require.Equal(t, "401", page(t, ada))
				require.Equal(t, tt.kept, len(b.Sessions()) == 1, "%v", b.History())
				require.Equal(t, tt.tries, tries)
				require.Equal(t, tt.name == "hangs", time.Since(start) == 20*time.Second)
				if tt.skipped == "" {
					require.Empty(t, s.skipped)
				} else {
					require.Equal(t, []string{tt.skipped + `;session_identifier="` + id[0] + `"`}, s.skipped)
				}
				s.refresh = nil
				require.Equal(t, tt.kept, page(t, ada) == "200 bound", "the server is well again")
			})
		})
	}
}

// A 403 without a challenge ends a session that has never got one.
func TestBoundBrowserWithoutChallenge(t *testing.T) {
	inBubble(t, func(t *testing.T, s *boundServer, b *googletest.BoundBrowser) {
		ada := signIn(t, b)
		s.refresh = answer(403, "")
		require.Equal(t, "200 unbound", page(t, ada))
		require.Empty(t, b.Sessions())
		require.Contains(t, b.History()[1], ": status 403")
	})
}

// After four server errors, the browser pauses for a while.
func TestBoundBrowserPauses(t *testing.T) {
	inBubble(t, func(t *testing.T, s *boundServer, b *googletest.BoundBrowser) {
		ada := signIn(t, b)
		require.Equal(t, "200 bound", page(t, ada))
		after(11 * time.Minute)
		tries := 0
		s.refresh = func(w http.ResponseWriter, r *http.Request) bool { tries++; return answer(503, "")(w, r) }
		for range 6 {
			page(t, ada)
		}
		require.Equal(t, 4, tries)
		require.True(t, strings.HasPrefix(s.skipped[3], "server_error;"))
		require.True(t, strings.HasPrefix(s.skipped[4], "unreachable;"))
		after(500 * time.Millisecond)
		page(t, ada)
		require.Equal(t, 5, tries)
		after(749 * time.Millisecond)
		page(t, ada)
		require.Equal(t, 5, tries)
		after(time.Millisecond)
		broken := s.refresh
		s.refresh = nil
		require.Equal(t, "200 bound", page(t, ada))

		after(11 * time.Minute)
		s.refresh = broken
		for range 4 {
			page(t, ada)
		}
		require.Equal(t, 9, tries, "a success ends the count of errors")
	})
}

// A refresh before the cookie's end that fails is not tried again, and the cookie is sent.
func TestBoundBrowserFailsEarly(t *testing.T) {
	inBubble(t, func(t *testing.T, s *boundServer, b *googletest.BoundBrowser) {
		ada := signIn(t, b)
		require.Equal(t, "200 bound", page(t, ada))
		after(9 * time.Minute)
		tries := 0
		s.refresh = func(w http.ResponseWriter, r *http.Request) bool { tries++; return answer(503, "")(w, r) }
		require.Equal(t, "200 bound", page(t, ada))
		require.Equal(t, "200 bound", page(t, ada))
		require.Equal(t, 1, tries)
		require.Empty(t, s.skipped)
		after(time.Minute)
		s.refresh = nil
		require.Equal(t, "200 bound", page(t, ada))
		after(9 * time.Minute)
		s.taken()
		require.Equal(t, "200 bound", page(t, ada))
		require.Contains(t, s.taken(), "POST /dbsc/refresh 200 proof", "it is tried again after a success")
	})
}

// A configuration in a refresh replaces the session's, and the challenge is forgotten.
func TestBoundBrowserConfigurationInRefresh(t *testing.T) {
	inBubble(t, func(t *testing.T, s *boundServer, b *googletest.BoundBrowser) {
		ada := signIn(t, b)
		require.Equal(t, "200 bound", page(t, ada))
		after(9 * time.Minute)
		id := b.Sessions()[0]
		s.refresh = answer(200, `{"session_identifier":"`+id+`","refresh_url":"/dbsc/other","scope":{"include_site":true},
			"credentials":[{"type":"cookie","name":"__Host-bound","attributes":"`+boundAttributes+`"}]}`)
		require.Equal(t, "200 bound", page(t, ada))
		s.taken()
		s.HandleFunc("POST /dbsc/other", s.serveRefresh)
		s.refresh = nil
		require.Equal(t, "200 bound", page(t, ada))
		require.Equal(t, []string{"POST /dbsc/other 403", "POST /dbsc/other 200 proof", "GET /hello 200"}, s.taken())

		after(9 * time.Minute)
		s.refresh = answer(200, `{"session_identifier":"another","scope":{"include_site":true},"credentials":[{"type":"cookie","name":"c"}]}`)
		require.Equal(t, "200 bound", page(t, ada))
		require.Empty(t, b.Sessions())
	})
}

// A browser with faults is admitted only as long as the server can.
func TestBoundBrowserMisbehaves(t *testing.T) {
	for _, tt := range []struct {
		name   string
		faults googletest.BoundFaults
		want   [3]string // right after the sign-in, then, and eleven minutes later
		kept   bool      // the browser has a session at the end
	}{
		{"none", googletest.BoundFaults{}, [3]string{"200 bound", "200 bound", "200 bound"}, true},
		{"never refreshes", googletest.BoundFaults{NoRefresh: true}, [3]string{"200 unbound", "200 unbound", "200 unbound"}, true},
		{"refreshes late", googletest.BoundFaults{LateRefresh: true}, [3]string{"200 unbound", "200 bound", "401"}, true},
		{"signs with another key", googletest.BoundFaults{OtherKey: true}, [3]string{"200 unbound", "200 unbound", "200 unbound"}, false},
		{"sends two proofs", googletest.BoundFaults{TwoProofs: true}, [3]string{"200 unbound", "200 unbound", "200 unbound"}, false},
		{"sends an old proof", googletest.BoundFaults{OldProof: true}, [3]string{"200 bound", "200 bound", "401"}, false},
		{"drops the session", googletest.BoundFaults{DropSession: true}, [3]string{"200 unbound", "200 unbound", "200 unbound"}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, _ *boundServer, b *googletest.BoundBrowser) {
				b.Misbehave(tt.faults)
				ada := signIn(t, b)
				var got [3]string
				got[0], got[1] = page(t, ada), page(t, ada)
				after(11 * time.Minute)
				got[2] = page(t, ada)
				require.Equal(t, tt.want, got)
				require.Equal(t, tt.kept, len(b.Sessions()) == 1, "%v", b.History())
			})
		})
	}
}

// A refresh with another key than the registered one ends the session.
func TestBoundBrowserOtherKeyLater(t *testing.T) {
	inBubble(t, func(t *testing.T, _ *boundServer, b *googletest.BoundBrowser) {
		ada := signIn(t, b)
		require.Equal(t, "200 bound", page(t, ada))
		after(11 * time.Minute)
		b.Misbehave(googletest.BoundFaults{OtherKey: true})
		require.Equal(t, "401", page(t, ada))
		require.Empty(t, b.Sessions())
	})
}

// A challenge is for the session that it names, and one that comes early saves a round trip.
func TestBoundBrowserEarlyChallenge(t *testing.T) {
	for _, tt := range []struct {
		name   string
		params func(id string) string
		want   int // how many refreshes there are
	}{
		{"its own", func(id string) string { return `;id="` + id + `"` }, 1},
		{"of another session", func(string) string { return `;id="another"` }, 2},
		{"without a session", func(string) string { return "" }, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, s *boundServer, b *googletest.BoundBrowser) {
				s.editConfig = func(config map[string]any) { config["refresh_url"] = "/refresh" }
				s.HandleFunc("POST /refresh", s.serveRefresh)
				ada := signIn(t, b)
				id := b.Sessions()[0]
				s.HandleFunc("GET /challenge", func(w http.ResponseWriter, _ *http.Request) {
					challenge := s.sessions[id].stamp("challenge", time.Now().Add(time.Minute))
					w.Header().Set("Secure-Session-Challenge", `"`+challenge+`"`+tt.params(id))
				})
				b.Misbehave(googletest.BoundFaults{NoRefresh: true})
				res, err := ada.Get(googletest.Origin + "/challenge")
				require.NoError(t, err)
				require.NoError(t, res.Body.Close())
				b.Misbehave(googletest.BoundFaults{})
				s.taken()
				require.Equal(t, "200 bound", page(t, ada))
				require.Len(t, s.taken(), tt.want+1)
			})
		})
	}
}

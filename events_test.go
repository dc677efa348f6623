package googlesession_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
)

func TestLogEvents(t *testing.T) {
	out := new(syncBuffer)
	l := slog.New(slog.NewJSONHandler(out, &slog.HandlerOptions{Level: slog.LevelDebug, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}))
	ref := googlesession.Ref{ID: [32]byte{1}}
	for _, tt := range []struct {
		name  string
		event googlesession.Event
		want  string
	}{
		{
			"everything",
			googlesession.Event{
				Kind: googlesession.EventRevoked, Actor: "a", UserID: "u", Reason: "r", Ref: ref, Count: 2,
				Device: googlesession.Device{IP: "192.0.2.1", UserAgent: "ua"}, Err: errors.New("e"),
			},
			`{"level":"INFO","msg":"googlesession: revoked","actor":"a","user":"u","reason":"r","session":"` + ref.String() +
				`","count":2,"ip":"192.0.2.1","user_agent":"ua","error":"e"}`,
		},
		{
			"what does not apply is left out",
			googlesession.Event{Kind: googlesession.EventUserDeleted, Actor: "system", UserID: "u"},
			`{"level":"INFO","msg":"googlesession: user_deleted","actor":"system","user":"u"}`,
		},
		{
			"refusal",
			googlesession.Event{Kind: googlesession.EventSignInRefused, Actor: "system", Reason: "not_admitted"},
			`{"level":"INFO","msg":"googlesession: sign_in_refused","actor":"system","reason":"not_admitted"}`,
		},
		{
			"refusal that needs the operator",
			googlesession.Event{
				Kind: googlesession.EventSignInRefused, Actor: "system", Reason: "token_refused:time",
				Err: &googlesession.TokenError{Reason: googlesession.ReasonTime},
			},
			`{"level":"WARN","msg":"googlesession: sign_in_refused","actor":"system","reason":"token_refused:time","error":"googlesession: token refused: time"}`,
		},
		{
			"token that is too old for its user",
			googlesession.Event{
				Kind: googlesession.EventSignInRefused, Actor: "system", UserID: "u", Reason: "token_refused:time",
				Err: &googlesession.TokenError{Reason: googlesession.ReasonTime},
			},
			`{"level":"INFO","msg":"googlesession: sign_in_refused","actor":"system","user":"u","reason":"token_refused:time","error":"googlesession: token refused: time"}`,
		},
		{
			"refused security event",
			googlesession.Event{Kind: googlesession.EventDenied, Actor: "system", Reason: "security_event:malformed"},
			`{"level":"WARN","msg":"googlesession: denied","actor":"system","reason":"security_event:malformed"}`,
		},
		{
			"a visitor",
			googlesession.Event{Kind: googlesession.EventDenied, Actor: "system", Reason: string(googlesession.CodeNoSession)},
			`{"level":"DEBUG","msg":"googlesession: denied","actor":"system","reason":"no_session"}`,
		},
		{
			"outage",
			googlesession.Event{Kind: googlesession.EventUnavailable, Actor: "system"},
			`{"level":"ERROR","msg":"googlesession: unavailable","actor":"system"}`,
		},
		{
			"touch",
			googlesession.Event{Kind: googlesession.EventTouched, Actor: "u", UserID: "u"},
			`{"level":"DEBUG","msg":"googlesession: touched","actor":"u","user":"u"}`,
		},
	} {
		before := len(out.String())
		googlesession.LogEvents(l)(t.Context(), tt.event)
		got := out.String()[before:]
		require.True(t, json.Valid([]byte(got)))
		require.Equal(t, tt.want, strings.TrimSpace(got), tt.name)
	}
}

// A device is new if no live session of the user has its user agent.
func TestNewDevice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, nil)
		signIn := func(agent string) {
			c := s.google.Browser(s)
			require.Equal(t, http.StatusOK, post(t, c, s.google.Token(alice, begin(t, c)), "User-Agent", agent).status)
		}
		isNew := func(agent string) bool {
			s.events = nil
			signIn(agent)
			kinds := s.kinds()
			require.Equal(t, googlesession.EventSignedIn, kinds[0])
			if len(kinds) == 1 {
				return false
			}
			require.Equal(t, []googlesession.EventKind{googlesession.EventSignedIn, googlesession.EventNewDevice}, kinds)
			require.Equal(t, agent, s.events[1].Device.UserAgent)
			require.Equal(t, s.google.Subject(alice), s.events[1].UserID)
			return true
		}
		require.True(t, isNew("phone"))
		require.False(t, isNew("phone"))
		require.True(t, isNew("laptop"))
		require.False(t, isNew("phone"))
		_, err := s.manager.RevokeUser(t.Context(), s.google.Subject(alice))
		require.NoError(t, err)
		require.True(t, isNew("phone"), "ended sessions do not count")
		advance(31 * time.Minute)
		require.True(t, isNew("phone"), "expired ones neither")

		s.store.failing("Sessions", errors.New("down"))
		require.False(t, isNew("tablet"), "the store does not answer, and the sign-in goes on")
	})
}

// A refused sign-in names the user if the token was verified, and a sign-in that replaces a
// session reports that.
func TestEventsNameTheUser(t *testing.T) {
	s := newSite(t, nil)
	c := s.signIn(t, alice)
	id := s.google.Subject(alice)
	ref, _ := s.manager.RefOf(cookie(t, c, sessionCookie))
	s.events = nil
	get(t, c, "/admin")
	require.Len(t, s.events, 1)
	require.Equal(t, googlesession.EventDenied, s.events[0].Kind)
	require.Equal(t, id, s.events[0].Actor)
	require.Equal(t, ref, s.events[0].Ref)

	s.events = nil
	require.Equal(t, http.StatusOK, post(t, c, s.google.Token(alice, begin(t, c))).status)
	require.Equal(t, googlesession.EventRevoked, s.events[0].Kind)
	require.Equal(t, "replaced", s.events[0].Reason)
	require.Equal(t, ref, s.events[0].Ref)
	require.Equal(t, id, s.events[0].UserID)

	_, err := s.manager.SetAccess(t.Context(), id, disable)
	require.NoError(t, err)
	s.events = nil
	post(t, c, s.google.Token(alice, begin(t, c)))
	require.Equal(t, googlesession.EventSignInRefused, s.events[0].Kind)
	require.Equal(t, id, s.events[0].UserID)
	s.events = nil
	post(t, c, s.google.Token(alice, ""))
	require.Equal(t, googlesession.EventSignInRefused, s.events[0].Kind)
	require.Empty(t, s.events[0].UserID, "a refused token names no user")
}

// Without Config.Events a sign-in does not ask the store for the user's devices.
func TestNewDeviceNotQueriedWithoutEvents(t *testing.T) {
	s := newSite(t, func(c *googlesession.Config) { c.Events = nil })
	s.signIn(t, alice)
	require.Zero(t, s.store.count("Sessions"))
}

func TestTouchedEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, nil)
		c := s.signIn(t, alice)
		touched := func() (n int) {
			for _, k := range s.kinds() {
				if k == googlesession.EventTouched {
					n++
				}
			}
			return n
		}
		for range 10 {
			get(t, c, "/private")
		}
		require.Zero(t, touched())
		advance(time.Minute)
		for range 10 {
			get(t, c, "/private")
		}
		require.Equal(t, 1, touched())
	})
}

var _ func(context.Context, googlesession.Event) = googlesession.LogEvents(nil)

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
				PublicID: googlesession.PublicID{2}, PublicIDs: []googlesession.PublicID{{3}, {4}},
				Device: googlesession.Device{IP: "192.0.2.1", UserAgent: "ua"}, Err: errors.New("e"),
			},
			`{"level":"INFO","msg":"googlesession: revoked","actor":"a","user":"u","reason":"r","session":"` + ref.String() +
				`","public_id":"AgAAAAAAAAAAAAAAAAAAAA","public_ids":["AwAAAAAAAAAAAAAAAAAAAA","BAAAAAAAAAAAAAAAAAAAAA"],"count":2,"ip":"192.0.2.1","user_agent":"ua","error":"e"}`,
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

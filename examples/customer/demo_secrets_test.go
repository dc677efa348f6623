package main

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// The texts for the page have no credential, so that they can be shown and photographed.
func TestDemoHidesSecrets(t *testing.T) {
	s := newSite(t, "-db", "memory")
	b := s.openBrowser(t, s.admin, `{}`)
	kept := s.demo.browsers.find(b.ID, s.demo.browsers.list[0].owner)
	secrets := make([]string, 0, 8)
	for _, c := range kept.client.http.Jar.Cookies(demoSite) {
		secrets = append(secrets, c.Value)
	}
	require.NotEmpty(t, secrets)
	thief := s.stealCookie(t, s.admin, `{"browser":"`+b.ID+`"}`)
	shown := []exchange{
		s.replay(t, s.admin, thief),
		s.sendFrom(t, s.admin, b.ID, "GET", "/api/sessions", ""),
		s.sendFrom(t, s.admin, b.ID, "GET", "/api/login", ""),
		s.sendFrom(t, s.admin, b.ID, "POST", "/api/tokens", `{"label":"x"}`),
		s.sendFrom(t, s.admin, b.ID, "POST", "/api/login", `{"credential":"se\"cret"}`),
	}
	require.Equal(t, http.StatusCreated, shown[3].Status, shown[3].Answer)
	require.Contains(t, shown[3].Answer, `"token":"`+mask+`"`)
	require.Contains(t, shown[2].Answer, `"nonce":"`+mask+`"`)
	require.Contains(t, shown[4].Request, `{"credential":"`+mask+`"}`)
	events := s.followBrowser(t, s.admin, b.ID)
	s.request(t, s.admin, http.MethodDelete, "/api/sessions/"+b.Session, "")
	events.until(t, "ended", "")
	for _, x := range shown {
		for _, secret := range secrets {
			require.NotContains(t, x.Request+x.Answer, secret)
		}
		require.LessOrEqual(t, len(x.Answer), demoAnswer)
	}
	for _, secret := range secrets {
		require.NotContains(t, s.server.log.String(), secret)
	}
}

// A secret is masked if it is cut off or has escapes, and other texts are left alone.
func TestMaskSecrets(t *testing.T) {
	for text, want := range map[string]string{ //nolint:gosec // the texts look like secrets on purpose
		`{"token":"abc","label":"x"}`:    `{"token":"` + mask + `","label":"x"}`,
		`{"nonce" : "a\"b"}`:             `{"nonce" : "` + mask + `"}`,
		`{"credential":"cut off`:         `{"credential":"` + mask + `"`,
		`{"tokens":[],"secretary":"x"}`:  `{"tokens":[],"secretary":"x"}`,
		`{"name":"token","secret":null}`: `{"name":"token","secret":null}`,
		`{"a":{"secret":""}}`:            `{"a":{"secret":"` + mask + `"}}`,
		`plain text`:                     `plain text`,
	} {
		require.Equal(t, want, maskSecrets(text), "maskSecrets(%q)", text)
	}
}

// A copied cookie works until the session ends, and not afterwards.
func TestDemoThief(t *testing.T) {
	s := newSite(t, "-db", "memory")
	own := s.stealCookie(t, s.admin, `{}`)
	require.Equal(t, http.StatusOK, s.replay(t, s.admin, own).Status)
	b := s.openBrowser(t, s.admin, `{"email":"ada@example.com"}`)
	adas := s.stealCookie(t, s.admin, `{"browser":"`+b.ID+`"}`)
	x := s.replay(t, s.admin, adas)
	require.Equal(t, http.StatusOK, x.Status)
	require.Contains(t, x.Answer, "ada@example.com")

	require.Equal(t, http.StatusNoContent, s.request(t, s.admin, http.MethodDelete, "/demo/browsers/"+b.ID, "").status)
	require.Equal(t, http.StatusUnauthorized, s.replay(t, s.admin, adas).Status)
	require.Equal(t, http.StatusNoContent, s.request(t, s.admin, http.MethodPost, "/api/logout", "").status)
	x = s.replay(t, newBrowser(t), own)
	require.Equal(t, http.StatusUnauthorized, x.Status, "the copy is usable without a session")
	require.Contains(t, x.Request, "Cookie: __Host-Http-session="+mask+"\n")
}

package googletest

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"testing"
)

// AppToken returns a token as a mobile app gets it from a sign-in library that cannot pass a
// nonce of the server. It is for this Google's client ID (aud), the app has requested it (azp),
// and it has no nonce claim.
func (g *Google) AppToken(email, appClientID string) string {
	d := g.Draft(email, "")
	d.Claims["azp"] = appClientID
	return g.Mint(d)
}

// SignInProgram signs a user in as a program does, which has no cookies, and returns the bearer
// token. The handler h and the path are those of [Google.SignIn], with
// [googlesession.Config.Bearer]. If a request fails or is refused, SignInProgram fails the test
// with t.Fatalf.
func (g *Google) SignInProgram(t testing.TB, h http.Handler, path, email, label string) (token string) {
	t.Helper()
	var begin struct{ Nonce, Secret string }
	g.programRequest(t, h, http.MethodGet, path+"?deliver=token", nil, &begin)
	var answer struct{ Token string }
	g.programRequest(t, h, http.MethodPost, path, map[string]string{
		"deliver": "token", "credential": g.Token(email, begin.Nonce), "secret": begin.Secret, "label": label,
	}, &answer)
	return answer.Token
}

// programRequest makes one of the two requests of a program's sign-in.
func (g *Google) programRequest(t testing.TB, h http.Handler, method, path string, body map[string]string, answer any) {
	t.Helper()
	data, err := json.Marshal(body)
	if err != nil {
		t.Fatalf("googletest: SignInProgram: %v", err)
	}
	r, err := http.NewRequestWithContext(t.Context(), method, Origin+path, bytes.NewReader(data))
	if err != nil {
		t.Fatalf("googletest: SignInProgram: %v", err)
	}
	r.Header.Set("Content-Type", "application/json")
	res, err := serveInMemory(h, r)
	if err != nil {
		t.Fatalf("googletest: SignInProgram: %v", err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(res.Body, 64<<10))
	if err != nil {
		t.Fatalf("googletest: SignInProgram: %s %s: %v", method, path, err)
	}
	if res.StatusCode != http.StatusOK {
		t.Fatalf("googletest: SignInProgram: %s %s: %s\n%.500s", method, path, res.Status, text)
	}
	if err := json.Unmarshal(text, answer); err != nil {
		t.Fatalf("googletest: SignInProgram: %s %s does not answer as Manager.Handler does: %v", method, path, err)
	}
}

package bench

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/coreos/go-oidc/v3/oidc"
	"google.golang.org/api/idtoken"
	"google.golang.org/api/option"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/googletest"
	"github.com/googlesession/googlesession/googletoken"
	memstore "github.com/googlesession/googlesession/store_memory"
)

const (
	clientID = "bench.apps.googleusercontent.com"
	email    = "ada@example.com"

	bareIDToken = "google.golang.org/api/idtoken"
	verifying   = "googletoken"
)

// verification compares verifiers of Google's ID tokens that have already fetched Google's
// keys, and measures a sign-in.
func (r *Run) verification() {
	google := googletest.NewGoogle(clientID)
	verifier := must1(googletoken.New(googletoken.Config{ClientIDs: []string{clientID}, HTTPClient: google.Client()}))
	bare := must1(idtoken.NewValidator(background, option.WithHTTPClient(google.Client())))
	const nonce = "Ms1dcYTrmMfXC5rNCEsHYOCQIBmGFN0LWpRlK7A9sqY"
	token := google.Token(email, nonce)

	// go-oidc fetches the keys with the first token and keeps them, as this library does.
	ctx := oidc.ClientContext(background, google.Client())
	keys := oidc.NewRemoteKeySet(ctx, "https://www.googleapis.com/oauth2/v3/certs")
	other := oidc.NewVerifier("https://accounts.google.com", keys, &oidc.Config{ClientID: clientID})

	verify := func(name string, f func(context.Context) error) Subject {
		return Subject{name, func() func() { return func() { must(f(background)) } }}
	}
	r.group(Group{
		Title: "Verifying an ID token, and signing in", Workers: r.cpus,
		Subjects: []Subject{
			rsaVerify(),
			verify(bareIDToken, func(ctx context.Context) error {
				_, err := bare.Validate(ctx, token, clientID)
				return err
			}),
			verify(verifying, func(ctx context.Context) error {
				_, err := verifier.Verify(ctx, token, nonce)
				return err
			}),
			verify("go-oidc", func(ctx context.Context) error {
				_, err := other.Verify(ctx, token)
				return err
			}),
			signIn(google, verifier),
		},
		Targets: []Target{{Subject: verifying, Limit: bareIDToken, Most: 1.25, Serial: true}},
	})
}

// signIn returns a subject that posts a token and gets a cookie.
func signIn(google *googletest.Google, verifier *googletoken.Verifier) Subject {
	store := memstore.New(nil)
	handler := must1(googlesession.New(googlesession.Config{Sessions: store, Verifier: verifier})).Handler()
	return Subject{"sign-in, POST /login, memory", func() func() {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequestWithContext(background, http.MethodGet, "/login", nil))
		var begun struct{ Nonce string }
		must(json.Unmarshal(w.Body.Bytes(), &begun))
		cookie, _, _ := strings.Cut(w.Header().Get("Set-Cookie"), ";")
		body := must1(json.Marshal(map[string]string{"credential": google.Token(email, begun.Nonce)}))
		return func() {
			post := httptest.NewRequestWithContext(background, http.MethodPost, "/login", strings.NewReader(string(body)))
			post.Header.Set("Content-Type", "application/json")
			post.Header.Set("Cookie", cookie)
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, post)
			if w.Code != http.StatusOK {
				panic("bench: sign-in: " + w.Body.String())
			}
		}
	}}
}

package googletest_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/api/idtoken"
	"google.golang.org/api/option"

	"github.com/googlesession/googlesession/googletest"
)

const (
	client = "123-abc.apps.googleusercontent.com"
	nonce  = "n-0S6_WzA2Mj4bVvX8Qq1Zt5Yr7Ue9Io3PaSdFgHjKl"
)

// newValidator is Google's own verifier on our keys.
func newValidator(t *testing.T, c *http.Client) *idtoken.Validator {
	t.Helper()
	v, err := idtoken.NewValidator(t.Context(), option.WithHTTPClient(c))
	require.NoError(t, err)
	return v
}

// get returns status and body of a GET.
func get(t *testing.T, c *http.Client, url string) (*http.Response, []byte) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	res, err := c.Do(r)
	require.NoError(t, err, "GET %s", url)
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err, "body of GET %s", url)
	require.NoError(t, res.Body.Close())
	return res, body
}

// published returns the key set as anybody sees it.
func published(t *testing.T, g *googletest.Google) []map[string]any {
	t.Helper()
	_, body := get(t, g.Client(), googletest.CertsURL)
	var set struct{ Keys []map[string]any }
	require.NoError(t, json.Unmarshal(body, &set))
	return set.Keys
}

// J-4, B3: all claims, and idtoken takes it.
func TestGoogleToken(t *testing.T) {
	g := googletest.NewGoogle(client)
	before := time.Now().Unix()
	p, err := newValidator(t, g.Client()).Validate(t.Context(), g.Token("Ada.Lovelace@Example.com", nonce), g.ClientID())
	require.NoError(t, err)

	require.ElementsMatch(t, []string{
		"iss", "azp", "aud", "sub", "hd", "email", "email_verified", "nonce", "nbf",
		"name", "picture", "given_name", "family_name", "iat", "exp", "jti",
	}, slices.Collect(maps.Keys(p.Claims)))
	require.Equal(t, "https://accounts.google.com", p.Issuer)
	require.Equal(t, client, p.Audience)
	require.Equal(t, client, p.Claims["azp"])
	require.Regexp(t, `^1\d{20}$`, p.Subject)
	require.Equal(t, g.Subject("ada.lovelace@example.com"), p.Subject)
	require.Equal(t, "Ada.Lovelace@Example.com", p.Claims["email"])
	require.Equal(t, true, p.Claims["email_verified"])
	require.Equal(t, "example.com", p.Claims["hd"])
	require.Equal(t, nonce, p.Claims["nonce"])
	require.Equal(t, "Ada Lovelace", p.Claims["name"])
	require.Equal(t, "Ada", p.Claims["given_name"])
	require.Equal(t, "Lovelace", p.Claims["family_name"])
	require.GreaterOrEqual(t, p.IssuedAt, before)
	require.LessOrEqual(t, p.IssuedAt, time.Now().Unix())
	require.EqualValues(t, p.IssuedAt, p.Claims["nbf"])
	require.Equal(t, p.IssuedAt+3600, p.Expires)

	again, err := idtoken.ParsePayload(g.Token("Ada.Lovelace@Example.com", nonce))
	require.NoError(t, err)
	require.NotEqual(t, p.Claims["jti"], again.Claims["jti"])
}

func TestGoogleTokenClaims(t *testing.T) {
	g := googletest.NewGoogle(client)
	for _, tt := range []struct {
		email, name string
		hd          any
	}{
		{"ada@example.com", "Ada Example", "example.com"},
		{"ada.king@GMAIL.com", "Ada King", nil},
		{"ada+tag@example.com", "Ada Example", "example.com"},
		{"élan@example.com", "élan Example", "example.com"},
		{"nobody", "Nobody", nil},
	} {
		d := g.Draft(tt.email, "")
		require.Equal(t, tt.hd, d.Claims["hd"], "hd of %s", tt.email)
		require.Equal(t, tt.name, d.Claims["name"], "name of %s", tt.email)
		require.NotContains(t, d.Claims, "nonce")
	}
}

func TestGoogleSubject(t *testing.T) {
	a, b := googletest.NewGoogle(client), googletest.NewGoogle("another")
	require.Equal(t, "150552990406117131115", a.Subject("ada@example.com"), "the same in every process")
	require.Equal(t, a.Subject("ada@example.com"), b.Subject("ADA@example.com"))
	require.NotEqual(t, a.Subject("ada@example.com"), a.Subject("eve@example.com"))
	require.NotEqual(t, a.Subject("k@example.com"), a.Subject("\u212a@example.com"), "a Kelvin sign is no k")
	b.SubjectPrefix = "demo:"
	require.Equal(t, "demo:"+a.Subject("ada@example.com"), b.Subject("ada@example.com"))
	require.Equal(t, b.Subject("ada@example.com"), b.Draft("ada@example.com", "").Claims["sub"])
}

func TestNewGoogleNeedsClientID(t *testing.T) {
	require.Panics(t, func() { googletest.NewGoogle("") })
}

// J-1: each Google has key IDs of its own, so the tokens of one mean nothing to
// another.
func TestGooglesDiffer(t *testing.T) {
	a, b := googletest.NewGoogle(client), googletest.NewGoogle(client)
	require.NotEqual(t, a.KeyID(), b.KeyID())
	_, err := newValidator(t, a.Client()).Validate(t.Context(), b.Token("ada@example.com", nonce), client)
	require.ErrorContains(t, err, "could not find matching cert")
}

// J-1, V-16.
func TestGoogleRotate(t *testing.T) {
	g := googletest.NewGoogle(client)
	validate := func(token string) error { // with no key cached
		_, err := newValidator(t, g.Client()).Validate(t.Context(), token, client)
		return err
	}
	require.Len(t, published(t, g), 2)
	former, old := g.KeyID(), g.Token("ada@example.com", nonce)

	kid := g.Rotate()
	require.Equal(t, kid, g.KeyID())
	require.NotEqual(t, former, kid)
	require.Equal(t, kid, g.Draft("ada@example.com", "").Header["kid"])
	require.NoError(t, validate(old), "the former key stays published")
	require.NoError(t, validate(g.Token("ada@example.com", nonce)))

	g.Retire(former)
	require.Error(t, validate(old), "a retired key")
	require.NoError(t, validate(g.Token("ada@example.com", nonce)))
	require.Len(t, published(t, g), 2)

	require.Panics(t, func() { g.Retire(former) }, "a key that is not published")
	require.Panics(t, func() { g.Retire(kid) }, "the key that signs")
	for range 5 { // more often than there are keys
		g.Rotate()
		require.NoError(t, validate(g.Token("ada@example.com", nonce)))
	}
}

// J-1, V-19: the published set can be anything.
func TestGoogleKeys(t *testing.T) {
	g := googletest.NewGoogle(client)
	want := published(t, g)
	for _, k := range want {
		require.Equal(t, []any{"RSA", "RS256", "sig", "AQAB"}, []any{k["kty"], k["alg"], k["use"], k["e"]})
		require.Len(t, k["n"], 342, "2048 bits in base64url")
	}

	g.Keys(func(keys []map[string]any) []map[string]any {
		keys[1]["use"] = "enc"
		return append(keys, map[string]any{"kty": "EC", "kid": g.KeyID()}) // may call g
	})
	edited := published(t, g)
	require.Len(t, edited, 3)
	require.Equal(t, "enc", edited[1]["use"])
	require.Equal(t, "EC", edited[2]["kty"])
	g.Rotate()
	require.Len(t, published(t, g), 4, "an edit stays over a rotation")

	g.Keys(func([]map[string]any) []map[string]any { return nil })
	require.Empty(t, published(t, g))
	g.Keys(nil)
	require.Equal(t, want, published(t, g)[:2])
}

// J-2, G-4: each form counts, and answers nothing else.
func TestGoogleForms(t *testing.T) {
	forms := map[string]func(t *testing.T, g *googletest.Google) *http.Client{
		"in memory": func(_ *testing.T, g *googletest.Google) *http.Client { return g.Client() },
		"server": func(t *testing.T, g *googletest.Google) *http.Client {
			s := httptest.NewServer(g.Handler())
			t.Cleanup(s.Close)
			to, err := url.Parse(s.URL)
			require.NoError(t, err)
			return &http.Client{Transport: redirected{to}}
		},
	}
	for name, form := range forms {
		t.Run(name, func(t *testing.T) {
			g := googletest.NewGoogle(client)
			c := form(t, g)
			v := newValidator(t, c)
			for range 3 {
				_, err := v.Validate(t.Context(), g.Token("ada@example.com", nonce), client)
				require.NoError(t, err)
			}
			require.Equal(t, 1, g.Requests(googletest.CertsURL), "idtoken caches the good answer")

			_, err := v.Validate(t.Context(), g.Mint(g.Draft("ada@example.com", nonce).ES256(64)), client)
			require.NoError(t, err, "idtoken takes ES256, with the keys of another service")
			require.Equal(t, 1, g.Requests(googletest.IAPCertsURL))

			res, body := get(t, c, googletest.RISCConfigURL)
			require.Equal(t, http.StatusOK, res.StatusCode)
			require.JSONEq(t, `{"issuer":"https://accounts.google.com/","jwks_uri":"`+googletest.CertsURL+`"}`, string(body))
			require.Equal(t, 1, g.Requests(googletest.RISCConfigURL))
			require.Empty(t, g.Strays())

			res, err = c.Post(googletest.CertsURL, "text/plain", strings.NewReader("x"))
			require.NoError(t, err)
			require.NoError(t, res.Body.Close())
			require.Equal(t, http.StatusMethodNotAllowed, res.StatusCode)
		})
	}
}

// redirected sends everything to a test server, whatever the URL.
type redirected struct{ to *url.URL }

func (d redirected) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.URL.Scheme, r.URL.Host = d.to.Scheme, d.to.Host
	return http.DefaultTransport.RoundTrip(r)
}

func TestGoogleStrays(t *testing.T) {
	g := googletest.NewGoogle(client)
	for _, stray := range []string{
		"https://attacker.test/jwks.json",
		"http://www.googleapis.com/oauth2/v3/certs",
		"https://www.googleapis.com/oauth2/v3/certs?x=1",
		"https://www.googleapis.com/oauth2/v1/certs",
	} {
		_, err := g.Client().Get(stray)
		require.ErrorContains(t, err, "nothing but Google's keys can be reached")
	}
	require.Equal(t, "GET https://attacker.test/jwks.json", g.Strays()[0])
	require.Len(t, g.Strays(), 4)

	w := httptest.NewRecorder()
	g.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/else", nil))
	require.Equal(t, http.StatusNotFound, w.Code)
	require.Equal(t, "GET /else", g.Strays()[4])
	require.Zero(t, g.Requests(googletest.CertsURL))
}

// J-3, G-28.
func TestGoogleRespond(t *testing.T) {
	for _, tt := range []struct {
		name    string
		respond func(g *googletest.Google) http.HandlerFunc
		check   func(t *testing.T, res *http.Response, body []byte, err error)
	}{
		{"status", func(*googletest.Google) http.HandlerFunc {
			return func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "down", http.StatusServiceUnavailable) }
		}, func(t *testing.T, res *http.Response, _ []byte, err error) {
			require.NoError(t, err)
			require.Equal(t, "503 Service Unavailable", res.Status)
		}},
		{"headers", func(g *googletest.Google) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Cache-Control", "max-age=60")
				w.Header().Set("Age", "7")
				g.ServeKeys(w, r)
			}
		}, func(t *testing.T, res *http.Response, body []byte, err error) {
			require.NoError(t, err)
			require.Equal(t, []string{"max-age=60"}, res.Header["Cache-Control"])
			require.Equal(t, "7", res.Header.Get("Age"))
			require.Contains(t, string(body), `{"keys":[{`)
		}},
		{"HTML", func(*googletest.Google) http.HandlerFunc {
			return func(w http.ResponseWriter, _ *http.Request) {
				_, _ = io.WriteString(w, "<!doctype html><p>Sign in to the network")
			}
		}, func(t *testing.T, res *http.Response, _ []byte, err error) {
			require.NoError(t, err)
			require.Equal(t, "text/html; charset=utf-8", res.Header.Get("Content-Type"))
		}},
		{"truncated", func(*googletest.Google) http.HandlerFunc {
			return func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Length", "1000")
				_, _ = io.WriteString(w, `{"keys":[`)
			}
		}, func(t *testing.T, res *http.Response, body []byte, err error) {
			require.ErrorIs(t, err, io.ErrUnexpectedEOF)
			require.EqualValues(t, 1000, res.ContentLength)
			require.Len(t, body, len(`{"keys":[`))
		}},
		{"cut off", func(*googletest.Google) http.HandlerFunc {
			return func(w http.ResponseWriter, _ *http.Request) {
				_, _ = io.WriteString(w, `{"keys":[`)
				w.(http.Flusher).Flush()
				panic(http.ErrAbortHandler)
			}
		}, func(t *testing.T, _ *http.Response, _ []byte, err error) {
			require.ErrorIs(t, err, io.ErrUnexpectedEOF)
		}},
		{"gzip", func(g *googletest.Google) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) {
				plain := httptest.NewRecorder()
				g.ServeKeys(plain, r)
				w.Header().Set("Content-Encoding", r.Header.Get("Accept-Encoding"))
				z := gzip.NewWriter(w)
				_, _ = z.Write(plain.Body.Bytes())
				_ = z.Close()
			}
		}, func(t *testing.T, res *http.Response, body []byte, err error) {
			require.NoError(t, err)
			require.True(t, res.Uncompressed)
			require.Empty(t, res.Header.Get("Content-Encoding"))
			require.EqualValues(t, -1, res.ContentLength)
			require.Contains(t, string(body), `{"keys":[{`)
		}},
		{"broken gzip", func(*googletest.Google) http.HandlerFunc {
			return func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Encoding", "gzip")
				_, _ = io.WriteString(w, "no gzip at all")
			}
		}, func(t *testing.T, _ *http.Response, _ []byte, err error) {
			require.ErrorIs(t, err, gzip.ErrHeader)
		}},
		{"redirect", func(*googletest.Google) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, "http://attacker.test/certs", http.StatusFound)
			}
		}, func(t *testing.T, _ *http.Response, _ []byte, err error) {
			require.ErrorContains(t, err, "not http://attacker.test/certs")
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g := googletest.NewGoogle(client)
			g.Respond(tt.respond(g))
			res, err := g.Client().Get(googletest.CertsURL)
			var body []byte
			if err == nil {
				body, err = io.ReadAll(res.Body)
				require.NoError(t, res.Body.Close())
			}
			tt.check(t, res, body, err)
			require.Equal(t, 1, g.Requests(googletest.CertsURL))

			g.Respond(nil)
			require.Len(t, published(t, g), 2)
		})
	}
}

// J-3, G-28: a body without end costs the server nothing that the client does not
// read.
func TestGoogleRespondEndless(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := googletest.NewGoogle(client)
		sent := 0
		g.Respond(func(w http.ResponseWriter, _ *http.Request) {
			for block := bytes.Repeat([]byte(" "), 8<<10); ; sent += len(block) {
				if _, err := w.Write(block); err != nil {
					return
				}
			}
		})
		res, err := g.Client().Get(googletest.CertsURL)
		require.NoError(t, err)
		n, err := io.CopyN(io.Discard, res.Body, 1<<20)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		_, err = res.Body.Read(make([]byte, 1))
		require.ErrorContains(t, err, "read on closed response body")
		synctest.Wait() // the handler has ended
		require.Less(t, sent, int(n)+256<<10)
	})
}

// J-3, J-6: whatever the handler does, the request's context counts. Time is the
// bubble's.
func TestGoogleRespondHangs(t *testing.T) {
	for name, hang := range map[string]func(g *googletest.Google, forever chan struct{}) http.HandlerFunc{
		"until the context is done": func(*googletest.Google, chan struct{}) http.HandlerFunc {
			return func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
		},
		"whatever the context says": func(_ *googletest.Google, forever chan struct{}) http.HandlerFunc {
			return func(http.ResponseWriter, *http.Request) { <-forever }
		},
		"after the first bytes": func(_ *googletest.Google, forever chan struct{}) http.HandlerFunc {
			return func(w http.ResponseWriter, _ *http.Request) {
				_, _ = io.WriteString(w, `{"keys":[`)
				w.(http.Flusher).Flush()
				<-forever
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := googletest.NewGoogle(client)
				forever := make(chan struct{})
				defer close(forever)
				g.Respond(hang(g, forever))
				c := g.Client()
				c.Timeout = 7 * time.Second
				start := time.Now()
				_, err := newValidator(t, c).Validate(t.Context(), g.Token("ada@example.com", nonce), client)
				var timeout interface{ Timeout() bool }
				require.ErrorAs(t, err, &timeout)
				require.True(t, timeout.Timeout(), "%v", err)
				require.Equal(t, 7*time.Second, time.Since(start))

				ctx, cancel := context.WithCancelCause(t.Context())
				time.AfterFunc(time.Second, func() { cancel(errors.New("enough")) })
				_, err = newValidator(t, g.Client()).Validate(ctx, g.Token("ada@example.com", nonce), client)
				require.ErrorContains(t, err, "enough")
			})
		})
	}
}

// J-6, A3: idtoken asks for the keys again when they have expired on the bubble's
// clock, and a token expires on it.
func TestGoogleInSynctest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := googletest.NewGoogle(client)
		g.Respond(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Cache-Control", "max-age=60")
			g.ServeKeys(w, r)
		})
		v, token := newValidator(t, g.Client()), g.Token("ada@example.com", nonce)
		for _, step := range []struct {
			wait     time.Duration
			requests int
			valid    bool
		}{
			{0, 1, true},
			{time.Minute, 1, true},
			{time.Second, 2, true},
			{59*time.Minute - time.Second, 3, true}, // idtoken takes it in the very second of exp
			{time.Second, 3, false},
		} {
			time.Sleep(step.wait) //nolint:forbidigo // synctest
			_, err := v.Validate(t.Context(), token, client)
			require.Equal(t, step.valid, err == nil, "after %v: %v", step.wait, err)
			require.Equal(t, step.requests, g.Requests(googletest.CertsURL), "after %v", step.wait)
		}
	})
}

func TestGoogleConcurrently(t *testing.T) {
	g := googletest.NewGoogle(client)
	errs := make(chan error, 16)
	for i := range cap(errs) {
		go func() {
			errs <- func() error {
				if i%4 == 0 {
					g.Rotate()
				}
				res, err := g.Client().Get(googletest.CertsURL)
				if err != nil {
					return err
				}
				defer res.Body.Close()
				if g.Token("ada@example.com", nonce) == "" || res.StatusCode != http.StatusOK {
					return fmt.Errorf("got %s", res.Status)
				}
				return nil
			}()
		}()
	}
	for range cap(errs) {
		require.NoError(t, <-errs)
	}
	require.Equal(t, cap(errs), g.Requests(googletest.CertsURL))
}

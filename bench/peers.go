package bench

import (
	"crypto/rand"
	"crypto/rsa"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/alexedwards/scs/v2"
	scsmemory "github.com/alexedwards/scs/v2/memstore"
	"github.com/boj/redistore"
	"github.com/golang-jwt/jwt/v5"
)

// scsOn returns a site that uses alexedwards/scs with a store that holds the sessions of
// the cookies. If idleTimeout is true, scs writes the session back with every request.
func scsOn(store scs.Store, cookies []string, idleTimeout bool) Site {
	manager := scs.New()
	manager.Store, manager.Lifetime = store, lifetime
	name := "scs"
	if idleTimeout {
		manager.IdleTimeout = idle
		name = "scs, with an idle timeout"
	}
	return Site{name, manager.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, manager.GetString(r.Context(), "user"))
	})), cookies}
}

// fillSCS creates size sessions of scs in the store and returns their Cookie headers.
func fillSCS(store scs.Store, size int) []string {
	manager := scs.New()
	headers := make([]string, size)
	deadline := time.Now().Add(lifetime)
	for i := range headers {
		token := rand.Text() + rand.Text()[:17] // 43 characters, the length of a token of scs
		data := must1(manager.Codec.Encode(deadline, map[string]any{"user": userID(i)}))
		if ctxStore, ok := store.(scs.CtxStore); ok {
			must(ctxStore.CommitCtx(background, token, data, deadline))
		} else {
			must(store.Commit(token, data, deadline))
		}
		headers[i] = manager.Cookie.Name + "=" + token
	}
	return headers
}

func scsInMemory(size int, idleTimeout bool) Site {
	store := scsmemory.NewWithCleanupInterval(0)
	return scsOn(store, fillSCS(store, size), idleTimeout)
}

const gorillaName = "session"

// gorillaOn returns a site that uses gorilla/sessions with boj/redistore. redistore has a
// Redis client of its own.
func gorillaOn(store *redistore.RediStore, cookies []string) Site {
	return Site{"gorilla/sessions + redistore", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		session, err := store.Get(r, gorillaName)
		if err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		user, _ := session.Values["user"].(string)
		_, _ = io.WriteString(w, user) //nolint:gosec // only the benchmark reads the response, not a browser
	}), cookies}
}

// fillGorilla creates size sessions of gorilla/sessions in the store and returns their
// Cookie headers.
func fillGorilla(store *redistore.RediStore, size int) []string {
	headers := make([]string, size)
	for i := range headers {
		r := httptest.NewRequestWithContext(background, http.MethodGet, "/", nil)
		w := httptest.NewRecorder()
		session := must1(store.New(r, gorillaName))
		session.Values["user"] = userID(i)
		must(store.Save(r, w, session))
		headers[i], _, _ = strings.Cut(w.Header().Get("Set-Cookie"), ";")
	}
	return headers
}

// jwtSites returns sites whose cookies are signed tokens, one for each of size users. The
// sites look nothing up, so a session cannot be revoked.
func jwtSites(size int) (hs256, rs256 Site) {
	secret := []byte(rand.Text())
	key := must1(rsa.GenerateKey(rand.Reader, 2048))
	hs256 = jwtSite("JWT, HS256", size, jwt.SigningMethodHS256, secret, secret)
	rs256 = jwtSite("JWT, RS256", size, jwt.SigningMethodRS256, key, &key.PublicKey)
	return hs256, rs256
}

func jwtSite(name string, size int, method jwt.SigningMethod, signingKey, key any) Site {
	headers := make([]string, size)
	for i := range headers {
		claims := jwt.RegisteredClaims{Subject: userID(i), ExpiresAt: jwt.NewNumericDate(time.Now().Add(lifetime))}
		headers[i] = cookieName + "=" + must1(jwt.NewWithClaims(method, claims).SignedString(signingKey))
	}
	parser := jwt.NewParser(jwt.WithValidMethods([]string{method.Alg()}), jwt.WithExpirationRequired())
	return Site{name, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		cookie, err := r.Cookie(cookieName)
		if err != nil {
			http.Error(w, "no cookie", http.StatusUnauthorized)
			return
		}
		var claims jwt.RegisteredClaims
		if _, err := parser.ParseWithClaims(cookie.Value, &claims, func(*jwt.Token) (any, error) { return key, nil }); err != nil {
			http.Error(w, "no session", http.StatusUnauthorized)
			return
		}
		_, _ = io.WriteString(w, claims.Subject)
	}), headers}
}

package googletest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
)

// These are the URLs that a [Google] answers. [Google.Requests] counts the
// requests for each.
const (
	// CertsURL has the keys of ID tokens and security event tokens.
	CertsURL = "https://www.googleapis.com/oauth2/v3/certs"

	// IAPCertsURL has the keys of Google's Identity-Aware Proxy. A verifier of ID tokens
	// does not need them.
	IAPCertsURL = "https://www.gstatic.com/iap/verify/public_key-jwk"

	// RISCConfigURL has the description of Cross-Account Protection.
	RISCConfigURL = "https://accounts.google.com/.well-known/risc-configuration"

	// ExchangeURL is Google's token endpoint, which exchanges the code of a sign-in by redirect
	// for an ID token. [Google.TokenHandler] is not this endpoint.
	ExchangeURL = "https://oauth2.googleapis.com/token"
)

// A Google stands in for Google. It publishes keys, and it signs ID tokens and
// security events for any address, without a network. [NewGoogle] makes a Google; the
// zero value must not be used. The methods may be called from many goroutines at once.
type Google struct {
	// SubjectPrefix is put before the digits of every [Google.Subject], so that invented
	// users can be told from real ones. It must be set before the first call of a method.
	SubjectPrefix string

	// RedirectURIs are the redirect URIs that are registered for the client ID. They are
	// compared character by character, as Google does. The field must be set before the first
	// call of a method. Nil means every URI that Google lets a client register.
	RedirectURIs []string

	clientID     string
	clientSecret string
	iapKeyID     string

	mu        sync.Mutex
	published []publishedKey // oldest first; the last one signs
	rotations int            // the number of calls of Rotate
	editKeys  func([]map[string]any) []map[string]any
	respond   http.HandlerFunc
	exchange  http.HandlerFunc
	grants    map[string]grant // by code
	requests  map[string]int
	strays    []string
}

// NewGoogle returns a Google whose tokens are for this client ID. It panics if the
// client ID is empty. The Google publishes two keys and signs with the newer one.
// Each Google has key IDs of its own, but the RSA keys are made once per process.
func NewGoogle(clientID string) *Google {
	if clientID == "" {
		panic("googletest: NewGoogle needs a client ID")
	}
	g := &Google{
		clientID:     clientID,
		clientSecret: "GOCSPX-" + newKeyID()[:28],
		iapKeyID:     newKeyID()[:6],
		requests:     make(map[string]int),
		grants:       make(map[string]grant),
	}
	g.Rotate()
	g.Rotate()
	return g
}

// ClientID returns the client ID that the tokens are for.
func (g *Google) ClientID() string { return g.clientID }

// Client returns an HTTP client that reaches this Google and nothing else. It is for the
// HTTPClient of googletoken.Config and googlecode.Config. A request for any URL but
// [CertsURL], [IAPCertsURL], [RISCConfigURL] and [ExchangeURL] is an error, and is recorded
// (see [Google.Strays]).
//
// The client has no timeout. The context of a request ends the request, even while a
// handler given to [Google.Respond] or [Google.RespondExchange] hangs. The connections of
// the client are like those of [Google.Browser], so the client works in a testing/synctest
// bubble.
func (g *Google) Client() *http.Client {
	return &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
		url := r.URL.String()
		if !slices.Contains(documentURLs[:], url) {
			g.recordStray(r.Method + " " + url)
			if r.Body != nil {
				_ = r.Body.Close()
			}
			return nil, fmt.Errorf("googletest: the client reaches only Google's keys, its RISC configuration and its token endpoint, not %s", url)
		}
		return serveInMemory(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			g.serve(url, w, r)
		}), r)
	})}
}

// Handler returns a handler that answers as [Google.Client] does, for a
// server or a proxy. It looks at the path of the URL and ignores the host. A
// request for any other path gets 404 and is recorded (see [Google.Strays]).
func (g *Google) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		i := slices.IndexFunc(documentURLs[:], func(url string) bool { return pathOf(url) == r.URL.Path })
		if i < 0 {
			g.recordStray(r.Method + " " + r.URL.Path)
			http.NotFound(w, r)
			return
		}
		g.serve(documentURLs[i], w, r)
	})
}

// Requests returns the number of requests for [CertsURL], [IAPCertsURL], [RISCConfigURL] or
// [ExchangeURL], whatever the responses were. It returns 0 for any other URL.
func (g *Google) Requests(url string) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.requests[url]
}

// Strays returns the requests for URLs other than [CertsURL], [IAPCertsURL],
// [RISCConfigURL] and [ExchangeURL], in the order in which they came. Each text is the
// method, a space and the URL, or the path instead of the URL if the request came by
// [Google.Handler].
func (g *Google) Strays() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.strays)
}

// KeyID returns the ID of the key that signs now.
func (g *Google) KeyID() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.published[len(g.published)-1].kid
}

// Rotate publishes a new key, signs with it from now on and returns its ID. The older keys
// stay published until [Google.Retire] removes them.
func (g *Google) Rotate() (kid string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	k := publishedKey{kid: newKeyID(), key: signingKeys[g.rotations%len(signingKeys)]}
	g.published = append(g.published, k)
	g.rotations++
	return k.kid
}

// Retire removes a key from the published set. It panics if the key is not published,
// or if it is the key that signs now, which only [Google.Rotate] replaces.
func (g *Google) Retire(kid string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	i := slices.IndexFunc(g.published, func(k publishedKey) bool { return k.kid == kid })
	switch i {
	case -1:
		panic("googletest: Retire: no such key")
	case len(g.published) - 1:
		panic("googletest: Retire: this key signs; call Rotate first")
	}
	g.published = slices.Delete(g.published, i, i+1)
}

// Keys sets edit as the function that changes the published keys. [Google.ServeKeys]
// calls edit for each request from now on, with the JSON Web Keys (RFC 7517), oldest
// first, and publishes the keys that edit returns. The function may be called from
// several goroutines, and may call methods of g. It replaces the function of an
// earlier call, and a nil edit removes that function. Signing is not affected.
func (g *Google) Keys(edit func(keys []map[string]any) []map[string]any) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.editKeys = edit
}

// Respond makes h answer the requests for [CertsURL] from now on. A nil h
// makes [Google.ServeKeys] answer them again. The handler may call
// ServeKeys, for example after a delay, or after it has set headers.
func (g *Google) Respond(h http.HandlerFunc) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.respond = h
}

// ServeKeys writes the published keys, which is the answer to a request for
// [CertsURL] without [Google.Respond]. The response may be cached for six
// hours unless the caller has set a Cache-Control header.
func (g *Google) ServeKeys(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	published, edit := slices.Clone(g.published), g.editKeys
	g.mu.Unlock()

	keys := make([]map[string]any, 0, len(published))
	for _, k := range published {
		keys = append(keys, k.jwk())
	}
	if edit != nil { // edit is called without the lock, because edit may call methods of g
		keys = edit(keys)
	}
	serveDocument(w, r, map[string]any{"keys": keys})
}

// documentURLs are the addresses that a Google serves. They are those of Google's documents
// (two key sets, one configuration) and of its token endpoint.
var documentURLs = [...]string{CertsURL, IAPCertsURL, RISCConfigURL, ExchangeURL}

// serve answers a request for one of documentURLs, and counts it.
func (g *Google) serve(url string, w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	g.requests[url]++
	respond, exchange := g.respond, g.exchange
	g.mu.Unlock()

	switch {
	case url == ExchangeURL && exchange != nil:
		exchange(w, r)
	case url == ExchangeURL:
		g.ServeExchange(w, r)
	case url == RISCConfigURL:
		serveDocument(w, r, map[string]any{"issuer": "https://accounts.google.com/", "jwks_uri": CertsURL})
	case url == IAPCertsURL:
		serveDocument(w, r, map[string]any{"keys": []map[string]any{iapJWK(g.iapKeyID)}})
	case respond != nil:
		respond(w, r)
	default:
		g.ServeKeys(w, r)
	}
}

// recordStray records a request for a URL that is not one of documentURLs.
func (g *Google) recordStray(request string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.strays = append(g.strays, request)
}

// serveDocument writes a JSON document with the headers of Google's documents.
func serveDocument(w http.ResponseWriter, r *http.Request, document any) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	body, err := json.Marshal(document)
	if err != nil {
		panic(fmt.Sprintf("googletest: edited keys: %v", err))
	}
	if w.Header().Get("Cache-Control") == "" {
		w.Header().Set("Cache-Control", "public, max-age=21600, must-revalidate, no-transform")
	}
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	_, _ = w.Write(body)
}

// pathOf returns the path of one of documentURLs.
func pathOf(url string) string {
	_, path, _ := strings.Cut(strings.TrimPrefix(url, "https://"), "/")
	return "/" + path
}

package googletest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"sync"
)

// What a [Google] answers; see [Google.Requests].
const (
	// CertsURL has the keys that ID tokens and security event tokens are signed with.
	CertsURL = "https://www.googleapis.com/oauth2/v3/certs"

	// IAPCertsURL has the keys of Google's Identity-Aware Proxy. Nobody who signs
	// people in has a reason to ask for them.
	IAPCertsURL = "https://www.gstatic.com/iap/verify/public_key-jwk"

	// RISCConfigURL describes Cross-Account Protection.
	RISCConfigURL = "https://accounts.google.com/.well-known/risc-configuration"
)

// A Google stands in for Google: it publishes keys and signs ID tokens and
// security events for anybody, without a network. Make it with [NewGoogle]. Its methods may be called
// from many goroutines.
type Google struct {
	// SubjectPrefix is put before the digits of every [Google.Subject], to keep
	// made-up people apart from real ones. Set it before anything else is called.
	SubjectPrefix string

	clientID string
	iapKeyID string

	mu       sync.Mutex
	ring     []publishedKey // the last one signs
	rotated  int            // how many of signingKeys were taken
	edit     func([]map[string]any) []map[string]any
	respond  http.HandlerFunc
	requests map[string]int
	strays   []string
}

// NewGoogle returns a Google whose tokens are for the client ID given, which must
// not be empty. It publishes two keys and signs with the newer one. Key IDs are
// its own; the keys behind them are made once per process.
func NewGoogle(clientID string) *Google {
	if clientID == "" {
		panic("googletest: NewGoogle needs a client ID")
	}
	g := &Google{clientID: clientID, iapKeyID: newKeyID()[:6], requests: make(map[string]int)}
	g.Rotate()
	g.Rotate()
	return g
}

// ClientID returns the client ID that tokens are for.
func (g *Google) ClientID() string { return g.clientID }

// Client returns an HTTP client that reaches this Google and nothing else. It is for the
// HTTPClient of googletoken.Config. A request for any URL but [CertsURL], [IAPCertsURL] and
// [RISCConfigURL] is an error, and is recorded (see [Google.Strays]).
//
// The client has no timeout. The context of a request ends it, even while a handler given
// to [Google.Respond] hangs. The connections of the client are like those of
// [Google.Browser], so it works in a testing/synctest bubble.
func (g *Google) Client() *http.Client {
	return &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
		url := r.URL.String()
		if !slices.Contains(answered[:], url) {
			g.stray(r.Method + " " + url)
			if r.Body != nil {
				_ = r.Body.Close()
			}
			return nil, fmt.Errorf("googletest: nothing but Google's keys can be reached, not %s", url)
		}
		return serveInMemory(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			g.serve(url, w, r)
		}), r)
	})}
}

// Handler returns the HTTP form of the same, for a server or a proxy. It goes by
// the path alone, whatever the host; any other path is 404, and a stray.
func (g *Google) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		i := slices.IndexFunc(answered[:], func(url string) bool { return pathOf(url) == r.URL.Path })
		if i < 0 {
			g.stray(r.Method + " " + r.URL.Path)
			http.NotFound(w, r)
			return
		}
		g.serve(answered[i], w, r)
	})
}

// Requests returns how often [CertsURL], [IAPCertsURL] or [RISCConfigURL] was
// asked for, whatever the answer was.
func (g *Google) Requests(url string) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.requests[url]
}

// Strays returns the requests for anything else, in order: method, blank, URL
// (path, if it came by [Google.Handler]).
func (g *Google) Strays() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.strays)
}

// KeyID returns the ID of the key that signs now.
func (g *Google) KeyID() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.ring[len(g.ring)-1].kid
}

// Rotate publishes a new key, signs with it from now on and returns its ID. The
// former keys stay published.
func (g *Google) Rotate() (kid string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	k := publishedKey{kid: newKeyID(), key: signingKeys[g.rotated%len(signingKeys)]}
	g.ring = append(g.ring, k)
	g.rotated++
	return k.kid
}

// Retire takes a key out of the published set. The key that signs now cannot be
// retired: rotate first.
func (g *Google) Retire(kid string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	i := slices.IndexFunc(g.ring, func(k publishedKey) bool { return k.kid == kid })
	switch i {
	case -1:
		panic("googletest: Retire: no such key")
	case len(g.ring) - 1:
		panic("googletest: Retire: this key signs; call Rotate first")
	}
	g.ring = slices.Delete(g.ring, i, i+1)
}

// Keys lets edit change what is published, on every request from now on: it gets
// the JSON Web Keys (RFC 7517), oldest first, and returns what to publish
// instead. It replaces an earlier edit; nil ends it. Signing is not affected.
func (g *Google) Keys(edit func(keys []map[string]any) []map[string]any) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.edit = edit
}

// Respond makes h answer [CertsURL] from now on; nil brings the good answer back.
// A handler may call [Google.ServeKeys], after a delay or with headers of its own.
func (g *Google) Respond(h http.HandlerFunc) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.respond = h
}

// ServeKeys gives the good answer: the published keys, to be cached for some six
// hours unless the caller has set a Cache-Control header.
func (g *Google) ServeKeys(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	ring, edit := slices.Clone(g.ring), g.edit
	g.mu.Unlock()

	keys := make([]map[string]any, 0, len(ring))
	for _, k := range ring {
		keys = append(keys, k.jwk())
	}
	if edit != nil { // not under the lock: it may call g
		keys = edit(keys)
	}
	serveDocument(w, r, map[string]any{"keys": keys})
}

// answered are the URLs that a Google has an answer to.
var answered = [...]string{CertsURL, IAPCertsURL, RISCConfigURL}

func (g *Google) serve(url string, w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	g.requests[url]++
	respond := g.respond
	g.mu.Unlock()

	switch {
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

func (g *Google) stray(what string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.strays = append(g.strays, what)
}

// serveDocument answers as Google's static documents do.
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

// pathOf returns the path of one of the constants above.
func pathOf(url string) string {
	const scheme = len("https://")
	for i := scheme; i < len(url); i++ {
		if url[i] == '/' {
			return url[i:]
		}
	}
	return "/"
}

package googletoken

import (
	"net/http"
	"time"
)

// Recovered stands around the call of idtoken.
var Recovered = recovered

// Life is how long an answer with this header is fresh.
func Life(h http.Header) time.Duration { return life(h) }

// KeyTransport is the network as idtoken sees it.
var KeyTransport http.RoundTripper = keyTransport(`{"keys":[]}`)

// ParseHeader returns kid and typ.
func ParseHeader(text []byte) (kid, typ string, err error) {
	h, err := parseHeader(text)
	return h.kid, h.typ, err
}

package googletoken

import (
	"context"
	"crypto/rsa"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"time"

	"google.golang.org/api/idtoken"
	"google.golang.org/api/option"

	"github.com/googlesession/googlesession"
)

// CatchPanic guards the call of idtoken.
var CatchPanic = catchPanic

// Freshness returns how long a response with this header is fresh.
func Freshness(h http.Header) time.Duration { return freshness(h) }

// KeyTransport takes the place of the network for idtoken.
var KeyTransport http.RoundTripper = keyTransport(`{"keys":[]}`)

// UsableKeys returns the IDs of the keys of a set that may check a signature.
func UsableKeys(jwks []byte) ([]string, error) {
	keys, err := parseKeys(jwks)
	return slices.Sorted(maps.Keys(keys)), err
}

// GiveIDToken makes idtoken fetch keys through rt, as if for the first time. The Verifier
// has to have keys already.
func GiveIDToken(v *Verifier, rt http.RoundTripper) error {
	validator, err := idtoken.NewValidator(context.Background(), option.WithHTTPClient(&http.Client{Transport: rt}))
	if err != nil {
		return err
	}
	v.keys.mu.Lock()
	defer v.keys.mu.Unlock()
	set := *v.keys.set
	set.validator = validator
	v.keys.set = &set
	return nil
}

// GiveKey replaces a key. The Verifier has to have keys already.
func GiveKey(v *Verifier, kid string, key *rsa.PublicKey) {
	v.keys.mu.Lock()
	defer v.keys.mu.Unlock()
	set := *v.keys.set
	set.keys = maps.Clone(set.keys)
	set.keys[kid] = key
	v.keys.set = &set
}

// CheckRS256 checks a signature with the standard library.
func CheckRS256(key *rsa.PublicKey, signed string, signature []byte) error {
	return checkRS256(key, jws{signed: signed, signature: signature})
}

// ParseEvents reads the payload of a security event token.
func ParseEvents(text []byte) (googlesession.SecurityEvent, error) {
	c, err := parseEvents(text)
	return c.event, err
}

// ParseHeader returns kid and typ.
func ParseHeader(text []byte) (kid, typ string, err error) {
	h, err := parseHeader(text)
	return h.kid, h.typ, err
}

// UsesEnvironmentProxy reports whether the client that a Verifier makes without an
// HTTPClient uses the proxy of the environment and has a timeout.
func UsesEnvironmentProxy(v *Verifier) bool {
	transport, ok := v.keys.client.Transport.(*http.Transport)
	return ok && v.keys.client.Timeout == fetchTimeout &&
		reflect.ValueOf(transport.Proxy).Pointer() == reflect.ValueOf(http.ProxyFromEnvironment).Pointer()
}

// Missing returns the number of unknown key IDs that the Verifier remembers.
func Missing(v *Verifier) int {
	v.keys.mu.Lock()
	defer v.keys.mu.Unlock()
	return len(v.keys.missing)
}

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

// Recovered stands around the call of idtoken.
var Recovered = recovered

// Life is how long an answer with this header is fresh.
func Life(h http.Header) time.Duration { return life(h) }

// KeyTransport is the network as idtoken sees it.
var KeyTransport http.RoundTripper = keyTransport(`{"keys":[]}`)

// UsableKeys returns the IDs of the keys of a set that may check a signature.
func UsableKeys(jwks []byte) ([]string, error) {
	keys, err := parseKeys(jwks)
	return slices.Sorted(maps.Keys(keys)), err
}

// GiveIDToken has idtoken ask for keys through rt, as if for the first time. The
// verifier must have keys already.
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

// GiveKey replaces a key. The verifier must have keys already.
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

// UsesEnvironmentProxy reports whether the client made for no HTTPClient asks the
// environment for a proxy, and gives up some time.
func UsesEnvironmentProxy(v *Verifier) bool {
	transport, ok := v.keys.client.Transport.(*http.Transport)
	return ok && v.keys.client.Timeout == fetchTimeout &&
		reflect.ValueOf(transport.Proxy).Pointer() == reflect.ValueOf(http.ProxyFromEnvironment).Pointer()
}

// Missing is the number of key IDs that are remembered because Google's keys lack
// them.
func Missing(v *Verifier) int {
	v.keys.mu.Lock()
	defer v.keys.mu.Unlock()
	return len(v.keys.missing)
}

package googletoken

import (
	"bytes"
	"context"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"io"
	"math/big"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"google.golang.org/api/idtoken"
	"google.golang.org/api/option"

	"github.com/googlesession/googlesession/internal/strictjson"
)

const (
	maxKeys = 32 // Google has two or three
	minBits = 2048
	maxBits = 8192 // checking a signature takes time by the square of the length
)

// keySet is one answer of Google's. It never changes.
type keySet struct {
	keys       map[string]*rsa.PublicKey // by kid
	validator  *idtoken.Validator        // knows these keys and no others
	number     int                       // of the fetch that brought it
	asOf       time.Time                 // when Google wrote it, or earlier
	freshUntil time.Time
}

// isAfter reports whether the fetch began, and Google wrote the answer, at that
// moment or later. Nil is not.
func (s *keySet) isAfter(m moment) bool {
	return s != nil && s.number > m.begun && !s.asOf.Before(m.at)
}

// newValidator returns an idtoken.Validator for these keys. idtoken asks for keys
// through an HTTP client and caches the answer, so it gets a client that answers
// from memory, once for each set: then its cache cannot outlive the set, a check
// parses no keys, and idtoken never reaches the network.
func newValidator(ctx context.Context, keys map[string]*rsa.PublicKey) (*idtoken.Validator, error) {
	type jwk struct {
		Kty string `json:"kty"`
		Alg string `json:"alg"`
		Use string `json:"use"`
		Kid string `json:"kid"`
		N   string `json:"n"`
		E   string `json:"e"`
	}
	var doc struct {
		Keys []jwk `json:"keys"`
	}
	for kid, key := range keys {
		doc.Keys = append(doc.Keys, jwk{
			Kty: "RSA", Alg: "RS256", Use: "sig", Kid: kid,
			N: strictBase64.EncodeToString(key.N.Bytes()),
			E: strictBase64.EncodeToString(big.NewInt(int64(key.E)).Bytes()),
		})
	}
	body, err := json.Marshal(doc)
	if err != nil {
		return nil, err
	}
	return idtoken.NewValidator(ctx, option.WithHTTPClient(&http.Client{Transport: keyTransport(body)}))
}

// keyTransport is the network as idtoken sees it: one address, which answers with
// these keys for a year, and nothing else. idtoken's other address, whose keys are
// those of ES256, is refused as well.
type keyTransport []byte

// RoundTrip implements [http.RoundTripper].
func (t keyTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Method != http.MethodGet || req.URL.String() != certsURL {
		return nil, errors.New("googletoken: idtoken may ask for Google's keys only")
	}
	return &http.Response{
		Status:     "200 OK",
		StatusCode: http.StatusOK,
		Proto:      "HTTP/1.1",
		ProtoMajor: 1,
		ProtoMinor: 1,
		Header:     http.Header{"Cache-Control": {"max-age=31536000"}}, // the one form that idtoken always understands
		Body:       io.NopCloser(bytes.NewReader(t)),
		Request:    req,
	}, nil
}

// parseKeys reads a JWK set (RFC 7517, section 5) and keeps the keys that may
// check an RS256 signature (V-19). It is an error if none is left.
func parseKeys(body []byte) (map[string]*rsa.PublicKey, error) {
	m, err := strictjson.Object(body, maxDepth)
	if err != nil {
		return nil, err
	}
	list, _, err := m.Member("keys")
	if err != nil {
		return nil, err
	}
	var entries []json.RawMessage
	if err := json.Unmarshal([]byte(list), &entries); err != nil {
		return nil, errors.New("no list of keys")
	}
	if len(entries) > maxKeys {
		return nil, errors.New("too many keys")
	}
	keys := make(map[string]*rsa.PublicKey, len(entries))
	for _, entry := range entries {
		kid, key, ok := parseKey(entry)
		if !ok {
			continue
		}
		if _, twice := keys[kid]; twice {
			key = nil // which of them was meant is anybody's guess: neither
		}
		keys[kid] = key
	}
	for kid, key := range keys {
		if key == nil {
			delete(keys, kid)
		}
	}
	if len(keys) == 0 {
		return nil, errors.New("no usable key")
	}
	return keys, nil
}

// parseKey returns the entry's kid, and nil for a key that is not usable. It is
// not ok if there is no kid that a token could name.
func parseKey(entry json.RawMessage) (kid string, key *rsa.PublicKey, ok bool) {
	m, err := strictjson.Object(entry, maxDepth)
	if err != nil {
		return "", nil, false
	}
	r := reader{members: m}
	kid = r.text("kid")
	if r.err != nil || kid == "" {
		return "", nil, false
	}
	kty, use, alg := r.text("kty"), r.text("use"), r.text("alg")
	n, okN := decode(r.text("n"))
	e, okE := decode(r.text("e"))
	if list, limited, _ := m.Member("key_ops"); limited {
		var ops []string
		if err := json.Unmarshal([]byte(list), &ops); err != nil || !slices.Contains(ops, "verify") {
			return kid, nil, true
		}
	}
	if r.err != nil || kty != "RSA" || use != "sig" || alg != "RS256" || !okN || !okE {
		return kid, nil, true
	}
	modulus, exponent := new(big.Int).SetBytes(n), new(big.Int).SetBytes(e)
	if bits := modulus.BitLen(); bits < minBits || bits > maxBits || modulus.Bit(0) == 0 {
		return kid, nil, true
	}
	// crypto/rsa takes exponents below 2^31.
	if exponent.BitLen() > 31 || exponent.Int64() < 65537 || exponent.Bit(0) == 0 {
		return kid, nil, true
	}
	return kid, &rsa.PublicKey{N: modulus, E: int(exponent.Int64())}, true
}

// life returns how long the answer is fresh: its max-age less its Age (RFC 9111,
// section 4.2), kept between minLife and maxLife. A max-age that is absent or cannot
// be read, and no-store, mean minLife: the keys are still needed for a while. Expires
// is not looked at: beside max-age it says nothing, and minLife is a good answer too.
func life(h http.Header) time.Duration {
	seconds, found := int64(0), false
	for directive := range strings.SplitSeq(strings.Join(h.Values("Cache-Control"), ","), ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(directive), "=")
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "no-store", "no-cache":
			return minLife
		case "max-age":
			s, ok := deltaSeconds(value)
			if !ok || found && s != seconds {
				return minLife
			}
			seconds, found = s, true
		}
	}
	return min(max(time.Duration(seconds)*time.Second-age(h), minLife), maxLife)
}

// age returns for how long the answer has been in caches on its way (RFC 9111,
// section 5.1). An age that cannot be read is maxLife.
func age(h http.Header) time.Duration {
	text := h.Get("Age")
	if text == "" {
		return 0
	}
	seconds, ok := deltaSeconds(text)
	if !ok {
		return maxLife
	}
	return time.Duration(seconds) * time.Second
}

// deltaSeconds reads RFC 9111, section 1.2.2, with quotes around it or without.
// What is too large for an int is taken for 2^31, as that section says.
func deltaSeconds(s string) (int64, bool) {
	s = strings.TrimSpace(s)
	if len(s) >= 2 && s[0] == '"' && s[len(s)-1] == '"' {
		s = s[1 : len(s)-1]
	}
	n, err := strconv.ParseUint(s, 10, 31)
	if errors.Is(err, strconv.ErrRange) {
		return 1 << 31, true
	}
	return int64(n), err == nil
}

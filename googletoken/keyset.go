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
	maxBits = 8192 // the time to check a signature grows with the square of the length
)

// A keySet holds the keys of one response of Google. It does not change.
type keySet struct {
	keys       map[string]*rsa.PublicKey // by kid
	validator  *idtoken.Validator        // knows these keys and no others
	number     int                       // the number of the fetch that brought the response
	asOf       time.Time                 // when Google wrote the response, or earlier
	freshUntil time.Time
}

// isAfter reports whether the fetch began, and Google wrote the response, at the moment m
// or later. It returns false for a nil keySet.
func (s *keySet) isAfter(m moment) bool {
	return s != nil && s.number > m.begun && !s.asOf.Before(m.at)
}

// newValidator returns an idtoken.Validator that knows these keys and no others.
//
// This package uses idtoken because Google's guide recommends Google's own libraries for
// ID tokens. It leaves only the signature to idtoken, which checkRS256 could check as
// well. A program cannot give keys to idtoken. idtoken fetches them through an HTTP
// client and caches the response for its max-age, which is not enough for what a Verifier
// promises. Concurrent callers would each fetch the keys. A token under a new key would
// be refused until the cached response has expired. After that, no token would be
// accepted while Google's key server is down.
//
// So a keySource fetches the keys, and each set gets a Validator whose HTTP client answers
// from memory. The cache of that Validator cannot outlive the set, and idtoken makes no
// network request.
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

// A keyTransport takes the place of the network for idtoken. It answers a request to
// certsURL with its keys, fresh for a year, and refuses any other request, such as that
// for the keys of ES256.
type keyTransport []byte // a JWK set

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
		Header:     http.Header{"Cache-Control": {"max-age=31536000"}}, // a form that idtoken can parse
		Body:       io.NopCloser(bytes.NewReader(t)),
		Request:    req,
	}, nil
}

// parseKeys reads a JWK set (RFC 7517, section 5) and returns the keys that can check an
// RS256 signature. It returns an error if there are none.
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
		return nil, errors.New("keys is not a list")
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
			key = nil // a token cannot say which of the two keys it means, so neither is used
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

// parseKey returns the kid and the key of an entry. The key is nil if it is not usable. ok
// is false if the entry has no kid that a token could name.
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
	// crypto/rsa accepts exponents below 2^31. Those below 65537 are weak, and even ones are
	// invalid.
	if exponent.BitLen() > 31 || exponent.Int64() < 65537 || exponent.Bit(0) == 0 {
		return kid, nil, true
	}
	return kid, &rsa.PublicKey{N: modulus, E: int(exponent.Int64())}, true
}

// freshness returns how long a response is fresh: its max-age less its Age (RFC 9111,
// section 4.2), but at least minFresh and at most maxFresh. It returns minFresh if max-age
// is absent or malformed, and for no-store and no-cache, because the keys are needed for a
// while in any case. It ignores Expires, which max-age overrides. Without max-age, minFresh
// is good enough.
func freshness(h http.Header) time.Duration {
	seconds, found := int64(0), false
	for directive := range strings.SplitSeq(strings.Join(h.Values("Cache-Control"), ","), ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(directive), "=")
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "no-store", "no-cache":
			return minFresh
		case "max-age":
			s, ok := deltaSeconds(value)
			if !ok || found && s != seconds {
				return minFresh
			}
			seconds, found = s, true
		}
	}
	return min(max(time.Duration(seconds)*time.Second-age(h), minFresh), maxFresh)
}

// age returns how long the response has been in caches on its way (RFC 9111, section 5.1).
// It returns maxFresh if the Age header is malformed.
func age(h http.Header) time.Duration {
	text := h.Get("Age")
	if text == "" {
		return 0
	}
	seconds, ok := deltaSeconds(text)
	if !ok {
		return maxFresh
	}
	return time.Duration(seconds) * time.Second
}

// deltaSeconds reads a delta-seconds (RFC 9111, section 1.2.2), with or without quotes. A
// number of 2^31 or more is read as 2^31, as that section says.
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

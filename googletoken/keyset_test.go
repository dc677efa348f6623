package googletoken_test

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"maps"
	"math/big"
	"net/http"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/googletest"
	"github.com/googlesession/googlesession/googletoken"
)

// The extreme keys that are usable, and those just beyond them.
func TestKeyEdges(t *testing.T) {
	set := func(name string, value any) func(k map[string]any) {
		return func(k map[string]any) { k[name] = value }
	}
	number := func(name string, n *big.Int) func(k map[string]any) {
		return set(name, base64.RawURLEncoding.EncodeToString(n.Bytes()))
	}
	bits := func(n uint) *big.Int { // the smallest odd number of this length
		return new(big.Int).Add(new(big.Int).Lsh(big.NewInt(1), n-1), big.NewInt(1))
	}
	for _, tt := range []struct {
		name   string
		change func(k map[string]any)
		usable bool
	}{
		{"unknown members", set("x", []any{1}), true},
		{"key_ops verify", set("key_ops", []string{"sign", "verify"}), true},
		{"modulus of 2048 bits", number("n", bits(2048)), true},
		{"modulus of 8192 bits", number("n", bits(8192)), true},
		{"the largest exponent", number("e", big.NewInt(1<<31-1)), true},

		{"kty in another case", set("kty", "rsa"), false},
		{"key_ops empty", set("key_ops", []string{}), false},
		{"key_ops null", set("key_ops", nil), false},
		{"modulus of 2047 bits", number("n", bits(2047)), false},
		{"modulus of 8193 bits", number("n", bits(8193)), false},
		{"modulus in the standard alphabet", set("n", "++++"+base64.RawURLEncoding.EncodeToString(bits(2048).Bytes())), false},
		{"exponent 65535", number("e", big.NewInt(65535)), false},
		{"exponent of 32 bits", number("e", big.NewInt(1<<31+1)), false},
		{"exponent that wraps around to 65537", number("e", new(big.Int).Add(bits(65), big.NewInt(65536))), false},
		{"exponent with a line feed", set("e", "AQ\nAB"), false},
		{"kid empty", set("kid", ""), false},
		{"kid a number", set("kid", 1), false},
		{"no kid", func(k map[string]any) { delete(k, "kid") }, false},
		{"KID instead of kid", func(k map[string]any) { k["KID"] = k["kid"]; delete(k, "kid") }, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g := googletest.NewGoogle(clientID)
			changed := g.KeyID()
			g.Keys(func(keys []map[string]any) []map[string]any {
				tt.change(keys[len(keys)-1])
				return keys
			})
			usable, err := googletoken.UsableKeys(certs(t, g))
			require.NoError(t, err)
			if tt.usable {
				require.Len(t, usable, 2)
				require.Contains(t, usable, changed)
				return
			}
			require.Len(t, usable, 1)
			require.NotContains(t, usable, changed)
		})
	}
}

// If entries share a kid, none of them is used, whichever would be usable alone. That also
// holds for three entries.
func TestKeyIDSeveralTimes(t *testing.T) {
	bad := func(k map[string]any) { k["use"] = "enc" }
	good := func(map[string]any) {}
	for name, entries := range map[string][]func(k map[string]any){
		"three times":         {good, good, good},
		"useless one last":    {good, bad},
		"useless one first":   {bad, good},
		"useless ones around": {bad, good, bad},
	} {
		t.Run(name, func(t *testing.T) {
			g := googletest.NewGoogle(clientID)
			g.Keys(func(keys []map[string]any) []map[string]any {
				for _, change := range entries {
					entry := maps.Clone(keys[0])
					entry["kid"] = "several"
					change(entry)
					keys = append(keys, entry)
				}
				return keys
			})
			usable, err := googletoken.UsableKeys(certs(t, g))
			require.NoError(t, err)
			require.Len(t, usable, 2)
			require.NotContains(t, usable, "several")
		})
	}
}

// Nothing is used of a response that is not a complete key set.
func TestAnswers(t *testing.T) {
	same := func(body []byte) []byte { return body }
	status := func(code int) func(w http.ResponseWriter, body []byte) {
		return func(w http.ResponseWriter, body []byte) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(code)
			_, _ = w.Write(body)
		}
	}
	zipped := func(w http.ResponseWriter, body []byte) {
		w.Header().Set("Content-Encoding", "gzip")
		w.Header().Set("Content-Type", "application/json")
		z := gzip.NewWriter(w)
		_, _ = z.Write(body)
		_ = z.Close()
	}
	cutOff := func(w http.ResponseWriter, body []byte) {
		w.Header().Set("Content-Length", strconv.Itoa(len(body)+1))
		status(http.StatusOK)(w, body)
	}
	padded := func(size int) func([]byte) []byte {
		return func(body []byte) []byte { return append(body, bytes.Repeat([]byte(" "), size-len(body))...) }
	}
	keys := func(n int) func(body []byte) []byte { // the good keys and n in total with useless ones
		return func(body []byte) []byte {
			var document struct{ Keys []map[string]any }
			_ = json.Unmarshal(body, &document)
			for i := len(document.Keys); i < n; i++ {
				document.Keys = append(document.Keys, map[string]any{"kid": strconv.Itoa(i)})
			}
			body, _ = json.Marshal(map[string]any{"keys": document.Keys})
			return body
		}
	}
	replace := func(old, text string) func(body []byte) []byte {
		return func(body []byte) []byte { return bytes.Replace(body, []byte(old), []byte(text), 1) }
	}
	for _, tt := range []struct {
		name   string
		answer func(w http.ResponseWriter, body []byte)
		change func(body []byte) []byte
		ok     bool
	}{
		{"compressed", zipped, same, true},
		{"of 1 MiB", status(http.StatusOK), padded(1 << 20), true},
		{"of 32 keys", status(http.StatusOK), keys(32), true},
		{"with entries that are not objects", status(http.StatusOK), replace("[", "[null,[],"), true},

		{"of 1 MiB and a byte", status(http.StatusOK), padded(1<<20 + 1), false},
		{"of 8 MiB, compressed", zipped, padded(8 << 20), false},
		{"of 33 keys", status(http.StatusOK), keys(33), false},
		{"status 201", status(http.StatusCreated), same, false},
		{"status 203", status(http.StatusNonAuthoritativeInfo), same, false},
		{"status 206", status(http.StatusPartialContent), same, false},
		{"cut off", cutOff, same, false},
		{"with a duplicate member", status(http.StatusOK), replace("{", `{"keys":[],`), false},
		{"with KEYS for keys", status(http.StatusOK), replace("keys", "KEYS"), false},
		{"with an object for keys", status(http.StatusOK), func([]byte) []byte { return []byte(`{"keys":{}}`) }, false},
		{"in an array", status(http.StatusOK), func(body []byte) []byte { return []byte("[" + string(body) + "]") }, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, g *googletest.Google, verify func() error) {
				body := tt.change(certs(t, g))
				g.Respond(func(w http.ResponseWriter, _ *http.Request) { tt.answer(w, body) })
				if tt.ok {
					require.NoError(t, verify())
					return
				}
				requireUnavailable(t, verify())
			})
		})
	}
}

// No redirect is followed, even if the HTTPClient would follow it.
func TestRedirects(t *testing.T) {
	for code := http.StatusMultipleChoices; code <= http.StatusPermanentRedirect; code++ {
		g := googletest.NewGoogle(clientID)
		g.Respond(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", googletest.IAPCertsURL)
			w.WriteHeader(code)
		})
		client := g.Client()
		client.CheckRedirect = func(*http.Request, []*http.Request) error { return nil }
		v, err := googletoken.New(googletoken.Config{ClientIDs: []string{clientID}, HTTPClient: client})
		require.NoError(t, err)
		_, err = v.Verify(t.Context(), g.Token(email, nonce), nonce)
		requireUnavailable(t, err, code)
		require.Zero(t, g.Requests(googletest.IAPCertsURL), code)
		require.Empty(t, g.Strays(), code)
	}
}

// A retired key is used until the keys at hand are no longer fresh.
func TestRetiredKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := googletest.NewGoogle(clientID)
		v := newVerifier(t, g)
		verify := func(d *googletest.Draft) error {
			d.Claims["iat"], d.Claims["exp"] = time.Now().Unix(), time.Now().Add(time.Hour).Unix()
			_, err := v.Verify(t.Context(), g.Mint(d), nonce)
			return err
		}
		old := g.Draft(email, nonce)
		require.NoError(t, verify(old))
		g.Rotate()
		g.Retire(old.Header["kid"].(string))
		advance(6*time.Hour - time.Millisecond)
		require.NoError(t, verify(old))
		advance(time.Millisecond)
		requireReason(t, googlesession.ReasonSignature, verify(old))
		require.NoError(t, verify(g.Draft(email, nonce)))
	})
}

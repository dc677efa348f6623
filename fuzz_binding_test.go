package googlesession_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
)

// Reading a proof never panics, and a proof that is accepted has three parts of one spelling and
// a challenge.
func FuzzProof(f *testing.F) {
	for _, seed := range []string{
		chromiumRegistration, chromiumRefresh, "", ".", "..", "a.b.c", chromiumRefresh + "=", chromiumRefresh[:100],
		strings.Replace(chromiumRefresh, ".", "\n.", 1), encode([]byte(`{"alg":"ES256","typ":"dbsc+jwt","jwk":{}}`)) + "." + encode([]byte(`{"jti":""}`)) + ".AA",
		encode([]byte(`{"alg":"ES256","typ":"dbsc+jwt","jwk":{"kty":"EC","crv":"P-256","x":"","y":""}}`)) + "." + encode([]byte(`{"jti":"a","jti":"b"}`)) + "." + strings.Repeat("A", 86),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		_, signed, reason := googlesession.ReadProof(text)
		if reason != "" {
			require.Contains(t, []string{"shape", "algorithm", "key", "signature"}, reason)
			return
		}
		require.Equal(t, 2, strings.Count(text, "."))
		require.LessOrEqual(t, len(text), 2048)
		require.NotContains(t, text, "\n")
		if signed {
			require.True(t, googlesession.SignedBy(text, text))
		}
	})
}

// No text but the server's own passes as a stamp.
func FuzzStamp(f *testing.F) {
	binding := googlesession.NewBindingText('e', time.UnixMilli(1_795_968_000_000), [16]byte{1, 2, 3}, [33]byte{2})
	ref := googlesession.Ref{ID: [32]byte{4, 5, 6}}
	for _, end := range []time.Time{time.UnixMilli(0), time.UnixMilli(1_795_968_000_000), time.UnixMilli(1<<48 - 1)} {
		f.Add(googlesession.Stamp(binding, 'b', ref, end), binding)
		f.Add(googlesession.Stamp(binding, 'c', ref, end), binding)
	}
	f.Add("", "")
	f.Add(strings.Repeat("A", 40), binding[:56])
	f.Fuzz(func(t *testing.T, text, stored string) {
		if again, ok := googlesession.BindingText(stored); ok {
			require.Equal(t, stored, again)
		}
		if end, ok := googlesession.StampEnd(binding, 'b', ref, text); ok {
			require.Equal(t, text, googlesession.Stamp(binding, 'b', ref, end))
		}
	})
}

package googletoken_test

import (
	"testing"

	"google.golang.org/api/idtoken"
	"google.golang.org/api/option"

	"github.com/googlesession/googlesession/googletest"
)

// BenchmarkVerify compares Verify, with keys at hand, with idtoken alone, which checks
// signature, audience and expiry. Verify should take at most a quarter more time.
func BenchmarkVerify(b *testing.B) {
	g := googletest.NewGoogle(clientID)
	token := g.Token(email, nonce)

	b.Run("by=idtoken", func(b *testing.B) {
		bare, err := idtoken.NewValidator(b.Context(), option.WithHTTPClient(g.Client()))
		if err != nil {
			b.Fatal(err)
		}
		b.ReportAllocs()
		for b.Loop() {
			if _, err := bare.Validate(b.Context(), token, clientID); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("by=googletoken", func(b *testing.B) {
		v := newVerifier(b, g)
		b.ReportAllocs()
		for b.Loop() {
			if _, err := v.Verify(b.Context(), token, nonce); err != nil {
				b.Fatal(err)
			}
		}
	})
}

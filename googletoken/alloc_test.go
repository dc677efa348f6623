package googletoken_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/api/idtoken"
	"google.golang.org/api/option"

	"github.com/googlesession/googlesession/googlesessiontest"
)

// With keys at hand, all that this package does around idtoken takes 38
// allocations, idtoken itself 107. The bound leaves room for another compiler.
func TestAllocs(t *testing.T) {
	const most = 45
	g := googlesessiontest.NewGoogle(clientID)
	v, token := newVerifier(t, g), g.Token(email, nonce)
	bare, err := idtoken.NewValidator(t.Context(), option.WithHTTPClient(g.Client()))
	require.NoError(t, err)

	alone := testing.AllocsPerRun(100, func() {
		if _, err := bare.Validate(t.Context(), token, clientID); err != nil {
			t.Error(err)
		}
	})
	around := testing.AllocsPerRun(100, func() {
		if _, err := v.Verify(t.Context(), token, nonce); err != nil {
			t.Error(err)
		}
	})
	require.LessOrEqual(t, around-alone, float64(most), "idtoken alone: %v", alone)
}

package googletoken_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession/googlesessiontest"
	"github.com/googlesession/googlesession/googletoken"
)

const (
	clientID = "1234567890-abc.apps.googleusercontent.com"
	email    = "ada@gmail.com"
	nonce    = "n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg"
)

func newVerifier(tb testing.TB, g *googlesessiontest.Google) *googletoken.Verifier {
	tb.Helper()
	v, err := googletoken.New(googletoken.Config{ClientIDs: []string{clientID}, HTTPClient: g.Client()})
	require.NoError(tb, err)
	return v
}

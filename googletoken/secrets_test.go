package googletoken_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession/googletest"
)

// No error contains a piece of the token, of its decoded parts, or of the nonce, however it
// is printed or unwrapped.
func TestErrorsHoldNothingOfTheToken(t *testing.T) {
	g := googletest.NewGoogle(clientID)
	warm, cold := newVerifier(t, g), newVerifier(t, googletest.NewGoogle(clientID))
	_, err := warm.Verify(t.Context(), g.Token(email, nonce), nonce)
	require.NoError(t, err)
	for _, bad := range g.BadTokens(email, nonce) {
		_, err := warm.Verify(t.Context(), bad.Token, nonce)
		requireNoSecret(t, err, bad.Token, bad.Name)
		_, err = cold.Verify(t.Context(), bad.Token, nonce)
		requireNoSecret(t, err, bad.Token, bad.Name)
	}
	for _, bad := range g.BadEvents(email) {
		_, err := warm.VerifyEvent(t.Context(), bad.Token)
		requireNoSecret(t, err, bad.Token, bad.Name)
		_, err = cold.VerifyEvent(t.Context(), bad.Token)
		requireNoSecret(t, err, bad.Token, bad.Name)
	}

	g.Respond(fail)
	token := g.Token(email, nonce)
	_, err = newVerifier(t, g).Verify(t.Context(), token, nonce)
	requireNoSecret(t, err, token, "an outage")
	token = g.SecurityEvent(disabled, email)
	_, err = newVerifier(t, g).VerifyEvent(t.Context(), token)
	requireNoSecret(t, err, token, "an outage")
}

// requireNoSecret looks for every piece of ten bytes. Two member names are exempt. No other
// word of an error is that long and also in a token.
func requireNoSecret(t *testing.T, err error, token string, msg ...any) {
	t.Helper()
	const length = 10
	require.Error(t, err, msg...)
	texts := strings.NewReplacer("email_verified", "", "subject_type", "").Replace(strings.Join(printed(err), "\n"))
	hidden := []string{token, nonce, email}
	for part := range strings.SplitSeq(token, ".") {
		if decoded, err := base64.RawURLEncoding.DecodeString(part); err == nil {
			hidden = append(hidden, string(decoded))
		}
	}
	pieces := map[string]bool{}
	for i := range max(0, len(texts)-length+1) {
		pieces[texts[i:i+length]] = true
	}
	for _, secret := range hidden {
		for i := range max(0, len(secret)-length+1) {
			require.False(t, pieces[secret[i:i+length]], "%q is in %q: %v", secret[i:i+length], texts, msg)
		}
	}
}

// printed returns the forms in which fmt prints an error and the errors that it wraps.
func printed(err error) []string {
	if err == nil {
		return nil
	}
	texts := []string{fmt.Sprintf("%v", err), fmt.Sprintf("%+v", err), fmt.Sprintf("%#v", err), fmt.Sprintf("%q", err)}
	switch wrapping := err.(type) { //nolint:errorlint // each level is printed
	case interface{ Unwrap() error }:
		texts = append(texts, printed(wrapping.Unwrap())...)
	case interface{ Unwrap() []error }:
		for _, err := range wrapping.Unwrap() {
			texts = append(texts, printed(err)...)
		}
	}
	return texts
}

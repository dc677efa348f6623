package googletoken_test

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/api/idtoken"
	"google.golang.org/api/option"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/googletest"
)

// With keys at hand, this package takes 7 allocations for a token, and idtoken 105. The
// bound is higher, because another compiler may allocate more.
func TestAllocs(t *testing.T) {
	const most = 12
	g := googletest.NewGoogle(clientID)
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

// With keys at hand, an event takes 22 allocations, 9 of them for the signature.
func TestEventAllocs(t *testing.T) {
	const most = 30
	g := googletest.NewGoogle(clientID)
	v, token := newVerifier(t, g), g.SecurityEvent(disabled, email)
	got := testing.AllocsPerRun(100, func() {
		if _, err := v.VerifyEvent(t.Context(), token); err != nil {
			t.Error(err)
		}
	})
	require.LessOrEqual(t, got, float64(most))
}

// A posted token is parsed before its author is known, and nested objects are parsed more
// than once. The worst token of 16 KiB still takes less than 1 MiB.
func TestHostileEvents(t *testing.T) {
	var members strings.Builder
	for i := range 1420 {
		fmt.Fprintf(&members, `"%03x":1,`, i)
	}
	object := "{" + strings.TrimSuffix(members.String(), ",") + "}"
	const event = `"https://schemas.openid.net/secevent/risc/event-type/verification":`
	g := googletest.NewGoogle(clientID)
	v := newVerifier(t, g)
	for name, payload := range map[string]string{
		"claims":               object,
		"events":               `{"events":` + object + `}`,
		"members of an event":  `{"jti":"1","events":{` + event + object + `}}`,
		"members of a subject": `{"jti":"1","events":{` + event + `{"subject":` + object + `}}}`,
		"audiences":            `{"jti":"1","events":{},"aud":[` + strings.Repeat(`"",`, 3800) + `""]}`,
		"objects in arrays":    `{"events":[` + strings.Repeat(`{"a":1},`, 1400) + `{}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			d := g.EventDraft(disabled, email)
			d.RawPayload = []byte(payload)
			token := g.Mint(d)
			require.Greater(t, len(token), 15<<10)
			require.LessOrEqual(t, len(token), 16<<10)

			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := v.VerifyEvent(t.Context(), token)
			runtime.ReadMemStats(&after)
			_, refused := errors.AsType[*googlesession.TokenError](err)
			require.True(t, refused, "%v", err)
			require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(1<<20), "bytes allocated")
		})
	}
}

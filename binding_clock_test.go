package googlesession_test

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
)

// A server with a wrong clock may have written times in the future. They do not let a copied
// cookie go on until then.
func TestBindingOfWrongClock(t *testing.T) {
	for _, tt := range []struct {
		name  string
		since time.Duration // in the future
		stamp time.Duration // how long the stamp is valid; 0 for none
		want  int
	}{
		{"bound by a server that is ahead a little", 50 * time.Second, 0, http.StatusOK},
		{"bound by a server that is a year ahead", 365 * 24 * time.Hour, 0, http.StatusUnauthorized},
		{"stamp of the longest time", -time.Hour, 24*time.Hour + time.Minute, http.StatusOK},
		{"stamp of a server that is a day ahead", -time.Hour, 48 * time.Hour, http.StatusUnauthorized},
	} {
		inOwnBubble(t, tt.name, func(t *testing.T) {
			s := newBoundSite(t, nil)
			d := newDevice(t, s, alice)
			ref, err := googlesession.ParseRef(d.id)
			require.NoError(t, err)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			opened := streamOf(ctx, s.manager.EndWithSession(time.Second), d.Client)
			synctest.Wait()
			binding := googlesession.NewBindingText('e', time.Now().Add(tt.since), [16]byte{1}, [33]byte{2})
			swapped, err := s.store.SwapBinding(t.Context(), ref, "", binding) // as another server does
			require.NoError(t, err)
			require.True(t, swapped)
			header := sessionCookie + "=" + cookie(t, d.Client, sessionCookie)
			if tt.stamp > 0 {
				header += "; " + boundCookie + "=" + googlesession.Stamp(binding, 'b', ref, time.Now().Add(tt.stamp))
			}
			require.Equal(t, tt.want, serve(t, s, http.MethodGet, "/private", "", "Cookie", header).status)
			advance(2 * time.Second)
			if tt.since > 0 && tt.want == http.StatusOK {
				require.NoError(t, over(opened))
			} else {
				require.Error(t, over(opened), "a stream from before the session was bound")
			}
			cancel()
			synctest.Wait()
		})
	}
}

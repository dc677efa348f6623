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

// A stream that a guard has admitted only because the browser may be binding the session ends
// when that time is over, so the copy of a cookie does not keep it.
func TestStreamsOfUnboundSessionEnd(t *testing.T) {
	type guards func(*googlesession.Manager, func(http.Handler) http.Handler) func(http.Handler) http.Handler
	plain := func(_ *googlesession.Manager, end func(http.Handler) http.Handler) func(http.Handler) http.Handler {
		return end
	}
	around := func(guard func(*googlesession.Manager, http.Handler) http.Handler) guards {
		return func(m *googlesession.Manager, end func(http.Handler) http.Handler) func(http.Handler) http.Handler {
			return func(h http.Handler) http.Handler { return guard(m, end(h)) }
		}
	}
	inside := func(guard func(*googlesession.Manager, http.Handler) http.Handler) guards {
		return func(m *googlesession.Manager, end func(http.Handler) http.Handler) func(http.Handler) http.Handler {
			return func(h http.Handler) http.Handler { return end(guard(m, h)) }
		}
	}
	for _, tt := range []struct {
		name   string
		policy googlesession.BindPolicy
		guards guards
		ends   bool
	}{
		{"offer", googlesession.BindOffer, plain, false},
		{"offer, RequireAdmin", googlesession.BindOffer, around((*googlesession.Manager).RequireAdmin), false},
		{"offer, RequireBound", googlesession.BindOffer, around((*googlesession.Manager).RequireBound), true},
		{"offer, RequireBound inside", googlesession.BindOffer, inside((*googlesession.Manager).RequireBound), true},
		{"admins", googlesession.BindAdmins, plain, false},
		{"admins, RequireAdmin", googlesession.BindAdmins, around((*googlesession.Manager).RequireAdmin), true},
		{"admins, RequireAdmin inside", googlesession.BindAdmins, inside((*googlesession.Manager).RequireAdmin), true},
		{"everybody", googlesession.BindEverybody, plain, true},
	} {
		inOwnBubble(t, tt.name, func(t *testing.T) {
			s := newBoundSite(t, func(c *googlesession.Config) {
				c.DeviceBinding, c.Admins, c.IdleTimeout = tt.policy, []string{adminEmail}, time.Hour
			})
			d := newDevice(t, s, adminEmail)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			ended := streamOf(ctx, tt.guards(s.manager, s.manager.EndWithSession(time.Minute)), d.Client)
			advance(2*time.Minute - time.Second)
			require.NoError(t, over(ended))
			advance(2 * time.Second)
			if err := over(ended); tt.ends {
				var denied googlesession.Denial
				require.ErrorAs(t, err, &denied)
				require.Equal(t, googlesession.CodeBindingNeeded, denied.Code)
			} else {
				require.NoError(t, err)
				advance(30 * time.Minute)
				require.NoError(t, over(ended))
			}
			cancel()
			synctest.Wait()
		})
	}
}

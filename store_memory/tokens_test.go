package memstore_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	memstore "github.com/googlesession/googlesession/store_memory"
)

// sweep writes to every shard, often enough that all users are forgotten that may be.
func sweep(t *testing.T, s *memstore.Store) {
	t.Helper()
	for i := range 1000 {
		_, err := s.PutUser(t.Context(), user(fmt.Sprint("sweep", i)))
		require.NoError(t, err)
	}
}

// The TokensAfter of users who were deleted or never signed in is remembered for
// TokenWindow, and is forgotten after that.
func TestTokensAfterIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memstore.New(nil)
		token := func(id string, issued time.Time) error {
			_, err := s.SignIn(t.Context(), googlesession.Identity{Subject: id, IssuedAt: issued})
			return err
		}
		const users = 100
		now := time.Now()
		for i := range users {
			id := fmt.Sprint(i)
			if i%2 == 0 {
				require.NoError(t, token(id, now))
				require.NoError(t, s.DeleteUser(t.Context(), id))
				continue
			}
			_, err := s.RefuseTokens(t.Context(), id, now)
			require.ErrorIs(t, err, googlesession.ErrNotFound)
		}
		for range 9 { // longer than SignInWindow, several times
			time.Sleep((googlesession.TokenWindow - time.Second) / 9) //nolint:forbidigo // synctest
			sweep(t, s)
			for i := range users {
				require.ErrorIs(t, token(fmt.Sprint(i), now), googlesession.ErrStaleToken)
			}
		}
		for range 3 { // each call of a sweep forgets up to eight users of its shard
			time.Sleep(googlesession.SignInWindow + time.Second) //nolint:forbidigo // synctest
			sweep(t, s)
		}
		for i := range users {
			require.NoError(t, token(fmt.Sprint(i), now), "forgotten")
		}
	})
}

package memstore_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	memstore "github.com/googlesession/googlesession/store_memory"
)

// Browsers like those of a plain list, however often and in whichever order they are seen.
func TestBrowsers(t *testing.T) {
	s := memstore.New(nil)
	signIn(t, s, "a")
	var want []googlesession.BrowserID
	for i := range 200 {
		seen := googlesession.BrowserID{byte(i * i % 23), 15: 1}
		got, err := s.Browsers(t.Context(), "a", &seen)
		require.NoError(t, err)
		require.Equal(t, want, got, "as they were before the call")

		next := []googlesession.BrowserID{seen}
		for _, id := range want {
			if id != seen && len(next) < googlesession.MaxBrowsers {
				next = append(next, id)
			}
		}
		want = next
	}
	signInAs(t, s, googlesession.Identity{Subject: "a", Name: "other"})
	got, err := s.Browsers(t.Context(), "a", nil)
	require.NoError(t, err)
	require.Equal(t, want, got, "a sign-in keeps them")

	require.NoError(t, s.DeleteUser(t.Context(), "a"))
	_, err = s.Browsers(t.Context(), "a", &want[0])
	require.ErrorIs(t, err, googlesession.ErrNotFound)
	_, err = s.SignIn(t.Context(), googlesession.Identity{Subject: "a", IssuedAt: time.Now().Add(time.Hour)})
	require.NoError(t, err)
	got, err = s.Browsers(t.Context(), "a", nil)
	require.NoError(t, err)
	require.Empty(t, got, "the deletion has forgotten them")
}

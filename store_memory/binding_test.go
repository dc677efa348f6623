package memstore_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	memstore "github.com/googlesession/googlesession/store_memory"
)

// bind swaps the Binding of an unbound session.
func bind(t testing.TB, s *memstore.Store, r googlesession.Ref, binding string) {
	t.Helper()
	swapped, err := s.SwapBinding(t.Context(), r, "", binding)
	require.NoError(t, err)
	require.True(t, swapped)
}

// Each session keeps its own Binding and its own details, and a new one has no Binding, after
// thousands of sessions and swaps in the same slots.
func TestBindingsOfReusedSlots(t *testing.T) {
	s := memstore.New(&memstore.Options{PerUser: 1000})
	random := rand.New(rand.NewPCG(12, 13)) //nolint:gosec // an order, not a secret
	u := user("a")
	var live []googlesession.NewSession
	bindings := map[googlesession.Ref]string{}
	for range 5000 {
		if len(live) == 0 || random.IntN(100) < 30 {
			n := newDetailed(random, u)
			_, err := s.CreateSession(t.Context(), n)
			require.NoError(t, err)
			live = append(live, n)
		}
		i := random.IntN(len(live))
		ref := live[i].Ref
		got, err := s.CheckSession(t.Context(), ref, 0)
		require.NoError(t, err)
		require.Equal(t, bindings[ref], got.Binding)
		switch random.IntN(5) {
		case 0, 1, 2:
			next := strings.Repeat("abcdefghijklmnopqrstuvwxyz"[random.IntN(26):][:1], random.IntN(googlesession.MaxBinding+1))
			swapped, err := s.SwapBinding(t.Context(), ref, bindings[ref], next)
			require.NoError(t, err)
			require.True(t, swapped)
			bindings[ref] = next
		case 3:
			ended, err := s.RevokeSession(t.Context(), ref)
			require.NoError(t, err)
			require.True(t, ended)
			live[i] = live[len(live)-1]
			live = live[:len(live)-1]
		}
	}
	s.RequireConsistent(t)
	list, err := s.Sessions(t.Context(), u.ID)
	require.NoError(t, err)
	require.Len(t, list, len(live))
	byRef := map[googlesession.Ref]googlesession.Session{}
	for _, session := range list {
		byRef[session.Ref] = session
	}
	bound := 0
	for _, n := range live {
		got := byRef[n.Ref]
		require.Equal(t, bindings[n.Ref], got.Binding)
		require.Equal(t, n.Label, got.Label)
		require.Equal(t, n.Kind, got.Kind)
		require.Equal(t, n.Device, got.Device)
		if got.Binding != "" {
			bound++
		}
	}
	require.Greater(t, bound, 50)
	_, err = s.RevokeUser(t.Context(), u.ID, nil)
	require.NoError(t, err)
	s.RequireConsistent(t)
}

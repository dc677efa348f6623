package memstore_test

import (
	"encoding/binary"
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	memstore "github.com/googlesession/googlesession/store_memory"
)

// The index finds a session by the first 4 bytes of its ID. Here many IDs share these
// bytes, or are neighbours in the index, also across its end. Sessions are created and
// revoked in any order.
func TestIndex(t *testing.T) {
	s := memstore.New(&memstore.Options{PerUser: 10_000})
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // an order, not a secret
	u := user("a")
	live, ended := map[googlesession.Ref]bool{}, map[googlesession.Ref]bool{}
	for n := range uint64(3000) {
		r := googlesession.Ref{Tag: googlesession.UserTag(u.ID)}
		bits := [...]uint32{0, 7, 0xFFFF_FFFF, 0xFFFF_FFF0 + random.Uint32N(16), random.Uint32N(64), random.Uint32()}[n%6]
		binary.LittleEndian.PutUint32(r.ID[:], bits)
		binary.LittleEndian.PutUint64(r.ID[8:], n)
		session := newSession(u)
		session.Ref = r
		_, err := s.CreateSession(t.Context(), session)
		require.NoError(t, err)
		live[r] = true
		if n%3 == 0 {
			continue
		}
		for r := range live { // the first of a random order
			wasLive, err := s.RevokeSession(t.Context(), r)
			require.NoError(t, err)
			require.True(t, wasLive)
			delete(live, r)
			ended[r] = true
			break
		}
	}
	require.EqualValues(t, len(live), s.Held())
	s.RequireConsistent(t)
	for r := range live {
		session, err := s.CheckSession(t.Context(), r, 0)
		require.NoError(t, err, "%x", r.ID[:16])
		require.Equal(t, r, session.Ref)
	}
	for r := range ended {
		_, err := s.CheckSession(t.Context(), r, 0)
		require.ErrorIs(t, err, googlesession.ErrNoSession, "%x", r.ID[:16])
	}
}

// A session that was created and revoked leaves no memory behind.
func TestRevokedSessionsLeaveNoMemory(t *testing.T) {
	s := memstore.New(nil)
	round := func() {
		_, err := s.RevokeSession(t.Context(), create(t, s, user("a")))
		require.NoError(t, err)
	}
	round()
	before := heap()
	for range 100_000 {
		round()
	}
	require.Less(t, heap(), before+1<<20)
	runtime.KeepAlive(s)
}

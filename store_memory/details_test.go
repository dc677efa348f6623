package memstore_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	memstore "github.com/googlesession/googlesession/store_memory"
	"github.com/googlesession/googlesession/storekit"
)

// newDetailed returns a session with a random choice of details.
func newDetailed(random *rand.Rand, u googlesession.User) googlesession.NewSession {
	n := newSession(u)
	n.Device = googlesession.Device{}
	if random.IntN(3) > 0 {
		n.Device.UserAgent = fmt.Sprint("browser", random.IntN(4))
	}
	if random.IntN(3) == 0 {
		n.Label = fmt.Sprint("label", random.IntN(1000))
	}
	if random.IntN(3) == 0 {
		n.Kind = googlesession.SessionKind(random.IntN(256)) //nolint:gosec // it fits
	}
	switch random.IntN(4) {
	case 0:
		n.PublicID = n.Ref.PublicID()
	case 1:
		n.PublicID = googlesession.PublicID{byte(random.IntN(256)), 15: 1} //nolint:gosec // IntN returns a number that fits
	}
	return n
}

// Each session keeps its own details, after thousands of sessions in the same slots.
func TestDetailsOfReusedSlots(t *testing.T) {
	s := memstore.New(&memstore.Options{PerUser: 1000})
	u := user("a")
	random := rand.New(rand.NewPCG(10, 11)) //nolint:gosec // an order, not a secret
	var live []googlesession.NewSession
	for range 5000 {
		if len(live) > 0 && random.IntN(100) < 48 {
			i := random.IntN(len(live))
			ended, err := s.RevokeSession(t.Context(), live[i].Ref)
			require.NoError(t, err)
			require.True(t, ended)
			live[i] = live[len(live)-1]
			live = live[:len(live)-1]
			continue
		}
		n := newDetailed(random, u)
		created, err := s.CreateSession(t.Context(), n)
		require.NoError(t, err)
		require.Equal(t, n.Label, created.Label)
		require.Equal(t, n.Device, created.Device)
		live = append(live, n)

		checked := live[random.IntN(len(live))]
		got, err := s.CheckSession(t.Context(), checked.Ref, 0)
		require.NoError(t, err)
		require.Equal(t, checked.Kind, got.Kind)
		require.Equal(t, storekit.PublicID(checked), got.PublicID)
		require.Empty(t, got.Label)
		require.Empty(t, got.Device)
	}
	s.RequireConsistent(t)
	list, err := s.Sessions(t.Context(), u.ID)
	require.NoError(t, err)
	all, _, err := s.AllSessions(t.Context(), "", 10_000)
	require.NoError(t, err)
	for name, listed := range map[string][]googlesession.Session{"Sessions": list, "AllSessions": all} {
		require.Len(t, listed, len(live), name)
		byRef := map[googlesession.Ref]googlesession.Session{}
		for _, session := range listed {
			byRef[session.Ref] = session
		}
		for _, n := range live {
			got := byRef[n.Ref]
			require.Equal(t, n.Label, got.Label, name)
			require.Equal(t, n.Kind, got.Kind, name)
			require.Equal(t, n.Device, got.Device, name)
			require.Equal(t, storekit.PublicID(n), got.PublicID, name)
		}
	}
	_, err = s.RevokeUser(t.Context(), u.ID, nil)
	require.NoError(t, err)
	s.RequireConsistent(t)
}

// A session with a label and a Binding leaves no memory behind.
func TestRevokedDetailsLeaveNoMemory(t *testing.T) {
	const sessions, label, agent = 5000, 90, 500
	s := memstore.New(&memstore.Options{PerUser: sessions})
	round := func() {
		for i := range sessions {
			n := newSession(user("a"))
			n.Device.UserAgent = fmt.Sprintf("%0*d", agent, i)
			n.Label, n.Kind = fmt.Sprintf("%0*d", label, i), googlesession.KindIssued
			_, err := s.CreateSession(t.Context(), n)
			require.NoError(t, err)
			bind(t, s, n.Ref, fmt.Sprintf("%057d", i))
		}
	}
	end := func() {
		_, err := s.RevokeUser(t.Context(), "a", nil)
		require.NoError(t, err)
	}
	before := heap()
	round()
	require.Greater(t, heap(), before+sessions*(label+agent))
	end()
	once := heap() // the slots of the sessions stay
	require.Less(t, once, before+sessions*400)
	for range 3 {
		round()
		end()
	}
	require.Less(t, heap(), once+sessions*50)
	runtime.KeepAlive(s)
}

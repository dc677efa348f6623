package memstore_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	memstore "github.com/googlesession/googlesession/store_memory"
)

func signIn(tb testing.TB, s *memstore.Store, id string) {
	tb.Helper()
	_, err := s.SignIn(tb.Context(), googlesession.Identity{Subject: id, IssuedAt: time.Now().Add(time.Minute)})
	require.NoError(tb, err)
}

// The pages of Users show each user once and in order, in whichever order users were
// created and deleted.
func TestUsersInOrder(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4)) //nolint:gosec // an order, not a secret
	for name, number := range map[string]func(i int) int{
		"forwards":  func(i int) int { return i },
		"backwards": func(i int) int { return 5000 - i },
		"mixed":     func(int) int { return random.IntN(5000) },
	} {
		t.Run(name, func(t *testing.T) {
			s, want := memstore.New(nil), map[string]bool{}
			for i := range 5000 {
				id := fmt.Sprintf("%04d", number(i))
				if random.IntN(4) == 0 && want[id] {
					require.NoError(t, s.DeleteUser(t.Context(), id))
					delete(want, id)
					continue
				}
				signIn(t, s, id)
				want[id] = true
			}
			for id := range want { // whole runs of sortedIDs
				if id > "1000" && id < "3000" {
					require.NoError(t, s.DeleteUser(t.Context(), id))
					delete(want, id)
				}
			}
			var got []string
			for after := ""; ; {
				page, err := s.Users(t.Context(), after, 77)
				require.NoError(t, err)
				for _, u := range page {
					got = append(got, u.ID)
				}
				if len(page) < 77 {
					break
				}
				after = page[len(page)-1].ID
			}
			ids := make([]string, 0, len(want))
			for id := range want {
				ids = append(ids, id)
			}
			slices.Sort(ids)
			require.Equal(t, ids, got)
		})
	}
}

// Users allocates for its page, not for all users.
func TestUsersAllocsOfPage(t *testing.T) {
	s := memstore.New(nil)
	for i := range 20_000 {
		signIn(t, s, fmt.Sprintf("%05d", i))
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	page, err := s.Users(t.Context(), "10000", 10)
	runtime.ReadMemStats(&after)
	require.NoError(t, err)
	require.Len(t, page, 10)
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(100_000), "bytes")
}

// BenchmarkUsers measures a page of 200 users, and a new user, among a million users.
func BenchmarkUsers(b *testing.B) {
	s := memstore.New(nil)
	ids := rand.New(rand.NewPCG(5, 6)).Perm(1_000_000) //nolint:gosec // an order, not a secret
	for _, i := range ids {
		signIn(b, s, fmt.Sprintf("%021d", i))
	}
	b.Run("page", func(b *testing.B) {
		for b.Loop() {
			page, err := s.Users(b.Context(), fmt.Sprintf("%021d", rand.IntN(900_000)), 200) //nolint:gosec // likewise
			require.NoError(b, err)
			require.Len(b, page, 200)
		}
	})
	b.Run("new user", func(b *testing.B) {
		i := 0
		for b.Loop() {
			signIn(b, s, fmt.Sprintf("%021d+%d", rand.IntN(900_000), i)) //nolint:gosec // likewise
			i++
		}
	})
}

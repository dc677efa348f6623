package memstore_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	memstore "github.com/googlesession/googlesession/store_memory"
)

// allSessions returns how often each session is in the pages of AllSessions. It calls between
// after each page but the last.
func allSessions(t *testing.T, s *memstore.Store, limit int, between func()) map[googlesession.Ref]int {
	t.Helper()
	times := map[googlesession.Ref]int{}
	for after := ""; ; {
		page, next, err := s.AllSessions(t.Context(), after, limit)
		require.NoError(t, err)
		require.LessOrEqual(t, len(page), limit)
		for _, session := range page {
			times[session.Ref]++
		}
		if next == "" {
			return times
		}
		require.Regexp(t, `^[!-~]{1,512}$`, next)
		after = next
		between()
	}
}

// A session that is live all the time is in exactly one page, whatever sessions begin and
// end between the pages, in which slots ever.
func TestAllSessionsDuringChanges(t *testing.T) {
	s := memstore.New(nil)
	random := rand.New(rand.NewPCG(12, 13)) //nolint:gosec // an order, not a secret
	var stay, others []googlesession.Ref
	begin := func(i int) googlesession.Ref { return create(t, s, user(fmt.Sprint("user", i%200))) }
	for i := range 3000 {
		if ref := begin(i); i%3 == 0 {
			stay = append(stay, ref)
		} else {
			others = append(others, ref)
		}
	}
	ended := map[googlesession.Ref]bool{}
	for _, limit := range []int{7, 50, 128, 1000, 100_000} {
		times := allSessions(t, s, limit, func() {
			for range 5 {
				i := random.IntN(len(others))
				_, err := s.RevokeSession(t.Context(), others[i])
				require.NoError(t, err)
				ended[others[i]] = true
				others[i] = begin(random.IntN(200))
			}
		})
		for _, ref := range stay {
			require.Equal(t, 1, times[ref], "limit %d", limit)
		}
	}
	for ref, times := range allSessions(t, s, 50, func() {}) {
		require.Equal(t, 1, times)
		require.False(t, ended[ref], "an ended session is in a page")
	}
}

func TestAllSessionsExpired(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memstore.New(nil)
		create(t, s, user("a"))
		time.Sleep(30 * time.Second) //nolint:forbidigo // in a bubble it takes no time
		later := create(t, s, user("a"))
		time.Sleep(30 * time.Second) //nolint:forbidigo // in a bubble it takes no time
		require.Equal(t, map[googlesession.Ref]int{later: 1}, allSessions(t, s, 10, func() {}))
	})
}

// The texts that AllSessions has not returned are refused, or are places in the order.
func TestAllSessionsAfter(t *testing.T) {
	s := memstore.New(nil)
	for i := range 100 {
		create(t, s, user(fmt.Sprint(i)))
	}
	for _, after := range []string{"x", ".", "0", "0.", ".0", "64.0", "-1.0", "0.-1", "0.0.0", "0.2147483648", "99999999999.0", "0.1 ", "+1.0", "\x00"} {
		page, next, err := s.AllSessions(t.Context(), after, 10)
		require.ErrorIs(t, err, googlesession.ErrNotFound, "%q", after)
		require.Empty(t, page)
		require.Empty(t, next)
	}
	for after, least := range map[string]int{"0.0": 100, "0.2147483647": 90, "63.2147483647": 0} {
		page, next, err := s.AllSessions(t.Context(), after, 1000)
		require.NoError(t, err, "%q", after)
		require.GreaterOrEqual(t, len(page), least, "%q", after)
		require.Empty(t, next)
	}
	for _, limit := range []int{0, -1} {
		page, next, err := s.AllSessions(t.Context(), "", limit)
		require.NoError(t, err)
		require.Empty(t, page)
		require.Empty(t, next)
	}
}

// A page ends after a bounded number of slots, also if no session is left in any of them. The
// shortest of many pages counts, so that other load does not.
func TestAllSessionsTimeOfPage(t *testing.T) {
	const many = 50_000
	s := memstore.New(nil)
	for i := range many {
		create(t, s, user(fmt.Sprint(i%5000)))
	}
	few := memstore.New(nil)
	for i := range 1000 {
		create(t, few, user(fmt.Sprint(i)))
	}
	shortest := func(s *memstore.Store) time.Duration {
		least := time.Hour
		for range 100 {
			began := time.Now()
			page, _, err := s.AllSessions(t.Context(), "", 50)
			least = min(least, time.Since(began))
			require.NoError(t, err)
			require.LessOrEqual(t, len(page), 50)
		}
		return least
	}
	require.Less(t, shortest(s), 10*shortest(few)+20*time.Microsecond)

	for i := range 5000 {
		_, err := s.RevokeUser(t.Context(), fmt.Sprint(i), nil)
		require.NoError(t, err)
	}
	pages := 1
	require.Empty(t, allSessions(t, s, 50, func() { pages++ }))
	require.Greater(t, pages, 2)
	require.Less(t, pages, 10)
}

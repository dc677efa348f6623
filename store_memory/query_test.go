package memstore_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	memstore "github.com/googlesession/googlesession/store_memory"
)

// The page after a user begins where the user was, if the user was changed or deleted, and
// a user who is not in the range of the prefix is before or after all its users.
func TestUsersAfter(t *testing.T) {
	s := memstore.New(nil)
	for _, id := range []string{"1", "2", "3"} {
		signInAs(t, s, googlesession.Identity{Subject: id, Email: "m" + id + "@a", Name: "same"})
	}
	for _, tt := range []struct {
		name     string
		q        googlesession.UserQuery
		id, text string
		want     []string
	}{
		{"unknown ID", googlesession.UserQuery{}, "1x", "ignored", []string{"2", "3"}},
		{"unknown e-mail", googlesession.UserQuery{EmailPrefix: "m"}, "0", "M1@b", []string{"2", "3"}},
		{"same e-mail, smaller ID", googlesession.UserQuery{EmailPrefix: "m"}, "0", "M2@A", []string{"2", "3"}},
		{"same e-mail", googlesession.UserQuery{EmailPrefix: "m"}, "2", "M2@A", []string{"3"}},
		{"e-mail before the prefix", googlesession.UserQuery{EmailPrefix: "m2"}, "9", "a", []string{"2"}},
		{"e-mail after the prefix", googlesession.UserQuery{EmailPrefix: "m2"}, "1", "m3@a", nil},
		{"without an e-mail", googlesession.UserQuery{EmailPrefix: "m"}, "3", "", []string{"1", "2", "3"}},
		{"same name", googlesession.UserQuery{NamePrefix: "SA"}, "1", "sAme", []string{"2", "3"}},
	} {
		q := tt.q
		q.Limit, q.After = 10, &googlesession.User{ID: tt.id, Email: tt.text, Name: tt.text}
		page, err := s.Users(t.Context(), q)
		require.NoError(t, err)
		var got []string
		for _, u := range page {
			got = append(got, u.ID)
		}
		require.Equal(t, tt.want, got, tt.name)
	}
}

// While other users are changed, each walk finds every user who stays as they are, once and
// in order.
func TestUsersDuringChanges(t *testing.T) {
	s := memstore.New(nil)
	const settled = 300
	yes := true
	for i := range settled {
		id := fmt.Sprintf("settled%03d", i)
		signInAs(t, s, googlesession.Identity{Subject: id, Email: fmt.Sprintf("b%03d", i), Name: "B"})
		if i%3 == 0 {
			_, err := s.SetAccess(t.Context(), id, googlesession.AccessChange{Admin: &yes})
			require.NoError(t, err)
		}
	}
	done := make(chan struct{})
	var changes, walks sync.WaitGroup
	for worker := range uint64(2) {
		changes.Go(func() {
			random := rand.New(rand.NewPCG(worker, 9)) //nolint:gosec // an order, not a secret
			for {
				select {
				case <-done:
					return
				default:
				}
				id, flag := fmt.Sprint("moving", random.IntN(100)), random.IntN(2) == 0
				switch random.IntN(4) {
				case 0:
					_ = s.DeleteUser(t.Context(), id)
				case 1:
					_, _ = s.SetAccess(t.Context(), id, googlesession.AccessChange{Admin: &flag})
				case 2:
					_, _ = s.SetData(t.Context(), id, randomText(random), nil)
				default:
					_, _ = s.SignIn(t.Context(), googlesession.Identity{
						Subject: id, Email: "b" + randomText(random), Name: "B", IssuedAt: time.Now().Add(time.Minute),
					})
				}
			}
		})
	}
	var problems sync.Map
	for _, q := range []googlesession.UserQuery{{}, {EmailPrefix: "B"}, {NamePrefix: "b"}, {EmailPrefix: "b", Admin: &yes}} {
		walks.Go(func() {
			for range 20 {
				if found := countSettled(t, s, q); found != settled && (q.Admin == nil || found != settled/3) {
					problems.Store(fmt.Sprintf("%+v", q), found)
				}
			}
		})
	}
	walks.Wait()
	close(done)
	changes.Wait()
	problems.Range(func(q, found any) bool {
		require.Fail(t, "settled users", "%v: found %v", q, found)
		return true
	})
	s.RequireConsistent(t)
}

// countSettled returns how many settled users the pages of q have, or -1 if one comes twice.
func countSettled(t *testing.T, s *memstore.Store, q googlesession.UserQuery) (found int) {
	t.Helper()
	last := ""
	for q.Limit = 11; ; {
		page, err := s.Users(t.Context(), q)
		if err != nil {
			return -1
		}
		for _, u := range page {
			if strings.HasPrefix(u.ID, "settled") {
				if u.ID <= last {
					return -1
				}
				last = u.ID
				found++
			}
		}
		if len(page) < q.Limit {
			return found
		}
		q.After = &page[len(page)-1]
	}
}

// A page of Users takes as long among many users as among few, also if few of many users
// match. The shortest of many pages counts, so that other load does not.
func TestUsersTimeOfPage(t *testing.T) {
	yes, no := true, false
	fill := func(users int) *memstore.Store {
		s := memstore.New(nil)
		for i := range users {
			id := fmt.Sprintf("%06d", i)
			signInAs(t, s, googlesession.Identity{Subject: id, Email: "user" + id + "@example.com", Name: "Ada " + id})
			if i%(users/10) == 0 {
				_, err := s.SetAccess(t.Context(), id, googlesession.AccessChange{Admin: &yes})
				require.NoError(t, err)
			}
		}
		return s
	}
	few, many := fill(500), fill(50_000)
	for _, q := range []googlesession.UserQuery{
		{},
		{Admin: &yes},
		{Admin: &no},
		{Disabled: &yes},
		{EmailPrefix: "USER"},
		{EmailPrefix: "user", Admin: &yes},
		{EmailPrefix: "user", Disabled: &yes, Admin: &yes},
		{NamePrefix: "ada", Admin: &yes},
		{NamePrefix: "ada 0000"},
		{NamePrefix: "b"},
		{EmailPrefix: "user00000"},
		{EmailPrefix: "t"},
	} {
		q.Limit = 20
		shortest := func(s *memstore.Store) time.Duration {
			least := time.Hour
			for range 50 {
				began := time.Now()
				_, err := s.Users(t.Context(), q)
				least = min(least, time.Since(began))
				require.NoError(t, err)
			}
			return least
		}
		require.Less(t, shortest(many), 10*shortest(few)+20*time.Microsecond, "%+v", q)
	}
}

// A sign-in that brings the same profile allocates nothing, so it makes no new text. It does
// not wait for the directory, which all users share.
func TestSignInAgain(t *testing.T) {
	s := memstore.New(nil)
	id := googlesession.Identity{Subject: "a", Email: "a@example.com", Name: "Ada", Picture: "p", IssuedAt: time.Now()}
	ctx := t.Context()
	_, _ = s.SignIn(ctx, id)
	_, err := s.SetData(ctx, "a", "data", nil)
	require.NoError(t, err)
	require.Zero(t, testing.AllocsPerRun(100, func() { _, _ = s.SignIn(ctx, id) }))

	unlock := s.LockDirectory()
	defer unlock()
	done := make(chan error)
	go func() {
		_, err := s.SignIn(ctx, id)
		done <- err
	}()
	select {
	case err := <-done:
		require.NoError(t, err)
	case <-time.After(10 * time.Second):
		require.Fail(t, "the sign-in waits for the directory")
	}
}

// BenchmarkUsers measures a page of 200 users, and a new user, among a million users.
func BenchmarkUsers(b *testing.B) {
	s := memstore.New(nil)
	ids := rand.New(rand.NewPCG(5, 6)).Perm(1_000_000) //nolint:gosec // an order, not a secret
	for _, i := range ids {
		signInAs(b, s, googlesession.Identity{Subject: fmt.Sprintf("%021d", i), Email: fmt.Sprintf("user%06d@example.com", i)})
	}
	b.Run("page", func(b *testing.B) {
		for b.Loop() {
			page, err := s.Users(b.Context(), googlesession.UserQuery{After: &googlesession.User{ID: fmt.Sprintf("%021d", rand.IntN(900_000))}, Limit: 200}) //nolint:gosec // likewise
			require.NoError(b, err)
			require.Len(b, page, 200)
		}
	})
	yes := true
	b.Run("page of the few administrators with a prefix", func(b *testing.B) {
		for b.Loop() {
			_, err := s.Users(b.Context(), googlesession.UserQuery{EmailPrefix: "user", Admin: &yes, Limit: 200})
			require.NoError(b, err)
		}
	})
	b.Run("page with a prefix", func(b *testing.B) {
		for b.Loop() {
			page, err := s.Users(b.Context(), googlesession.UserQuery{EmailPrefix: fmt.Sprintf("USER%03d", rand.IntN(1000)), Limit: 200}) //nolint:gosec // likewise
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

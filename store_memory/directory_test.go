package memstore_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	memstore "github.com/googlesession/googlesession/store_memory"
	"github.com/googlesession/googlesession/storekit"
)

func signIn(tb testing.TB, s *memstore.Store, id string) {
	tb.Helper()
	signInAs(tb, s, googlesession.Identity{Subject: id})
}

func signInAs(tb testing.TB, s *memstore.Store, id googlesession.Identity) googlesession.User {
	tb.Helper()
	id.IssuedAt = time.Now().Add(time.Minute)
	u, err := s.SignIn(tb.Context(), id)
	require.NoError(tb, err)
	return u
}

// walk returns all users of q, in pages of this limit.
func walk(tb testing.TB, s *memstore.Store, q googlesession.UserQuery, limit int) (all []googlesession.User) {
	tb.Helper()
	for q.Limit = limit; ; {
		page, err := s.Users(tb.Context(), q)
		require.NoError(tb, err)
		require.LessOrEqual(tb, len(page), limit)
		all = append(all, page...)
		if len(page) < limit {
			return all
		}
		q.After = &page[len(page)-1]
	}
}

// queries returns a query for each combination of flags and prefixes.
func queries() (all []googlesession.UserQuery) {
	yes, no := true, false
	flags := []*bool{nil, &yes, &no}
	for _, admin := range flags {
		for _, disabled := range flags {
			q := googlesession.UserQuery{Admin: admin, Disabled: disabled}
			all = append(all, q)
			for _, prefix := range []string{"a", "B", "Ab", "ab@", "@", "é", "z", "ab@a.bé"} {
				q.EmailPrefix, q.NamePrefix = prefix, ""
				all = append(all, q)
				q.EmailPrefix, q.NamePrefix = "", prefix
				all = append(all, q)
			}
		}
	}
	return all
}

// matching returns the users of q in the order of the store.
func matching(users map[string]googlesession.User, q googlesession.UserQuery) (all []googlesession.User) {
	text := func(googlesession.User) string { return "" }
	switch {
	case q.EmailPrefix != "":
		text = func(u googlesession.User) string { return storekit.FoldCase(u.Email) }
	case q.NamePrefix != "":
		text = func(u googlesession.User) string { return storekit.FoldCase(u.Name) }
	}
	for _, u := range users {
		if storekit.MatchesQuery(u, q) {
			all = append(all, u)
		}
	}
	slices.SortFunc(all, func(a, b googlesession.User) int {
		return cmp.Or(strings.Compare(text(a), text(b)), strings.Compare(a.ID, b.ID))
	})
	return all
}

// randomText returns a text of few letters, so that many users have the same text, or one
// that differs in case only.
func randomText(random *rand.Rand) string {
	letters := []string{"a", "A", "b", "B", "@", ".", "é", "É", "[", "{"}
	var text strings.Builder
	for range random.IntN(5) {
		text.WriteString(letters[random.IntN(len(letters))])
	}
	return text.String()
}

// changeUser makes a random change of a user, and the same change in users.
func changeUser(t *testing.T, s *memstore.Store, random *rand.Rand, users map[string]googlesession.User, ids int) {
	t.Helper()
	ctx, id := t.Context(), fmt.Sprintf("%04d", random.IntN(ids))
	known, exists := users[id]
	put := func(u googlesession.User, err error) {
		if exists {
			require.NoError(t, err)
			users[id] = u
		} else {
			require.ErrorIs(t, err, googlesession.ErrNotFound)
		}
	}
	yes := random.IntN(2) == 0
	switch random.IntN(8) {
	case 0:
		if err := s.DeleteUser(ctx, id); exists {
			require.NoError(t, err)
			delete(users, id)
		}
	case 1:
		put(s.SetAccess(ctx, id, googlesession.AccessChange{Disabled: &yes}))
	case 2:
		put(s.SetAccess(ctx, id, googlesession.AccessChange{Admin: &yes}))
	case 3:
		put(s.SetData(ctx, id, randomText(random), nil))
	case 4:
		newer := googlesession.User{
			ID: id, Email: randomText(random), Name: known.Name, Data: known.Data, Disabled: yes, Admin: random.IntN(2) == 0,
			Version: known.Version + 1, CreatedAt: known.CreatedAt, SeenAt: known.SeenAt,
		}
		_, err := s.PutUser(ctx, newer)
		require.NoError(t, err)
		if exists {
			users[id] = newer
		}
	default:
		identity := googlesession.Identity{Subject: id, Email: randomText(random), Name: randomText(random)}
		if exists && yes {
			identity.Email, identity.Name = known.Email, strings.ToUpper(known.Name)
		}
		u := signInAs(t, s, identity)
		require.True(t, u.Disabled || u.Email == identity.Email && u.Name == identity.Name)
		require.Equal(t, known.Data, u.Data)
		require.Equal(t, known.Admin, u.Admin)
		users[id] = u
	}
}

// Users finds what a plain filter and sort of all users find, after thousands of changes.
func TestUsersLikePlainSort(t *testing.T) {
	const ids = 2500 // more than fit into a run, in each class
	s, users := memstore.New(nil), map[string]googlesession.User{}
	yes := true
	signIn(t, s, "admin") // so that no other user is the last administrator
	admin, err := s.SetAccess(t.Context(), "admin", googlesession.AccessChange{Admin: &yes})
	require.NoError(t, err)
	users[admin.ID] = admin
	random := rand.New(rand.NewPCG(7, 8)) //nolint:gosec // an order, not a secret
	for range 5 {
		for range 3000 {
			changeUser(t, s, random, users, ids)
		}
		s.RequireConsistent(t)
		for _, q := range queries() {
			want := matching(users, q)
			require.Equal(t, want, walk(t, s, q, 1000), "%+v", q)
			if len(want) < 100 {
				require.Equal(t, want, walk(t, s, q, 7), "%+v, small pages", q)
			}
		}
	}
	for id := range users {
		if id != "admin" {
			require.NoError(t, s.DeleteUser(t.Context(), id))
		}
	}
	s.RequireConsistent(t)
	require.Equal(t, []googlesession.User{admin}, walk(t, s, googlesession.UserQuery{}, 10))
}

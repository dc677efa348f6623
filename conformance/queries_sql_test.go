package conformance_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	sqlstore "github.com/googlesession/googlesession/store_sql"
	"github.com/googlesession/googlesession/storekit"
)

// queriedTexts are names that databases fold, sort or match in different ways.
var queriedTexts = []string{
	"", "a", "A", "aa", "Ab", "AB@", "ab@x", "abA", "ab[", "ab`", "ab{", "z", "Z", "Zz", "[", "@", "`", "%", "_", `\`, "a%", "a_b", "a ", "a  b", "'", `"`,
	"é", "É", "éa", "e\u0301", "ß", "ſ", "s", "S", "İ", "i", "I", "ı", "K", "\u212a", "k", "Å", "å", "Σ", "σ", "ς",
	"\ud7ff", "\ud7ffa", "\ue000", "\uffff", "\U00010000", "\U0010fffe", "\U0010ffff", "\U0010ffffa", "a\U0010ffff", "a\U0010ffffZ", "b",
	"\x01", "\x7f", "a\x7f", "a\u0080",
	strings.Repeat("\U0010ffff", 30), strings.Repeat("x", 100), strings.Repeat("x", 101) + "a", strings.Repeat("X", 101) + "b", strings.Repeat("é", 60),
}

// Each query finds the users whom storekit.MatchesQuery selects, once, in pages of any size.
// Deleted users and copies are not found.
func TestSQLQueries(t *testing.T) {
	for _, s := range sqlDatabases(t) {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			store := s.store(t, &sqlstore.Options{Prefix: s.newPrefix(t)})
			var users []googlesession.User
			for i, text := range queriedTexts {
				id := fmt.Sprint("user-", i)
				_, err := store.SignIn(t.Context(), googlesession.Identity{Subject: id, Email: text, Name: "Ada", IssuedAt: time.Now().Add(time.Hour)})
				require.NoError(t, err)
				u, err := store.SignIn(t.Context(), googlesession.Identity{
					Subject: id, Email: text, Name: queriedTexts[(i*7)%len(queriedTexts)], IssuedAt: time.Now().Add(time.Hour),
				})
				require.NoError(t, err)
				admin, disabled := i%3 == 0, i%5 == 0
				u, err = store.SetAccess(t.Context(), u.ID, googlesession.AccessChange{Admin: &admin, Disabled: &disabled})
				require.NoError(t, err)
				users = append(users, u)
				_, err = store.PutUser(t.Context(), googlesession.User{ID: fmt.Sprint("copy-", i), Email: text, Name: text, Version: 1})
				require.NoError(t, err)
			}
			gone := users[len(users)-1]
			require.NoError(t, store.DeleteUser(t.Context(), gone.ID))
			users = users[:len(users)-1]
			for i, text := range queriedTexts {
				for _, prefix := range []string{text, storekit.FoldCase(text), strings.ToUpper(text)} {
					if len(prefix) > 100 {
						prefix = strings.ToValidUTF8(prefix[:100], "")
					}
					for _, flags := range []int{0, i % 9} {
						q := queries(1+i%4*i, nil)[flags] // Pages have different sizes.
						q.EmailPrefix = prefix
						requireFound(t, store, users, q)
						q.EmailPrefix, q.NamePrefix = "", prefix
						requireFound(t, store, users, q)
					}
				}
			}
			for _, q := range queries(7, nil) {
				requireFound(t, store, users, q)
			}
		})
	}
}

// requireFound reads all pages of q.
func requireFound(t *testing.T, store *sqlstore.Store, users []googlesession.User, q googlesession.UserQuery) {
	t.Helper()
	var got, want []string
	for _, u := range users {
		if storekit.MatchesQuery(u, q) {
			want = append(want, u.ID)
		}
	}
	for q.After = nil; ; {
		page, err := store.Users(t.Context(), q)
		require.NoError(t, err)
		require.LessOrEqual(t, len(page), q.Limit)
		for _, u := range page {
			require.Contains(t, users, u)
			got = append(got, u.ID)
		}
		if len(page) < q.Limit {
			break
		}
		q.After = &page[len(page)-1]
	}
	if q.EmailPrefix == "" && q.NamePrefix == "" {
		require.True(t, slices.IsSorted(got), "the order is that of the IDs")
	}
	require.ElementsMatch(t, want, got, "%s", describe(q))
}

// Data and browsers do not come back if processes of version 2, which do not know them,
// delete the user and sign the user in again.
func TestDataOfUserThatVersion2Deleted(t *testing.T) {
	for _, s := range sqlDatabases(t) {
		t.Run(s.name, func(t *testing.T) {
			prefix := s.newPrefix(t)
			store, db := s.store(t, &sqlstore.Options{Prefix: prefix}), s.open(t)
			u, ref := signIn(t, store)
			_, err := store.SetData(t.Context(), u.ID, "role", nil)
			require.NoError(t, err)
			_, err = store.Browsers(t.Context(), u.ID, &googlesession.BrowserID{1})
			require.NoError(t, err)
			session, err := store.CheckSession(t.Context(), ref, 0)
			require.NoError(t, err)
			require.Equal(t, "role", session.User.Data)

			later := u.CreatedAt.UnixMilli() + 1
			for _, statement := range []string{
				`UPDATE %susers SET email = '', name = '', picture = '', disabled = TRUE, version = version + 1, created_ms = %d, deleted_ms = %[2]d WHERE id = '%[3]s'`,
				`UPDATE %susers SET disabled = FALSE, version = version + 1, created_ms = %d, deleted_ms = NULL WHERE id = '%[3]s'`,
			} {
				execute(t, db, fmt.Sprintf(statement, prefix, later, u.ID))
				later++
			}
			again, err := store.User(t.Context(), u.ID)
			require.NoError(t, err)
			require.Empty(t, again.Data)
			known, err := store.Browsers(t.Context(), u.ID, nil)
			require.NoError(t, err)
			require.Empty(t, known)
		})
	}
}

// The browsers of a user are the ten most recent ones, and the user's deletion forgets them.
func TestSQLBrowsers(t *testing.T) {
	for _, s := range sqlDatabases(t) {
		t.Run(s.name, func(t *testing.T) {
			store := s.store(t, &sqlstore.Options{Prefix: s.newPrefix(t)})
			u, _ := signIn(t, store)
			want := []googlesession.BrowserID{}
			for _, b := range []byte{1, 2, 3, 2, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 1, 12} {
				seen := googlesession.BrowserID{b}
				known, err := store.Browsers(t.Context(), u.ID, &seen)
				require.NoError(t, err)
				require.Equal(t, want, append([]googlesession.BrowserID{}, known...))
				want = append([]googlesession.BrowserID{seen}, slices.DeleteFunc(want, func(id googlesession.BrowserID) bool { return id == seen })...)
				want = want[:min(len(want), googlesession.MaxBrowsers)]
			}
			after, err := store.User(t.Context(), u.ID)
			require.NoError(t, err)
			require.Equal(t, u, after, "the user is unchanged")
			require.NoError(t, store.DeleteUser(t.Context(), u.ID))
			_, err = store.Browsers(t.Context(), u.ID, nil)
			require.ErrorIs(t, err, googlesession.ErrNotFound)
			_, err = store.SignIn(t.Context(), googlesession.Identity{Subject: u.ID, IssuedAt: time.Now().Add(time.Hour)})
			require.NoError(t, err)
			known, err := store.Browsers(t.Context(), u.ID, nil)
			require.NoError(t, err)
			require.Empty(t, known)
		})
	}
}

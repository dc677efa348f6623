package conformance_test

import (
	"crypto/rand"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	sqlstore "github.com/googlesession/googlesession/store_sql"
)

// A server of version 2 keeps what it does not know, and ends sessions of every kind. A
// session that it makes is that of a browser and has a public ID of its own.
func TestVersion2BesideVersion3(t *testing.T) {
	for _, s := range sqlDatabases(t) {
		t.Run(s.name, func(t *testing.T) {
			prefix := s.newPrefix(t)
			store := s.store(t, &sqlstore.Options{Prefix: prefix})
			old := newEarlierProcess(t, s, prefix, 2)
			u, _ := signIn(t, store)
			n := newSession(u)
			n.Kind, n.Label, n.PublicID = googlesession.KindBearer, "laptop", googlesession.PublicID{1}
			_, err := store.CreateSession(t.Context(), n)
			require.NoError(t, err)
			_, err = store.SetData(t.Context(), u.ID, "role=editor", nil)
			require.NoError(t, err)

			ref, err := old.signIn(t.Context(), u.ID)
			require.NoError(t, err)
			got, err := store.CheckSession(t.Context(), ref, 0)
			require.NoError(t, err)
			require.Equal(t, googlesession.KindCookie, got.Kind)
			require.Equal(t, ref.PublicID(), got.PublicID)
			require.Equal(t, "role=editor", got.User.Data, "the sign-in at the earlier version keeps Data")
			live, err := old.isLive(t.Context(), n.Ref)
			require.NoError(t, err)
			require.True(t, live)
			list, err := store.Sessions(t.Context(), u.ID)
			require.NoError(t, err)
			require.Len(t, list, 3)
			for _, other := range list {
				if other.Ref == n.Ref {
					require.Equal(t, n.PublicID, other.PublicID)
					require.Equal(t, []any{n.Kind, n.Label}, []any{other.Kind, other.Label}, "recording a use keeps the kind and the label")
				}
			}

			require.NoError(t, old.revokeUser(t.Context(), u.ID))
			for _, ref := range []googlesession.Ref{ref, n.Ref} {
				require.ErrorIs(t, check(t, store, ref, 0), googlesession.ErrNoSession)
			}
			require.NoError(t, old.disable(t.Context(), u.ID))
			after, err := store.User(t.Context(), u.ID)
			require.NoError(t, err)
			require.Equal(t, "role=editor", after.Data)
		})
	}
}

// A server of version 3 admits and ends bound sessions, and keeps their bindings.
func TestVersion3BesideVersion4(t *testing.T) {
	for _, s := range sqlDatabases(t) {
		t.Run(s.name, func(t *testing.T) {
			prefix := s.newPrefix(t)
			store := s.store(t, &sqlstore.Options{Prefix: prefix})
			old := newEarlierProcess(t, s, prefix, 3)
			u, bound := signIn(t, store)
			mustBind(t, store, bound, "bound")
			ref, err := old.signIn(t.Context(), u.ID)
			require.NoError(t, err)
			live, err := old.isLive(t.Context(), bound)
			require.NoError(t, err)
			require.True(t, live)
			list, err := store.Sessions(t.Context(), u.ID)
			require.NoError(t, err)
			require.Len(t, list, 2)
			for _, session := range list {
				require.Equal(t, session.Ref == bound, session.Binding == "bound", "recording a use keeps the binding")
			}
			mustBind(t, store, ref, "later")

			require.NoError(t, old.revokeUser(t.Context(), u.ID))
			for _, ref := range []googlesession.Ref{ref, bound} {
				require.ErrorIs(t, check(t, store, ref, 0), googlesession.ErrNoSession)
				_, err := store.SwapBinding(t.Context(), ref, "bound", "next")
				require.ErrorIs(t, err, googlesession.ErrNoSession)
			}
		})
	}
}

// If the row of version 4 is deleted by hand, servers of version 3 start again. Sessions and
// bindings stay, and the next upgrade finds that everything is done.
func TestUpgradeTakenBack(t *testing.T) {
	for _, s := range sqlDatabases(t) {
		t.Run(s.name, func(t *testing.T) {
			prefix := s.newPrefix(t)
			o := &sqlstore.Options{Prefix: prefix}
			store, db, fresh := s.store(t, o), s.open(t), s.fresh(t)
			u, ref := signIn(t, store)
			mustBind(t, store, ref, "bound")

			execute(t, db, `DELETE FROM `+prefix+`schema WHERE version = 4`)
			unchanged, err := sqlstore.New(db, s.dialect, o)
			require.NoError(t, err)
			_, err = unchanged.User(t.Context(), u.ID)
			require.ErrorIs(t, err, sqlstore.ErrSetup)
			require.ErrorContains(t, err, "schema version is 3", "this is also what version 3 reads at its start")
			old := newEarlierProcess(t, s, prefix, 3)
			live, err := old.isLive(t.Context(), ref)
			require.NoError(t, err)
			require.True(t, live)
			other, err := old.signIn(t.Context(), "u"+rand.Text())
			require.NoError(t, err)
			require.NoError(t, check(t, store, other, time.Hour), "a server of version 4 that still runs goes on")

			s.requireUpgraded(t, prefix, fresh)
			for _, ref := range []googlesession.Ref{ref, other} {
				require.NoError(t, check(t, store, ref, 0))
			}
			session, err := store.CheckSession(t.Context(), ref, time.Hour)
			require.NoError(t, err)
			require.Equal(t, "bound", session.Binding)
		})
	}
}

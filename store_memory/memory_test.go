package memstore_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	memstore "github.com/googlesession/googlesession/store_memory"
)

// The records have the sizes that the comments and the documents state.
func TestSizes(t *testing.T) {
	ofSession, ofUser := memstore.Sizes()
	require.EqualValues(t, 104, ofSession)
	require.LessOrEqual(t, int(ofUser), 120) // 96 on a machine of 32 bits
}

// Sessions and users take at most this many bytes, and what few of them have takes nothing
// of the others. The limits are what was measured, and a tenth more is allowed.
func TestBytes(t *testing.T) {
	const sessions, users = 20_000, 20_000
	session := func(edit func(n *googlesession.NewSession, i int)) func(t *testing.T, s *memstore.Store) {
		return func(t *testing.T, s *memstore.Store) {
			t.Helper()
			for i := range sessions {
				n := newSession(user("a"))
				edit(&n, i)
				_, err := s.CreateSession(t.Context(), n)
				require.NoError(t, err)
			}
		}
	}
	person := func(edit func(t *testing.T, s *memstore.Store, id string)) func(t *testing.T, s *memstore.Store) {
		return func(t *testing.T, s *memstore.Store) {
			t.Helper()
			for i := range users {
				id := fmt.Sprintf("%021d", i*7919%users)
				signInAs(t, s, googlesession.Identity{Subject: id, Email: "ada.example@example.com", Name: "Ada King"})
				edit(t, s, id)
			}
		}
	}
	for _, tt := range []struct {
		name  string
		fill  func(t *testing.T, s *memstore.Store)
		limit int
	}{
		{"plain session", session(func(*googlesession.NewSession, int) {}), 132},
		{"session with its own PublicID", session(func(n *googlesession.NewSession, i int) {
			copy(n.PublicID[:], fmt.Sprintf("%016d", i))
		}), 179},
		{"session with a label of 20 bytes", session(func(n *googlesession.NewSession, i int) {
			n.Label, n.Kind = fmt.Sprintf("%020d", i), googlesession.KindIssued
		}), 203},
		{"bound session", func(t *testing.T, s *memstore.Store) {
			t.Helper()
			for i := range sessions {
				bind(t, s, create(t, s, user("a")), fmt.Sprintf("%057d", i))
			}
		}, 244},
		{"user", person(func(*testing.T, *memstore.Store, string) {}), 288},
		{"user with 3 browsers", person(func(t *testing.T, s *memstore.Store, id string) {
			t.Helper()
			for i := range byte(3) {
				_, err := s.Browsers(t.Context(), id, &googlesession.BrowserID{i})
				require.NoError(t, err)
			}
		}), 336},
		{"user with 1 KiB of Data", person(func(t *testing.T, s *memstore.Store, id string) {
			t.Helper()
			_, err := s.SetData(t.Context(), id, strings.Repeat("x", 1024), nil)
			require.NoError(t, err)
		}), 1376},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before := heap()
			s := memstore.New(&memstore.Options{PerUser: sessions})
			tt.fill(t, s)
			size := int(heap()-before) / sessions //nolint:gosec // a size
			runtime.KeepAlive(s)
			t.Logf("%d bytes, limit %d", size, tt.limit)
			require.LessOrEqual(t, size*10, tt.limit*11)
		})
	}
}

// The store keeps no memory of its arguments. Each of them is a short part of a long text
// here, as of a request.
func TestArgumentsAreCopied(t *testing.T) {
	const calls, long = 50, 1 << 20
	part := func(i int) string { return fmt.Sprintf("%04d%s", i, strings.Repeat("x", long))[:4] }
	for name, call := range map[string]func(s *memstore.Store, i int) error{
		"Device": func(s *memstore.Store, i int) error {
			n := newSession(user("a"))
			n.Device = googlesession.Device{IP: part(i), UserAgent: part(i)}
			_, err := s.CreateSession(t.Context(), n)
			return err
		},
		"Label": func(s *memstore.Store, i int) error {
			n := newSession(user("a"))
			n.Label = part(i)
			_, err := s.CreateSession(t.Context(), n)
			return err
		},
		"Binding": func(s *memstore.Store, i int) error {
			bind(t, s, create(t, s, user("a")), part(i))
			return nil
		},
		"user of CreateSession": func(s *memstore.Store, i int) error {
			_, err := s.CreateSession(t.Context(), newSession(googlesession.User{ID: part(i), Version: 1}))
			return err
		},
		"PutUser": func(s *memstore.Store, i int) error {
			_, err := s.PutUser(t.Context(), googlesession.User{ID: part(i), Email: part(i), Data: part(i), Version: 1})
			return err
		},
		"RefuseTokens": func(s *memstore.Store, i int) error {
			_, err := s.RefuseTokens(t.Context(), part(i), time.Now())
			require.ErrorIs(t, err, googlesession.ErrNotFound)
			return nil
		},
		"SignIn": func(s *memstore.Store, i int) error {
			id := part(i)
			signInAs(t, s, googlesession.Identity{Subject: id, Name: part(i)})
			signInAs(t, s, googlesession.Identity{Subject: id, Email: part(i), Picture: part(i)})
			return nil
		},
		"SetData": func(s *memstore.Store, i int) error {
			signIn(t, s, fmt.Sprint(i))
			_, err := s.SetData(t.Context(), fmt.Sprint(i), part(i), nil)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := memstore.New(nil)
			before := heap()
			for i := range calls {
				require.NoError(t, call(s, i))
			}
			require.Less(t, heap(), before+5*long)
			runtime.KeepAlive(s)
		})
	}
}

// A user's record leaves no memory behind when a newer one replaces it, or when the user
// is deleted.
func TestReplacedRecordsLeaveNoMemory(t *testing.T) {
	const users, profile = 1000, 2000
	s := memstore.New(nil)
	signIn := func(i int) {
		_, err := s.SignIn(t.Context(), googlesession.Identity{
			Subject:  fmt.Sprint(i),
			Name:     strings.Repeat("x", profile),
			IssuedAt: time.Now(),
		})
		require.NoError(t, err)
	}
	before := heap()
	for i := range users {
		signIn(i)
		signIn(i)
	}
	require.Less(t, heap(), before+users*profile*3/2, "records of an earlier sign-in")
	for i := range users {
		require.NoError(t, s.DeleteUser(t.Context(), fmt.Sprint(i)))
	}
	require.Less(t, heap(), before+users*profile/2, "records of deleted users")
	runtime.KeepAlive(s)
}

// heap returns how many bytes are in use after a garbage collection.
func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// BenchmarkMemory reports how many bytes a session takes, if each user has ten.
func BenchmarkMemory(b *testing.B) {
	const users, each = 10_000, 10
	for b.Loop() {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		s := memstore.New(nil)
		for i := range users {
			u := user(fmt.Sprint(i))
			for range each {
				create(b, s, u)
			}
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/(users*each), "B/session")
		runtime.KeepAlive(s)
	}
}

package conformance_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
)

// readsDevice returns the device and the token's age as the version redis-tokens reads them.
// A zero byte marks the form of the version before it.
func readsDevice(kept string) (device string, age int64, known bool) {
	i := strings.LastIndexByte(kept, 30)
	if i < 0 || strings.IndexByte(kept, 0) >= 0 {
		return kept, 0, false
	}
	age, err := strconv.ParseInt(kept[i+1:], 10, 64)
	return kept[:i], age, err == nil
}

// Processes of a version that knows no kind, public ID, label and Data work on the same data
// as processes that do. They read times, token and device of every session, and end the
// sessions that they should end and no others.
func TestRedisBesideEarlierVersionWithoutMembers(t *testing.T) {
	s := privateRedis(t)
	url := "redis://" + s.Addr
	store := openRedis(t, url, nil)
	b := &earlierVersion{t: t, client: redisClient(t, url), own: "scratch:", version: "redis-tokens"}
	at := time.UnixMilli(1_764_000_000_000).UTC() // when a token was issued
	with := func(u googlesession.User, change func(*googlesession.NewSession)) googlesession.NewSession {
		n := anySession(u)
		n.TokenIssuedAt = at
		n.Device = googlesession.Device{IP: "192.0.2.1", UserAgent: "curl/8.5.0"}
		change(&n)
		return n
	}
	kinds := map[string]func(*googlesession.NewSession){
		"ordinary":         func(*googlesession.NewSession) {},
		"re-authenticated": func(n *googlesession.NewSession) { n.PublicID = googlesession.PublicID{0, 30, 1, 31, 0xff} },
		"bearer":           func(n *googlesession.NewSession) { n.Kind, n.Label = googlesession.KindBearer, "cli" },
		"odd label": func(n *googlesession.NewSession) {
			n.Kind, n.Label = googlesession.KindIssued, "\x1e300\x1f\x01\n\U0001F4BC\x1e-5"
		},
		"label of digits": func(n *googlesession.NewSession) { n.Label = "300" },
		"unknown token": func(n *googlesession.NewSession) {
			n.Kind, n.Label, n.TokenIssuedAt = googlesession.KindIssued, "5", time.Time{}
		},
	}

	for name, change := range kinds {
		t.Run("the earlier version reads: "+name, func(t *testing.T) {
			n := with(anyUser(), change)
			n.User.Data = `{"plan":"pro"}`
			want := mustCreate(t, store, n)
			verdict, fields := b.check(n, time.Hour)
			require.Equal(t, byte('3'), verdict)
			created := strconv.FormatInt(want.CreatedAt.UnixMilli(), 10)
			require.Equal(t, []string{created, created, strconv.FormatInt(want.CreatedAt.Add(n.MaxLifetime).UnixMilli(), 10), "3600000"},
				[]string{fields[0], fields[3], fields[4], fields[5]})
			device, age, known := readsDevice(fields[6])
			require.Equal(t, !n.TokenIssuedAt.IsZero(), known)
			if known {
				require.Equal(t, want.CreatedAt.UnixMilli()-at.UnixMilli(), age)
			}
			require.True(t, strings.HasPrefix(device, "192.0.2.1\x01curl/8.5.0"), "%q", device)
			if name == "ordinary" {
				require.Equal(t, "192.0.2.1\x01curl/8.5.0", device, "not a byte more")
			}
			time.Sleep(2 * time.Millisecond) //nolint:forbidigo // a real server's clock
			verdict, _ = b.check(n, 0)
			require.Equal(t, byte('4'), verdict, "its use is recorded")

			got, err := store.CheckSession(t.Context(), n.Ref, time.Hour)
			require.NoError(t, err)
			require.Equal(t, []any{want.Kind, want.PublicID, want.TokenIssuedAt}, []any{got.Kind, got.PublicID, got.TokenIssuedAt})
			require.Equal(t, n.User, got.User)
			list, err := store.Sessions(t.Context(), n.User.ID)
			require.NoError(t, err)
			require.Len(t, list, 1)
			require.Equal(t, []any{want.Kind, want.PublicID, n.Label, n.Device},
				[]any{list[0].Kind, list[0].PublicID, list[0].Label, list[0].Device})
		})
	}

	t.Run("the earlier version ends sessions of earlier tokens, and no others", func(t *testing.T) {
		for name, change := range kinds {
			u := anyUser()
			n := with(u, change)
			later := with(u, change)
			later.TokenIssuedAt = at.Add(time.Second)
			mustCreate(t, store, n)
			mustCreate(t, store, later)
			u.Version++
			u.TokensAfter = at.Add(-time.Second)
			require.Equal(t, int64(1), b.put(u), name)
			_, err := store.CheckSession(t.Context(), n.Ref, 0)
			if n.TokenIssuedAt.IsZero() {
				require.ErrorIs(t, err, googlesession.ErrNoSession, name)
			} else {
				require.NoError(t, err, name)
			}
			u.Version++
			u.TokensAfter = at
			require.Equal(t, int64(1), b.put(u), name)
			_, err = store.CheckSession(t.Context(), n.Ref, 0)
			require.ErrorIs(t, err, googlesession.ErrNoSession, name)
			verdict, _ := b.check(n, time.Hour)
			require.Equal(t, byte('0'), verdict, name)
			_, err = store.CheckSession(t.Context(), later.Ref, 0)
			require.NoError(t, err, name)
		}
	})

	t.Run("the earlier version counts and ends every kind", func(t *testing.T) {
		u := anyUser()
		for _, change := range kinds {
			mustCreate(t, store, with(u, change))
		}
		require.Equal(t, int64(9), b.create(with(u, kinds["ordinary"]), 3, "\x01")[0])
		list, err := store.Sessions(t.Context(), u.ID)
		require.NoError(t, err)
		require.Len(t, list, 3)
		require.Equal(t, int64(1), b.eval("revoke", u.ID, list[2].Ref.ID[:]))
		require.Equal(t, int64(2), b.eval("revoke_user", u.ID, ""))
	})

	t.Run("sessions of the earlier version are those of browsers", func(t *testing.T) {
		n := with(anyUser(), kinds["ordinary"])
		require.Equal(t, int64(9), b.create(n, 100, "192.0.2.1\x01curl/8.5.0")[0])
		got, err := store.CheckSession(t.Context(), n.Ref, 0)
		require.NoError(t, err)
		require.Equal(t, []any{googlesession.KindCookie, n.Ref.PublicID(), at}, []any{got.Kind, got.PublicID, got.TokenIssuedAt})
		list, err := store.Sessions(t.Context(), n.User.ID)
		require.NoError(t, err)
		require.Equal(t, []any{n.Device, ""}, []any{list[0].Device, list[0].Label})
	})

	t.Run("a sign-in at the earlier version takes the copy of Data away", func(t *testing.T) {
		n := with(anyUser(), kinds["ordinary"])
		n.User.Data = "admin of nothing"
		mustCreate(t, store, n)
		n.User.Version++
		require.Equal(t, int64(1), b.put(n.User))
		got, err := store.CheckSession(t.Context(), n.Ref, 0)
		require.NoError(t, err)
		require.Empty(t, got.User.Data, "the documentation says so")
		n.User.Version++
		_, err = store.PutUser(t.Context(), n.User)
		require.NoError(t, err)
		got, err = store.CheckSession(t.Context(), n.Ref, 0)
		require.NoError(t, err)
		require.Equal(t, n.User.Data, got.User.Data, "the next change brings it back")
	})
}

package conformance_test

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	sqlstore "github.com/googlesession/googlesession/store_sql"
)

// sizedSessions returns how many sessions a store is filled with.
func sizedSessions() int {
	if long() {
		return 100_000
	}
	return 10_000
}

// Names that a device may give itself: a long one, and one of a browser.
var (
	longName    = strings.Repeat("Mozilla/5.0 ", 11)[:128]
	browserName = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"
)

// fill creates sessions of users with a record of 260 bytes, on devices of this name. It
// binds each session if the binding is not empty.
func fill(t *testing.T, store googlesession.BindingStore, perUser int, name, binding string) {
	t.Helper()
	var wg sync.WaitGroup
	const workers = 8
	for worker := range workers {
		wg.Go(func() {
			for i := worker; i < sizedSessions()/perUser; i += workers {
				u := googlesession.User{
					ID: fmt.Sprintf("%021d", i), Email: fmt.Sprintf("ada.example.%06d@example.com", i), Name: "Ada Example King",
					Picture: "https://lh3.googleusercontent.com/a/" + strings.Repeat("x", 129), Version: time.Now().UnixMilli(),
					CreatedAt: time.Now(), SeenAt: time.Now(),
				}
				for range perUser {
					n := newSession(u)
					n.Device = googlesession.Device{IP: "2001:db8:1234:5678::1", UserAgent: name}
					n.TokenIssuedAt = time.Now().Add(-2 * time.Second).Truncate(time.Second)
					_, err := store.CreateSession(t.Context(), n)
					if err == nil && binding != "" {
						_, err = store.SwapBinding(t.Context(), n.Ref, "", binding)
					}
					if err != nil {
						t.Error(err)
						return
					}
				}
			}
		})
	}
	wg.Wait()
}

// A session takes at most this many bytes of memory, its share of the user included. The
// limits are what 100,000 sessions took, and a tenth more is allowed.
func TestRedisSizes(t *testing.T) {
	for _, tt := range []struct {
		name, setting string
		device        string
		binding       string
		limits        map[int]int
	}{
		{"listpack-64", "64", longName, "", map[int]int{1: 1221, 3: 726, 10: 503, 50: 437}},
		{"listpack-1024", "1024", longName, "", map[int]int{1: 774, 3: 480, 10: 373, 50: 291}},
		{"browser", "64", browserName, "", map[int]int{1: 1127, 3: 585, 10: 370, 50: 305}},
		{"browser-listpack-1024", "1024", browserName, "", map[int]int{1: 663, 3: 356, 10: 231, 50: 180}},
		{"bound", "64", browserName, strings.Repeat("x", 57), map[int]int{1: 1222, 3: 699, 10: 554, 50: 460}},
		{"bound-listpack-1024", "1024", browserName, strings.Repeat("x", 57), map[int]int{1: 773, 3: 475, 10: 322, 50: 291}},
	} {
		for perUser, limit := range tt.limits {
			t.Run(fmt.Sprintf("%s/%d", tt.name, perUser), func(t *testing.T) {
				t.Parallel()
				s := privateRedis(t, "--hash-max-listpack-value", tt.setting)
				client := redisClient(t, "redis://"+s.Addr)
				used := func() int {
					info := client.Info(t.Context(), "memory").Val()
					_, after, _ := strings.Cut(info, "used_memory:")
					text, _, _ := strings.Cut(after, "\r\n")
					n, err := strconv.Atoi(text)
					require.NoError(t, err)
					return n
				}
				store := openRedis(t, "redis://"+s.Addr, nil)
				warm := anySession(anyUser())
				mustCreate(t, store, warm) // so that connections and scripts do not count
				before := used()
				fill(t, store, perUser, tt.device, tt.binding)
				size := (used() - before) / sizedSessions()
				t.Logf("%d sessions per user: %d bytes each, limit %d", perUser, size, limit)
				require.LessOrEqual(t, size*10, limit*11)
			})
		}
	}
}

// A session takes at most this many bytes on PostgreSQL's disk, indexes included.
func TestPostgresSizes(t *testing.T) {
	s := sqlServers()[0]
	for perUser, limit := range map[int]int{1: 1130, 10: 700} {
		prefix := s.newPrefix(t)
		store, db := s.store(t, &sqlstore.Options{Prefix: prefix}), s.open(t)
		fill(t, store, perUser, longName, "")
		execute(t, db, `VACUUM FULL `+prefix+`users, `+prefix+`sessions`)
		var bytes int
		require.NoError(t, db.QueryRowContext(t.Context(),
			`SELECT pg_total_relation_size('`+prefix+`users') + pg_total_relation_size('`+prefix+`sessions')`).Scan(&bytes))
		size := bytes / sizedSessions()
		t.Logf("%d sessions per user: %d bytes each", perUser, size)
		require.LessOrEqual(t, size, limit)
	}
}

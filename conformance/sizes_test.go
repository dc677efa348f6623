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

// sizedSessions is how many sessions a store is filled with.
func sizedSessions() int {
	if long() {
		return 100_000
	}
	return 10_000
}

// fill creates sessions with a user record of 260 bytes and devices of 150.
func fill(t *testing.T, store googlesession.SessionStore, perUser int) {
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
					n.Device = googlesession.Device{IP: "2001:db8:1234:5678::1", UserAgent: strings.Repeat("Mozilla/5.0 ", 11)[:128]}
					if _, err := store.CreateSession(t.Context(), n); err != nil {
						t.Error(err)
						return
					}
				}
			}
		})
	}
	wg.Wait()
}

// E35: what a session costs in memory, its share of the user included; a tenth more is
// allowed.
func TestRedisSizes(t *testing.T) {
	for setting, limits := range map[string]map[int]int{
		"64":   {1: 1207, 3: 674, 10: 468, 50: 403},
		"1024": {1: 773, 3: 469, 10: 321, 50: 289},
	} {
		for perUser, limit := range limits {
			t.Run(fmt.Sprintf("listpack-%s/%d", setting, perUser), func(t *testing.T) {
				s := privateRedis(t, "--hash-max-listpack-value", setting)
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
				mustCreate(t, store, warm) // connections and scripts are no sessions
				before := used()
				fill(t, store, perUser)
				size := (used() - before) / sizedSessions()
				t.Logf("hash-max-listpack-value %s, %d sessions per user: %d bytes each, E35: %d", setting, perUser, size, limit)
				require.LessOrEqual(t, size*10, limit*11)
			})
		}
	}
}

// The same in PostgreSQL, on disk, with indexes.
func TestPostgresSizes(t *testing.T) {
	s := sqlServers()[0]
	for perUser, limit := range map[int]int{1: 1000, 10: 700} {
		prefix := s.newPrefix(t)
		store, db := s.store(t, &sqlstore.Options{Prefix: prefix}), s.open(t)
		fill(t, store, perUser)
		execute(t, db, `VACUUM FULL `+prefix+`users, `+prefix+`sessions`)
		var bytes int
		require.NoError(t, db.QueryRowContext(t.Context(),
			`SELECT pg_total_relation_size('`+prefix+`users') + pg_total_relation_size('`+prefix+`sessions')`).Scan(&bytes))
		size := bytes / sizedSessions()
		t.Logf("%d sessions per user: %d bytes each", perUser, size)
		require.LessOrEqual(t, size, limit)
	}
}

package main

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Each request with a well-formed cookie asks the database. However many such requests
// come at once, the process stays within its limit of open files.
func TestForgedCookiesDoNotExhaustFiles(t *testing.T) {
	const strangers, files = 120, 250
	s, _ := startLimited(t, files, "-db", tempDB(t), "-client-id", "id.apps.googleusercontent.com")
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: strangers, DisableCompression: true}}
	defer client.CloseIdleConnections()
	var mu sync.Mutex
	statuses := map[int]int{}
	var all sync.WaitGroup
	for range strangers {
		all.Go(func() {
			for ctx.Err() == nil {
				status := requestStatus(ctx, client, s.url+"/api/user")
				mu.Lock()
				statuses[status]++
				mu.Unlock()
			}
		})
	}
	all.Wait()
	delete(statuses, 0) // requests that were cancelled at the end
	require.Len(t, statuses, 1, "%v", statuses)
	require.Greater(t, statuses[http.StatusUnauthorized], strangers)
	require.NotContains(t, s.log.String(), "unable to open")
	require.NotContains(t, s.log.String(), "too many open files")
}

// requestStatus sends a request with a forged session cookie. It returns the status of the
// answer, or 0 if there is no answer.
func requestStatus(ctx context.Context, client *http.Client, url string) int {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return 0
	}
	r.Header.Set("Cookie", "__Host-Http-session="+strings.Repeat("A", 59))
	res, err := client.Do(r)
	if err != nil {
		return 0
	}
	defer func() { _ = res.Body.Close() }()
	_, _ = io.Copy(io.Discard, res.Body)
	return res.StatusCode
}

// Every pool has a limit. Timeouts in the URL override the defaults.
func TestPools(t *testing.T) {
	tests := []struct {
		db   database
		want int
	}{
		{database{"sqlite", "pool.db"}, 8},
		{database{"postgres", "postgres://u:p@db/x"}, 20},
		{database{"postgres", "postgres://u:p@db/x?target_session_attrs=any&connect_timeout=1"}, 20},
		{database{"mysql", "mysql://u:p@db/x"}, 20},
	}
	for _, tt := range tests {
		t.Run(tt.db.source, func(t *testing.T) {
			d, err := openDatabase(tt.db)
			require.NoError(t, err)
			require.Equal(t, tt.want, d.db.Stats().MaxOpenConnections)
			require.NoError(t, d.db.Close())
		})
	}
	config, err := mysqlConfig("mysql://u:p@db/x")
	require.NoError(t, err)
	require.Equal(t, []time.Duration{connectTimeout, readTimeout, writeTimeout},
		[]time.Duration{config.Timeout, config.ReadTimeout, config.WriteTimeout})
	config, err = mysqlConfig("mysql://u:p@db/x?timeout=1s&readTimeout=2s&writeTimeout=3s")
	require.NoError(t, err)
	require.Equal(t, []time.Duration{time.Second, 2 * time.Second, 3 * time.Second},
		[]time.Duration{config.Timeout, config.ReadTimeout, config.WriteTimeout})
}

// The server limits the time and the header size of every request.
func TestServerLimits(t *testing.T) {
	a, _ := openApp(t, "-db", "memory")
	server := a.server()
	for what, timeout := range map[string]time.Duration{
		"header": server.ReadHeaderTimeout, "request": server.ReadTimeout, "answer": server.WriteTimeout, "idle": server.IdleTimeout,
	} {
		require.Positive(t, timeout, what)
		require.LessOrEqual(t, timeout, 2*time.Minute, what)
	}
	require.LessOrEqual(t, server.MaxHeaderBytes, 64<<10)
}

package main

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPlaces(t *testing.T) {
	known := func(ip netip.Addr) string {
		if ip == netip.MustParseAddr("192.0.2.1") {
			return "Paris"
		}
		return ""
	}
	tests := []struct {
		name    string
		placeOf func(netip.Addr) string
		query   string
		status  int
		want    string
	}{
		{"of a demo", demoPlace, "?ip=127.0.0.1&ip=::1&ip=192.0.2.1", 200, `{"127.0.0.1":"this machine","::1":"this machine"}`},
		{"of an application", known, "?ip=127.0.0.1&ip=192.0.2.1&ip=::ffff:192.0.2.1", 200, `{"192.0.2.1":"Paris","::ffff:192.0.2.1":"Paris"}`},
		{"without a function", nil, "?ip=127.0.0.1", 200, `{}`},
		{"without an address", demoPlace, "", 200, `{}`},
		{"not an address", demoPlace, "?ip=127.0.0.1&ip=localhost", 400, ""},
		{"an empty address", demoPlace, "?ip=", 400, ""},
		{"100 addresses", demoPlace, "?" + strings.Repeat("ip=192.0.2.1&", 100), 200, `{}`},
		{"101 addresses", demoPlace, "?" + strings.Repeat("ip=192.0.2.1&", 101), 400, ""},
	}
	s := newSite(t, "-db", "memory")
	for _, tt := range tests {
		s.placeOf = tt.placeOf
		res := s.get(t, s.admin, "/api/places"+tt.query)
		require.Equal(t, tt.status, res.status, tt.name)
		if tt.status == http.StatusOK {
			require.JSONEq(t, `{"places":`+tt.want+`}`, res.body, tt.name)
		}
	}
	require.Equal(t, http.StatusUnauthorized, s.get(t, newBrowser(t), "/api/places").status)
}

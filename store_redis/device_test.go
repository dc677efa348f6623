package redisstore_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	redisstore "github.com/googlesession/googlesession/store_redis"
)

var devices = []struct {
	name   string
	device googlesession.Device
	size   int
}{
	{"none", googlesession.Device{}, 1},
	{"Chrome", googlesession.Device{
		IP: "192.0.2.1", UserAgent: "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
	}, 17},
	{"Chrome on Android", googlesession.Device{
		IP: "192.0.2.1", UserAgent: "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36",
	}, 17},
	{"Edge", googlesession.Device{
		IP: "192.0.2.1", UserAgent: "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0",
	}, 22},
	{"Firefox", googlesession.Device{
		IP: "2001:db8:1234:5678::1", UserAgent: "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0",
	}, 34},
	{"Safari", googlesession.Device{
		IP: "2001:db8:1234:5678::1", UserAgent: "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.1 Safari/605.1.15",
	}, 31},
	{"Safari on iOS", googlesession.Device{
		IP: "192.0.2.1", UserAgent: "Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.1 Mobile/15E148 Safari/604.1",
	}, 24},
	{"another program", googlesession.Device{IP: "192.0.2.1", UserAgent: "curl/8.5.0"}, 20},
	{"no address", googlesession.Device{UserAgent: "é😀\u007f"}, 8},
	{"control characters", googlesession.Device{IP: "a\x01b", UserAgent: "Mozilla/5.0 (\x02\x00"}, 10},
	{"not UTF-8", googlesession.Device{IP: "\xff", UserAgent: "\xc0Version/\xff"}, 5},
}

// A check reads a session's device with the rest of the record, so the devices of common
// browsers have to be short.
func TestDeviceRecord(t *testing.T) {
	for _, tt := range devices {
		encoded := redisstore.EncodeDevice(tt.device)
		require.Equal(t, tt.device, redisstore.DecodeDevice(encoded), tt.name)
		require.Len(t, encoded, tt.size, tt.name)
	}
	require.Equal(t, devices[1].device, redisstore.DecodeDevice(strings.Join([]string{devices[1].device.IP, devices[1].device.UserAgent}, "\x00")), "DecodeDevice of the form of an earlier version")
}

// The words of packed user agents do not change, because databases hold packed user agents.
// Each word has a control character below the one that begins a member.
func TestDeviceFormat(t *testing.T) {
	require.Less(t, redisstore.LastWordCode, int(redisstore.MemberMark), "too many words")
	for packed, userAgent := range map[string]string{
		"\x02\x05\x09142\x0b":              "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
		"\x02\x06\x09142\x0c":              "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36",
		"\x02\x03\x09142\x0b\x12142\x13":   "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0",
		"\x02\x03\x11145\x0f145.0":         "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0",
		"\x02\x04\x0a\x1026.1\x0e":         "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.1 Safari/605.1.15",
		"\x02\x0718_7\x08\x0a\x1026.1\x0d": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.1 Mobile/15E148 Safari/604.1",
		"curl/8.5.0\x1fA\x1f@":             "curl/8.5.0\x01\x00",
	} {
		d := googlesession.Device{IP: "192.0.2.1", UserAgent: userAgent}
		require.Equal(t, "192.0.2.1\x01"+packed, redisstore.EncodeDevice(d))
		require.Equal(t, d, redisstore.DecodeDevice("192.0.2.1\x01"+packed))
	}
}

func FuzzDevice(f *testing.F) {
	for _, tt := range devices {
		f.Add(tt.device.IP, tt.device.UserAgent)
	}
	f.Add("a\x1e1", "b\x1fA\x1e2")
	f.Add("\x00", "X11; Linux x86_64\x18X11; Linux x86_64")
	f.Fuzz(func(t *testing.T, ip, userAgent string) {
		d := googlesession.Device{IP: ip, UserAgent: userAgent}
		kept := redisstore.EncodeDevice(d)
		require.NotContains(t, kept, string(rune(redisstore.MemberMark)))
		require.Equal(t, d, redisstore.DecodeDevice(kept))
	})
}

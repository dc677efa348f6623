package googlesession

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"unicode/utf8"
)

const maxUserAgent = 512

// device describes the browser of a request, within the bounds that stores rely
// on.
func (m *Manager) device(r *http.Request) Device {
	return Device{IP: m.clientIP(r), UserAgent: cleanText(r.UserAgent(), maxUserAgent)}
}

// clientIP returns "" for a request without an address, such as one through a Unix socket.
func (m *Manager) clientIP(r *http.Request) string {
	ip := m.cfg.ClientIP(r)
	if !ip.IsValid() {
		return ""
	}
	return ip.Unmap().WithZone("").String()
}

// cleanText makes text from outside fit to store and show: valid UTF-8 without
// control characters and directional overrides, at most size bytes, cut between
// characters.
func cleanText(s string, size int) string {
	s = strings.Map(func(c rune) rune {
		switch {
		case c < ' ', 0x7f <= c && c < 0xa0, c == utf8.RuneError:
			return -1
		case 0x202a <= c && c <= 0x202e, 0x2066 <= c && c <= 0x2069:
			return -1 // they turn around what stands beside them
		}
		return c
	}, s)
	if len(s) <= size {
		return s
	}
	for size > 0 && !utf8.RuneStart(s[size]) {
		size--
	}
	return s[:size]
}

// ClientIPBehind returns a [Config.ClientIP] for a server behind these proxies, each of
// which adds to X-Forwarded-For the address that it was called from. It returns the last
// address, from the right, that is not a proxy's, because addresses further to the left
// may be forged. Without proxies the header is not read.
//
// The zero Prefix stands for the peer of a Unix socket, which has no address:
//
//	ClientIPBehind(netip.Prefix{})
//
// Without it, a request that came through a Unix socket has no address, and its header is
// not read. nginx writes such a peer as "unix:" into the header of the next proxy.
func ClientIPBehind(proxies ...netip.Prefix) func(*http.Request) netip.Addr {
	isProxy := func(a netip.Addr) bool {
		for _, p := range proxies {
			if p.Contains(a) || !a.IsValid() && p == (netip.Prefix{}) {
				return true
			}
		}
		return false
	}
	return func(r *http.Request) netip.Addr {
		addr, ok := parsePeer(r.RemoteAddr)
		if !ok {
			return netip.Addr{}
		}
		for _, rest := range slices.Backward(r.Header["X-Forwarded-For"]) {
			for more := true; more; {
				if !isProxy(addr) {
					return addr
				}
				comma := strings.LastIndexByte(rest, ',')
				next, ok := parseHop(strings.TrimSpace(rest[comma+1:]))
				if !ok {
					return addr
				}
				addr, more = next, comma >= 0
				rest = rest[:max(comma, 0)]
			}
		}
		return addr
	}
}

// parsePeer reads a request's RemoteAddr. It returns the zero Addr and true for the peer
// of a Unix socket, whose name net/http has there: none, "@", or a path if the peer has
// bound one.
func parsePeer(s string) (netip.Addr, bool) {
	if s == "" || s[0] == '@' || s[0] == '/' {
		return netip.Addr{}, true
	}
	return parseHost(s)
}

// parseHop reads one part of X-Forwarded-For. It returns the zero Addr and true for the
// peer of a Unix socket.
func parseHop(s string) (netip.Addr, bool) {
	if s == "unix:" {
		return netip.Addr{}, true
	}
	return parseHost(s)
}

// parseHost reads an address with or without a port.
func parseHost(s string) (netip.Addr, bool) {
	addr, err := netip.ParseAddr(s)
	if err != nil {
		port, _ := netip.ParseAddrPort(s) // the zero Addr if that is not an address either
		addr = port.Addr()
	}
	return addr.Unmap().WithZone(""), addr.IsValid()
}

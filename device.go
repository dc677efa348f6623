package googlesession

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

const maxUserAgent = 512 // bytes, the limit that Device documents

// The library shows a client's address and user agent to the user and to administrators.
// They are never part of a decision, because a client can send anything.

// device returns the Device of a request, within the bounds that stores require. It copies
// the user agent, because a store keeps it for longer than the request, and some adaptors
// to net/http (such as fiber's) reuse the memory of a header for the next request.
func (m *Manager) device(r *http.Request) Device {
	return Device{IP: m.clientIP(r), UserAgent: strings.Clone(cleanText(r.UserAgent(), maxUserAgent))}
}

// clientIP returns the text of the client's address, or "" for a request without an
// address, such as one through a Unix socket.
func (m *Manager) clientIP(r *http.Request) string {
	ip := m.cfg.ClientIP(r)
	if !ip.IsValid() {
		return ""
	}
	return ip.Unmap().WithZone("").String()
}

// ClientIPBehind returns a function for [Config.ClientIP] of a server behind these
// proxies. Each proxy adds to X-Forwarded-For the address of the client that called it.
// The function returns the rightmost address that is not one of the proxies, because
// addresses further to the left may be forged. If no proxies are given, the function does
// not read the header.
//
// The zero Prefix stands for the peer of a Unix socket, which has no address:
//
//	ClientIPBehind(netip.Prefix{})
//
// Without the zero Prefix, a request through a Unix socket has no address, and its header
// is not read. nginx writes the peer of a Unix socket as "unix:" into the header for the
// next proxy.
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

// parsePeer reads the RemoteAddr of a request. For the peer of a Unix socket it returns
// the zero Addr and true. net/http sets RemoteAddr of such a peer to the name of its
// socket, which is empty, begins with "@", or is the path that the peer has bound.
func parsePeer(s string) (netip.Addr, bool) {
	if s == "" || s[0] == '@' || s[0] == '/' {
		return netip.Addr{}, true
	}
	return parseHost(s)
}

// parseHop reads one element of X-Forwarded-For. For the peer of a Unix socket it returns
// the zero Addr and true.
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
		port, _ := netip.ParseAddrPort(s) // the zero AddrPort if s is not an address with a port
		addr = port.Addr()
	}
	return addr.Unmap().WithZone(""), addr.IsValid()
}

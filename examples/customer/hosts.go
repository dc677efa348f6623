package main

import (
	"net"
	"net/netip"
	"strings"
)

// isLoopback reports whether host, which has no port, is localhost or a loopback
// address. Another name that resolves to 127.0.0.1 does not count, because an attacker
// can make such a name.
func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

// hostname returns hostport without the port and without the brackets of an IPv6
// address.
func hostname(hostport string) string {
	if host, _, err := net.SplitHostPort(hostport); err == nil {
		return host
	}
	return strings.TrimSuffix(strings.TrimPrefix(hostport, "["), "]")
}

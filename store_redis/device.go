package redisstore

// A device is kept as its IP address, the byte 1 and its packed user agent.
//
// User agents of browsers differ in little but a number, and every check reads the device
// with the rest of the session's record. So each text in userAgentWords is packed into one
// control character: the first text into byte 2, the second into byte 3, and so on. Bytes
// up to 29 may be used. Byte 30 begins each member that follows the device
// (session_record.go). A control character that an IP address or user agent contains is
// kept as byte 31 and a printable character: '@' for byte 0, 'A' for byte 1, and so on.
//
// The words are a storage format. A new word goes to the end. No word is changed, moved or
// removed, because packed user agents in databases would then read differently.

import (
	"strings"

	"github.com/googlesession/googlesession"
)

const (
	packedMark = '\x01' // separates the IP address from the packed user agent
	memberMark = '\x1e' // precedes a member of the session's record; shared.lua and create.lua have this byte too
	escapeMark = '\x1f' // precedes the printable character that stands for a control character
)

var userAgentWords = [...]string{
	"Mozilla/5.0 (",
	"Windows NT 10.0; Win64; x64",
	"Macintosh; Intel Mac OS X 10_15_7",
	"X11; Linux x86_64",
	"Linux; Android 10; K",
	"iPhone; CPU iPhone OS ",
	" like Mac OS X",
	") AppleWebKit/537.36 (KHTML, like Gecko) Chrome/",
	") AppleWebKit/605.1.15 (KHTML, like Gecko) ",
	".0.0.0 Safari/537.36",
	".0.0.0 Mobile Safari/537.36",
	" Mobile/15E148 Safari/604.1",
	" Safari/605.1.15",
	".0) Gecko/20100101 Firefox/",
	"Version/",
	"; rv:",
	" Edg/",
	".0.0.0",
}

func encodeDevice(d googlesession.Device) string {
	return escape.Replace(d.IP) + string(packedMark) + pack.Replace(escape.Replace(d.UserAgent))
}

// decodeDevice is the inverse of encodeDevice. It also reads the form in which an earlier
// version kept a device with control characters: IP address, zero byte, user agent.
func decodeDevice(device string) googlesession.Device {
	if isOldForm(device) {
		ip, userAgent, _ := strings.Cut(device, "\x00")
		return googlesession.Device{IP: ip, UserAgent: userAgent}
	}
	ip, userAgent, _ := strings.Cut(device, string(packedMark))
	return googlesession.Device{IP: unescape.Replace(ip), UserAgent: unescape.Replace(unpack.Replace(userAgent))}
}

// isOldForm reports whether the device was written by an earlier version, with a zero byte
// between IP address and user agent. encodeDevice never writes a zero byte.
func isOldForm(device string) bool { return strings.IndexByte(device, 0) >= 0 }

var pack, unpack = func() (pack, unpack *strings.Replacer) {
	var packing, unpacking []string
	for i, word := range userAgentWords {
		packed := string(rune(packedMark + 1 + i))
		packing, unpacking = append(packing, word, packed), append(unpacking, packed, word)
	}
	return strings.NewReplacer(packing...), strings.NewReplacer(unpacking...)
}()

var escape, unescape = func() (escape, unescape *strings.Replacer) {
	var escaping, unescaping []string
	for c := range ' ' {
		escaped := string([]rune{escapeMark, c + '@'})
		escaping, unescaping = append(escaping, string(c), escaped), append(unescaping, escaped, string(c))
	}
	return strings.NewReplacer(escaping...), strings.NewReplacer(unescaping...)
}()

package redisstore

import (
	"strconv"
	"strings"

	"github.com/googlesession/googlesession"
)

// Browsers' names for themselves differ in little but a number, and each check reads
// what stands beside it: so what they have in common is kept as one byte, of those that
// no name has. Others may be added to the end.
var common = [...]string{
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

// Control characters in a session's device. A text of the caller's that contains some is
// kept with each as escapeMark and a letter, so that these are never taken for one.
const (
	packedMark = '\x01' // between address and packed name
	tokenMark  = '\x1e' // before the token's age, behind all else; shared.lua knows it
	escapeMark = '\x1f'
)

// There are no more control characters for more texts than this.
var _ [tokenMark - packedMark - 1 - len(common)]struct{}

var pack, unpack = func() (pack, unpack *strings.Replacer) {
	var there, back []string
	for i, text := range common {
		short := string(rune(packedMark + 1 + i))
		there, back = append(there, text, short), append(back, short, text)
	}
	return strings.NewReplacer(there...), strings.NewReplacer(back...)
}()

var escape, unescape = func() (escape, unescape *strings.Replacer) {
	var there, back []string
	for c := range ' ' {
		short := string([]rune{escapeMark, c + '@'})
		there, back = append(there, string(c), short), append(back, short, string(c))
	}
	return strings.NewReplacer(there...), strings.NewReplacer(back...)
}()

func encodeDevice(d googlesession.Device) string {
	return escape.Replace(d.IP) + string(packedMark) + pack.Replace(escape.Replace(d.UserAgent))
}

// decodeDevice reads what encodeDevice wrote. An earlier version kept a device with
// control characters as its two texts with a zero byte between them.
func decodeDevice(device string) googlesession.Device {
	if isOldForm(device) {
		ip, userAgent, _ := strings.Cut(device, "\x00")
		return googlesession.Device{IP: ip, UserAgent: userAgent}
	}
	ip, name, _ := strings.Cut(device, string(packedMark))
	return googlesession.Device{IP: unescape.Replace(ip), UserAgent: unescape.Replace(unpack.Replace(name))}
}

func isOldForm(device string) bool { return strings.IndexByte(device, 0) >= 0 }

// cutToken takes from a device when the session's token was issued, in Unix milliseconds,
// or 0 if that is not known.
func cutToken(device string, created int64) (rest string, token int64) {
	i := strings.LastIndexByte(device, tokenMark)
	if i < 0 || isOldForm(device) {
		return device, 0
	}
	age, err := strconv.ParseInt(device[i+1:], 10, 64)
	if err != nil {
		return device[:i], 0
	}
	return device[:i], created - age
}

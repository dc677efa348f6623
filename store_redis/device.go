package redisstore

import (
	"strings"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/internal/contract"
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

// A control character for each is all that there is.
var _ [' ' - packedMark - 1 - len(common)]struct{}

// A packed device begins the name with packedMark, and has no zero, which one in
// contract's form always has.
const packedMark = '\x01'

var pack, unpack = func() (pack, unpack *strings.Replacer) {
	var there, back []string
	for i, text := range common {
		short := string(rune(packedMark + 1 + i))
		there, back = append(there, text, short), append(back, short, text)
	}
	return strings.NewReplacer(there...), strings.NewReplacer(back...)
}()

// encodeDevice leaves a device with control characters as contract encodes it: stores
// keep whatever they are given.
func encodeDevice(d googlesession.Device) string {
	isControl := func(r rune) bool { return r < ' ' }
	if strings.ContainsFunc(d.IP, isControl) || strings.ContainsFunc(d.UserAgent, isControl) {
		return string(contract.EncodeDevice(d))
	}
	return d.IP + string(packedMark) + pack.Replace(d.UserAgent)
}

func decodeDevice(device string) googlesession.Device {
	if strings.IndexByte(device, 0) >= 0 {
		return contract.DecodeDevice([]byte(device))
	}
	ip, name, _ := strings.Cut(device, string(packedMark))
	return googlesession.Device{IP: ip, UserAgent: unpack.Replace(name)}
}

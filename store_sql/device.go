package sqlstore

import (
	"strings"

	"github.com/googlesession/googlesession"
)

// encodeDevice returns the value of the device column: the IP address, a zero byte and
// the user agent. Neither text contains a zero byte. The value has at most 577 bytes.
func encodeDevice(d googlesession.Device) []byte { return []byte(d.IP + "\x00" + d.UserAgent) }

// decodeDevice is the inverse of encodeDevice.
func decodeDevice(column []byte) googlesession.Device {
	ip, userAgent, _ := strings.Cut(string(column), "\x00")
	return googlesession.Device{IP: ip, UserAgent: userAgent}
}

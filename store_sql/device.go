package sqlstore

import (
	"strings"

	"github.com/googlesession/googlesession"
)

// encodeDevice returns the value of the device column: the IP, a zero byte, which no text
// of a device contains, and the user agent. It takes 577 bytes at most.
func encodeDevice(d googlesession.Device) []byte { return []byte(d.IP + "\x00" + d.UserAgent) }

// decodeDevice is the inverse of encodeDevice.
func decodeDevice(column []byte) googlesession.Device {
	ip, userAgent, _ := strings.Cut(string(column), "\x00")
	return googlesession.Device{IP: ip, UserAgent: userAgent}
}

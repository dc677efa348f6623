package googlesession

import (
	"strings"
	"unicode/utf8"
)

// In texts that decide who a person is, such as addresses and domains, the functions
// below know ASCII only. Two Unicode texts can look the same, or be equal after folding,
// and still be different accounts.

// lowerASCII lowers A to Z and changes nothing else. Unicode folding would map the Kelvin
// sign to k and the long s to s, so that two different addresses would compare as equal.
func lowerASCII(s string) string {
	for i := range len(s) {
		if c := s[i]; 'A' <= c && c <= 'Z' {
			b := []byte(s)
			for j := i; j < len(b); j++ {
				if c := b[j]; 'A' <= c && c <= 'Z' {
					b[j] += 'a' - 'A'
				}
			}
			return string(b)
		}
	}
	return s
}

// isPrintable reports whether s is printable ASCII without spaces.
func isPrintable(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// isDomain reports whether s is a domain name of at least two labels in lower-case ASCII
// (RFC 1123, section 2.1). It is strict because two spellings of one domain must not
// both pass.
func isDomain(s string) bool {
	labels := strings.Split(s, ".")
	if len(labels) < 2 || len(s) > 253 {
		return false
	}
	for _, label := range labels {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for i := range len(label) {
			c := label[i]
			if c != '-' && (c < '0' || '9' < c) && (c < 'a' || 'z' < c) {
				return false
			}
		}
	}
	return true
}

// isSubject reports whether s may be a Google subject, which becomes the user ID. It has at
// most 255 ASCII characters (OpenID Connect Core 1.0, section 2).
func isSubject(s string) bool {
	return 0 < len(s) && len(s) <= 255 && isPrintable(s)
}

// cleanText makes text from outside fit to store and to show. It removes control
// characters, directional overrides and invalid UTF-8, and cuts the rest between two
// characters so that at most size bytes are left.
func cleanText(s string, size int) string {
	s = strings.Map(func(c rune) rune {
		switch {
		case c < ' ', 0x7f <= c && c < 0xa0, c == utf8.RuneError:
			return -1
		case 0x202a <= c && c <= 0x202e, 0x2066 <= c && c <= 0x2069:
			return -1 // these characters reverse the text beside them
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

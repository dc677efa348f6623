package main

import (
	"context"
	"net/http"
	"strings"
	"unicode"

	"github.com/googlesession/googlesession"
)

// maxUserAgent is how many bytes of a browser's description the audit keeps.
const maxUserAgent = 512

type clientKey struct{}

// withClient puts the address and the description of the client into the context of each
// request, so that recordAudit finds them there. Config.Events gets this context, too.
func (a *app) withClient(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		client := googlesession.Device{UserAgent: cleanUserAgent(r.UserAgent())}
		if ip := a.clientIP(r); ip.IsValid() {
			client.IP = ip.Unmap().WithZone("").String()
		}
		h.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), clientKey{}, client)))
	})
}

// clientFrom returns the client of the request to which ctx belongs.
func clientFrom(ctx context.Context) (googlesession.Device, bool) {
	client, ok := ctx.Value(clientKey{}).(googlesession.Device)
	return client, ok
}

// cleanUserAgent removes the characters that change how text beside them is shown, because
// a client can send anything. It cuts the text at maxUserAgent bytes.
func cleanUserAgent(s string) string {
	s = strings.Map(func(c rune) rune {
		if unicode.Is(unicode.C, c) || c == unicode.ReplacementChar {
			return -1
		}
		return c
	}, s)
	return strings.ToValidUTF8(s[:min(len(s), maxUserAgent)], "")
}

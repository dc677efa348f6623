package bench

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	"github.com/googlesession/googlesession"
)

const (
	cookieName = "__Host-Http-session"
	perUser    = 10 // the number of sessions of each user

	lifetime = 24 * time.Hour
	idle     = 12 * time.Hour
)

// userID returns the ID of the user who has the session with this number. The ID has 21
// digits, as Google's IDs have.
func userID(session int) string { return fmt.Sprintf("1070%017d", session/perUser) }

// userOf returns the user who has the session with this number.
func userOf(session int) googlesession.User {
	id := userID(session)
	return googlesession.User{
		ID: id, Email: "user" + id[13:] + "@example.com", Name: "User Number " + id[13:],
		Picture: "https://lh3.googleusercontent.com/a/ACg8ocJ" + id + id + "=s96-c",
		Version: 1, CreatedAt: time.UnixMilli(1), SeenAt: time.UnixMilli(1),
	}
}

var device = googlesession.Device{
	IP: "192.0.2.1", UserAgent: "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
}

// tokenOf returns the cookie's value and the Ref of the session with this number. Both have
// the library's format, which docs/design.md describes. A hash of the number takes the
// place of random bytes, so that ten million tokens need not be stored.
func tokenOf(session int) (string, googlesession.Ref) {
	var raw [44]byte
	tag := googlesession.UserTag(userID(session))
	copy(raw[:], tag[:])
	var seed [8]byte
	binary.LittleEndian.PutUint64(seed[:], uint64(session)) //nolint:gosec // the number of a session is not negative
	secret := sha256.Sum256(seed[:])
	copy(raw[12:], secret[:])
	token := base64.RawURLEncoding.EncodeToString(raw[:])
	return token, googlesession.Ref{Tag: tag, ID: hashToken(token)}
}

// hashToken returns the session ID that the library derives from a cookie's value.
func hashToken(token string) [32]byte {
	const salt = "gs-id/1\x00\x00"
	var buf [128]byte
	return sha256.Sum256(append(append(buf[:0], salt...), token...))
}

// newSession returns what CreateSession needs to create the session with this number.
func newSession(session int) googlesession.NewSession {
	_, ref := tokenOf(session)
	return googlesession.NewSession{Ref: ref, User: userOf(session), MaxLifetime: lifetime, IdleTimeout: idle, Device: device}
}

// cookies returns the Cookie headers of some sessions (no more than most), in a random order. It
// takes them evenly from the sessions whose numbers are 0 to size-1.
func cookies(size, most int) []string {
	headers := make([]string, min(size, most))
	for i := range headers {
		token, _ := tokenOf(i * (size / len(headers)))
		headers[i] = cookieName + "=" + token
	}
	return packed(headers)
}

// packed returns Cookie headers in a random order. Their text lies in memory in that order,
// because a server has just read a header when it looks at it. So waiting for the memory is
// not measured.
func packed(headers []string) []string {
	//nolint:gosec // the random order of the sessions is not a secret
	rand.Shuffle(len(headers), func(a, b int) { headers[a], headers[b] = headers[b], headers[a] })
	text := strings.Join(headers, "")
	for i, header := range headers {
		headers[i], text = text[:len(header)], text[len(header):]
	}
	return headers
}

// tokenIn returns the token in a Cookie header.
func tokenIn(header string) string { return header[len(cookieName)+1:] }

// ours returns a site that uses this library with the store. The requests of the site
// record no uses.
func ours(store googlesession.SessionStore, cookies []string) Site {
	return Site{"googlesession", guard(store, idle/2), cookies}
}

// recording returns a site that uses this library with the store. Each request records a
// use of its session. By default, only one request of a session in a minute does so.
func recording(store googlesession.SessionStore, cookies []string) Site {
	return Site{"googlesession, recording each use", guard(store, time.Millisecond), cookies}
}

func guard(store googlesession.SessionStore, touchEvery time.Duration) http.Handler {
	return newGuard(googlesession.Config{Sessions: store, IdleTimeout: idle, MaxLifetime: lifetime, TouchEvery: touchEvery})
}

// newGuard returns a handler that writes the ID of the user.
func newGuard(c googlesession.Config) http.Handler {
	return must1(googlesession.New(c)).RequireUser(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, _ := googlesession.UserFrom(r.Context())
		_, _ = io.WriteString(w, user.ID)
	}))
}

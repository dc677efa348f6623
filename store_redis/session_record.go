package redisstore

// A session is kept as the text
//
//	<created> <abs> <idle> <device>
//
// in the field s<ID> of the user's hash. The text has the session's creation, absolute
// expiry and idle timeout in decimal milliseconds, then the device (device.go). If the
// issue time of the session's Google token is known, byte 30 and the age that the token had
// at <created> follow, also in milliseconds. The age is kept and not the issue time,
// because an age has four digits and a time thirteen. The last recorded use is kept in
// another field, t<ID>, so that recording a use, however late, cannot bring back a session
// that has ended.

import (
	"strconv"
	"strings"
	"time"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/storekit"
)

// times are the times of a session, in Unix milliseconds.
type times struct {
	created int64
	abs     int64 // the absolute expiry
	idle    int64 // the idle timeout, a duration
	seen    int64 // when the last recorded use of the session was
	token   int64 // when the token was issued, or 0 if that is not known
	now     int64 // the server's clock when it answered a check; 0 in lists
}

// expires returns when the session expires if it is not used again.
func (t times) expires() int64 { return min(t.abs, t.seen+t.idle) }

// parseSession returns the times and the device in a session's record. It does not set
// seen, which is not in the record. It returns zero times, so that the session counts as
// expired, if the text is not a record.
func parseSession(record string) (t times, device string) {
	device, err := cutNumbers(record, &t.created, &t.abs, &t.idle)
	if err != nil {
		return times{}, ""
	}
	device, t.token = cutToken(device, t.created)
	return t, device
}

// cutNumbers reads the numbers that a text begins with, each followed by a blank, and
// returns the rest of the text. It returns an error if a number has a sign, or more than 18
// digits, because the sum of two numbers must not overflow.
func cutNumbers(text string, numbers ...*int64) (rest string, err error) {
	for _, number := range numbers {
		digits, after, found := strings.Cut(text, " ")
		n, err := strconv.ParseUint(digits, 10, 63) // ParseInt would accept a sign
		if err != nil || !found || len(digits) > 18 {
			return "", errReply
		}
		*number, text = int64(n), after
	}
	return text, nil
}

// cutToken splits the device in a session's record into the device alone and the age that
// the token had when the session was created, at created. It returns the device, and the
// issue time of the token in Unix milliseconds, or 0 if the issue time is not known.
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

func newSession(u googlesession.User, t times, ref googlesession.Ref, d googlesession.Device) googlesession.Session {
	return googlesession.Session{
		Ref: ref, User: u, Device: d,
		CreatedAt: fromUnixMilli(t.created), SeenAt: fromUnixMilli(t.seen), ExpiresAt: fromUnixMilli(t.expires()),
		TokenIssuedAt: storekit.TokenTime(t.token),
	}
}

// fromUnixMilli returns ms, in Unix milliseconds, as a time in UTC.
func fromUnixMilli(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

package redisstore

// A session is kept as the text
//
//	<created> <abs> <idle> <device>
//
// in the field s<ID> of the user's hash. The text has the session's creation, absolute
// expiry and idle timeout in decimal milliseconds, then the device (device.go). Members
// follow, and each of them begins with byte 30:
//
//	k<number>     the Kind, unless it is KindCookie
//	p<PublicID>   the PublicID, unless it is that of the Ref
//	l<label>      the Label, unless it is empty; control characters are kept as in a device
//	<age>         the age that the session's Google token had at <created>, in milliseconds
//
// The age is left out if the issue time of the token is not known, and it is always the
// last member. The age is kept and not the issue time, because an age has four digits and
// a time thirteen. The last recorded use is kept in another field, t<ID>, so that recording
// a use, however late, cannot bring back a session that has ended.
//
// Scripts read the times and the age only. An earlier version knows no member but the age.
// It takes the other members for the end of the user agent, which it shows in lists. A
// member with another letter is skipped, so that a later version can add members.

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

// members are what a session's record has after the times.
type members struct {
	device   string // as encodeDevice returned it
	kind     googlesession.SessionKind
	publicID googlesession.PublicID // zero if it is that of the Ref
	label    string                 // escaped
}

// encodeMembers returns the device and the members of a new session, but the token's age,
// which create.lua appends.
func encodeMembers(n googlesession.NewSession) string {
	text := encodeDevice(n.Device)
	if n.Kind != googlesession.KindCookie {
		text += string(memberMark) + "k" + strconv.Itoa(int(n.Kind))
	}
	if id := storekit.PublicID(n); id != n.Ref.PublicID() {
		text += string(memberMark) + "p" + id.String()
	}
	if n.Label != "" {
		text += string(memberMark) + "l" + escape.Replace(n.Label)
	}
	return text
}

// parseSession returns the times and the members in a session's record. It does not set
// seen, which is not in the record. It returns zero times, so that the session counts as
// expired, if the text is not a record or if a member is damaged.
func parseSession(record string) (times, members) {
	var t times
	rest, err := cutNumbers(record, &t.created, &t.abs, &t.idle)
	if err != nil {
		return times{}, members{}
	}
	m, token, err := parseMembers(rest, t.created)
	if err != nil {
		return times{}, members{}
	}
	t.token = token
	return t, m
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

// parseMembers splits what follows the times of a session that was created at created. It
// returns the members, and the issue time of the token in Unix milliseconds, or 0 if the
// issue time is not known. A damaged age counts as unknown, because such a session ends
// with the next TokensAfter.
func parseMembers(text string, created int64) (m members, token int64, err error) {
	if isOldForm(text) {
		return members{device: text}, 0, nil
	}
	device, rest, more := strings.Cut(text, string(memberMark))
	m.device = device
	for more {
		var member string
		if member, rest, more = strings.Cut(rest, string(memberMark)); member == "" {
			continue
		}
		value := member[1:]
		switch member[0] {
		case 'k':
			kind, err := strconv.ParseUint(value, 10, 8)
			if err != nil {
				return members{}, 0, errReply
			}
			m.kind = googlesession.SessionKind(kind)
		case 'p':
			if m.publicID, err = googlesession.ParsePublicID(value); err != nil {
				return members{}, 0, errReply
			}
		case 'l':
			m.label = value
		case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
			if age, err := strconv.ParseInt(member, 10, 64); err == nil {
				token = created - age
			}
		}
	}
	return m, token, nil
}

// newSession returns the session as a check does, without its device and label.
func newSession(u googlesession.User, t times, m members, ref googlesession.Ref) googlesession.Session {
	if m.publicID == (googlesession.PublicID{}) {
		m.publicID = ref.PublicID()
	}
	return googlesession.Session{
		Ref: ref, User: u, Kind: m.kind, PublicID: m.publicID,
		CreatedAt: fromUnixMilli(t.created), SeenAt: fromUnixMilli(t.seen), ExpiresAt: fromUnixMilli(t.expires()),
		TokenIssuedAt: storekit.TokenTime(t.token),
	}
}

// fromUnixMilli returns ms, in Unix milliseconds, as a time in UTC.
func fromUnixMilli(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

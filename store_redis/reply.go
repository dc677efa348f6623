package redisstore

import (
	"strconv"
	"time"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/storekit"
)

// A reply is what a script returned. It keeps the first thing in it that is not as
// the scripts write it, so that reading it is a list of steps.
type reply struct {
	values []any
	err    error
}

// newReply reads a list. Nothing else is one.
func newReply(value any) *reply {
	values, ok := value.([]any)
	if !ok {
		return &reply{err: errReply}
	}
	return &reply{values: values}
}

// verdict is the number that a list begins with, if the list is as long as the verdict
// says: 0 is not one.
func (r *reply) verdict(length map[int64]int) int64 {
	verdict := get[int64](r, 0)
	if r.err != nil || length[verdict] != len(r.values) {
		r.err = errReply
		return 0
	}
	return verdict
}

func get[T any](r *reply, i int) (value T) {
	if i < len(r.values) {
		if v, ok := r.values[i].(T); ok {
			return v
		}
	}
	r.err = errReply
	return value
}

func (r *reply) text(i int) string { return get[string](r, i) }

// number reads one that the script wrote as text, since Redis would cut it.
func (r *reply) number(i int) int64 {
	n, err := strconv.ParseInt(r.text(i), 10, 64)
	if err != nil {
		r.err = errReply
	}
	return n
}

// pairs reads fields and values in turn.
func (r *reply) pairs(i int) map[string]string {
	values := &reply{values: get[[]any](r, i)}
	if len(values.values)%2 != 0 {
		r.err = errReply
	}
	pairs := make(map[string]string, len(values.values)/2)
	for i := 0; i+1 < len(values.values); i += 2 {
		pairs[values.text(i)] = values.text(i + 1)
	}
	if values.err != nil {
		r.err = values.err
	}
	return pairs
}

// session puts together what stores return, unless something was wrong.
func (r *reply) session(record string, t times, ref googlesession.Ref, d googlesession.Device) (session googlesession.Session, err error) {
	if r.err != nil {
		return session, r.err
	}
	u, err := decodeUser(record)
	if err != nil {
		return session, err
	}
	if googlesession.UserTag(u.ID) != ref.Tag {
		return session, errOtherTag
	}
	return newSession(u, t, ref, d), nil
}

func newSession(u googlesession.User, t times, ref googlesession.Ref, d googlesession.Device) googlesession.Session {
	return googlesession.Session{
		Ref: ref, User: u, Device: d,
		CreatedAt: fromUnixMilli(t.created), SeenAt: fromUnixMilli(t.seen), ExpiresAt: fromUnixMilli(t.ends()),
		TokenIssuedAt: storekit.TokenTime(t.token),
	}
}

// fromUnixMilli returns ms, in Unix milliseconds, as a time in UTC.
func fromUnixMilli(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

package redisstore

import (
	"strconv"
	"time"

	"github.com/googlesession/googlesession"
)

// A reply is what a script returned. It keeps the first thing in it that is not as
// the scripts write it, so that reading it is a list of steps.
type reply struct {
	values []any
	err    error
}

func newReply(value any) *reply {
	switch v := value.(type) {
	case []any:
		return &reply{values: v}
	default:
		return &reply{values: []any{v}}
	}
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

// status is the number that a reply begins with.
func (r *reply) status() int64 { return get[int64](r, 0) }

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
	return newSession(u, t, ref, d), nil
}

func newSession(u googlesession.User, t times, ref googlesession.Ref, d googlesession.Device) googlesession.Session {
	return googlesession.Session{
		Ref: ref, User: u, Device: d,
		CreatedAt: instant(t.created), SeenAt: instant(t.seen), ExpiresAt: instant(t.ends()),
	}
}

// instant is a time that leaves the store.
func instant(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

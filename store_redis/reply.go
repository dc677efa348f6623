package redisstore

import (
	"errors"
	"strconv"

	"github.com/googlesession/googlesession"
)

var (
	errReply    = errors.New("unexpected reply from a script")
	errOtherTag = errors.New("the key belongs to another user")
)

// A reply reads the list that a script returned. Its methods set err if an element of the
// list does not have the expected form, so that the caller can read all elements and then
// look at err once.
type reply struct {
	values []any
	err    error
}

// newReply returns a reply that reads value. It sets err if value is not a list.
func newReply(value any) *reply {
	values, ok := value.([]any)
	if !ok {
		return &reply{err: errReply}
	}
	return &reply{values: values}
}

// verdict returns the number that the list begins with. It sets err and returns 0 if the
// list does not have the length that the map has for the verdict.
func (r *reply) verdict(length map[int64]int) int64 {
	verdict := get[int64](r, 0)
	if r.err != nil || length[verdict] != len(r.values) {
		r.err = errReply
		return 0
	}
	return verdict
}

func (r *reply) text(i int) string { return get[string](r, i) }

// number reads element i, a number. The script returned it as a text, because Redis turns
// Lua's numbers into integers.
func (r *reply) number(i int) int64 {
	n, err := strconv.ParseInt(r.text(i), 10, 64)
	if err != nil {
		r.err = errReply
	}
	return n
}

// pairs reads element i, a list in which fields and their values alternate.
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

// get returns element i of the list. If there is no such element or it is not a T, get sets
// r.err and returns the zero value.
func get[T any](r *reply, i int) (value T) {
	if i < len(r.values) {
		if v, ok := r.values[i].(T); ok {
			return v
		}
	}
	r.err = errReply
	return value
}

// session returns a session of the user whose record is given, without its device and
// label. It returns an error if r.err is set, the record is damaged, or ref has the tag of
// another user.
func (r *reply) session(record string, t times, m members, ref googlesession.Ref) (session googlesession.Session, err error) {
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
	return newSession(u, t, m, ref), nil
}

package conformance_test

import (
	"math/bits"

	"github.com/anishathalye/porcupine"
)

type opKind int

const (
	opCreate opKind = iota
	opCheck
	opRevoke
	opRevokeUser // keeps the session id unless id < 0
	opPutUser
	opSwap
)

func (k opKind) String() string {
	return [...]string{"create", "check", "revoke", "revokeUser", "putUser", "swapBinding"}[k]
}

type input struct {
	kind     opKind
	user     int
	id       int // the number of a session of this user
	version  int64
	disabled bool
	after    int // the first session whose token is not too old, which stands for TokensAfter
	max      int // create is refused if so many sessions are live; 0 means no limit
	replaces int // a session that does not count for max; negative for none
	old      int // swap replaces this Binding, which is 0 for an unbound session
	next     int // swap sets this Binding
}

// An output is what a call returned.
type output struct {
	unknown bool  // the call failed, so it may have taken effect, or may later, or never
	resent  bool  // the call may have been sent twice, and the second copy found what the first one had done
	ok      bool  // the session was created, admitted or ended, or the user record was applied, or the Binding is next
	full    bool  // create was refused because there are too many sessions
	stale   bool  // create was refused because the token is too old
	n       int   // how many sessions revokeUser has ended
	version int64 // the version of the User that came with an admission
	binding int   // the Binding that came with an admission
	ended   bool  // swap found no session
}

// A state is what a store holds of one user.
type state struct {
	live     uint64  // a bit for each session
	bindings [64]int // the Binding of each session
	version  int64
	disabled bool
	after    int
}

func (s state) put(in input) (state, bool) {
	if in.version <= s.version {
		return s, false
	}
	s.version, s.disabled, s.after = in.version, in.disabled, in.after
	s.live = s.live >> s.after << s.after
	if s.disabled {
		s.live = 0
	}
	return s, true
}

func (s state) full(in input) bool {
	if in.replaces >= 0 {
		s.live &^= 1 << in.replaces
	}
	return in.max > 0 && bits.OnesCount64(s.live) >= in.max
}

// step returns what the operation returns in this state, and the state after it.
func (s state) step(in input) (state, output) {
	var bit uint64
	if in.id >= 0 {
		bit = 1 << in.id
	}
	out := output{ok: s.live&bit != 0}
	switch in.kind {
	case opCheck:
		if out.ok {
			out.version, out.binding = s.version, s.bindings[in.id]
		}
	case opSwap:
		out.ended = !out.ok
		if out.ok && s.bindings[in.id] == in.old {
			s.bindings[in.id] = in.next
		}
		out.ok = out.ok && s.bindings[in.id] == in.next
	case opCreate:
		s, _ = s.put(in)
		switch {
		case s.disabled:
		case in.id < s.after:
			out.stale = true
		case s.full(in):
			out.full = true
		default:
			s.live |= bit
			out.ok, out.version = true, s.version
		}
	case opRevoke:
		s.live &^= bit
	case opRevokeUser:
		out.ok, out.n = true, bits.OnesCount64(s.live&^bit)
		s.live &= bit
	case opPutUser:
		s, out.ok = s.put(in)
	}
	return s, out
}

// model returns a store as a sequential program. Each user is checked alone, because no
// call is about two users.
func model() porcupine.Model {
	return (&porcupine.NondeterministicModel{
		Init: func() []any { return []any{state{}} },
		Partition: func(history []porcupine.Operation) [][]porcupine.Operation {
			users := make([][]porcupine.Operation, linearUsers)
			for _, op := range history {
				user := op.Input.(input).user
				users[user] = append(users[user], op)
			}
			return users
		},
		Step: func(before, in, got any) []any {
			after, want := before.(state).step(in.(input))
			switch {
			case got.(output).unknown:
				return []any{before, after}
			case got.(output).resent:
				return []any{after}
			case got.(output) != want:
				return nil
			}
			return []any{after}
		},
	}).ToModel()
}

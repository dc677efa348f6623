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
	opRevokeUser // all but id; id < 0: all
	opPutUser
)

func (k opKind) String() string {
	return [...]string{"create", "check", "revoke", "revokeUser", "putUser"}[k]
}

type input struct {
	kind     opKind
	user     int
	id       int // of a session, per user
	version  int64
	disabled bool
}

// An output is what a call returned. Unknown: it failed, so it has taken effect, or
// will, or never will.
type output struct {
	unknown bool
	ok      bool  // created, admitted, ended or applied
	n       int   // ended by revokeUser
	version int64 // of the User that came with an admission
}

// state is what one user's part of a store holds.
type state struct {
	live     uint64 // a bit for each session
	version  int64
	disabled bool
}

func (s state) put(in input) (state, bool) {
	if in.version <= s.version {
		return s, false
	}
	s.version, s.disabled = in.version, in.disabled
	if s.disabled {
		s.live = 0
	}
	return s, true
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
			out.version = s.version
		}
	case opCreate:
		s, _ = s.put(in)
		if out.ok = !s.disabled; out.ok {
			s.live |= bit
			out.version = s.version
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

// model is a store as one sequential program. Users do not meet.
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
			case got.(output) != want:
				return nil
			}
			return []any{after}
		},
	}).ToModel()
}

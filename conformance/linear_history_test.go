package conformance_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math"
	mathrand "math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/googlesession/googlesession"
)

const (
	linearUsers   = 4
	linearClients = 8
	linearOps     = 1000 // of all clients, in a history
)

// A recorder lets clients loose on a store and keeps what they saw.
type recorder struct {
	handles []googlesession.SessionStore // "servers"
	began   time.Time
	users   [linearUsers]*linearUser

	mu      sync.Mutex
	history []porcupine.Operation
	errs    map[string]int // unknown outcomes, by their text
}

// A linearUser is what the clients know of a user.
type linearUser struct {
	id string

	mu       sync.Mutex
	sessions []googlesession.Ref // in order of creation
	version  int64
	disabled bool
}

func newRecorder(handles ...googlesession.SessionStore) *recorder {
	r := &recorder{handles: handles, began: time.Now(), errs: make(map[string]int)}
	for i := range r.users {
		r.users[i] = &linearUser{id: "linear-" + rand.Text(), version: 1}
	}
	return r
}

// run runs ops operations, from the seed as far as the clients' choices go.
func (r *recorder) run(ctx context.Context, seed uint64, ops int) {
	var wg sync.WaitGroup
	for client := range linearClients {
		choice := mathrand.New(mathrand.NewPCG(seed, uint64(client))) //nolint:gosec // repeatable
		wg.Go(func() {
			for range ops / linearClients {
				r.operation(ctx, client, choice)
			}
		})
	}
	wg.Wait()
}

// operation picks one and runs it. Sessions are picked among the latest, so that the
// clients meet.
func (r *recorder) operation(ctx context.Context, client int, choice *mathrand.Rand) {
	in := input{user: choice.IntN(linearUsers), id: -1}
	user := r.users[in.user]
	pick := choice.IntN(100)
	user.mu.Lock()
	known := len(user.sessions)
	recent := known - 1 - choice.IntN(5)
	switch {
	case (pick < 15 || known == 0) && known < 64:
		in.kind, in.id = opCreate, known
		ref := googlesession.Ref{Tag: googlesession.UserTag(user.id)}
		_, _ = rand.Read(ref.ID[:]) // it never fails
		user.sessions = append(user.sessions, ref)
		in.version, in.disabled = user.version, user.disabled
	case pick < 72:
		in.kind, in.id = opCheck, max(recent, 0)
	case pick < 82:
		in.kind, in.id = opRevoke, max(recent, 0)
	case pick < 88:
		in.kind, in.id = opRevokeUser, max(recent, 0)
	case pick < 91:
		in.kind = opRevokeUser
	default:
		// Two thirds enable. The version is minted in order, the call is not made so.
		user.version++
		user.disabled = pick >= 97
		in.kind, in.version, in.disabled = opPutUser, user.version, user.disabled
	}
	var ref googlesession.Ref
	if in.id >= 0 {
		ref = user.sessions[in.id]
	}
	user.mu.Unlock()

	call := time.Since(r.began).Nanoseconds()
	out, err := perform(ctx, r.handles[client%len(r.handles)], user.id, ref, in)
	back := time.Since(r.began).Nanoseconds()
	if out.unknown {
		// While a server is down errors come at once, and each doubles what may be so.
		back = math.MaxInt64
		<-time.After(10 * time.Millisecond)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if out.unknown {
		r.errs[fmt.Sprintf("%v: %v", in.kind, err)]++
		if in.kind == opCheck {
			return // it says nothing and has changed nothing
		}
	}
	r.history = append(r.history, porcupine.Operation{ClientId: client, Input: in, Call: call, Output: out, Return: back})
}

// perform calls the store.
func perform(ctx context.Context, store googlesession.SessionStore, userID string, ref googlesession.Ref, in input) (out output, err error) {
	u := googlesession.User{ID: userID, Version: in.version, Disabled: in.disabled, CreatedAt: time.UnixMilli(1), SeenAt: time.UnixMilli(1)}
	switch in.kind {
	case opCreate:
		var s googlesession.Session
		s, err = store.CreateSession(ctx, googlesession.NewSession{Ref: ref, User: u, MaxLifetime: time.Hour, IdleTimeout: time.Hour})
		out = output{ok: err == nil, version: s.User.Version}
	case opCheck:
		var s googlesession.Session
		s, err = store.CheckSession(ctx, ref, 0) // it records each use
		out = output{ok: err == nil, version: s.User.Version}
	case opRevoke:
		out.ok, err = store.RevokeSession(ctx, ref)
	case opRevokeUser:
		keep := &ref
		if in.id < 0 {
			keep = nil
		}
		out.n, err = store.RevokeUser(ctx, userID, keep)
		out.ok = err == nil
	case opPutUser:
		out.ok, err = store.PutUser(ctx, u)
	}
	if err != nil && !errors.Is(err, googlesession.ErrNoSession) && !errors.Is(err, googlesession.ErrUserDisabled) {
		return output{unknown: true}, err
	}
	return out, err
}

// brokenPromises returns, in words, each admission that began after a revocation of
// the session had returned. It looks for nothing else, but what it finds needs no
// model to be understood.
func brokenPromises(history []porcupine.Operation) []string {
	created := make(map[[2]int]int64) // when it was
	for _, op := range history {
		if in := op.Input.(input); in.kind == opCreate && op.Output.(output).ok {
			created[[2]int{in.user, in.id}] = op.Return
		}
	}
	var broken []string
	for _, check := range history {
		in := check.Input.(input)
		if in.kind != opCheck || !check.Output.(output).ok {
			continue
		}
		i := slices.IndexFunc(history, func(op porcupine.Operation) bool {
			by, out := op.Input.(input), op.Output.(output)
			covers := by.kind == opRevoke && by.id == in.id || by.kind == opRevokeUser && by.id != in.id || by.kind == opPutUser && by.disabled && out.ok
			at, known := created[[2]int{in.user, in.id}]
			return covers && by.user == in.user && !out.unknown && known && at < op.Call && op.Return < check.Call
		})
		if i >= 0 {
			broken = append(broken, fmt.Sprintf("user %d, session %d: %v returned at %v, a check that began at %v admitted it",
				in.user, in.id, history[i].Input.(input).kind, time.Duration(history[i].Return), time.Duration(check.Call)))
		}
	}
	return broken
}

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
	linearOps     = 1000 // the operations of all clients in a history

	// linearUnknown is how many changes of a user may have an unknown outcome. After that,
	// clients that get no answers do not change the user. Each such change may take effect
	// at any time until the history ends, so it doubles the work of the check.
	linearUnknown = 8
)

// A recorder lets clients call a store's handles, which stand for servers, and keeps what
// they saw.
type recorder struct {
	began   time.Time
	users   [linearUsers]*linearUser
	clients [linearClients]*linearClient

	mu      sync.Mutex
	history []porcupine.Operation
	errs    map[string]int // counts unknown outcomes by the text of the error
	resends bool           // the database client sends a command again if it got no answer and that does no harm
}

// A linearUser holds what the clients know of a user.
type linearUser struct {
	id string

	mu       sync.Mutex
	sessions []googlesession.Ref // in order of creation
	version  int64
	disabled bool
	after    int     // the first session whose token is not too old, which stands for TokensAfter
	unknown  int     // how many changes had an unknown outcome
	bindings int     // how many Bindings the clients have chosen
	seen     [64]int // the Binding of each session that a client has seen last
}

// A linearClient calls one method after the other.
type linearClient struct {
	id     int
	store  googlesession.SessionStore
	choice *mathrand.Rand
	lost   bool // its last call got no answer

	probe googlesession.User // a user that only this client changes, outside the history
}

func newRecorder(handles ...googlesession.SessionStore) *recorder {
	r := &recorder{began: time.Now(), errs: make(map[string]int)}
	for i := range r.users {
		r.users[i] = &linearUser{id: "linear-" + rand.Text(), version: 1}
	}
	for i := range r.clients {
		probe := googlesession.User{ID: "probe-" + rand.Text(), CreatedAt: r.began, SeenAt: r.began}
		r.clients[i] = &linearClient{id: i, store: handles[i%len(handles)], probe: probe}
	}
	return r
}

// run lets the clients make ops calls. The seed decides their choices, not their timing.
func (r *recorder) run(ctx context.Context, seed uint64, ops int) {
	var wg sync.WaitGroup
	for _, c := range r.clients {
		c.choice = mathrand.New(mathrand.NewPCG(seed, uint64(c.id))) //nolint:gosec // repeatable
		wg.Go(func() {
			for range ops / linearClients {
				r.turn(ctx, c)
			}
		})
	}
	wg.Wait()
}

// turn makes one call. A client whose last call got no answer mostly checks sessions until
// it gets an answer, because the history of many changes in an outage cannot be checked.
func (r *recorder) turn(ctx context.Context, c *linearClient) {
	lost, pick := c.lost, c.choice.IntN(100)
	if lost && c.choice.IntN(20) > 0 {
		pick = anyCheck
	}
	r.operation(ctx, c, pick)
	if lost && !c.lost {
		// A server that answers checks may not confirm changes yet.
		c.probe.Version++
		_, err := c.store.PutUser(ctx, c.probe)
		c.lost = err != nil
	}
	if c.lost {
		<-time.After(10 * time.Millisecond) // because calls fail at once while a server is down
	}
}

// anyCheck is a value of pick for which operation checks a session.
const anyCheck = 51

// operation makes the call that pick, a number below 100, stands for. It chooses among the
// latest sessions, so that the clients meet.
func (r *recorder) operation(ctx context.Context, c *linearClient, pick int) {
	in := input{user: c.choice.IntN(linearUsers), id: -1, replaces: -1}
	user := r.users[in.user]
	user.mu.Lock()
	if c.lost && user.unknown >= linearUnknown || isSwap(pick) && !r.swaps(c.store) {
		pick = anyCheck
	}
	known := len(user.sessions)
	recent := known - 1 - c.choice.IntN(5)
	switch {
	case (pick < 15 || known == 0) && known < 64:
		in.kind, in.id = opCreate, known
		ref := googlesession.Ref{Tag: googlesession.UserTag(user.id)}
		_, _ = rand.Read(ref.ID[:]) // it never fails
		user.sessions = append(user.sessions, ref)
		in.version, in.disabled, in.after = user.version, user.disabled, user.after
		in.max, in.replaces = c.choice.IntN(4), max(recent, -1)
	case pick <= anyCheck:
		in.kind, in.id = opCheck, max(recent, 0)
	case isSwap(pick):
		in.kind, in.id = opSwap, max(recent, 0)
		user.bindings++
		in.old, in.next = user.seen[in.id], user.bindings
	case pick < 82:
		in.kind, in.id = opRevoke, max(recent, 0)
	case pick < 88:
		in.kind, in.id = opRevokeUser, max(recent, 0)
	case pick < 91:
		in.kind = opRevokeUser
	default:
		// Two thirds enable the user, the others disable it. One third refuses more tokens
		// than before, sometimes that of the next sign-in. Versions are assigned in order;
		// the calls may be made in another order.
		user.version++
		user.disabled = pick >= 97
		if pick < 94 {
			user.after = max(user.after, known+1-c.choice.IntN(5))
		}
		in.kind, in.version, in.disabled, in.after = opPutUser, user.version, user.disabled, user.after
	}
	var ref googlesession.Ref
	if in.id >= 0 {
		ref = user.sessions[in.id]
	}
	var replaces *googlesession.Ref
	if in.replaces >= 0 {
		replaces = &user.sessions[in.replaces]
	}
	user.mu.Unlock()

	call := time.Since(r.began).Nanoseconds()
	out, err := perform(ctx, c.store, user.id, ref, replaces, in)
	back := time.Since(r.began).Nanoseconds()
	out.resent = r.resends && err == nil && !out.ok && (in.kind == opRevoke || in.kind == opPutUser)
	if c.lost = out.unknown; c.lost {
		back = math.MaxInt64
	}
	user.see(in, out)
	r.mu.Lock()
	defer r.mu.Unlock()
	if c.lost {
		r.errs[fmt.Sprintf("%v: %v", in.kind, err)]++
		if in.kind == opCheck {
			return // a check without an answer shows nothing and changes nothing
		}
	}
	r.history = append(r.history, porcupine.Operation{ClientId: c.id, Input: in, Call: call, Output: out, Return: back})
}

// see takes note of what a call returned.
func (u *linearUser) see(in input, out output) {
	u.mu.Lock()
	defer u.mu.Unlock()
	switch {
	case out.unknown && in.kind != opCheck:
		u.unknown++
	case out.ok && in.kind == opCheck:
		u.seen[in.id] = out.binding
	case out.ok && in.kind == opSwap:
		u.seen[in.id] = in.next
	}
}

// length returns how many calls the history has so far.
func (r *recorder) length() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.history)
}

// unknown returns how many calls got no answer, and how many of them were changes, by
// user.
func (r *recorder) unknown() (calls int, changes [linearUsers]int) {
	for _, n := range r.errs {
		calls += n
	}
	for i, user := range r.users {
		changes[i] = user.unknown
	}
	return calls, changes
}

// perform makes one call. The error is not nil if the outcome is unknown.
func perform(ctx context.Context, store googlesession.SessionStore, userID string, ref googlesession.Ref, replaces *googlesession.Ref, in input) (out output, err error) {
	u := googlesession.User{ID: userID, Version: in.version, Disabled: in.disabled, CreatedAt: time.UnixMilli(1), SeenAt: time.UnixMilli(1)}
	if in.after > 0 {
		u.TokensAfter = tokenOf(in.after - 1)
	}
	switch in.kind {
	case opCreate:
		var s googlesession.Session
		s, err = store.CreateSession(ctx, googlesession.NewSession{
			Ref: ref, User: u, MaxLifetime: time.Hour, IdleTimeout: time.Hour, Max: in.max, RefuseOverMax: true, Replaces: replaces,
			TokenIssuedAt: tokenOf(in.id),
		})
		if errors.Is(err, googlesession.ErrStaleToken) {
			return output{stale: true}, nil
		}
		if errors.Is(err, googlesession.ErrTooManySessions) {
			return output{full: true}, nil
		}
		out = output{ok: err == nil, version: s.User.Version}
	case opSwap:
		out.ok, err = store.(googlesession.BindingStore).SwapBinding(ctx, ref, bindingOf(in.old), bindingOf(in.next))
		out.ended = err != nil
	case opCheck:
		var s googlesession.Session
		s, err = store.CheckSession(ctx, ref, 0) // it records each use
		out = output{ok: err == nil, version: s.User.Version, binding: numberOf(s.Binding)}
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

// tokenOf returns when the token of a user's session was issued, one second after that of
// the session before.
func tokenOf(id int) time.Time { return time.Unix(int64(1+id), 0).UTC() }

// brokenPromises describes each admission that began after a revocation of the session had
// returned. It finds nothing else, but its findings can be understood without the model.
func brokenPromises(history []porcupine.Operation) []string {
	created := make(map[[2]int]int64) // when the session of this user and number was
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
			covers := by.kind == opRevoke && by.id == in.id || by.kind == opRevokeUser && by.id != in.id || by.kind == opPutUser && (by.disabled || in.id < by.after) && out.ok
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

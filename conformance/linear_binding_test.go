package conformance_test

import (
	"context"
	"runtime"
	"strconv"
	"strings"

	"github.com/googlesession/googlesession"
)

// This file has what the histories and the stores with known mistakes need for Bindings.

// isSwap reports whether operation swaps a Binding for pick.
func isSwap(pick int) bool { return anyCheck < pick && pick < 72 }

// swaps reports whether the clients swap Bindings. They do not if a crash or a failover
// disturbs Redis, because a server may lose a swap then.
func (r *recorder) swaps(store googlesession.SessionStore) bool {
	_, ok := store.(googlesession.BindingStore)
	return ok && !r.resends
}

// bindingOf returns the Binding of this number. Its bytes are not UTF-8.
func bindingOf(number int) string {
	if number == 0 {
		return ""
	}
	return "\x00\xff" + strconv.Itoa(number)
}

// numberOf returns the number of a Binding, or -1 if no client has chosen it.
func numberOf(binding string) int {
	number, err := strconv.Atoi(strings.TrimPrefix(binding, "\x00\xff"))
	switch {
	case binding == "":
		return 0
	case err != nil || bindingOf(number) != binding:
		return -1
	}
	return number
}

func (n *naive) SwapBinding(_ context.Context, r googlesession.Ref, old, next string) (bool, error) {
	user, session, ok := n.find(r)
	if !ok {
		return false, googlesession.ErrNoSession
	}
	if n.rash {
		for range 8 {
			runtime.Gosched()
		}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	now, ok := user.live[r]
	if !ok {
		return false, googlesession.ErrNoSession
	}
	if !n.rash {
		session = now
	}
	if session.Binding != old && session.Binding != next {
		return false, nil
	}
	now.Binding = next
	user.live[r] = now
	return true, nil
}

func (o *outage) SwapBinding(ctx context.Context, r googlesession.Ref, old, next string) (bool, error) {
	return during(o, func() (bool, error) { return o.naive.SwapBinding(ctx, r, old, next) })
}

package redisstore

import (
	"context"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/storekit"
)

// SwapBinding implements [googlesession.BindingStore]. If an answer is lost, the client sends
// the command again. The late copy of a call changes nothing, unless the Binding is old again
// when the copy arrives.
func (s *Store) SwapBinding(ctx context.Context, r googlesession.Ref, old, next string) (bool, error) {
	swapped, err := s.swap(ctx, r, old, next)
	return swapped, contractError(ctx, "binding a session", err)
}

func (s *Store) swap(ctx context.Context, r googlesession.Ref, old, next string) (bool, error) {
	if err := storekit.CheckBinding(old, next); err != nil {
		return false, err
	}
	n, err := s.count(ctx, opSwapBinding, r.Tag, swapStaleToken, r.ID[:], old, next)
	if err != nil {
		return false, err
	}
	switch n {
	case swapNoSession:
		return false, googlesession.ErrNoSession
	case swapExpired:
		return false, googlesession.ErrSessionExpired
	case swapDisabled:
		return false, googlesession.ErrUserDisabled
	case swapStaleToken:
		return false, googlesession.ErrSessionRevoked
	}
	return n == swapDone, nil
}

// These are the numbers that swap_binding.lua returns.
const (
	swapNoSession  = 0
	swapDone       = 1
	swapOther      = 2 // the binding is neither old nor next
	swapExpired    = 3
	swapDisabled   = 4
	swapStaleToken = 5
)

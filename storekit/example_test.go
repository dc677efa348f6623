package storekit_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/storekit"
)

// myStore is the part of a store that remembers users.
type myStore struct{ users map[string]googlesession.User }

func (s *myStore) PutUser(ctx context.Context, u googlesession.User) (applied bool, err error) {
	err = ctx.Err()
	if err == nil {
		err = storekit.CheckUser(u)
	}
	if err != nil {
		return false, fmt.Errorf("%w: mystore: %w", googlesession.ErrUnavailable, err)
	}
	if u.Version <= s.users[u.ID].Version {
		return false, nil
	}
	s.users[u.ID] = u
	return true, nil
}

// A store checks its arguments first, and wraps what is wrong with them in ErrUnavailable.
func Example() {
	s := &myStore{users: map[string]googlesession.User{}}
	fmt.Println(s.PutUser(context.Background(), googlesession.User{ID: "123", Version: 1}))

	_, err := s.PutUser(context.Background(), googlesession.User{ID: "123", Version: 1 << 53})
	fmt.Println(err)
	fmt.Println(errors.Is(err, googlesession.ErrUnavailable))
	// Output:
	// true <nil>
	// googlesession: unavailable: mystore: user version is out of range
	// true
}

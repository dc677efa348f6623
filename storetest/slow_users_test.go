package storetest_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/storetest"
)

// A slowUsers is a user store that is as slow as slow.
type slowUsers struct {
	googlesession.UserStore

	slow slow
}

func (s slowUsers) SignIn(ctx context.Context, id googlesession.Identity) (googlesession.User, error) {
	s.slow.pause()
	defer s.slow.pause()
	return s.UserStore.SignIn(ctx, id)
}

func (s slowUsers) User(ctx context.Context, id string) (googlesession.User, error) {
	s.slow.pause()
	defer s.slow.pause()
	return s.UserStore.User(ctx, id)
}

func (s slowUsers) Users(ctx context.Context, q googlesession.UserQuery) ([]googlesession.User, error) {
	s.slow.pause()
	defer s.slow.pause()
	return s.UserStore.Users(ctx, q)
}

func (s slowUsers) SetAccess(ctx context.Context, id string, a googlesession.AccessChange) (googlesession.User, error) {
	s.slow.pause()
	defer s.slow.pause()
	return s.UserStore.SetAccess(ctx, id, a)
}

func (s slowUsers) RefuseTokens(ctx context.Context, id string, t time.Time) (googlesession.User, error) {
	s.slow.pause()
	defer s.slow.pause()
	return s.UserStore.RefuseTokens(ctx, id, t)
}

func (s slowUsers) DeleteUser(ctx context.Context, id string) error {
	s.slow.pause()
	defer s.slow.pause()
	return s.UserStore.DeleteUser(ctx, id)
}

func TestSlowUsersPass(t *testing.T) {
	t.Parallel()
	var data *naiveUserData
	storetest.TestUsers(t, storetest.UserSuite{
		Open: func(testing.TB) googlesession.UserStore {
			sessions := &naive{naiveData: newNaiveData(), perUser: 100}
			users := &naiveUsers{naiveUserData: data, SessionStore: sessions}
			return slowUsers{users, slow{least: 20 * time.Millisecond, most: 60 * time.Millisecond}}
		},
		Run: func(t *testing.T, rule func(*testing.T)) {
			t.Helper()
			synctest.Test(t, func(t *testing.T) {
				data = newNaiveUserData()
				rule(t)
			})
		},
	})
}

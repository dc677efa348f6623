package googlesession_test

import (
	"context"
	"sync"
	"time"

	"github.com/googlesession/googlesession"
)

// store has both interfaces of a store.
type store interface {
	googlesession.SessionStore
	googlesession.UserStore
}

// A spy is a store that counts the calls and passes them on to another store. It can make
// a method fail.
type spy struct {
	store

	mu    sync.Mutex
	calls map[string]int
	fail  map[string]error
	hook  func(method string)
	lose  bool                     // SetAccess reports an outage after it has succeeded
	told  func(googlesession.User) // called by PutUser; may be nil
}

func (s *spy) call(method string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.calls == nil {
		s.calls = map[string]int{}
	}
	s.calls[method]++
	if s.hook != nil {
		s.hook(method)
	}
	return s.fail[method]
}

// count returns how often these methods were called, or all methods if none is named.
func (s *spy) count(methods ...string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for m, c := range s.calls {
		if len(methods) == 0 {
			n += c
		}
		for _, want := range methods {
			if m == want {
				n += c
			}
		}
	}
	return n
}

// failing makes a method return err from now on. A nil err ends that.
func (s *spy) failing(method string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail == nil {
		s.fail = map[string]error{}
	}
	s.fail[method] = err
}

func (s *spy) CreateSession(ctx context.Context, n googlesession.NewSession) (googlesession.Session, error) {
	if err := s.call("CreateSession"); err != nil {
		return googlesession.Session{}, err
	}
	return s.store.CreateSession(ctx, n)
}

func (s *spy) CheckSession(ctx context.Context, r googlesession.Ref, d time.Duration) (googlesession.Session, error) {
	if err := s.call("CheckSession"); err != nil {
		return googlesession.Session{}, err
	}
	return s.store.CheckSession(ctx, r, d)
}

func (s *spy) RevokeSession(ctx context.Context, r googlesession.Ref) (bool, error) {
	if err := s.call("RevokeSession"); err != nil {
		return false, err
	}
	return s.store.RevokeSession(ctx, r)
}

func (s *spy) RevokeUser(ctx context.Context, id string, keep *googlesession.Ref) (int, error) {
	if err := s.call("RevokeUser"); err != nil {
		return 0, err
	}
	return s.store.RevokeUser(ctx, id, keep)
}

func (s *spy) PutUser(ctx context.Context, u googlesession.User) (bool, error) {
	if err := s.call("PutUser"); err != nil {
		return false, err
	}
	if s.told != nil {
		s.told(u)
	}
	return s.store.PutUser(ctx, u)
}

func (s *spy) Sessions(ctx context.Context, id string) ([]googlesession.Session, error) {
	if err := s.call("Sessions"); err != nil {
		return nil, err
	}
	return s.store.Sessions(ctx, id)
}

func (s *spy) SignIn(ctx context.Context, id googlesession.Identity) (googlesession.User, error) {
	if err := s.call("SignIn"); err != nil {
		return googlesession.User{}, err
	}
	return s.store.SignIn(ctx, id)
}

func (s *spy) User(ctx context.Context, id string) (googlesession.User, error) {
	if err := s.call("User"); err != nil {
		return googlesession.User{}, err
	}
	return s.store.User(ctx, id)
}

func (s *spy) Users(ctx context.Context, q googlesession.UserQuery) ([]googlesession.User, error) {
	if err := s.call("Users"); err != nil {
		return nil, err
	}
	return s.store.Users(ctx, q)
}

func (s *spy) SetAccess(ctx context.Context, id string, a googlesession.AccessChange) (googlesession.User, error) {
	if err := s.call("SetAccess"); err != nil {
		return googlesession.User{}, err
	}
	u, err := s.store.SetAccess(ctx, id, a)
	if s.lose {
		return googlesession.User{}, googlesession.ErrUnavailable
	}
	return u, err
}

func (s *spy) RefuseTokens(ctx context.Context, id string, t time.Time) (googlesession.User, error) {
	if err := s.call("RefuseTokens"); err != nil {
		return googlesession.User{}, err
	}
	return s.store.RefuseTokens(ctx, id, t)
}

func (s *spy) DeleteUser(ctx context.Context, id string) error {
	if err := s.call("DeleteUser"); err != nil {
		return err
	}
	return s.store.DeleteUser(ctx, id)
}

func (s *spy) AllSessions(ctx context.Context, after string, limit int) ([]googlesession.Session, string, error) {
	if err := s.call("AllSessions"); err != nil {
		return nil, "", err
	}
	return s.store.AllSessions(ctx, after, limit)
}

func (s *spy) SetData(ctx context.Context, id, data string, old *string) (googlesession.User, error) {
	if err := s.call("SetData"); err != nil {
		return googlesession.User{}, err
	}
	return s.store.SetData(ctx, id, data, old)
}

func (s *spy) Browsers(ctx context.Context, id string, seen *googlesession.BrowserID) ([]googlesession.BrowserID, error) {
	if err := s.call("Browsers"); err != nil {
		return nil, err
	}
	return s.store.Browsers(ctx, id, seen)
}

func (s *spy) SwapBinding(ctx context.Context, r googlesession.Ref, old, next string) (bool, error) {
	if err := s.call("SwapBinding"); err != nil {
		return false, err
	}
	return s.store.(googlesession.BindingStore).SwapBinding(ctx, r, old, next)
}

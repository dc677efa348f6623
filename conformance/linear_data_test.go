package conformance_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	memstore "github.com/googlesession/googlesession/store_memory"
)

// The histories of TestLinearizable cannot have SetData. Their users are not in a UserStore,
// and their clients choose the versions, whereas SetData chooses the version by the clock. So
// Data has histories of its own, in which it is a register that SetData writes, with and
// without old, and that CheckSession reads.

const (
	dataUsers   = 3
	dataClients = 6
	dataOps     = 600 // the operations of all clients in a history
)

// A userSessions is a store of users and sessions over the same data.
type userSessions interface {
	googlesession.SessionStore
	googlesession.UserStore
}

type dataInput struct {
	user      int
	sets      bool
	data, old string // of a call of SetData; old is "" without a comparison
}

type dataOutput struct {
	changed bool   // SetData returned ErrDataChanged
	data    string // of the User that the call returned
}

// dataModel is a register for each user.
func dataModel() porcupine.Model {
	return porcupine.Model{
		Init: func() any { return "0" },
		Partition: func(history []porcupine.Operation) [][]porcupine.Operation {
			users := make([][]porcupine.Operation, dataUsers)
			for _, op := range history {
				user := op.Input.(dataInput).user
				users[user] = append(users[user], op)
			}
			return users
		},
		Step: func(state, input, output any) (bool, any) {
			in, out, now := input.(dataInput), output.(dataOutput), state.(string)
			switch {
			case !in.sets:
				return out.data == now, now
			case in.old != "" && in.old != now:
				return out.changed, now
			}
			return !out.changed && out.data == in.data, in.data
		},
	}
}

// dataHistory lets clients read and set the Data of a few users, on all handles.
func dataHistory(t *testing.T, seed uint64, handles []userSessions) []porcupine.Operation {
	t.Helper()
	ctx := t.Context()
	var ids [dataUsers]string
	var refs [dataUsers]googlesession.Ref
	for i := range ids {
		ids[i] = "data-" + rand.Text()
		u, err := handles[0].SignIn(ctx, googlesession.Identity{Subject: ids[i], IssuedAt: time.Now()})
		require.NoError(t, err)
		u, err = handles[0].SetData(ctx, u.ID, "0", nil)
		require.NoError(t, err)
		refs[i].Tag = googlesession.UserTag(u.ID)
		_, _ = rand.Read(refs[i].ID[:]) // it never fails
		_, err = handles[0].CreateSession(ctx, googlesession.NewSession{Ref: refs[i], User: u, MaxLifetime: time.Hour, IdleTimeout: time.Hour, TokenIssuedAt: time.Now()})
		require.NoError(t, err)
	}
	began := time.Now()
	var mu sync.Mutex
	var history []porcupine.Operation
	errs := make(chan error, dataClients)
	for client := range dataClients {
		go func() {
			choice := mathrand.New(mathrand.NewPCG(seed, uint64(client))) //nolint:gosec // repeatable
			store := handles[client%len(handles)]
			known := [dataUsers]string{} // what this client has read
			for n := range dataOps / dataClients {
				in := dataInput{user: choice.IntN(dataUsers), sets: choice.IntN(3) == 0}
				if in.sets {
					in.data = fmt.Sprintf("%d.%d", client, n)
					if choice.IntN(4) > 0 {
						in.old = known[in.user]
					}
				}
				call := time.Since(began).Nanoseconds()
				out, err := callData(ctx, store, ids[in.user], refs[in.user], in)
				back := time.Since(began).Nanoseconds()
				if err != nil {
					errs <- err
					return
				}
				if !out.changed {
					known[in.user] = out.data
				}
				mu.Lock()
				history = append(history, porcupine.Operation{ClientId: client, Input: in, Call: call, Output: out, Return: back})
				mu.Unlock()
			}
			errs <- nil
		}()
	}
	for range dataClients {
		require.NoError(t, <-errs)
	}
	return history
}

func callData(ctx context.Context, store userSessions, id string, r googlesession.Ref, in dataInput) (dataOutput, error) {
	if !in.sets {
		s, err := store.CheckSession(ctx, r, 0)
		return dataOutput{data: s.User.Data}, err
	}
	var old *string
	if in.old != "" {
		old = &in.old
	}
	u, err := store.SetData(ctx, id, in.data, old)
	if errors.Is(err, googlesession.ErrDataChanged) {
		return dataOutput{changed: true}, nil
	}
	return dataOutput{data: u.Data}, err
}

// Clients set Data and read it by checks of sessions, on three servers that share a store. The
// answers are those that they could have got by calling one after the other, so a change is in
// the next check on every server, and no change with old is lost.
func TestLinearizableData(t *testing.T) {
	onEach(t, func(t *testing.T, b backend) {
		if strings.Contains(strings.ToLower(b.name), "redis") {
			t.Skip("redisstore is not a UserStore; PutUser brings it Data, whose versions TestLinearizable checks")
		}
		open := b.start(t)
		var handles []userSessions
		for range 3 {
			store, ok := open(t).(userSessions)
			require.True(t, ok, "a store of users and sessions")
			handles = append(handles, store)
		}
		seed := firstSeed(t)
		t.Logf("GOOGLESESSION_TEST_SEED=%d", seed)
		for i := range histories() {
			history := dataHistory(t, seed+uint64(i), handles)
			require.Len(t, history, dataOps)
			require.Equal(t, porcupine.Ok, porcupine.CheckOperationsTimeout(dataModel(), history, checkTime), "seed %d", seed+uint64(i))
		}
		record(b.name, "linearizable histories of data", histories())
	})
}

// A lateData is a store with a mistake that the histories find.
type lateData struct {
	*memstore.Store

	compares bool // it compares with old and sets in two steps

	mu    sync.Mutex
	users map[string]googlesession.User // if not nil, what the last check of the user returned
}

func (s *lateData) SetData(ctx context.Context, id, data string, old *string) (googlesession.User, error) {
	if !s.compares || old == nil {
		return s.Store.SetData(ctx, id, data, old)
	}
	u, err := s.User(ctx, id)
	if err != nil || u.Data != *old {
		return googlesession.User{}, errors.Join(err, googlesession.ErrDataChanged)
	}
	runtime.Gosched()
	return s.Store.SetData(ctx, id, data, nil)
}

func (s *lateData) CheckSession(ctx context.Context, r googlesession.Ref, touchAfter time.Duration) (googlesession.Session, error) {
	found, err := s.Store.CheckSession(ctx, r, touchAfter)
	if s.users == nil || err != nil {
		return found, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	u, cached := s.users[found.User.ID]
	s.users[found.User.ID] = found.User
	if cached {
		found.User = u
	}
	return found, nil
}

// The histories find stores with known mistakes. Otherwise TestLinearizableData would mean
// nothing.
func TestLinearizableDataFinds(t *testing.T) {
	for name, tt := range map[string]struct {
		open func() userSessions
		bad  bool
	}{
		"nothing in a correct store": {func() userSessions { return memstore.New(nil) }, false},
		"old compared first":         {func() userSessions { return &lateData{Store: memstore.New(nil), compares: true} }, true},
		"the User of an earlier check": {func() userSessions {
			return &lateData{Store: memstore.New(nil), users: map[string]googlesession.User{}}
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			found := 0
			for i := range 10 {
				history := dataHistory(t, uint64(i), []userSessions{tt.open()})
				if porcupine.CheckOperationsTimeout(dataModel(), history, checkTime) != porcupine.Ok {
					found++
				}
			}
			t.Logf("%d of 10 histories are bad", found)
			require.Equal(t, tt.bad, found > 0)
		})
	}
}

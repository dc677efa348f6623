package main

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"
)

// memoryInvitations forgets everything when the process ends.
type memoryInvitations struct {
	mu  sync.Mutex
	all []invitation // in order of address
}

func (m *memoryInvitations) Create(_ context.Context, email string, admin bool, by string) (invitation, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	at, found := m.find(email)
	if found {
		return invitation{}, errInvited
	}
	i := invitation{Email: email, Admin: admin, InvitedBy: by, CreatedAt: time.Now()}
	m.all = slices.Insert(m.all, at, i)
	return i, nil
}

func (m *memoryInvitations) List(_ context.Context, after string, limit int) ([]invitation, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	from, found := m.find(after)
	if found {
		from++
	}
	return slices.Clone(m.all[from:min(from+limit, len(m.all))]), nil
}

func (m *memoryInvitations) Accept(_ context.Context, email, userID string) (i invitation, first bool, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	at, found := m.find(email)
	if !found {
		return invitation{}, false, errNotInvited
	}
	if m.all[at].AcceptedBy == "" {
		m.all[at].AcceptedBy, m.all[at].AcceptedAt = userID, time.Now()
		first = true
	}
	if m.all[at].AcceptedBy != userID {
		return invitation{}, false, errNotInvited
	}
	return m.all[at], first, nil
}

func (m *memoryInvitations) Delete(_ context.Context, email string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	at, found := m.find(email)
	if !found {
		return errNoInvitation
	}
	m.all = slices.Delete(m.all, at, at+1)
	return nil
}

func (m *memoryInvitations) DeleteAccepted(_ context.Context, userID string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.all = slices.DeleteFunc(m.all, func(i invitation) bool { return i.AcceptedBy == userID })
	return nil
}

func (m *memoryInvitations) find(email string) (int, bool) {
	return slices.BinarySearchFunc(m.all, email, func(i invitation, email string) int { return cmp.Compare(i.Email, email) })
}

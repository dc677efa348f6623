package main

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"
)

// memoryInvitations keeps invitations in memory. They are lost when the process ends.
type memoryInvitations struct {
	mu  sync.Mutex
	all []invitation // in order of address
}

func (m *memoryInvitations) Create(_ context.Context, i invitation) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	at, found := m.find(i.Email)
	if found {
		return errInvited
	}
	m.all = slices.Insert(m.all, at, i)
	return nil
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

func (m *memoryInvitations) Claim(_ context.Context, email, userID string, since time.Time) (invitation, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	at, found := m.find(email)
	if !found || !m.all[at].AcceptedAt.IsZero() || !m.all[at].CreatedAt.After(since) {
		return invitation{}, errNotInvited
	}
	i := &m.all[at]
	if i.ClaimedBy == "" {
		i.ClaimedBy = userID
	}
	if i.ClaimedBy != userID {
		return invitation{}, errNotInvited
	}
	return *i, nil
}

func (m *memoryInvitations) Release(_ context.Context, email, userID string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if at, found := m.find(email); found && m.all[at].ClaimedBy == userID && m.all[at].AcceptedAt.IsZero() {
		m.all[at].ClaimedBy = ""
	}
	return nil
}

func (m *memoryInvitations) Accept(_ context.Context, i invitation, userID string) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	at, found := m.find(i.Email)
	if !found || !m.all[at].CreatedAt.Equal(i.CreatedAt) || !m.all[at].AcceptedAt.IsZero() {
		return false, nil
	}
	if by := m.all[at].ClaimedBy; by != "" && by != userID {
		return false, nil
	}
	m.all[at].ClaimedBy, m.all[at].AcceptedAt = userID, time.Now()
	return true, nil
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

func (m *memoryInvitations) DeleteByUser(_ context.Context, userID string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.all = slices.DeleteFunc(m.all, func(i invitation) bool { return i.ClaimedBy == userID })
	return nil
}

func (m *memoryInvitations) DeleteExpired(_ context.Context, then time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.all = slices.DeleteFunc(m.all, func(i invitation) bool { return i.AcceptedAt.IsZero() && !i.CreatedAt.After(then) })
	return nil
}

func (m *memoryInvitations) find(email string) (int, bool) {
	return slices.BinarySearchFunc(m.all, email, func(i invitation, email string) int { return cmp.Compare(i.Email, email) })
}

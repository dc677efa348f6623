package main

import (
	"context"
	"slices"
	"sync"
)

// memoryCustomers keeps customers in memory. They are lost when the process ends.
type memoryCustomers struct {
	mu   sync.RWMutex
	all  []customer // in order of ID
	last int64
}

func newMemoryCustomers() *memoryCustomers {
	m := &memoryCustomers{}
	for _, c := range seed() {
		m.add(c.Name, c.Email)
	}
	return m
}

func (m *memoryCustomers) List(context.Context) ([]customer, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return slices.Clone(m.all), nil
}

func (m *memoryCustomers) Get(_ context.Context, id int64) (customer, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	i, found := m.find(id)
	if !found {
		return customer{}, errNoCustomer
	}
	return m.all[i], nil
}

func (m *memoryCustomers) Create(_ context.Context, name, email string) (customer, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.add(name, email), nil
}

func (m *memoryCustomers) Delete(_ context.Context, id int64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	i, found := m.find(id)
	if !found {
		return errNoCustomer
	}
	m.all = slices.Delete(m.all, i, i+1)
	return nil
}

func (m *memoryCustomers) add(name, email string) customer {
	m.last++
	c := customer{ID: m.last, Name: name, Email: email}
	m.all = append(m.all, c)
	return c
}

func (m *memoryCustomers) find(id int64) (int, bool) {
	return slices.BinarySearchFunc(m.all, id, func(c customer, id int64) int { return int(c.ID - id) })
}

package main

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"
)

// memoryCustomers keeps customers in memory. They are lost when the process ends.
type memoryCustomers struct {
	mu   sync.RWMutex
	all  []keyedCustomer // in order of ID
	last int64
}

// A keyedCustomer is a customer with the keys for searching and sorting, and with the request
// that created it.
type keyedCustomer struct {
	customer
	nameKey, emailKey, request string
}

func newMemoryCustomers() *memoryCustomers {
	m := &memoryCustomers{}
	for _, c := range seed() {
		m.add(c, "")
	}
	return m
}

func (m *memoryCustomers) List(_ context.Context, q customerQuery) ([]customer, int64, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	var found []keyedCustomer
	for _, c := range m.all {
		if strings.Contains(c.nameKey, q.text) || strings.Contains(c.emailKey, q.text) {
			found = append(found, c)
		}
	}
	field, isReverse := strings.CutPrefix(q.sort, "-")
	slices.SortFunc(found, func(a, b keyedCustomer) int {
		if isReverse {
			a, b = b, a
		}
		switch field {
		case "name":
			return cmp.Or(strings.Compare(a.nameKey, b.nameKey), cmp.Compare(a.ID, b.ID))
		case "email":
			return cmp.Or(strings.Compare(a.emailKey, b.emailKey), cmp.Compare(a.ID, b.ID))
		}
		return cmp.Compare(a.ID, b.ID)
	})
	total := int64(len(found))
	page := []customer{} // an empty slice is [] in JSON; a nil slice would be null
	for _, c := range found[min(q.offset(), total):min(q.offset()+q.limit, total)] {
		page = append(page, c.customer)
	}
	return page, total, nil
}

func (m *memoryCustomers) Get(_ context.Context, id int64) (customer, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	i, found := m.find(id)
	if !found {
		return customer{}, errNoCustomer
	}
	return m.all[i].customer, nil
}

func (m *memoryCustomers) Create(_ context.Context, c customer, request string) (customer, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	same := func(c keyedCustomer) bool { return request != "" && c.request == request }
	if i := slices.IndexFunc(m.all, same); i >= 0 {
		return m.all[i].customer, false, nil
	}
	return m.add(c, request), true, nil
}

func (m *memoryCustomers) Fill(_ context.Context, list []customer) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, c := range list {
		m.add(c, "")
	}
	return nil
}

func (m *memoryCustomers) Update(_ context.Context, id int64, change customerChange) (customer, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	i, found := m.find(id)
	if !found {
		return customer{}, errNoCustomer
	}
	c := m.all[i].customer
	if change.name != nil {
		c.Name = *change.name
	}
	if change.email != nil {
		c.Email = *change.email
	}
	m.all[i] = withKeys(c, m.all[i].request)
	return c, nil
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

func (m *memoryCustomers) add(c customer, request string) customer {
	m.last++
	c.ID = m.last
	m.all = append(m.all, withKeys(c, request))
	return c
}

func withKeys(c customer, request string) keyedCustomer {
	return keyedCustomer{c, foldCase(c.Name), foldCase(c.Email), request}
}

func (m *memoryCustomers) find(id int64) (int, bool) {
	return slices.BinarySearchFunc(m.all, id, func(c keyedCustomer, id int64) int { return cmp.Compare(c.ID, id) })
}

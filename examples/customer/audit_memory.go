package main

import (
	"context"
	"slices"
	"sync"
	"time"
)

// maxMemoryAudit is the largest number of entries that memoryAudit keeps. Add drops the
// oldest entries before it exceeds this number, so that a process that runs for months
// does not run out of memory.
const maxMemoryAudit = 10_000

// memoryAudit keeps the audit in memory. The audit is lost when the process ends.
type memoryAudit struct {
	mu   sync.Mutex
	all  []auditEntry // in order of ID
	last int64
}

func (m *memoryAudit) Add(_ context.Context, e auditEntry) (int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.last++
	e.ID = m.last
	if len(m.all) == maxMemoryAudit {
		m.all = slices.Delete(m.all, 0, purgeLimit)
	}
	m.all = append(m.all, e)
	return e.ID, nil
}

func (m *memoryAudit) List(_ context.Context, f auditFilter, before int64, limit int) ([]auditEntry, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var page []auditEntry
	for _, e := range slices.Backward(m.all) {
		if len(page) == limit {
			break
		}
		if e.ID < before && f.matches(e) {
			page = append(page, e)
		}
	}
	return page, nil
}

func (m *memoryAudit) Purge(_ context.Context, then time.Time, limit int) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := 0
	for n < min(limit, len(m.all)) && m.all[n].Time.Before(then) {
		n++
	}
	m.all = slices.Delete(m.all, 0, n)
	return nil
}

package memstore

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/googlesession/googlesession"
)

const (
	// maxIdleSlots is how many slots without a live session a page of AllSessions passes. A
	// page of a store with few sessions is whole, because the first slabs of all shards have
	// half as many slots. So many slots take less than 0.1 ms.
	maxIdleSlots = 1 << 14

	// slotsAtOnce is how many slots AllSessions reads while it holds the lock of a shard.
	slotsAtOnce = 128
)

// AllSessions implements [googlesession.SessionStore]. Its order is that of the shards and,
// in a shard, that of the slots of the records, because a session keeps its slot. A slot that
// a later session uses again is one place in this order, like every other.
//
// A page ends after a bounded number of slots without a live session, so it may be empty
// although more pages follow.
func (s *Store) AllSessions(ctx context.Context, after string, limit int) (page []googlesession.Session, next string, err error) {
	if err := ctx.Err(); err != nil {
		return nil, "", unavailable(err)
	}
	if limit <= 0 {
		return nil, "", nil
	}
	shard, slot, ok := parsePlace(after)
	if !ok {
		return nil, "", fmt.Errorf("%w: memstore: malformed place in the list of all sessions", googlesession.ErrNotFound)
	}
	for idle := 0; shard < shardCount && len(page) < limit && idle < maxIdleSlots; {
		longer, read := s.shards[shard].appendLive(page, slot, limit)
		idle += read - (len(longer) - len(page))
		page = longer
		slot += read
		if read == 0 { // the end of the shard
			shard, slot = shard+1, 0
		}
	}
	if shard == shardCount {
		return page, "", nil
	}
	return page, fmt.Sprintf("%d.%d", shard, slot), nil
}

// appendLive appends the live sessions in the slots from slot on to page. It returns how
// many slots it has read, which is 0 if there are no more, and at most slotsAtOnce. It stops
// at the slot with which page has limit sessions.
func (s *shard) appendLive(page []googlesession.Session, slot, limit int) (longer []googlesession.Session, read int) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	now := s.store.now()
	for end := min(slot+slotsAtOnce, s.records.len()); slot < end && len(page) < limit; slot++ {
		read++
		// A free record has the deadline 0, so it is not live.
		if rec := s.records.at(uint32(slot)); rec.live(now) { //nolint:gosec // New limits sessions to 2^31
			var session googlesession.Session
			s.describeAll(&session, s.userAt(rec.user), rec)
			page = append(page, session)
		}
	}
	return page, read
}

// parsePlace returns the shard and the slot that a page of AllSessions begins with.
func parsePlace(after string) (shard, slot int, ok bool) {
	if after == "" {
		return 0, 0, true
	}
	first, second, _ := strings.Cut(after, ".")
	a, errA := strconv.ParseUint(first, 10, 31)
	b, errB := strconv.ParseUint(second, 10, 31)
	return int(a), int(b), errA == nil && errB == nil && a < shardCount
}

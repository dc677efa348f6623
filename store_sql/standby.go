package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"time"
)

// discardAfter closes the connections that err shows to be of no use. They would stay in
// the pool and be used again, long after another server has taken over.
func (s *Store) discardAfter(ctx context.Context, err error) {
	if s.dialect.standby == never || !isReadOnly(err) && sqlState(err) != pgNotSupported || !s.discards.TryLock() {
		return
	}
	defer s.discards.Unlock()
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	s.discard(ctx, mysqlNumber(err) == errReadOnlyTx)
}

// discard asks each idle connection whether its server is read-only, and closes it if so.
// The connection that has just been refused is among them. None is opened for that, so
// while the only server is a standby each refused call costs one new connection at
// most. If none is idle because the pool is exhausted, one is asked that another call
// gives back. One is closed in any case if its session was set read-only.
func (s *Store) discard(ctx context.Context, one bool) {
	var asked []*sql.Conn // held, or the pool would give the same one again
	defer func() {
		for _, conn := range asked {
			_ = conn.Close()
		}
	}()
	for range max(s.db.Stats().Idle, 1) {
		if stats := s.db.Stats(); stats.Idle == 0 && (len(asked) > 0 || stats.OpenConnections != stats.MaxOpenConnections) {
			return
		}
		conn, err := s.db.Conn(ctx)
		if err != nil {
			return
		}
		asked = append(asked, conn)
		if standby, err := s.isStandby(ctx, conn); err == nil && (standby || one) {
			drop(conn)
		}
		one = false
	}
}

// isStandby asks whether the server may be believed.
func (s *Store) isStandby(ctx context.Context, q querier) (standby bool, err error) {
	err = q.QueryRowContext(ctx, s.sql.standby).Scan(&standby)
	return standby, err
}

// believe reports errStandby unless the server may be believed.
func (s *Store) believe(ctx context.Context, q querier) error {
	standby, err := s.isStandby(ctx, q)
	if err == nil && standby {
		err = errStandby
	}
	return err
}

// drop closes a connection instead of giving it back to the pool.
func drop(conn *sql.Conn) {
	_ = conn.Raw(func(any) error { return driver.ErrBadConn })
}

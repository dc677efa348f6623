package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"time"
)

// discardAfter closes idle connections that lead to a standby, if err says that there may
// be some. Such connections would stay in the pool and be used again long after another
// server has become the primary.
func (s *Store) discardAfter(ctx context.Context, err error) {
	if s.dialect.standby == noStandby || !isReadOnly(err) && sqlState(err) != pgNotSupported || !s.discards.TryLock() {
		return
	}
	defer s.discards.Unlock()
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	s.discard(ctx, mysqlNumber(err) == errReadOnlyTx)
}

// discard asks each idle connection whether its server is a standby, and closes the
// connection if the server is. The connection of the call that was just refused is one of
// them. discard opens no connection, so while the only server is a standby each refused
// call costs at most one new connection. If no connection is idle because the pool is
// exhausted, discard asks a connection that another call gives back. If sessionReadOnly
// is true, discard closes the first connection in any case, because the session of a
// connection may be read-only although the server is not.
func (s *Store) discard(ctx context.Context, sessionReadOnly bool) {
	var asked []*sql.Conn // These connections are held, because the pool would return the same connection again.
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
		if standby, err := s.isStandby(ctx, conn); err == nil && (standby || sessionReadOnly) {
			closeConn(conn)
		}
		sessionReadOnly = false
	}
}

// isStandby asks the server whether it is a standby.
func (s *Store) isStandby(ctx context.Context, q querier) (standby bool, err error) {
	err = q.QueryRowContext(ctx, s.sql.isStandby).Scan(&standby)
	return standby, err
}

// refuseStandby returns errStandby if the server is a standby.
func (s *Store) refuseStandby(ctx context.Context, q querier) error {
	standby, err := s.isStandby(ctx, q)
	if err == nil && standby {
		err = errStandby
	}
	return err
}

// closeConn closes a connection, so that it does not return to the pool.
func closeConn(conn *sql.Conn) {
	_ = conn.Raw(func(any) error { return driver.ErrBadConn })
}

package memstore

// Held returns how many sessions the store counts.
func (s *Store) Held() int64 { return s.held.Load() }

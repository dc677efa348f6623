package memstore

// Live is how many sessions the store holds, by its own count.
func (s *Store) Live() int64 { return s.live.Load() }

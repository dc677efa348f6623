package layered

// A Manager refers to b.go, and b.go refers to it, which does not count.
type Manager struct{ n int }

// A calls down.
func (m *Manager) A() int { return m.b() }

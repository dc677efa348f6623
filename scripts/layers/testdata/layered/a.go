package layered

// A Manager has the method A, which refers to b.go. The reference from b.go to Manager does
// not count.
type Manager struct{ n int }

// A calls the method b of another file.
func (m *Manager) A() int { return m.b() }

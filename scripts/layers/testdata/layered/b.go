package layered

func (m *Manager) b() int { return m.n + max }

package cycle

// A refers to b.go.
func A() { b() }

func helper() {}

package cycle

// Top is above the cycle and not in it.
func Top() { A() }

package cycle

func b() { helper() }

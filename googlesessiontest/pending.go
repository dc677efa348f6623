package googlesessiontest


func signInRules() []rule[*userEnv]    { return nil }
func accessRules() []rule[*userEnv]    { return nil }
func adminRules() []rule[*userEnv]     { return nil }
func directoryRules() []rule[*userEnv] { return nil }
func bothRules() []rule[*userEnv]      { return nil }

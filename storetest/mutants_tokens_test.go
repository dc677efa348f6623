package storetest_test

// tokenMutants are the sessionMutants about the time of a token.
var tokenMutants = []mutant{
	{"token times in seconds", []string{"token times"}},
	{"token time zero is 1970", []string{"token times"}},
	{"token times as given", []string{"token times"}},
	{"equal token accepted", []string{"stale token", "tokens refused during sign-ins"}},
	{"token without time accepted", []string{"stale token"}},
	{"token judged by the sign-in's own User", []string{
		"stale token", "user of a stale sign-in", "older TokensAfter", "TokensAfter without sessions",
		"tokens refused during sign-ins",
	}},
	{"token looked at first", []string{"tokens refused during sign-ins"}},
	{"stale token before disabled", []string{"order of refusals"}},
	{"stale sign-in creates", []string{
		"stale token", "user of a stale sign-in", "order of refusals", "later TokensAfter at sign-in",
		"TokensAfter without sessions", "tokens refused during sign-ins",
	}},
	{"room made for stale tokens", []string{"order of refusals"}},
	{"limit before stale tokens", []string{"order of refusals"}},
	{"User of a stale sign-in forgotten", []string{
		"stale token", "user of a stale sign-in", "later TokensAfter at sign-in", "tokens refused during sign-ins",
	}},
	{"stale sign-in applies TokensAfter only", []string{"user of a stale sign-in"}},
	{"User of a stale sign-in forgotten later", []string{
		"stale token", "user of a stale sign-in", "TokensAfter without sessions", "tokens refused during sign-ins",
	}},
	{"later TokensAfter ends nothing", []string{
		"Ref of an ended session", "later TokensAfter", "tokens refused during sign-ins", "tokens refused during uses",
		"all sessions but ended ones",
	}},
	{"later TokensAfter at sign-in ends nothing", []string{"later TokensAfter at sign-in", "tokens refused during sign-ins"}},
	{"later TokensAfter ends all", []string{"later TokensAfter", "tokens refused during sign-ins", "tokens refused during uses"}},
	{"TokensAfter first, sessions later", []string{"tokens refused during uses"}},
	{"sessions of equal tokens kept", []string{
		"later TokensAfter", "later TokensAfter at sign-in", "tokens refused during sign-ins",
	}},
	{"sessions of tokens without time kept", []string{"later TokensAfter"}},
	{"sessions of tokens without time kept at sign-in", []string{"later TokensAfter at sign-in"}},
	{"older TokensAfter counts", []string{"older TokensAfter"}},
	{"TokensAfter forgotten with the last session", []string{
		"Ref of an ended session", "user of a stale sign-in", "TokensAfter without sessions", "tokens refused during sign-ins",
	}},
	{"TokensAfter remembered too shortly", []string{"TokensAfter without sessions"}},
}

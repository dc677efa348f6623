package storetest_test

// userTokenMutants are those of userMutants that are about tokens, and about what PutUser
// leaves alone.
var userTokenMutants = []mutant{
	{"done context ignored by RefuseTokens", []string{"done context at refusing"}},
	{"refusing tokens reads first", []string{"refuse tokens at once", "refuse tokens during whole sign-ins"}},
	{"refusing tokens reads flags first", []string{"refuse tokens at once"}},
	{"refusing tokens makes users", []string{"TokenWindow", "refuse tokens of a deleted user", "refuse tokens of an unknown user"}},
	{"earlier time refuses less", []string{"refuse tokens again", "refuse tokens at once"}},
	{"Version raised by an earlier time", []string{"refuse tokens again", "refused tokens' sessions"}},
	{"Version raised by the same time", []string{"refuse tokens again"}},
	{"tokens of disabled users not refused", []string{"refuse tokens"}},
	{"refusing tokens disables", []string{
		"refuse tokens", "refuse tokens during whole sign-ins", "refused tokens' sessions", "stale token at sign-in",
	}},
	{"Version not raised by refusing tokens", []string{
		"refuse tokens", "refuse tokens during whole sign-ins", "refused tokens' sessions",
	}},
	{"refusing tokens keeps sessions", []string{"refuse tokens during whole sign-ins", "refused tokens' sessions"}},
	{"refusing tokens ends all sessions", []string{"refused tokens' sessions"}},
	{"refusing tokens tells sessions first", []string{"refuse tokens during whole sign-ins"}},
	{"TokensAfter rounded down", []string{"refuse tokens"}},
	{"TokensAfter as given", []string{"refuse tokens"}},
	{"tokens of unknown users not refused", []string{"TokenWindow", "refuse tokens of an unknown user"}},
	{"tokens of deleted users not refused", []string{"refuse tokens of a deleted user"}},
	{"earlier time refuses less after a deletion", []string{"refuse tokens of a deleted user"}},
	{"earlier time refuses less before the first sign-in", []string{"refuse tokens of an unknown user"}},
	{"tokens remembered too shortly", []string{"TokenWindow"}},
	{"deletion refuses no tokens", []string{
		"PutUser makes no user", "TokenWindow", "delete during sign-ins of one token", "delete during whole sign-ins",
		"earlier tokens after delete", "later TokensAfter and delete", "refuse tokens of a deleted user",
	}},
	{"deletion lowers TokensAfter", []string{"later TokensAfter and delete"}},
	{"time of a deletion with a zone", []string{"earlier tokens after delete"}},
	{"deletion tells sessions first", []string{"delete during whole sign-ins"}},
	{"tokens not looked at", []string{
		"PutUser makes no user", "TokenWindow", "delete during sign-ins of one token", "delete during whole sign-ins",
		"earlier tokens after delete", "later TokensAfter and delete", "refuse tokens during whole sign-ins",
		"refuse tokens of a deleted user", "refuse tokens of an unknown user", "stale token at sign-in",
	}},
	{"token looked at first", []string{"delete during sign-ins of one token"}},
	{"equal token accepted", []string{
		"PutUser makes no user", "TokenWindow", "delete during sign-ins of one token", "delete during whole sign-ins",
		"earlier tokens after delete", "later TokensAfter and delete", "refuse tokens during whole sign-ins",
		"refuse tokens of a deleted user", "refuse tokens of an unknown user", "stale token at sign-in",
	}},
	{"token without time accepted", []string{"earlier tokens after delete", "refuse tokens of an unknown user", "stale token at sign-in"}},
	{"token without time accepted of a known user", []string{"stale token at sign-in"}},
	{"stale sign-in refreshes", []string{
		"PutUser makes no user", "TokenWindow", "delete during sign-ins of one token", "earlier tokens after delete",
		"refuse tokens of a deleted user", "refuse tokens of an unknown user", "stale token at sign-in",
	}},
	{"sign-in accepts all tokens", []string{"TokensAfter is kept", "refuse tokens at once"}},
	{"access accepts all tokens", []string{"TokensAfter is kept", "refuse tokens at once"}},
	{"demotion accepts all tokens", []string{"TokensAfter is kept"}},
	{"new user accepts all tokens", []string{
		"earlier tokens after delete", "later TokensAfter and delete", "refuse tokens of a deleted user", "refuse tokens of an unknown user",
	}},
	{"PutUser brings users", []string{"PutUser makes no user", "no next Version"}},
	{"PutUser brings deleted users back", []string{"PutUser makes no user"}},
	{"PutUser makes administrators", []string{"PutUser makes no user"}},
	{"PutUser undoes a deletion", []string{"PutUser makes no user"}},
	{"Versions without an end", []string{"no next Version"}},
}

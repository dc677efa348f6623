package storetest_test

// userTokenMutants are the userMutants about tokens, and about PutUser.
var userTokenMutants = []mutant{
	{"done context ignored by RefuseTokens", []string{"done context in RefuseTokens"}},
	{"refusing tokens reads first", []string{"RefuseTokens at once", "RefuseTokens during whole sign-ins"}},
	{"refusing tokens reads flags first", []string{"RefuseTokens at once"}},
	{"refusing tokens makes users", []string{
		"TokenWindow", "RefuseTokens of a deleted user", "RefuseTokens of an unknown user", "TokensAfter from PutUser",
	}},
	{"earlier time refuses less", []string{"RefuseTokens again", "RefuseTokens at once"}},
	{"Version raised by an earlier time", []string{"RefuseTokens again", "sessions of refused tokens"}},
	{"Version raised by the same time", []string{"RefuseTokens again"}},
	{"tokens of disabled users not refused", []string{"RefuseTokens"}},
	{"refusing tokens disables", []string{
		"RefuseTokens", "RefuseTokens during whole sign-ins", "sessions of refused tokens", "stale token",
	}},
	{"Version not raised by refusing tokens", []string{
		"RefuseTokens", "RefuseTokens during whole sign-ins", "sessions of refused tokens",
	}},
	{"refusing tokens keeps sessions", []string{"RefuseTokens during whole sign-ins", "sessions of refused tokens"}},
	{"refusing tokens ends all sessions", []string{"sessions of refused tokens"}},
	{"refusing tokens tells sessions first", []string{"RefuseTokens during whole sign-ins"}},
	{"TokensAfter rounded down", []string{"RefuseTokens"}},
	{"TokensAfter as given", []string{"RefuseTokens"}},
	{"tokens of unknown users not refused", []string{"TokenWindow", "RefuseTokens of an unknown user", "TokensAfter from PutUser"}},
	{"tokens of deleted users not refused", []string{"RefuseTokens of a deleted user"}},
	{"earlier time refuses less after a deletion", []string{"RefuseTokens of a deleted user"}},
	{"earlier time refuses less before the first sign-in", []string{"RefuseTokens of an unknown user"}},
	{"tokens remembered too shortly", []string{"TokenWindow"}},
	{"deletion refuses no tokens", []string{
		"PutUser makes no user", "TokenWindow", "delete during SignIn", "delete during whole sign-ins",
		"earlier tokens after delete", "delete keeps TokensAfter", "RefuseTokens of a deleted user",
		"TokensAfter from PutUser",
	}},
	{"deletion lowers TokensAfter", []string{"delete keeps TokensAfter"}},
	{"time of a deletion with a zone", []string{"earlier tokens after delete"}},
	{"deletion tells sessions first", []string{"delete during whole sign-ins"}},
	{"tokens not looked at", []string{
		"PutUser makes no user", "TokenWindow", "delete during SignIn", "delete during whole sign-ins",
		"earlier tokens after delete", "delete keeps TokensAfter", "RefuseTokens during whole sign-ins",
		"RefuseTokens of a deleted user", "RefuseTokens of an unknown user", "stale token", "TokensAfter from PutUser",
	}},
	{"token looked at first", []string{"delete during SignIn"}},
	{"equal token accepted", []string{
		"PutUser makes no user", "TokenWindow", "delete during SignIn", "delete during whole sign-ins",
		"earlier tokens after delete", "delete keeps TokensAfter", "RefuseTokens during whole sign-ins",
		"RefuseTokens of a deleted user", "RefuseTokens of an unknown user", "stale token", "TokensAfter from PutUser",
	}},
	{"token without time accepted", []string{"earlier tokens after delete", "RefuseTokens of an unknown user", "stale token"}},
	{"token without time accepted of a known user", []string{"stale token"}},
	{"stale sign-in refreshes", []string{
		"PutUser makes no user", "TokenWindow", "delete during SignIn", "earlier tokens after delete",
		"RefuseTokens of a deleted user", "RefuseTokens of an unknown user", "stale token", "TokensAfter from PutUser",
	}},
	{"sign-in accepts all tokens", []string{"TokensAfter is kept", "RefuseTokens at once", "users are kept"}},
	{"access accepts all tokens", []string{"TokensAfter is kept", "RefuseTokens at once"}},
	{"demotion accepts all tokens", []string{"TokensAfter is kept"}},
	{"new user accepts all tokens", []string{
		"earlier tokens after delete", "delete keeps TokensAfter", "RefuseTokens of a deleted user", "RefuseTokens of an unknown user",
		"TokensAfter from PutUser",
	}},
	{"PutUser brings users", []string{
		"PutUser makes no user", "no next Version", "administrator from PutUser", "TokensAfter from PutUser", "disabled by PutUser",
	}},
	{"PutUser brings deleted users back", []string{
		"PutUser makes no user", "administrator from PutUser", "TokensAfter from PutUser", "disabled by PutUser",
	}},
	{"PutUser makes administrators", []string{"PutUser makes no user"}},
	{"PutUser makes disabled users", []string{"disabled by PutUser"}},
	{"PutUser shortens a deletion", []string{"TokensAfter from PutUser"}},
	{"PutUser refuses less before the first sign-in", []string{"TokensAfter from PutUser"}},
	{"TokensAfter from PutUser ignored", []string{"TokensAfter from PutUser"}},
	{"TokensAfter from PutUser ignored after a deletion", []string{"TokensAfter from PutUser"}},
	{"copies count as administrators", []string{"administrator from PutUser"}},
	{"copies of deleted users count as administrators", []string{"administrator from PutUser"}},
	{"PutUser undoes a deletion", []string{"PutUser makes no user", "TokensAfter from PutUser"}},
	{"Versions without an end", []string{"no next Version"}},
}

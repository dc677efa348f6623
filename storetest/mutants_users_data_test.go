package storetest_test

// userDataMutants are the userMutants about Data.
var userDataMutants = []mutant{
	{"data cut", []string{"SetData"}},
	{"data trimmed", []string{"SetData", "SetData with old", "data is kept"}},
	{"Version not raised by SetData", []string{
		"SetData", "SetData with old", "data in checks", "data of a deleted user", "data of a disabled user", "no next Version",
	}},
	{"Version raised by the same data", []string{"SetData", "SetData with old", "no next Version"}},
	{"SetData demotes", []string{"SetData", "data during sign-ins"}},
	{"SetData enables", []string{"data of a disabled user"}},
	{"disabled users have no data", []string{"data of a disabled user"}},
	{"old ignored", []string{"SetData with old", "data at once", "PutUser of a known user", "data in checks", "data of a disabled user"}},
	{"old compared without case", []string{"SetData with old"}},
	{"old compared without blanks", []string{"SetData with old", "data in checks"}},
	{"old may be the beginning", []string{"SetData with old", "data of a disabled user"}},
	{"empty old means any", []string{"SetData with old", "data in checks", "data at once"}},
	{"invalid old is an outage", []string{"SetData with old"}},
	{"changed data is an outage too", []string{
		"SetData with old", "data at once", "PutUser of a known user", "data in checks", "data of a disabled user",
	}},
	{"data is compared first", []string{"data at once"}},
	{"SetData reads first", []string{"data at once", "data during sign-ins"}},
	{"sign-in loses Data", []string{"data is kept", "data during sign-ins", "PutUser of a known user"}},
	{"access loses Data", []string{"data is kept", "data during sign-ins"}},
	{"refusing tokens loses Data", []string{"data is kept", "data during sign-ins"}},
	{"Data forgotten", []string{"users are kept"}},
	{"delete keeps Data", []string{"data of a deleted user", "data from PutUser"}},
	{"SetData makes users", []string{"data of an unknown user", "data from PutUser", "data of a deleted user"}},
	{"an unknown user has changed data", []string{"data of an unknown user", "data from PutUser", "data of a deleted user"}},
	{"data of any length", []string{"invalid data"}},
	{"data of 1024 symbols", []string{"invalid data"}},
	{"texts of data not checked", []string{"invalid data"}},
	{"bad data refused too late", []string{"invalid data"}},
	{"errors hold the Data", []string{"errors hold no arguments"}},
	{"errors hold old", []string{"errors hold no arguments"}},
	{"done context ignored by SetData", []string{"done context in SetData"}},
	{"sessions not told of data", []string{"data in checks"}},
	{"PutUser keeps the record", []string{"PutUser of a known user"}},
	{"PutUser keeps Data", []string{"PutUser of a known user"}},
	{"PutUser makes data", []string{"data from PutUser"}},
}

// browserMutants are the userMutants about Browsers.
var browserMutants = []mutant{
	{"oldest browser first", []string{
		"browsers", "browsers are kept", "browsers change no user", "browsers of a deleted user", "browsers of each user",
		"done context in Browsers", "most browsers", "no shared memory", "users are kept", "browsers at once",
	}},
	{"known browsers stay in place", []string{"browsers", "browsers are kept", "most browsers", "no shared memory"}},
	{"browsers doubled", []string{"browsers", "browsers are kept", "most browsers", "no shared memory", "browsers at once"}},
	{"Browsers returns the new list", []string{
		"browsers", "browsers are kept", "browsers change no user", "browsers of a deleted user", "browsers of each user",
		"done context in Browsers", "most browsers", "no shared memory", "users are kept", "browsers at once",
	}},
	{"too many browsers", []string{"most browsers"}},
	{"too few browsers", []string{"most browsers"}},
	{"no room for a browser", []string{"most browsers"}},
	{"browsers of all users", []string{"browsers of each user", "browsers of a deleted user", "users are kept", "browsers at once"}},
	{"browsers raise Version", []string{"browsers change no user"}},
	{"sign-in loses browsers", []string{"browsers are kept"}},
	{"access loses browsers", []string{"browsers are kept", "users are kept"}},
	{"refusing tokens loses browsers", []string{"browsers are kept"}},
	{"disabled users have no browsers", []string{"browsers are kept", "users are kept"}},
	{"browsers forgotten", []string{"users are kept"}},
	{"delete keeps browsers", []string{"browsers of a deleted user"}},
	{"unknown users have browsers", []string{"browsers of an unknown user", "browsers of a deleted user", "data from PutUser"}},
	{"browsers are read first", []string{"browsers at once"}},
	{"Browsers shares memory", []string{"no shared memory"}},
	{"done context ignored by Browsers", []string{"done context in Browsers"}},
}

// queryMutants are the userMutants about the UserQuery of Users.
var queryMutants = []mutant{
	{"prefix folds all letters", []string{"e-mail prefix", "name prefix"}},
	{"prefix respects case", []string{
		"e-mail prefix", "name prefix", "changes between pages of a query", "limit of a query", "pages of a query", "queries by flags",
	}},
	{"prefix trimmed", []string{"e-mail prefix", "name prefix"}},
	{"prefix found anywhere", []string{"e-mail prefix", "name prefix", "pages of a query"}},
	{"prefix is the whole text", []string{
		"e-mail prefix", "name prefix", "changes between pages of a query", "limit of a query", "pages of a query", "queries by flags",
	}},
	{"prefix may be longer", []string{"e-mail prefix", "name prefix", "queries by flags"}},
	{"prefix ends at U+FFFF", []string{"e-mail prefix", "name prefix", "changes between pages of a query", "pages of a query", "queries by flags"}},
	{"prefix is a pattern", []string{"e-mail prefix", "name prefix"}},
	{"NamePrefix looks at Email", []string{
		"name prefix", "PutUser of a known user", "changes between pages of a query", "pages of a query", "queries after changes",
	}},
	{"flags ignored with a prefix", []string{
		"queries by flags", "PutUser of a known user", "changes between pages of a query", "pages of a query", "queries after changes",
	}},
	{"Disabled ignored with Admin", []string{
		"queries by flags", "PutUser of a known user", "pages of a query", "queries after changes", "queries and PutUser",
	}},
	{"false flag means any", []string{
		"queries by flags", "PutUser of a known user", "changes between pages of a query", "pages of a query", "queries after changes",
	}},
	{"equal texts skipped", []string{"pages of a query", "changes between pages of a query"}},
	{"equal texts again", []string{"pages of a query", "changes between pages of a query"}},
	{"After by ID only", []string{"pages of a query", "changes between pages of a query"}},
	{"After must match", []string{"pages of a query", "changes between pages of a query"}},
	{"After as it is now", []string{"changes between pages of a query"}},
	{"deleted After is the beginning", []string{"changes between pages of a query"}},
	{"limit of a query ignored", []string{"limit of a query"}},
	{"negative limit of a query returns ErrUnavailable", []string{"limit of a query"}},
	{"queries by old texts", []string{"queries after changes", "changes between pages of a query"}},
	{"queries by the first flags", []string{
		"queries after changes", "queries by flags", "PutUser of a known user", "changes between pages of a query", "limit of a query",
		"pages of a query",
	}},
	{"queries find deleted users", []string{"queries after changes"}},
	{"queries find users from PutUser", []string{"queries and PutUser"}},
	{"two prefixes accepted", []string{"invalid queries"}},
	{"prefixes of any length", []string{"invalid queries"}},
	{"texts of prefixes not checked", []string{"invalid queries"}},
	{"errors hold the prefix", []string{"errors hold no arguments"}},
}

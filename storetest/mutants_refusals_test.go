package storetest_test

// refusalMutants are the sessionMutants about invalid arguments and about error texts.
var refusalMutants = []mutant{
	{"profiles not checked", []string{"invalid texts"}},
	{"texts of devices not checked", []string{"invalid texts"}},
	{"devices of any length", []string{"invalid texts"}},
	{"TokensAfter not checked", []string{"invalid times"}},
	{"TokenIssuedAt not checked", []string{"invalid times"}},
	{"errors hold the user ID", []string{"errors hold no arguments"}},
	{"errors hold the Name", []string{"errors hold no arguments"}},
	{"errors hold the UserAgent", []string{"errors hold no arguments"}},
	{"errors hold the Ref", []string{"errors hold no arguments"}},
	{"Ref of an ended session returns ErrUnavailable", []string{"Ref of an ended session"}},
	{"Ref of an ended session returns ErrExists but is created", []string{"Ref of an ended session"}},
}

// userRefusalMutants are the userMutants about invalid arguments and about error texts.
var userRefusalMutants = []mutant{
	{"profiles not checked", []string{"invalid profiles"}},
	{"TokenIssuedAt not checked", []string{"invalid profiles"}},
	{"bad profiles refused too late", []string{"invalid profiles"}},
	{"times of refused tokens not checked", []string{"invalid times of tokens"}},
	{"errors hold the user ID", []string{"errors hold no arguments"}},
	{"errors hold the Email", []string{"errors hold no arguments"}},
	{"negative limit returns ErrUnavailable", []string{"limit", "limit of a query"}},
}

package storetest_test

// refusalMutants are those of sessionMutants that are about what a store refuses, and what it
// says then.
var refusalMutants = []mutant{
	{"profiles not checked", []string{"invalid texts"}},
	{"texts of devices not checked", []string{"invalid texts"}},
	{"devices of any length", []string{"invalid texts"}},
	{"TokensAfter not checked", []string{"invalid times"}},
	{"TokenIssuedAt not checked", []string{"invalid times"}},
	{"errors tell the user ID", []string{"errors hold no arguments"}},
	{"errors tell the Name", []string{"errors hold no arguments"}},
	{"errors tell the UserAgent", []string{"errors hold no arguments"}},
	{"errors tell the Ref", []string{"errors hold no arguments"}},
	{"Ref of an ended session is an outage", []string{"Ref of an ended session"}},
	{"Ref of an ended session exists and is created", []string{"Ref of an ended session"}},
}

// userRefusalMutants are the same of userMutants.
var userRefusalMutants = []mutant{
	{"profiles not checked", []string{"invalid profiles"}},
	{"TokenIssuedAt not checked", []string{"invalid profiles"}},
	{"bad profiles refused too late", []string{"invalid profiles"}},
	{"times of refused tokens not checked", []string{"invalid times of tokens"}},
	{"errors tell the user ID", []string{"errors hold no arguments"}},
	{"errors tell the Email", []string{"errors hold no arguments"}},
	{"negative limit is an outage", []string{"limit"}},
}

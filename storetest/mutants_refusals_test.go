package storetest_test

// refusalMutants are those of sessionMutants that are about what a store refuses, and what it
// says then.
var refusalMutants = []mutant{
	{"profiles not checked", []string{"bad texts"}},
	{"texts of devices not checked", []string{"bad texts"}},
	{"devices of any length", []string{"bad texts"}},
	{"TokensAfter not checked", []string{"bad times"}},
	{"TokenIssuedAt not checked", []string{"bad times"}},
	{"errors tell the user ID", []string{"errors hold no argument"}},
	{"errors tell the Name", []string{"errors hold no argument"}},
	{"errors tell the UserAgent", []string{"errors hold no argument"}},
	{"errors tell the Ref", []string{"errors hold no argument"}},
	{"Ref of an ended session is an outage", []string{"ended Ref"}},
	{"Ref of an ended session exists and is created", []string{"ended Ref"}},
}

// userRefusalMutants are the same of userMutants.
var userRefusalMutants = []mutant{
	{"profiles not checked", []string{"bad profiles"}},
	{"TokenIssuedAt not checked", []string{"bad profiles"}},
	{"bad profiles refused too late", []string{"bad profiles"}},
	{"times of refused tokens not checked", []string{"bad times of refused tokens"}},
	{"errors tell the user ID", []string{"errors about users hold no argument"}},
	{"errors tell the Email", []string{"errors about users hold no argument"}},
	{"negative limit is an outage", []string{"limit"}},
}

package storetest_test

// markMutants are the sessionMutants about PublicID, Kind, Label and Data.
var markMutants = []mutant{
	{"PublicID not kept", []string{"public ID", "public ID of two sessions", "marks are kept", "longest record"}},
	{"zero PublicID kept", []string{
		"public ID", "round trip", "public ID of two sessions", "kind", "label", "marks are kept", "data", "Ref in use",
		"Ref of an ended session",
	}},
	{"PublicID trimmed", []string{"public ID"}},
	{"one session for each PublicID", []string{"public ID of two sessions"}},
	{"Kind has two bits", []string{"kind", "marks are kept", "longest record"}},
	{"Kind has seven bits", []string{"kind", "marks are kept", "longest record"}},
	{"Label lost", []string{"label", "marks are kept", "longest record"}},
	{"Label cut", []string{"label", "longest record"}},
	{"Label trimmed", []string{"label"}},
	{"Label in CheckSession", []string{"label", "marks are kept"}},
	{"labels of any length", []string{"invalid labels"}},
	{"labels of 100 symbols", []string{"invalid labels"}},
	{"texts of labels not checked", []string{"invalid labels"}},
	{"errors hold the Label", []string{"errors hold no arguments"}},
	{"use resets the marks", []string{"marks are kept"}},
	{"PutUser resets the marks", []string{"marks are kept"}},
	{"keep resets the marks", []string{"marks are kept"}},

	{"Data lost", []string{"data", "data of a newer User", "longest record"}},
	{"Data cut", []string{"data", "data of a newer User", "longest record"}},
	{"Data trimmed", []string{"data", "data of a newer User"}},
	{"Data from PutUser ignored", []string{"data of a newer User"}},
	{"Data from sign-ins ignored", []string{"data of a newer User"}},
	{"empty Data means unchanged", []string{"data of a newer User"}},
	{"data of any length", []string{"invalid data"}},
	{"texts of data not checked", []string{"invalid data"}},
	{"errors hold the Data", []string{"errors hold no arguments"}},
}

// allMutants are the sessionMutants about AllSessions.
var allMutants = []mutant{
	{"AllSessions without Device", []string{"all sessions", "all sessions but ended ones"}},
	{"AllSessions without Label", []string{"all sessions"}},
	{"AllSessions without Data", []string{"all sessions"}},
	{"AllSessions with the first User", []string{"all sessions"}},
	{"AllSessions has one page", []string{"all sessions", "changes between pages", "all sessions during changes"}},
	{"AllSessions skips a session", []string{"all sessions", "changes between pages", "all sessions during changes"}},
	{"AllSessions never ends", []string{
		"all sessions", "no shared memory", "all sessions but ended ones", "changes between pages", "all sessions during changes",
	}},
	{"AllSessions returns expired sessions", []string{"all sessions but ended ones"}},
	{"AllSessions returns ended sessions", []string{"all sessions but ended ones"}},
	{"limit of zero means all sessions", []string{"limit of all sessions"}},
	{"next holds the user ID", []string{"next page"}},
	{"next is not printable", []string{"next page"}},
	{"next is long", []string{"next page"}},
	{"unknown page is an outage", []string{"unknown page"}},
	{"errors hold after", []string{"unknown page"}},
	{"place is an offset", []string{"changes between pages", "all sessions during changes"}},
	{"AllSessions counts first", []string{"all sessions during changes"}},
	{"AllSessions shares memory", []string{"no shared memory"}},
}

package storetest_test

// limitMutants are the sessionMutants about how many sessions a user may have.
var limitMutants = []mutant{
	{"cap ignored", []string{
		"Ref of an ended session", "cap", "cap ends the least recently seen", "cap and expired sessions", "cap of each user", "Max", "Max over the cap",
		"RefuseOverMax", "RefuseOverMax and expired sessions", "user of a sign-in over Max", "replaced session",
		"nothing to replace", "Max during sign-ins", "RefuseOverMax during sign-ins", "cap during uses", "cap during sign-ins",
	}},
	{"cap ends two", []string{
		"cap", "cap ends the least recently seen", "cap and expired sessions", "cap of each user", "cap during uses", "cap during sign-ins", "Max",
		"Max over the cap", "RefuseOverMax", "replaced session", "nothing to replace", "Max during sign-ins",
	}},
	{"cap by creation", []string{"cap ends the least recently seen", "Max"}},
	{"cap ends the last used", []string{
		"cap ends the least recently seen", "cap and expired sessions", "Max", "RefuseOverMax", "replaced session", "nothing to replace",
	}},
	{"expired sessions take room", []string{"cap and expired sessions", "RefuseOverMax and expired sessions"}},
	{"revoked sessions take room", []string{"cap and revoked sessions", "RefuseOverMax", "nothing to replace", "all sessions during changes"}},
	{"room made for refused sign-ins", []string{"order of refusals", "refused sign-in at the cap"}},
	{"room made at the cost of others", []string{
		"Ref of an ended session", "cap ends the least recently seen", "cap of each user", "Max", "replaced session", "nothing to replace", "Max during sign-ins",
		"cap during uses",
	}},
	{"sign-in looks for the Ref first", []string{"sign-ins at once with one Ref"}},
	{"sign-in looks at the user first", []string{"disable during sign-ins", "sign-ins at once with one Ref"}},
	{"sign-in makes room first", []string{
		"Max during sign-ins", "RefuseOverMax during sign-ins", "disable during sign-ins", "sign-ins at once with one Ref", "cap during sign-ins",
		"tokens refused during sign-ins",
	}},

	{"Max ignored", []string{
		"Ref of an ended session", "Max", "RefuseOverMax", "RefuseOverMax and expired sessions", "user of a sign-in over Max",
		"replaced session", "nothing to replace", "Max during sign-ins", "RefuseOverMax during sign-ins",
	}},
	{"Max ends one session only", []string{"Max", "replaced session"}},
	{"Max remembered", []string{"Max"}},
	{"Max over the cap", []string{"Max over the cap"}},
	{"negative Max means the cap", []string{"negative Max"}},
	{"refusal ignored", []string{
		"Max over the cap", "RefuseOverMax", "RefuseOverMax and expired sessions", "user of a sign-in over Max", "replaced session",
		"nothing to replace", "RefuseOverMax during sign-ins",
	}},
	{"refused one too late", []string{
		"Max over the cap", "RefuseOverMax", "RefuseOverMax and expired sessions", "user of a sign-in over Max", "replaced session",
		"nothing to replace", "RefuseOverMax during sign-ins",
	}},
	{"refused after room was made", []string{
		"Max over the cap", "RefuseOverMax", "RefuseOverMax and expired sessions", "user of a sign-in over Max", "replaced session",
		"nothing to replace", "RefuseOverMax during sign-ins",
	}},
	{"refused but created", []string{
		"Max over the cap", "RefuseOverMax", "RefuseOverMax and expired sessions", "user of a sign-in over Max", "replaced session",
		"nothing to replace", "RefuseOverMax during sign-ins",
	}},
	{"refusal wraps ErrUnavailable too", []string{
		"Max over the cap", "RefuseOverMax", "RefuseOverMax and expired sessions", "user of a sign-in over Max", "replaced session",
		"nothing to replace", "RefuseOverMax during sign-ins",
	}},
	{"cap refuses no sign-in", []string{"Max over the cap"}},
	{"expired sessions refuse", []string{"RefuseOverMax and expired sessions"}},
	{"User of a refused sign-in forgotten", []string{"user of a sign-in over Max"}},
	{"User of a refused sign-in forgotten later", []string{"user of a sign-in over Max"}},
	{"sign-in is refused or not first", []string{"RefuseOverMax during sign-ins"}},
	{"Replaces ignored", []string{"replaced session", "Max during sign-ins", "RefuseOverMax during sign-ins"}},
	{"replaced session goes first", []string{"replaced session", "Max during sign-ins"}},
	{"tag of Replaces ignored", []string{"nothing to replace"}},
	{"room for an unknown session", []string{"nothing to replace"}},
	{"room for an expired session", []string{"nothing to replace"}},
	{"room for an ended session", []string{"nothing to replace"}},
	{"room for another user's session", []string{"nothing to replace"}},
	{"room for another user's ID", []string{"nothing to replace"}},
}

package storetest_test

// limitMutants are those of sessionMutants that are about how many sessions a user may have.
var limitMutants = []mutant{
	{"cap ignored", []string{
		"ended Ref", "cap", "cap goes by use", "cap and expired sessions", "cap of each user", "Max", "Max over the cap",
		"refused over Max", "refused over Max, expired sessions", "User of a sign-in over Max", "replaced session",
		"nothing replaced", "Max during sign-ins", "refused during sign-ins", "cap during uses", "cap during sign-ins",
	}},
	{"cap ends two", []string{
		"cap", "cap goes by use", "cap and expired sessions", "cap of each user", "cap during uses", "cap during sign-ins", "Max",
		"Max over the cap", "refused over Max", "replaced session", "nothing replaced", "Max during sign-ins",
	}},
	{"cap by creation", []string{"cap goes by use", "Max"}},
	{"cap ends the last used", []string{
		"cap goes by use", "cap and expired sessions", "Max", "refused over Max", "replaced session", "nothing replaced",
	}},
	{"expired sessions take room", []string{"cap and expired sessions", "refused over Max, expired sessions"}},
	{"revoked sessions take room", []string{"cap and ended sessions", "refused over Max", "nothing replaced"}},
	{"room made for refused sign-ins", []string{"disabled, stale, limit", "refused sign-in at the cap"}},
	{"room made at the cost of others", []string{
		"ended Ref", "cap goes by use", "cap of each user", "Max", "replaced session", "nothing replaced", "Max during sign-ins",
		"cap during uses",
	}},
	{"sign-in looks for the Ref first", []string{"sign-ins with one Ref"}},
	{"sign-in looks at the user first", []string{"disable during sign-ins", "sign-ins with one Ref"}},
	{"sign-in makes room first", []string{
		"Max during sign-ins", "refused during sign-ins", "disable during sign-ins", "sign-ins with one Ref", "cap during sign-ins",
		"tokens refused during sign-ins",
	}},

	{"Max ignored", []string{
		"ended Ref", "Max", "refused over Max", "refused over Max, expired sessions", "User of a sign-in over Max",
		"replaced session", "nothing replaced", "Max during sign-ins", "refused during sign-ins",
	}},
	{"Max ends one", []string{"Max", "replaced session"}},
	{"Max remembered", []string{"Max"}},
	{"Max over the cap", []string{"Max over the cap"}},
	{"negative Max is none", []string{"negative Max"}},
	{"refusal ignored", []string{
		"Max over the cap", "refused over Max", "refused over Max, expired sessions", "User of a sign-in over Max", "replaced session",
		"nothing replaced", "refused during sign-ins",
	}},
	{"refused one too late", []string{
		"Max over the cap", "refused over Max", "refused over Max, expired sessions", "User of a sign-in over Max", "replaced session",
		"nothing replaced", "refused during sign-ins",
	}},
	{"refused after room was made", []string{
		"Max over the cap", "refused over Max", "refused over Max, expired sessions", "User of a sign-in over Max", "replaced session",
		"nothing replaced", "refused during sign-ins",
	}},
	{"refused and yet created", []string{
		"Max over the cap", "refused over Max", "refused over Max, expired sessions", "User of a sign-in over Max", "replaced session",
		"nothing replaced", "refused during sign-ins",
	}},
	{"refused, and an outage", []string{
		"Max over the cap", "refused over Max", "refused over Max, expired sessions", "User of a sign-in over Max", "replaced session",
		"nothing replaced", "refused during sign-ins",
	}},
	{"nobody refused by the cap", []string{"Max over the cap"}},
	{"expired sessions refuse", []string{"refused over Max, expired sessions"}},
	{"User of a refused sign-in forgotten", []string{"User of a sign-in over Max"}},
	{"User of a refused sign-in forgotten later", []string{"User of a sign-in over Max"}},
	{"sign-in is refused or not first", []string{"refused during sign-ins"}},
	{"Replaces ignored", []string{"replaced session", "Max during sign-ins", "refused during sign-ins"}},
	{"replaced session goes first", []string{"replaced session", "Max during sign-ins"}},
	{"tag of Replaces ignored", []string{"nothing replaced"}},
	{"room for an unknown session", []string{"nothing replaced"}},
	{"room for an expired session", []string{"nothing replaced"}},
	{"room for an ended session", []string{"nothing replaced"}},
	{"room for another user's session", []string{"nothing replaced"}},
	{"room for another user's ID", []string{"nothing replaced"}},
}

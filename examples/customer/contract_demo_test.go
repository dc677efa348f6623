package main

import "strings"

// visitDemo opens, uses and closes a browser inside the program, copies its cookie, and
// feigns an outage.
func (tr *tour) visitDemo() {
	tr.changeAccess(tr.demo.google.Subject("bob@example.com"), `{"disabled":true}`)
	tr.walk(
		step{tr.user, "POST /demo/browsers", `{"email":"bob@example.com"}`, 409, ""},
		step{tr.user, "POST /demo/browsers", `{"email":"bob"}`, 400, ""},
	)
	b := tr.openBrowser(tr.t, tr.user, `{}`)
	tr.followBrowser(tr.t, tr.user, b.ID)
	send, thief := "POST /demo/browsers/"+b.ID+"/send", tr.stealCookie(tr.t, tr.user, `{"browser":"`+b.ID+`"}`)
	tr.walk(
		step{tr.user, send, `{"method":"GET","path":"/api/user"}`, 200, ""},
		step{tr.user, send, `{"method":"GET","path":"/metrics"}`, 400, ""},
		step{tr.admin, send, `{"method":"GET","path":"/api/user"}`, 404, ""},
		step{tr.user, "GET /demo/browsers/x/events", "", 404, ""},
		step{tr.user, "POST /demo/thief", `{"browser":"x"}`, 404, ""},
		step{tr.user, "POST /demo/thief", `{"id":"x"}`, 400, ""},
		step{tr.visitor, "POST /demo/thief/send", `{"id":"` + thief + `"}`, 200, ""},
		step{tr.visitor, "POST /demo/thief/send", `{"id":"x"}`, 404, ""},
		step{tr.visitor, "POST /demo/thief/send", `{"browser":"x"}`, 400, ""},
		step{tr.user, "DELETE /demo/browsers/" + b.ID, "", 204, ""},
		step{tr.user, "DELETE /demo/browsers/" + b.ID, "", 404, ""},
		step{tr.visitor, "POST /demo/outage", `{"seconds":60}`, 200, ""},
		step{tr.visitor, "POST /demo/outage", `{"seconds":61}`, 400, ""},
		step{tr.visitor, "GET /readyz", "", 503, ""},
		step{tr.visitor, "DELETE /demo/outage", "", 204, ""},
	)
	open := tr.openBrowser(tr.t, tr.user, `{}`)
	for _, path := range []string{"/demo/browsers", "/demo/browsers/" + open.ID + "/send", "/demo/thief", "/demo/thief/send", "/demo/outage"} {
		tr.walk(
			step{tr.user, "POST " + path, strings.Repeat(" ", 5<<10), 413, ""},
			step{tr.user, "POST " + path, `{}`, 415, "Content-Type: text/plain"},
		)
	}
}

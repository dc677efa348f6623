package main

import (
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/googlesession/googlesession"
)

const demoEvent = "/demo/security-event"

// serveDemoEvent makes a security event about an account and posts it to the library as
// Google would. The answer is the library's answer to Google.
func (a *app) serveDemoEvent(w http.ResponseWriter, r *http.Request) {
	var email, kind, reason string
	err := readJSON(w, r, `{"email":"…","type":"account-disabled","reason":"hijacking"}`,
		map[string]any{"email": &email, "type": &kind, "reason": &reason})
	change := googlesession.AccountChangeKind(kind)
	switch {
	case err != nil:
	case !isInvitable(lowerASCII(email)):
		err = badRequest("An event needs the e-mail address of an account.")
	case !slices.Contains(demoEventKinds(), change):
		err = badRequest("Google has no event of this type.")
	case reason != "" && change != googlesession.ChangeAccountDisabled:
		err = badRequest("Only account-disabled has a reason.")
	}
	if err != nil {
		a.writeError(w, r, err)
		return
	}
	draft := a.demo.google.EventDraft(change, email)
	if reason != "" {
		draft.Event(change)["reason"] = reason
	}
	post := r.Clone(r.Context())
	post.URL.Path, post.URL.RawPath = "/security-events", ""
	post.Header.Set("Content-Type", "application/secevent+jwt")
	post.Body = io.NopCloser(strings.NewReader(a.demo.google.Mint(draft)))
	a.sessions.Handler().ServeHTTP(w, post)
}

// demoEventKinds returns the kinds of events that Google sends.
func demoEventKinds() []googlesession.AccountChangeKind {
	return []googlesession.AccountChangeKind{
		googlesession.ChangeSessionsRevoked, googlesession.ChangeTokensRevoked, googlesession.ChangeTokenRevoked,
		googlesession.ChangeAccountDisabled, googlesession.ChangeAccountEnabled,
		googlesession.ChangeCredentialRequired, googlesession.ChangeVerification,
	}
}

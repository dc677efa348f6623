package storetest

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/googlesession/googlesession"
)

// markRules returns the rules about what the creator of a session gives it besides the
// user, which are PublicID, Kind and Label.
func markRules() []rule[*sessionEnv] {
	return []rule[*sessionEnv]{
		{"public ID", "CreateSession, CheckSession and Sessions return the PublicID that was given, and Ref.PublicID() in place of the zero one", (*sessionEnv).publicID},
		{"public ID of two sessions", "two sessions may have the same PublicID, and ending one of them leaves the other", (*sessionEnv).sharedPublicID},
		{"kind", "CreateSession, CheckSession and Sessions return every Kind as it was given", (*sessionEnv).kind},
		{"label", "Sessions returns the Label of each session, of up to 100 bytes, and CheckSession returns an empty one", (*sessionEnv).label},
		{"invalid labels", "CreateSession refuses a Label that is not valid UTF-8, contains NUL or is longer than 100 bytes, and changes nothing", (*sessionEnv).invalidLabels},
		{"marks are kept", "no use, no change of the user and no end of another session changes PublicID, Kind and Label", (*sessionEnv).marksAreKept},
	}
}

// publicIDOf returns the PublicID that the session made from ns has.
func publicIDOf(ns googlesession.NewSession) googlesession.PublicID {
	if ns.PublicID == (googlesession.PublicID{}) {
		return ns.Ref.PublicID()
	}
	return ns.PublicID
}

// marked expects s to have the PublicID and the Kind of ns.
func (e *sessionEnv) marked(s googlesession.Session, ns googlesession.NewSession, call string) {
	want := publicIDOf(ns)
	e.expect(s.PublicID == want, "%s: got PublicID %v, want %v", call, s.PublicID, want)
	e.expect(s.Kind == ns.Kind, "%s: got Kind %d, want %d", call, s.Kind, ns.Kind)
}

// createMarked creates the sessions, which are of one user, and expects haveMarks.
func (e *sessionEnv) createMarked(ctx context.Context, sessions []googlesession.NewSession, when string) {
	for _, ns := range sessions {
		if s := e.create(ctx, ns); !e.failed() {
			e.marked(s, ns, when+": CreateSession")
		}
	}
	e.haveMarks(ctx, sessions, when)
}

// haveMarks expects the sessions to be all sessions of their user, CheckSession and Sessions
// to return their PublicID and Kind, and Sessions alone to return their Label.
func (e *sessionEnv) haveMarks(ctx context.Context, sessions []googlesession.NewSession, when string) {
	var refs []googlesession.Ref
	want := map[googlesession.Ref]googlesession.NewSession{}
	for _, ns := range sessions {
		refs, want[ns.Ref] = append(refs, ns.Ref), ns
		if s := e.live(ctx, e.second, ns.Ref, when); !e.failed() {
			e.marked(s, ns, when+": CheckSession")
			e.expect(s.Label == "", "%s: CheckSession: got Label %q, want none", when, s.Label)
		}
	}
	for _, s := range e.list(ctx, sessions[0].User.ID, refs, when) {
		e.marked(s, want[s.Ref], when+": Sessions")
		e.expect(s.Label == want[s.Ref].Label, "%s: Sessions: got Label %q, want %q", when, s.Label, want[s.Ref].Label)
	}
}

func (e *sessionEnv) publicID(ctx context.Context) error {
	all := googlesession.PublicID{}
	for i := range all {
		all[i] = 0xff
	}
	var sessions []googlesession.NewSession
	for _, id := range []googlesession.PublicID{
		{}, all, newRef("").PublicID(), {15: 1}, googlesession.PublicID([]byte("blanks          ")),
	} {
		ns := newSession(newUser())
		ns.PublicID = id
		e.createMarked(ctx, []googlesession.NewSession{ns}, "PublicID "+id.String())
		sessions = append(sessions, ns)
	}
	for _, ns := range sessions {
		e.haveMarks(ctx, []googlesession.NewSession{ns}, "other sessions created")
	}
	return e.err
}

func (e *sessionEnv) sharedPublicID(ctx context.Context) error {
	for _, endsNewer := range []bool{false, true} {
		u := newUser()
		first := newSession(u)
		again := newSession(u) // as a re-authentication makes it
		again.PublicID, again.Replaces = first.Ref.PublicID(), &first.Ref
		stranger := newSession(newUser())
		stranger.PublicID = again.PublicID
		e.createMarked(ctx, []googlesession.NewSession{first}, "signed in")
		e.createMarked(ctx, []googlesession.NewSession{stranger}, "another user's with the same PublicID")
		if s := e.create(ctx, again); !e.failed() {
			e.marked(s, again, "re-authenticated: CreateSession")
		}
		e.haveMarks(ctx, []googlesession.NewSession{first, again}, "re-authenticated")
		ended, left := first, again
		if endsNewer {
			ended, left = again, first
		}
		e.revoke(ctx, ended.Ref, true, "of two sessions with one PublicID")
		e.gone(ctx, ended.Ref, "revoked")
		e.haveMarks(ctx, []googlesession.NewSession{left}, "the other session with its PublicID revoked")
		e.revokeUser(ctx, u.ID, nil, 1, "of two sessions with one PublicID, one is left")
		e.haveMarks(ctx, []googlesession.NewSession{stranger}, "another user's with its PublicID revoked")
	}
	return e.err
}

func (e *sessionEnv) kind(ctx context.Context) error {
	for _, kind := range []googlesession.SessionKind{
		googlesession.KindCookie, googlesession.KindBearer, googlesession.KindIssued, 3, '0', 127, 128, 255,
	} {
		ns := newSession(newUser())
		ns.Kind = kind
		e.createMarked(ctx, []googlesession.NewSession{ns}, fmt.Sprintf("Kind %d", kind))
	}
	return e.err
}

// labels returns labels of up to 100 bytes that a store may confuse or fail on.
func labels() []string {
	return []string{
		"Ada's laptop", "", "ends in blanks  ", "  begins with blanks", "tab\tand\r\nline", `"quoted" {braced} \ % ? $1 :x`, "e\u0301 \u00e9 \u2028",
		"null", "0", strings.Repeat("l", 100), strings.Repeat("😀", 25),
	}
}

func (e *sessionEnv) label(ctx context.Context) error {
	for _, label := range labels() {
		ns := newSession(newUser())
		ns.Label = label
		e.createMarked(ctx, []googlesession.NewSession{ns}, fmt.Sprintf("Label %q", label))
	}
	return e.err
}

func (e *sessionEnv) invalidLabels(ctx context.Context) error {
	bad := map[string]string{
		"101 bytes":       strings.Repeat("l", 101),
		"26 emojis":       strings.Repeat("😀", 26),
		"100 é":           strings.Repeat("é", 100),
		"64 Ki of blanks": strings.Repeat(" ", 64<<10),
	}
	maps.Copy(bad, invalidTexts())
	u := newUser()
	refs := e.signIns(ctx, u, 1)
	for what, label := range bad {
		ns := newSession(next(u, admin))
		ns.Label = label
		e.refused(ctx, ns, googlesession.ErrUnavailable, "Label with "+what)
		e.haveUser(ctx, e.second, u, refs, "Label with "+what+" refused")
	}
	return e.err
}

func (e *sessionEnv) marksAreKept(ctx context.Context) error {
	u := newUser()
	var sessions []googlesession.NewSession
	for i, label := range []string{"first", "second", "third"} {
		ns := newSession(u)
		ns.Label, ns.Kind, ns.PublicID = label, googlesession.SessionKind(200+i), newRef(u.ID).PublicID()
		sessions = append(sessions, ns)
	}
	e.createMarked(ctx, sessions, "three sessions")
	e.tick(ctx)
	for _, ns := range sessions {
		e.touch(ctx, ns.Ref)
	}
	e.haveMarks(ctx, sessions, "used")
	u = next(u, admin)
	e.put(ctx, u, true, "newer")
	e.haveMarks(ctx, sessions, "user changed")
	plain := newSession(next(u, tokensAfter(longAgo.Add(-time.Second))))
	sessions = append(sessions, plain)
	e.create(ctx, plain)
	e.haveMarks(ctx, sessions, "another session created, with a later TokensAfter")
	e.revoke(ctx, sessions[0].Ref, true, "live")
	e.haveMarks(ctx, sessions[1:], "another session revoked")
	e.revokeUser(ctx, u.ID, &sessions[2].Ref, 2, "three live")
	e.haveMarks(ctx, sessions[2:3], "kept")
	return e.err
}

package storetest

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/googlesession/googlesession"
)

// allRules returns the rules about AllSessions. The store may hold other sessions, so these
// rules look for their own.
func allRules() []rule[*sessionEnv] {
	return []rule[*sessionEnv]{
		{"all sessions", "the pages of AllSessions hold each live session as Sessions returns it, with every limit", (*sessionEnv).allSessions},
		{"all sessions but ended ones", "AllSessions returns no session that has expired or was revoked, and none of a disabled user", (*sessionEnv).allButEnded},
		{"limit of all sessions", "AllSessions with a limit of zero or less returns no session and an empty next", (*sessionEnv).limitOfAll},
		{"next page", "next is at most 512 bytes of printable ASCII, and holds nothing of a user or Device", (*sessionEnv).nextPage},
		{"unknown page", "AllSessions with an after that the store did not return is ErrNotFound, or a page", (*sessionEnv).unknownPage},
		{"changes between pages", "a session that is live from the first page to the last is on one of them, whatever other sessions begin and end between pages", (*sessionEnv).changesBetweenPages},
		{"all sessions during changes", "a session that is live from the first page to the last is on one of them, whatever other sessions begin and end at once", (*sessionEnv).allDuringChanges},
	}
}

// maxPages is how many pages AllSessions may need. A store that needs more may never end.
const maxPages = 100_000

// walk reads one page after the other, until there are no more or visit returns false.
func walk(ctx context.Context, st googlesession.SessionStore, limit int, visit func(page []googlesession.Session, next string) bool) error {
	after := ""
	for range maxPages {
		page, next, err := st.AllSessions(ctx, after, limit)
		if err != nil {
			return fmt.Errorf("AllSessions with limit %d: got error %w, want none", limit, err)
		}
		if !visit(page, next) || next == "" {
			return nil
		}
		after = next
	}
	return fmt.Errorf("AllSessions with limit %d: got %d pages, and a next again", limit, maxPages)
}

// walk is the function walk with the first handle, as a step.
func (e *sessionEnv) walk(ctx context.Context, limit int, visit func(page []googlesession.Session, next string) bool) {
	if e.failed() {
		return
	}
	err := walk(ctx, e.first, limit, func(page []googlesession.Session, next string) bool {
		return visit(page, next) && !e.failed()
	})
	e.expect(err == nil, "%v", err)
}

// onPages expects the pages of AllSessions to have each wanted session exactly so, and no
// other session of these users.
func (e *sessionEnv) onPages(ctx context.Context, limit int, users []string, want []googlesession.Session, when string) {
	wanted, missing := map[googlesession.Ref]googlesession.Session{}, map[googlesession.Ref]bool{}
	for _, s := range want {
		wanted[s.Ref], missing[s.Ref] = s, true
	}
	e.walk(ctx, limit, func(page []googlesession.Session, _ string) bool {
		for _, s := range page {
			w, ok := wanted[s.Ref]
			e.expect(ok || !slices.Contains(users, s.User.ID), "%s: AllSessions: got %v, which is not a live session", when, s.Ref)
			e.expect(!ok || s == w, "%s: AllSessions: got %+v, want %+v, as from Sessions", when, s, w)
			delete(missing, s.Ref)
		}
		return len(missing) > 0 || limit > len(want) // a small limit makes many pages, of which the rest tell nothing
	})
	e.expect(len(missing) == 0, "%s: AllSessions with limit %d: %d of %d sessions are on no page", when, limit, len(missing), len(want))
}

// signedInBy creates the sessions and calls PutUser with the newer Users. It returns the users
// and what Sessions returns for them.
func (e *sessionEnv) signedInBy(ctx context.Context, sessions []googlesession.NewSession, newer ...googlesession.User) (users []string, all []googlesession.Session) {
	refs := map[string][]googlesession.Ref{}
	for _, ns := range sessions {
		e.create(ctx, ns)
		if refs[ns.User.ID] == nil {
			users = append(users, ns.User.ID)
		}
		refs[ns.User.ID] = append(refs[ns.User.ID], ns.Ref)
	}
	for _, u := range newer {
		e.put(ctx, u, true, "newer")
	}
	for _, id := range users {
		all = append(all, e.list(ctx, id, refs[id], "fresh")...)
	}
	return users, all
}

func (e *sessionEnv) allSessions(ctx context.Context) error {
	var sessions []googlesession.NewSession
	var newest []googlesession.User
	for i := range 4 {
		u := next(newUser(), data(fmt.Sprintf("data of user %d", i)))
		for j := range i + 1 {
			ns := newSession(u)
			ns.Device.UserAgent, ns.Label = fmt.Sprintf("agent %d of user %d", j, i), fmt.Sprintf("label %d of user %d", j, i)
			ns.Kind, ns.PublicID = googlesession.SessionKind(255-j), newRef(u.ID).PublicID()
			sessions = append(sessions, ns)
		}
		newest = append(newest, next(next(u, admin), data(fmt.Sprintf("newest data of user %d", i))))
	}
	for _, id := range unusualIDs() {
		u := newUser()
		u.ID = id
		sessions = append(sessions, newSession(u))
	}
	longest := newSession(longestUser())
	longest.Device, longest.Label = longestDevice(), strings.Repeat("😀", 25)
	users, all := e.signedInBy(ctx, append(sessions, longest), newest...)
	for _, limit := range []int{1, 2, 7, 1000} {
		e.onPages(ctx, limit, users, all, "live")
	}
	return e.err
}

func (e *sessionEnv) allButEnded(ctx context.Context) error {
	e.timed(func() {
		u, off, stale, revoked := newUser(), newUser(), newUser(), newUser()
		lifetime, idle := newSession(u), newSession(u)
		lifetime.MaxLifetime, idle.IdleTimeout = 2*e.unit, 2*e.unit
		one := newSession(u)
		users, _ := e.signedInBy(ctx, []googlesession.NewSession{newSession(u), one, newSession(off), newSession(stale), newSession(revoked)})
		e.revoke(ctx, one.Ref, true, "live")
		e.put(ctx, next(off, disabled), true, "newer")
		e.put(ctx, next(stale, tokensAfter(refusedUntil)), true, "newer")
		e.revokeUser(ctx, revoked.ID, nil, 1, "one live")
		e.expired(ctx, []googlesession.NewSession{lifetime, idle})
		if e.failed() {
			return
		}
		live, err := e.first.Sessions(ctx, u.ID)
		e.expect(err == nil && len(live) == 1, "one of four live: Sessions: got %d, %v, want 1, <nil>", len(live), err)
		e.onPages(ctx, 1000, users, live, "all but one ended")
	})
	return e.err
}

func (e *sessionEnv) limitOfAll(ctx context.Context) error {
	e.signIn(ctx, newUser())
	for _, limit := range []int{0, -1, math.MinInt} {
		if e.failed() {
			break
		}
		page, next, err := e.first.AllSessions(ctx, "", limit)
		e.expect(err == nil && len(page) == 0 && next == "", "AllSessions with limit %d: got %d sessions, next %q, %v, want none, an empty next, <nil>", limit, len(page), next, err)
	}
	return e.err
}

func (e *sessionEnv) nextPage(ctx context.Context) error {
	var all []secrets
	missing := map[googlesession.Ref]bool{}
	for i := range 4 {
		ns, m := withSecrets()
		if i == 3 {
			ns.User.ID += strings.Repeat("😀", (255-len(ns.User.ID))/4)
			ns.Ref = newRef(ns.User.ID)
		}
		m = secrets{
			"user ID": ns.User.ID, "user ID in hexadecimal": hex.EncodeToString([]byte(ns.User.ID)),
			"user ID in base64": base64.RawURLEncoding.EncodeToString([]byte(ns.User.ID)),
			"Email":             m["Email"], "Name": m["Name"], "Picture": m["Picture"], "Data": m["Data"], "IP": m["IP"], "UserAgent": m["UserAgent"], "Label": m["Label"],
		}
		e.create(ctx, ns)
		all, missing[ns.Ref] = append(all, m), true
	}
	e.walk(ctx, 1, func(page []googlesession.Session, next string) bool {
		e.expect(len(next) <= 512, "AllSessions: got a next of %d bytes, want at most 512", len(next))
		for _, b := range []byte(next) {
			e.expect(' ' <= b && b <= '~', "AllSessions: got next %q, want printable ASCII", next)
		}
		for _, m := range all {
			e.clean(errors.New(next), m, "AllSessions: next")
		}
		for _, s := range page {
			delete(missing, s.Ref)
		}
		return len(missing) > 0
	})
	return e.err
}

func (e *sessionEnv) unknownPage(ctx context.Context) error {
	s := e.signIn(ctx, newUser())
	for range 3 {
		e.signIn(ctx, newUser())
	}
	afters := []string{
		s.Ref.String(), s.PublicID.String(), s.User.ID, "x", "0", "00", "-1", "1", "1.5", "1e9", "9223372036854775808", "18446744073709551616", strings.Repeat("9", 400),
		"AAAA", "====", "*", "%", "_", "?", "[", "'", `"`, `\`, ":", ",", "0,0", "0:0", "0-0", "{}", "null", " ", "\n", "\x00", "\xff", "é", "😀",
		strings.Repeat("A", 512), strings.Repeat("A", 513), strings.Repeat("\xff", 64<<10),
	}
	e.walk(ctx, 1, func(_ []googlesession.Session, next string) bool {
		if next != "" {
			afters = append(afters, next+"x", "x"+next, next[1:], next[:len(next)-1], next+"\x00", next+next, strings.ToUpper(next), strings.ToLower(next))
		}
		return false
	})
	for _, after := range afters {
		if e.failed() {
			break
		}
		_, _, err := e.first.AllSessions(ctx, after, 2)
		e.expect(err == nil || says(err, googlesession.ErrNotFound), "AllSessions after %q: got %v, want ErrNotFound or a page", after, err)
		if len(after) >= 16 { // A shorter text may be a part of the error's own.
			e.clean(err, secrets{"after": after}, "AllSessions")
		}
	}
	return e.err
}

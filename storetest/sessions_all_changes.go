package storetest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/googlesession/googlesession"
)

// steady creates sessions that stay live, two for each of three users, and returns their users
// and Refs. Before and after each of them it calls churn, which creates other sessions.
func (e *sessionEnv) steady(ctx context.Context, churn func()) (users []googlesession.User, refs []googlesession.Ref) {
	for range 3 {
		u := newUser()
		users = append(users, u)
		for range 2 {
			churn()
			refs = append(refs, e.signIn(ctx, u).Ref)
		}
	}
	churn()
	return users, refs
}

// pageSize returns a limit with which AllSessions needs about this many pages.
func (e *sessionEnv) pageSize(ctx context.Context, pages int) int {
	total := 0
	e.walk(ctx, 1000, func(page []googlesession.Session, _ string) bool {
		total += len(page)
		return true
	})
	return max(1, total/pages)
}

func (e *sessionEnv) changesBetweenPages(ctx context.Context) error {
	others := map[googlesession.Ref]bool{}
	churn := func() { others[e.signIn(ctx, newUser()).Ref] = true }
	for range 3 {
		_, refs := e.steady(ctx, func() { churn(); churn() })
		creates := 30 // Without an end of new sessions, the pages might not end.
		e.walk(ctx, e.pageSize(ctx, 20), func(page []googlesession.Session, _ string) bool {
			for _, s := range page {
				refs = slices.DeleteFunc(refs, func(r googlesession.Ref) bool { return r == s.Ref })
				if !others[s.Ref] {
					continue
				}
				delete(others, s.Ref)
				e.revoke(ctx, s.Ref, true, "live, and on a page")
				if creates--; creates > 0 {
					churn()
				}
			}
			return true
		})
		e.expect(len(refs) == 0, "other sessions revoked and created between pages: %d of 6 sessions are on no page", len(refs))
	}
	return e.err
}

func (e *sessionEnv) allDuringChanges(ctx context.Context) error {
	const walkers, churners = 2, 3
	for range 10 {
		var others []googlesession.Ref
		users, refs := e.steady(ctx, func() { others = append(others, e.signIns(ctx, newUser(), 4)...) })
		rand.Shuffle(len(others), func(i, j int) { others[i], others[j] = others[j], others[i] })
		limit := e.pageSize(ctx, 20)
		if e.failed() {
			break
		}
		e.all(race(walkers+churners, func(i int) error {
			if i < walkers {
				return findsAll(ctx, e.handle(i), limit, refs)
			}
			for n := i - walkers; n < len(others); n += churners {
				ns := newSession(users[i-walkers])
				if _, err := e.handle(i).CreateSession(ctx, ns); err != nil {
					return err
				}
				for _, r := range []googlesession.Ref{others[n], ns.Ref} {
					if _, err := e.handle(i+1).RevokeSession(ctx, r); err != nil {
						return err
					}
				}
			}
			return nil
		}))
	}
	return e.err
}

// findsAll returns an error if a walk does not find every session.
func findsAll(ctx context.Context, st googlesession.SessionStore, limit int, refs []googlesession.Ref) error {
	missing := map[googlesession.Ref]bool{}
	for _, r := range refs {
		missing[r] = true
	}
	err := walk(ctx, st, limit, func(page []googlesession.Session, _ string) bool {
		for _, s := range page {
			delete(missing, s.Ref)
		}
		return true
	})
	if err == nil && len(missing) > 0 {
		err = fmt.Errorf("AllSessions with limit %d, while other sessions begin and end: %d of %d sessions are on no page", limit, len(missing), len(refs))
	}
	return err
}

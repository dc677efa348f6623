package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
)

// An invitation that was not accepted in time admits no account and is not in the list.
func TestInvitationsExpire(t *testing.T) {
	for name, db := range testDatabases(t) {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, "-db", db, "-invited-only", "-invitation-days", "3")
			const day = 24 * time.Hour
			invited := func(email string, age time.Duration) {
				i := invitation{Email: email, Admin: true, InvitedBy: s.demo.google.Subject(demoAdmin), CreatedAt: time.Now().Add(-age)}
				require.NoError(t, s.stores.invitations.Create(t.Context(), i))
			}
			invited("ada@example.com", 3*day)
			invited("bob@example.com", 3*day-time.Minute)
			invited("eve@example.com", 300*day)
			invited("kim@example.com", time.Minute)
			require.Equal(t, "not_admitted", problemCode(t, s.signInWith(newBrowser(t), "ada@example.com")))
			require.True(t, isAdmin(t, s.signInWith(newBrowser(t), "bob@example.com")))
			require.Equal(t, "not_admitted", problemCode(t, s.signInWith(newBrowser(t), "eve@example.com")))

			list, _ := s.invitations("")
			require.Len(t, list, 2)
			require.Equal(t, "bob@example.com", list[0].Email)
			require.Empty(t, list[0].ExpiresAt, "an accepted invitation does not expire")
			require.Equal(t, "kim@example.com", list[1].Email)
			require.WithinDuration(t, time.Now().Add(3*day-time.Minute), parseTime(t, list[1].ExpiresAt), 10*time.Second)

			// An address whose invitation has expired can be invited again.
			invited("eve@example.com", 4*day)
			s.invite("eve@example.com", false)
			require.False(t, isAdmin(t, s.signInWith(newBrowser(t), "eve@example.com")))
		})
	}
}

// A sign-in that fails half way does not use up the invitation. It binds the invitation to
// the account until the invitation expires.
func TestClaimedInvitation(t *testing.T) {
	for name, db := range testDatabases(t) {
		t.Run(name, func(t *testing.T) {
			a, _ := openApp(t, "-db", db)
			ctx, store := t.Context(), a.stores.invitations
			now := time.UnixMilli(time.Now().UnixMilli())
			const email = "ada@example.com"
			require.NoError(t, store.Create(ctx, invitation{Email: email, Admin: true, InvitedBy: "1", CreatedAt: now}))
			require.ErrorIs(t, store.Create(ctx, invitation{Email: email, InvitedBy: "2", CreatedAt: now}), errInvited)

			_, err := store.Claim(ctx, email, "7", now)
			require.ErrorIs(t, err, errNotInvited, "the invitation was created at that time, not after it")
			since := now.Add(-time.Hour)
			i, err := store.Claim(ctx, email, "7", since)
			require.NoError(t, err)
			require.Equal(t, "7", i.ClaimedBy)
			require.True(t, i.Admin)
			require.Zero(t, i.AcceptedAt)
			_, err = store.Claim(ctx, email, "8", since)
			require.ErrorIs(t, err, errNotInvited, "another account")
			_, err = store.Claim(ctx, email, "7", now)
			require.ErrorIs(t, err, errNotInvited, "the same user, after the invitation has expired")
			require.NoError(t, store.Release(ctx, email, "8"))
			_, err = store.Claim(ctx, email, "8", since)
			require.ErrorIs(t, err, errNotInvited, "another account cannot release the invitation")
			require.NoError(t, store.Release(ctx, email, "7"))
			_, err = store.Claim(ctx, email, "8", since)
			require.NoError(t, err, "the invitation is open again")

			old := i
			old.CreatedAt = since
			for what, try := range map[string]struct {
				i      invitation
				userID string
			}{"another account": {i, "7"}, "an earlier invitation": {old, "8"}} {
				first, err := store.Accept(ctx, try.i, try.userID)
				require.NoError(t, err)
				require.False(t, first, what)
			}
			first, err := store.Accept(ctx, i, "8")
			require.NoError(t, err)
			require.True(t, first)
			first, err = store.Accept(ctx, i, "8")
			require.NoError(t, err)
			require.False(t, first, "accepted a second time")
			_, err = store.Claim(ctx, email, "8", since)
			require.ErrorIs(t, err, errNotInvited, "the invitation is accepted")
			require.NoError(t, store.Release(ctx, email, "8"))
			require.NoError(t, store.DeleteExpired(ctx, now.Add(time.Hour)))
			list, err := store.List(ctx, "", 10)
			require.NoError(t, err)
			require.Len(t, list, 1, "an accepted invitation neither opens again nor expires")
			require.WithinDuration(t, now, list[0].AcceptedAt, time.Minute)
			require.NoError(t, store.DeleteByUser(ctx, "8"))
			require.ErrorIs(t, store.Delete(ctx, email), errNoInvitation)
		})
	}
}

// A deleted user who keeps posting the same token stays out, in whatever order the
// deletion and the sign-ins happen. A new invitation and a newer token admit the user.
func TestDeletedUserWhoKeepsPostingStaysOut(t *testing.T) {
	for name, db := range testDatabases(t) {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, "-db", db, "-invited-only")
			for round := range 20 {
				email := fmt.Sprintf("user%d@example.com", round)
				id := s.demo.google.Subject(email)
				s.invite(email, round%2 == 0)
				browser := newBrowser(t)
				d := s.demo.google.Draft(email, s.beginSignIn(t, browser))
				issuedAt(time.Now().Add(-time.Minute))(d)
				p := s.postRepeatedly(browser, `{"credential":"`+s.demo.google.Mint(d)+`"}`)
				p.waitForAnswers(t, 2)
				require.Equal(t, http.StatusNoContent, s.deleteUser(id), "round %d", round)
				p.waitForAnswers(t, 20)
				p.stop()

				_, err := s.stores.users.User(t.Context(), id)
				require.ErrorIs(t, err, googlesession.ErrNotFound, "round %d: the user is back", round)
				require.Equal(t, http.StatusUnauthorized, s.get(t, browser, "/api/user").status, "round %d", round)
				list, _ := s.invitations("")
				require.Empty(t, list, "round %d", round)
				require.Equal(t, "not_admitted", problemCode(t, s.signInWith(newBrowser(t), email, issuedLater())), "round %d: not invited", round)

				s.invite(email, false)
				require.False(t, isAdmin(t, s.signInWith(newBrowser(t), email, issuedLater())), "round %d: invited again", round)
				require.Equal(t, http.StatusNoContent, s.withdraw(email))
			}
		})
	}
}

// A repeatedPost is a body that two goroutines keep posting to /api/login.
type repeatedPost struct {
	answers atomic.Int64
	stop    func()
}

func (s *site) postRepeatedly(browser *http.Client, body string) *repeatedPost {
	p := &repeatedPost{}
	ctx, cancel := context.WithCancel(s.t.Context())
	var posters sync.WaitGroup
	for range 2 {
		posters.Go(func() {
			for ctx.Err() == nil {
				url := strings.Replace(s.url, "http://", "https://", 1) + "/api/login"
				r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(body))
				if err != nil {
					return
				}
				r.Header.Set("Content-Type", "application/json")
				if res, err := browser.Do(r); err == nil {
					_, _ = io.Copy(io.Discard, res.Body)
					_ = res.Body.Close()
					p.answers.Add(1)
				}
			}
		})
	}
	p.stop = sync.OnceFunc(func() {
		cancel()
		posters.Wait()
	})
	s.t.Cleanup(p.stop)
	return p
}

// waitForAnswers waits for n more answers.
func (p *repeatedPost) waitForAnswers(t *testing.T, n int64) {
	t.Helper()
	until := p.answers.Load() + n
	require.Eventually(t, func() bool { return p.answers.Load() >= until }, 20*time.Second, time.Millisecond)
}

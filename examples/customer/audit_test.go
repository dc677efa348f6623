package main

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
)

// The audit lists actions with actor, target and reason, the newest first. It has nothing
// that a visitor without a session can cause.
func TestAudit(t *testing.T) {
	for name, db := range testDatabases(t) {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, "-db", db, "-invited-only")
			admin, ada := s.demo.google.Subject(demoAdmin), s.demo.google.Subject("ada@example.com")
			visitor, user := newBrowser(t), newBrowser(t)
			for range 3 {
				require.Equal(t, http.StatusForbidden, s.signInWith(visitor, "ada@example.com").status)
				require.Equal(t, http.StatusUnauthorized, s.get(t, visitor, "/api/customer").status)
				require.Equal(t, http.StatusUnauthorized, s.request(t, visitor, http.MethodPost, "/api/login", `{"credential":"x"}`).status)
			}
			s.invite("ada@example.com", true)
			require.Equal(t, http.StatusOK, s.signInWith(user, "ada@example.com").status)
			require.Equal(t, http.StatusCreated,
				s.request(t, user, http.MethodPost, "/api/customer", `{"name":"N","email":"n@example.com"}`).status)
			require.Equal(t, http.StatusNoContent, s.request(t, user, http.MethodDelete, "/api/customer/21", "").status)
			require.Equal(t, http.StatusNotFound, s.request(t, user, http.MethodDelete, "/api/customer/21", "").status)
			require.Equal(t, http.StatusOK,
				s.request(t, s.admin, http.MethodPatch, "/api/admin/users/"+ada+"?reason=left+the+company", `{"disabled":true}`).status)
			require.Equal(t, http.StatusNoContent, s.withdraw("ada@example.com"))
			require.Equal(t, http.StatusNotFound, s.withdraw("ada@example.com"))

			got, next := s.audit("")
			require.Zero(t, next)
			type event struct{ actor, action, target, reason string }
			want := []event{
				{admin, "invitation_withdrawn", "ada@example.com", ""},
				{admin, "access_changed", ada, "disabled: left the company"},
				{ada, "customer_deleted", "21", ""},
				{ada, "customer_added", "21", ""},
				{ada, "signed_in", ada, ""},
				{admin, "access_changed", ada, "admin: invitation"},
				{ada, "invitation_accepted", "ada@example.com", ""},
				{admin, "invited", "ada@example.com", "as an administrator"},
				{admin, "signed_in", admin, ""},
				{admin, "user_created", admin, ""},
				{"system", "access_changed", admin, "configured admin"},
			}
			said := make([]event, len(got))
			for i, e := range got {
				said[i] = event{e.Actor, e.Action, e.Target, e.Reason}
				when, err := time.Parse(time.RFC3339, e.Time)
				require.NoError(t, err)
				require.WithinDuration(t, time.Now(), when, time.Minute)
				require.Equal(t, got[0].ID-int64(i), e.ID)
			}
			require.Equal(t, want, said)
		})
	}
}

// Events that a visitor without a session can cause are not recorded, nor is
// EventTouched, which comes once a minute for each user.
func TestAuditEntryFor(t *testing.T) {
	now := time.Now()
	ref, err := googlesession.ParseRef(strings.Repeat("E", 59))
	require.NoError(t, err)
	for _, tt := range []struct {
		event googlesession.Event
		want  auditEntry
	}{
		{googlesession.Event{Kind: googlesession.EventTouched, UserID: "1"}, auditEntry{}},
		{googlesession.Event{Kind: googlesession.EventDenied}, auditEntry{}},
		{googlesession.Event{Kind: googlesession.EventSignInRefused}, auditEntry{}},
		{googlesession.Event{Kind: googlesession.EventUnavailable}, auditEntry{}},
		{googlesession.Event{Kind: googlesession.EventBindRefused, UserID: "1", Reason: "offer"}, auditEntry{}},
		{googlesession.Event{Kind: googlesession.EventBound, UserID: "1", Reason: "registered"}, auditEntry{}},
		{
			googlesession.Event{Kind: googlesession.EventBound, Time: now, Actor: "1", UserID: "1"},
			auditEntry{Time: now, Actor: "1", Action: "bound", Target: "1"},
		},
		{
			googlesession.Event{Kind: googlesession.EventSignedOut, Time: now, Actor: "1", UserID: "2", Reason: "r", Ref: ref},
			auditEntry{Time: now, Actor: "1", Action: "signed_out", Target: "2", Reason: "r"},
		},
		{
			googlesession.Event{Kind: googlesession.EventRevoked, Time: now, Actor: "system", Ref: ref},
			auditEntry{Time: now, Actor: "system", Action: "revoked", Target: ref.String()},
		},
		{
			googlesession.Event{Kind: googlesession.EventAllRevoked, Time: now, Actor: "1", Reason: "r", Err: googlesession.ErrUnavailable},
			auditEntry{Time: now, Actor: "1", Action: "all_revoked", Reason: "r (stopped half way)"},
		},
	} {
		got, ok := auditEntryFor(tt.event)
		require.Equal(t, tt.want, got, "%v", tt.event.Kind)
		require.Equal(t, tt.want != auditEntry{}, ok, "%v", tt.event.Kind)
	}
}

func TestAuditPages(t *testing.T) {
	for name, db := range testDatabases(t) {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, "-db", db)
			for i := range 120 {
				s.recordAudit(t.Context(), auditEntry{Actor: "test", Action: "counted", Target: strconv.Itoa(i)})
			}
			for query, sizes := range map[string][]int{"": {50, 50, 23}, "limit=200": {123}, "limit=41": {41, 41, 41}} {
				var got []auditJSON
				after := ""
				for n, size := range sizes {
					page, next := s.audit("?" + query + "&after=" + after)
					require.Len(t, page, size)
					require.Equal(t, n < len(sizes)-1, next != 0, "page %d of ?%s", n, query)
					got = append(got, page...)
					after = strconv.FormatInt(next, 10)
				}
				for i, e := range got[:120] {
					require.Equal(t, strconv.Itoa(119-i), e.Target, "?%s", query)
				}
			}
		})
	}
}

// Old entries are deleted, a few at a time. The others stay.
func TestAuditIsCleanedUp(t *testing.T) {
	for name, db := range testDatabases(t) {
		t.Run(name, func(t *testing.T) {
			_, a := startApp(t, "-db", db, "-audit-days", "30")
			now := time.Now()
			count := func() int {
				list, err := a.stores.audit.List(t.Context(), auditFilter{}, 1<<40, 2000)
				require.NoError(t, err)
				return len(list)
			}
			const old, young = 250, 20
			for range old {
				_, err := a.stores.audit.Add(t.Context(), auditEntry{Time: now.AddDate(0, 0, -31)})
				require.NoError(t, err)
			}
			for range young {
				_, err := a.stores.audit.Add(t.Context(), auditEntry{Time: now.AddDate(0, 0, -29)})
				require.NoError(t, err)
			}
			for i := range 5 * purgeEvery {
				a.recordAudit(t.Context(), auditEntry{Action: "new"})
				want := max(0, old-purgeLimit*(1+i/purgeEvery)) + young + i + 1
				require.Equal(t, want, count(), "after %d entries", i+1)
			}
		})
	}
}

// The audit in memory drops its oldest entries when it is full.
func TestMemoryAuditIsBounded(t *testing.T) {
	m := &memoryAudit{}
	for range maxMemoryAudit + 1 {
		_, err := m.Add(t.Context(), auditEntry{})
		require.NoError(t, err)
	}
	list, err := m.List(t.Context(), auditFilter{}, 1<<40, 2*maxMemoryAudit)
	require.NoError(t, err)
	require.Len(t, list, maxMemoryAudit-purgeLimit+1)
	require.Equal(t, int64(maxMemoryAudit+1), list[0].ID)
}

// An entry that cannot be written is logged, without the address, and counted. The
// request succeeds, because its action has been done.
func TestAuditOutage(t *testing.T) {
	file := filepath.Join(t.TempDir(), "test.db")
	s := newSite(t, "-db", "sqlite:"+file)
	db, err := sql.Open("sqlite", file)
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	_, err = db.ExecContext(t.Context(), "ALTER TABLE audit RENAME TO hidden")
	require.NoError(t, err)

	s.invite("ada@example.com", false)
	log := s.server.log.String()
	require.Contains(t, log, "audit entry not written")
	require.Contains(t, log, "action=invited")
	require.Contains(t, log, s.demo.google.Subject(demoAdmin))
	require.NotContains(t, log, "ada@example.com")
	require.Contains(t, s.get(t, s.admin, "/metrics").body, "customer_audit_lost_total 1")
	res := s.get(t, s.admin, "/api/admin/audit")
	require.Equal(t, http.StatusServiceUnavailable, res.status)
	require.Equal(t, "unavailable", problemCode(t, res))
}

// A store that hangs delays a sign-in by a second and does not fail it. An entry is
// written even if the browser has disconnected.
func TestAuditOutlivesRequest(t *testing.T) {
	a, _ := openApp(t, "-db", tempDB(t))
	gone, leave := context.WithCancel(t.Context())
	leave()
	a.recordAudit(gone, auditEntry{Action: "left"})
	list, err := a.stores.audit.List(t.Context(), auditFilter{}, 1<<40, 10)
	require.NoError(t, err)
	require.Equal(t, "left", list[0].Action)

	a.log = slog.New(slog.DiscardHandler)
	a.stores.audit = hangingAudit{a.stores.audit}
	began := time.Now()
	a.recordAudit(t.Context(), auditEntry{Action: "late"})
	require.Less(t, time.Since(began), 5*time.Second)
}

// hangingAudit answers when the context is done, and not before.
type hangingAudit struct{ auditStore }

func (hangingAudit) Add(ctx context.Context, _ auditEntry) (int64, error) {
	<-ctx.Done()
	return 0, ctx.Err()
}

func TestAuditRefusals(t *testing.T) {
	const path = "/api/admin/audit"
	s := newSite(t, "-db", "memory")
	user, visitor := newBrowser(t), newBrowser(t)
	require.Equal(t, http.StatusOK, s.signIn(t, user, "ada@example.com").status)
	s.requireRefusals([]refusal{
		{"visitor", visitor, "GET", path, 401, "no_session"},
		{"user", user, "GET", path, 403, "not_admin"},
		{"post", s.admin, "POST", path, 405, "method_not_allowed"},
		{"delete", s.admin, "DELETE", path, 405, "method_not_allowed"},
		{"delete one", s.admin, "DELETE", path + "/1", 404, "not_found"},
		{"limit zero", s.admin, "GET", path + "?limit=0", 400, "bad_request"},
		{"limit negative", s.admin, "GET", path + "?limit=-1", 400, "bad_request"},
		{"limit too large", s.admin, "GET", path + "?limit=201", 400, "bad_request"},
		{"limit not a number", s.admin, "GET", path + "?limit=x", 400, "bad_request"},
		{"after zero", s.admin, "GET", path + "?after=0", 400, "bad_request"},
		{"after not a number", s.admin, "GET", path + "?after=x", 400, "bad_request"},
		{"after twice", s.admin, "GET", path + "?after=1&after=2", 400, "bad_request"},
		{"unknown parameter", s.admin, "GET", path + "?persons=1", 400, "bad_request"},
		{"action too long", s.admin, "GET", path + "?action=" + strings.Repeat("x", 65), 400, "bad_request"},
		{"action with a blank", s.admin, "GET", path + "?action=a+b", 400, "bad_request"},
		{"person too long", s.admin, "GET", path + "?person=" + strings.Repeat("x", 256), 400, "bad_request"},
		{"person with NUL", s.admin, "GET", path + "?person=%00", 400, "bad_request"},
		{"person not UTF-8", s.admin, "GET", path + "?person=%ff", 400, "bad_request"},
		{"from not a time", s.admin, "GET", path + "?from=2026-01-01", 400, "bad_request"},
		{"to not a time", s.admin, "GET", path + "?to=x", 400, "bad_request"},
		{"file for a visitor", visitor, "GET", path + ".csv", 401, "no_session"},
		{"file for a user", user, "GET", path + ".csv", 403, "not_admin"},
		{"file posted", s.admin, "POST", path + ".csv", 405, "method_not_allowed"},
		{"file with limit", s.admin, "GET", path + ".csv?limit=1", 400, "bad_request"},
		{"stream for a visitor", visitor, "GET", "/api/admin/live", 401, "no_session"},
		{"stream for a user", user, "GET", "/api/admin/live", 403, "not_admin"},
		{"stream posted", s.admin, "POST", "/api/admin/live", 405, "method_not_allowed"},
		{"after too large", s.admin, "GET", path + "?after=9223372036854775808", 400, "bad_request"},
	})
}

// Many requests write entries at the same time.
func TestConcurrentAudit(t *testing.T) {
	for name, db := range testDatabases(t) {
		t.Run(name, func(t *testing.T) {
			_, a := startApp(t, "-db", db)
			const writers, each = 4, 25
			done := make(chan bool)
			for w := range writers {
				go func() {
					for i := range each {
						a.recordAudit(context.WithoutCancel(t.Context()), auditEntry{Action: fmt.Sprint(w, i)})
					}
					done <- true
				}()
			}
			for range writers {
				<-done
			}
			list, err := a.stores.audit.List(t.Context(), auditFilter{}, 1<<40, 1000)
			require.NoError(t, err)
			require.Len(t, list, writers*each)
		})
	}
}

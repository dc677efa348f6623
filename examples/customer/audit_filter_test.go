package main

import (
	"encoding/csv"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Every store selects what auditFilter.matches selects, page by page.
func TestAuditFilter(t *testing.T) {
	noon := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	filters := []auditFilter{
		{},
		{Action: "signed_in"},
		{Action: "SIGNED_IN"},
		{Action: "unknown"},
		{Actors: []string{"ada"}},
		{Actors: []string{"Ada"}},
		{Targets: []string{"7"}},
		{Actors: []string{"ada"}, Targets: []string{"ada", "ada@example.com"}},
		{Actors: []string{"ada"}, Targets: []string{"ada"}, Action: "signed_in"},
		{From: noon},
		{To: noon},
		{From: noon, To: noon},
		{From: noon.Add(time.Minute), To: noon.Add(-time.Minute)},
		{From: noon.Add(-10 * time.Minute), To: noon.Add(30 * time.Minute)},
		{From: noon, Action: "signed_in", Actors: []string{"eve"}},
		{To: noon.AddDate(0, 0, -1)},
		{From: noon.AddDate(0, 0, 1)},
	}
	for name, db := range testDatabases(t) {
		t.Run(name, func(t *testing.T) {
			_, a := startApp(t, "-db", db)
			var all []auditEntry
			for i := range 240 {
				e := auditEntry{
					// Every tenth entry got its ID a minute late.
					Time:  noon.Add(time.Duration(i-120)*time.Minute - time.Duration(i%10/9)*time.Minute),
					Actor: []string{"ada", "eve", "system"}[i%3], Action: []string{"signed_in", "signed_out", "customer_added", "invited"}[i%4],
					Target: []string{"ada", "7", "ada@example.com", "eve", ""}[i%5], Reason: strconv.Itoa(i),
					IP: "192.0.2.1", UserAgent: "U", Label: "L", Sessions: "S T",
				}
				id, err := a.stores.audit.Add(t.Context(), e)
				require.NoError(t, err)
				e.ID = id
				all = append(all, e)
			}
			slices.Reverse(all)
			for i, f := range filters {
				want := slices.DeleteFunc(slices.Clone(all), func(e auditEntry) bool { return !f.matches(e) })
				var got []auditEntry
				for before := int64(math.MaxInt64); ; before = got[len(got)-1].ID {
					page, err := a.stores.audit.List(t.Context(), f, before, 7)
					require.NoError(t, err)
					if len(page) == 0 {
						break
					}
					require.LessOrEqual(t, len(page), 7)
					got = append(got, page...)
				}
				require.Len(t, got, len(want), "filter %d", i)
				for j := range got {
					got[j].Time = got[j].Time.UTC()
				}
				require.Equal(t, want, append([]auditEntry{}, got...), "filter %d", i)
			}
		})
	}
}

// SQLite reads every page from an index, in the order of the index. A page of a long audit
// costs no more than a page of a short one.
func TestAuditPlans(t *testing.T) {
	a, _ := openApp(t, "-db", tempDB(t))
	db := a.stores.audit.(sqlAudit)
	for _, where := range []string{
		"id < 9 AND id > 1",
		"action = 'x' AND id < 9 AND id > 1",
		"actor = 'x' AND id < 9 AND id > 1 AND created_at >= 5",
		"action = 'x' AND actor = 'x' AND id < 9 AND id > 1",
		"target = 'x' AND substr(action, 1, 9) <> 'customer_' AND id < 9 AND id > 1",
		"action = 'x' AND target = 'x' AND id < 9 AND id > 1",
	} {
		plan := explain(t, db, selectAudit+" WHERE "+where+" ORDER BY id DESC LIMIT 7")
		require.Contains(t, plan, "SEARCH audit", where)
		require.NotContains(t, plan, "TEMP B-TREE", where)
	}
	for _, statement := range []string{selectIDBefore, selectIDAfter} {
		plan := explain(t, db, strings.Replace(statement, "?", "5", 1))
		require.Contains(t, plan, "audit_time", statement)
		require.NotContains(t, plan, "TEMP B-TREE", statement)
	}
}

func explain(t *testing.T, db sqlAudit, statement string) (plan string) {
	t.Helper()
	rows, err := db.db.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+statement)
	require.NoError(t, err)
	defer func() { require.NoError(t, rows.Close()) }()
	for rows.Next() {
		var id, parent, unused int
		var detail string
		require.NoError(t, rows.Scan(&id, &parent, &unused, &detail))
		plan += detail + "\n"
	}
	require.NoError(t, rows.Err())
	return plan
}

// The audit can be filtered by person, by ID or by address, and the server names the people
// and the customers of each entry.
func TestAuditOfPerson(t *testing.T) {
	for name, db := range testDatabases(t) {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, "-db", db)
			admin, ada := s.demo.google.Subject(demoAdmin), s.demo.google.Subject("ada@example.com")
			s.invite("Ada@example.com", false)
			user := newBrowser(t)
			require.Equal(t, http.StatusOK, s.signInWith(user, "ada@example.com").status)
			require.Equal(t, http.StatusCreated, s.request(t, user, http.MethodPost, "/api/customer", `{"name":"N","email":"n@example.com"}`).status)
			require.Equal(t, http.StatusOK, s.signInWith(newBrowser(t), "eve@example.com").status)
			s.changeAccess(ada+"?reason=promoted", `{"admin":true}`)

			actions := []string{"access_changed", "customer_added", "signed_in", "invitation_accepted", "invited"}
			for _, person := range []string{ada, "ada@example.com", "ADA@example.com"} {
				entries, _ := s.audit("?person=" + url.QueryEscape(person))
				got := make([]string, len(entries))
				for i, e := range entries {
					got[i] = e.Action
				}
				require.Equal(t, actions, got, person)
			}
			entries, _ := s.audit("?person=" + ada + "&action=access_changed")
			require.Len(t, entries, 1)
			e := entries[0]
			require.Equal(t, "admin: promoted", e.Reason)
			require.Equal(t, "127.0.0.1", e.IP)
			require.Equal(t, "Go-http-client/1.1", e.UserAgent)
			require.Equal(t, &auditUser{admin, demoAdmin, s.userName(admin)}, e.ActorUser)
			require.Equal(t, &auditUser{ada, "ada@example.com", s.userName(ada)}, e.TargetUser)
			entries, _ = s.audit("?action=customer_added")
			require.Equal(t, &auditCustomer{21, "N", "n@example.com"}, entries[0].TargetCustomer)
			entries, _ = s.audit("?action=signed_in&person=ada@example.com")
			require.Equal(t, s.publicID(user), entries[0].Session)

			// A deleted user keeps the ID, and a deleted customer the number.
			require.Equal(t, http.StatusNoContent, s.request(t, user, http.MethodDelete, "/api/customer/21", "").status)
			require.Equal(t, http.StatusNoContent, s.deleteUser(ada))
			entries, _ = s.audit("?person=" + ada)
			require.Equal(t, "user_deleted", entries[0].Action)
			require.Equal(t, &auditUser{ID: ada}, entries[0].TargetUser)
			entries, _ = s.audit("?action=customer_added")
			require.Equal(t, &auditCustomer{ID: 21}, entries[0].TargetCustomer)
			entries, _ = s.audit("?person=21")
			require.Empty(t, entries, "21 is a customer")
		})
	}
}

// userName returns the name of a user as the store has it.
func (s *site) userName(id string) string {
	s.t.Helper()
	u, err := s.stores.users.User(s.t.Context(), id)
	require.NoError(s.t, err)
	require.NotEmpty(s.t, u.Name)
	return u.Name
}

func TestAuditCSV(t *testing.T) {
	s := newSite(t, "-db", "memory")
	began := time.Now()
	for _, reason := range []string{`=1+2`, ` @SUM(x)`, `say "hi", please`} {
		s.recordAudit(t.Context(), auditEntry{Actor: "someone", Action: "noted", Target: "x@example.com", Reason: reason, Sessions: "S T"})
	}
	s.recordAudit(t.Context(), auditEntry{Actor: "someone", Action: "other"})
	res := s.get(t, s.admin, "/api/admin/audit.csv?action=noted&from="+url.QueryEscape(timestamp(began)))
	require.Equal(t, http.StatusOK, res.status)
	require.Equal(t, `attachment; filename="audit.csv"`, res.header.Get("Content-Disposition"))
	require.Equal(t, "text/csv; charset=utf-8; header=present", res.header.Get("Content-Type"))
	rows, err := csv.NewReader(strings.NewReader(res.body)).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, 4)
	require.Equal(t, "id", rows[0][0])
	require.Equal(t, []string{"noted", "someone", "", "", "x@example.com", "", "", `say "hi", please`, "", "", "", "S T"}, rows[1][2:])
	require.Equal(t, "' @SUM(x)", rows[2][9])
	require.Equal(t, "'=1+2", rows[3][9])
}

// A file ends after 10,000 entries and says so.
func TestAuditCSVIsBounded(t *testing.T) {
	s := newSite(t, "-db", tempDB(t))
	db := s.stores.audit.(sqlAudit).db
	tx, err := db.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	for i := range maxCSV + 1 {
		_, err := tx.ExecContext(t.Context(), `INSERT INTO audit (created_at, actor, action, target, reason) VALUES (?, 'a', 'many', '', '')`, i)
		require.NoError(t, err)
	}
	require.NoError(t, tx.Commit())
	lines := strings.Split(strings.TrimSpace(s.get(t, s.admin, "/api/admin/audit.csv?action=many").body), "\r\n")
	require.Len(t, lines, 1+maxCSV+1)
	require.Contains(t, lines[len(lines)-1], "There are older ones.")

	_, err = db.ExecContext(t.Context(), `DELETE FROM audit WHERE created_at = 0`)
	require.NoError(t, err)
	lines = strings.Split(strings.TrimSpace(s.get(t, s.admin, "/api/admin/audit.csv?action=many").body), "\r\n")
	require.Len(t, lines, 1+maxCSV)
	require.NotContains(t, lines[len(lines)-1], "There are older ones.")
}

func TestEscapeFormula(t *testing.T) {
	for cell, want := range map[string]string{
		"": "", "a": "a", "a=1": "a=1", "=1": "'=1", "+1": "'+1", "-1": "'-1", "@x": "'@x", "\tx": "'\tx", "\rx": "'\rx",
		"  =1": "'  =1", "＝1": "'＝1", "|x": "'|x", "ä": "ä", " ": " ",
	} {
		require.Equal(t, want, escapeFormula(cell), "escapeFormula(%q)", cell)
	}
}

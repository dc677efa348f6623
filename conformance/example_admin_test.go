package conformance_test

import (
	"bufio"
	"cmp"
	"database/sql"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// inviteOnTwoServers invites on one server, accepts the invitations on the other one, and
// reads the audit there.
func inviteOnTwoServers(t *testing.T, admin *visitor, a, b string) {
	t.Helper()
	const invitations = "/api/admin/invitations"
	ada, grace := newVisitor(t), newVisitor(t)
	require.Equal(t, http.StatusForbidden, ada.trySignIn(b, "ada@example.com").status)
	for _, body := range []string{`{"email":"Ada@example.com"}`, `{"email":"grace@example.com","admin":true}`} {
		require.Equal(t, http.StatusCreated, admin.do(http.MethodPost, a+invitations, body).status)
		require.Equal(t, http.StatusConflict, admin.do(http.MethodPost, b+invitations, body).status)
	}
	type user struct {
		ID    string
		Admin bool
	}
	names := make(map[string]string)
	signIn := func(v *visitor, url, email string) bool {
		var u user
		v.trySignIn(url, email).decode(t, &u)
		names[u.ID] = strings.ToLower(strings.TrimSuffix(email, "@example.com"))
		return u.Admin
	}
	require.True(t, signIn(admin, a, "admin@example.com"))
	require.True(t, signIn(grace, b, "grace@example.com"), "in the answer of the sign-in")
	var me user
	grace.do(http.MethodGet, a+"/api/user", "").decode(t, &me)
	require.True(t, me.Admin)
	require.Equal(t, http.StatusOK, admin.do(http.MethodPatch, b+"/api/admin/users/"+me.ID, `{"admin":false}`).status)
	require.False(t, signIn(grace, a, "grace@example.com"), "after a demotion")
	require.False(t, signIn(ada, a, "ADA@example.com"))

	var list struct {
		Invitations []struct {
			Email    string
			Admin    bool
			Accepted string `json:"accepted_at"`
		}
	}
	admin.do(http.MethodGet, b+invitations, "").decode(t, &list)
	require.Len(t, list.Invitations, 2)
	for i, email := range []string{"ada@example.com", "grace@example.com"} {
		require.Equal(t, email, list.Invitations[i].Email)
		require.Equal(t, i == 1, list.Invitations[i].Admin)
		require.NotEmpty(t, list.Invitations[i].Accepted)
	}
	list.Invitations = nil
	admin.do(http.MethodGet, b+invitations+"?after=ada@example.com&limit=1", "").decode(t, &list)
	require.Len(t, list.Invitations, 1)
	require.Equal(t, http.StatusNoContent, admin.status(http.MethodDelete, b+invitations+"/grace@example.com"))
	require.Equal(t, http.StatusNotFound, admin.status(http.MethodDelete, a+invitations+"/grace@example.com"))
	require.Equal(t, http.StatusOK, grace.status(http.MethodGet, a+"/api/user"), "withdrawing an invitation ends no session")
	require.Equal(t, http.StatusBadRequest, admin.status(http.MethodGet, a+invitations+"?after=%00"))
	require.Equal(t, http.StatusNotFound, admin.status(http.MethodDelete, a+invitations+"/%00@example.com"))

	var audit struct {
		Entries []struct{ Actor, Action, Target, Reason string }
	}
	admin.do(http.MethodGet, b+"/api/admin/audit?limit=200", "").decode(t, &audit)
	var got []string
	for _, e := range audit.Entries {
		if e.Action != "new_device" {
			got = append(got, strings.TrimSpace(cmp.Or(names[e.Actor], e.Actor)+" "+e.Action+" "+cmp.Or(names[e.Target], e.Target)+" "+e.Reason))
		}
	}
	require.Equal(t, []string{
		"admin invitation_withdrawn grace@example.com",
		"ada signed_in ada",
		"ada invitation_accepted ada@example.com",
		"grace signed_in grace",
		"grace revoked grace replaced",
		"admin access_changed grace not admin: administrator",
		"grace signed_in grace",
		"admin access_changed grace admin: invitation",
		"grace invitation_accepted grace@example.com",
		"admin signed_in admin",
		"admin revoked admin replaced",
		"admin invited grace@example.com as an administrator",
		"admin invited ada@example.com",
		"admin signed_in admin",
		"admin user_created admin",
		"system access_changed admin configured admin",
	}, got)
}

// cleanUpTheAudit puts old entries into the audit and expects the example to delete those
// of more than 90 days ago.
func cleanUpTheAudit(t *testing.T, admin *visitor, url string, at place) {
	t.Helper()
	db, err := sql.Open(at.driver, at.dsn)
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	for days, actor := range map[int]string{89: "young", 91: "old"} {
		_, err := db.ExecContext(t.Context(), fmt.Sprintf(`INSERT INTO audit (created_at, actor, action, target, reason)
			VALUES (%d, '%s', 'x', '', '')`, time.Now().AddDate(0, 0, -days).UnixMilli(), actor))
		require.NoError(t, err)
	}
	require.Contains(t, admin.do(http.MethodGet, url+"/api/admin/audit", "").body, `"old"`)
	for range 10 { // one entry in ten cleans up
		a := admin.do(http.MethodPost, url+"/api/customer", `{"name":"N","email":"n@example.com"}`)
		require.Equal(t, http.StatusCreated, a.status, a.body)
	}
	audit := admin.do(http.MethodGet, url+"/api/admin/audit", "").body
	require.NotContains(t, audit, `"old"`)
	require.Contains(t, audit, `"young"`)
}

// endStreamsOnTwoServers lets an administrator on one server end the sessions behind
// streams on both. The stream on the same server ends at once, that on the other one at
// the next recheck of its session.
func endStreamsOnTwoServers(t *testing.T, admin *visitor, a, b string) {
	t.Helper()
	const recheck = 5 * time.Second // as the example sets it
	here, there := newVisitor(t), newVisitor(t)
	here.signIn(a, "ada@example.com")
	there.signIn(b, "ada@example.com")
	onA, onB := here.live(a), there.live(b)
	var me struct{ ID string }
	here.do(http.MethodGet, a+"/api/user", "").decode(t, &me)

	began := time.Now()
	require.Equal(t, http.StatusOK, admin.status(http.MethodDelete, a+"/api/admin/users/"+me.ID+"/sessions"))
	for range 2 {
		select {
		case text := <-onA:
			require.Contains(t, text, "event: ended\ndata: {\"code\":\"")
			require.Less(t, time.Since(began), recheck/3, "on the same server")
		case text := <-onB:
			require.Contains(t, text, "event: ended\ndata: {\"code\":\"")
			require.Less(t, time.Since(began), recheck+10*time.Second, "on the other server")
		}
	}
}

// live opens an event stream and waits for its first event. The channel delivers the text
// of all later events when the stream has ended.
func (v *visitor) live(url string) <-chan string {
	v.t.Helper()
	url = strings.Replace(url, "http://", "https://", 1) + "/api/live"
	r, err := http.NewRequestWithContext(v.t.Context(), http.MethodGet, url, nil)
	require.NoError(v.t, err)
	forever := &http.Client{Jar: v.client.Jar, Transport: v.client.Transport}
	res, err := forever.Do(r)
	require.NoError(v.t, err)
	v.t.Cleanup(func() { _ = res.Body.Close() })
	require.Equal(v.t, http.StatusOK, res.StatusCode)
	lines := bufio.NewScanner(res.Body)
	for lines.Scan() && lines.Text() != "" {
		continue
	}
	ended := make(chan string, 1)
	go func() {
		var text strings.Builder
		for lines.Scan() {
			text.WriteString(lines.Text() + "\n")
		}
		ended <- text.String()
	}()
	return ended
}

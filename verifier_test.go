package googlesession_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
)

func TestEmailAuthoritative(t *testing.T) {
	for _, tt := range []struct {
		name, email, hd string
		verified, want  bool
	}{
		{"gmail", "a@gmail.com", "", true, true},
		{"gmail, other case", "a@GMail.com", "", true, true},
		{"gmail, hd gmail.com", "a@gmail.com", "gmail.com", true, true},
		{"gmail, hd of a Workspace", "a@gmail.com", "example.com", true, true},
		{"gmail, not verified", "a@gmail.com", "", false, false},
		{"googlemail", "a@googlemail.com", "", true, true},
		{"googlemail, other case", "a@GoogleMail.com", "", true, true},
		{"googlemail, not verified", "a@googlemail.com", "", false, false},
		{"Workspace", "a@example.com", "example.com", true, true},
		{"Workspace, other case", "a@Example.com", "eXample.COM", true, true},
		{"Workspace, not verified", "a@example.com", "example.com", false, false},
		{"Workspace, second domain that hd names", "a@example.org", "example.org", true, true},
		{"Workspace of another domain", "boss@corp.example", "evil.example", true, false},
		{"Workspace, domain above", "a@mail.example.com", "example.com", true, false},
		{"Workspace, domain below", "a@example.com", "mail.example.com", true, false},
		{"Workspace, domain with another end", "a@example.com.evil.example", "evil.example", true, false},
		{"Workspace, end of the domain", "a@notexample.com", "example.com", true, false},
		{"Workspace, long s", "a@e\u017fample.com", "esample.com", true, false},
		{"Workspace, dot at the end", "a@example.com.", "example.com", true, false},
		{"third party", "a@example.com", "", true, false},
		{"third party, hd gmail.com", "a@example.com", "gmail.com", true, false},
		{"third party, hd googlemail.com", "a@example.com", "googlemail.com", true, false},
		{"suffix", "a@notgmail.com", "", true, false},
		{"subdomain", "a@x.gmail.com", "", true, false},
		{"two signs", "a@evil.example@gmail.com", "", true, false},
		{"two signs, Workspace", "boss@corp.example@evil.example", "evil.example", true, false},
		{"two signs, Workspace of the first", "boss@corp.example@evil.example", "corp.example", true, false},
		{"no local part", "@gmail.com", "", true, false},
		{"no domain", "a@", "", true, false},
		{"no sign", "example.com", "example.com", true, false},
		{"no address", "", "example.com", true, false},
		{"nothing", "", "", true, false},
	} {
		id := googlesession.Identity{Email: tt.email, HostedDomain: tt.hd, EmailVerified: tt.verified}
		require.Equal(t, tt.want, id.EmailAuthoritative(), tt.name)
	}
}

// A listed address makes its user an administrator only if Google vouches for it. The log
// names a listed user who does not become one.
func TestAdmins(t *testing.T) {
	const told = "Google does not vouch"
	s := newSite(t, func(c *googlesession.Config) {
		c.Admins = []string{"Boss@Example.com", "root@gmail.com", "sk@example.com", "Old@GoogleMail.com"}
	})
	for _, tt := range []struct {
		name   string
		email  string
		edit   map[string]any // nil deletes the claim
		want   bool
		logged bool
	}{
		{"Workspace", "boss@example.com", nil, true, false},
		{"other case", "BOSS@example.COM", nil, true, false},
		{"gmail", "root@gmail.com", nil, true, false},
		{"gmail as googlemail", "root@googlemail.com", map[string]any{"hd": nil}, true, false},
		{"googlemail", "old@googlemail.com", map[string]any{"hd": nil}, true, false},
		{"googlemail as gmail", "OLD@gmail.com", nil, true, false},
		{"not listed", "alice@gmail.com", nil, false, false},
		{"no hd", "boss@example.com", map[string]any{"hd": nil}, false, true},
		{"hd gmail.com", "boss@example.com", map[string]any{"hd": "gmail.com"}, false, true},
		{"hd of another Workspace", "boss@example.com", map[string]any{"hd": "evil.example"}, false, true},
		{"not verified", "boss@example.com", map[string]any{"email_verified": false}, false, true},
		{"gmail, not verified", "root@gmail.com", map[string]any{"email_verified": false}, false, true},
		{"googlemail, not verified", "old@googlemail.com", map[string]any{"email_verified": false}, false, true},
		{"long s", "\u017fk@example.com", nil, false, false},
		{"Kelvin sign", "s\u212a@example.com", nil, false, false},
		{"full width", "\uff42oss@example.com", nil, false, false},
		{"plus", "boss+x@example.com", nil, false, false},
		{"dots", "ro.ot@gmail.com", nil, false, false},
		{"googlemail in front", "old@googlemail.com@example.com", nil, false, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before := len(s.log.String())
			c := s.google.Browser(s)
			d := s.google.Draft(tt.email, begin(t, c))
			sub := "sub-" + strings.ReplaceAll(strings.ReplaceAll(tt.name, " ", "-"), ",", "")
			d.Claims["sub"] = sub
			for k, v := range tt.edit {
				d.Claims[k] = v
				if v == nil {
					delete(d.Claims, k)
				}
			}
			a := post(t, c, s.google.Mint(d))
			require.Equal(t, http.StatusOK, a.status, a.body)
			want := map[bool]int{true: http.StatusOK, false: http.StatusForbidden}[tt.want]
			require.Equal(t, want, get(t, c, "/admin").status)

			log := s.log.String()[before:]
			require.Equal(t, tt.logged, strings.Contains(log, told) && strings.Contains(log, sub), log)
			require.NotContains(t, log, "@", "no address in the log")
		})
	}
}

// A listed user cannot be demoted, whether the address is at gmail.com or googlemail.com.
func TestConfiguredAdminAtGooglemail(t *testing.T) {
	s := newSite(t, func(c *googlesession.Config) { c.Admins = []string{"old@googlemail.com", "new@gmail.com"} })
	for _, email := range []string{"old@gmail.com", "new@googlemail.com"} {
		c := s.google.Browser(s)
		d := s.google.Draft(email, begin(t, c))
		delete(d.Claims, "hd")
		require.Equal(t, http.StatusOK, post(t, c, s.google.Mint(d)).status)
		_, err := s.manager.SetAccess(t.Context(), s.google.Subject(email), demote)
		require.ErrorIs(t, err, googlesession.ErrConfiguredAdmin, email)
	}
}

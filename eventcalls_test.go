package googlesession_test

import (
	"errors"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
)

// What an event needs costs one call to the store, and nothing without Config.Events. If that
// call fails, the session ends all the same, and the event does not name it.
func TestCallsForEvents(t *testing.T) {
	for _, tt := range []struct {
		name, method string // method is the extra call
		end          func(*testing.T, *site, *http.Client, googlesession.Ref) error
	}{
		{"Revoke", "CheckSession", func(t *testing.T, s *site, _ *http.Client, ref googlesession.Ref) error {
			return s.manager.Revoke(t.Context(), ref)
		}},
		{"SignOut", "CheckSession", func(t *testing.T, _ *site, c *http.Client, _ googlesession.Ref) error {
			require.Equal(t, http.StatusNoContent, do(t, c, http.MethodPost, "/api/logout", "").status)
			return nil
		}},
		{"RevokeUser", "Sessions", func(t *testing.T, s *site, _ *http.Client, _ googlesession.Ref) error {
			_, err := s.manager.RevokeUser(t.Context(), s.google.Subject(alice))
			return err
		}},
		{"SetAccess", "Sessions", func(t *testing.T, s *site, _ *http.Client, _ googlesession.Ref) error {
			_, err := s.manager.SetAccess(t.Context(), s.google.Subject(alice), disable)
			return err
		}},
		{"DeleteUser", "Sessions", func(t *testing.T, s *site, _ *http.Client, _ googlesession.Ref) error {
			return s.manager.DeleteUser(t.Context(), s.google.Subject(alice))
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			calls := func(edit func(*googlesession.Config), err error) (*site, int) {
				s := newSite(t, edit)
				c := s.signIn(t, alice)
				ref, value := s.session(t, c).Ref, cookie(t, c, sessionCookie)
				s.events = nil
				s.store.failing(tt.method, err)
				before := s.store.count()
				require.NoError(t, tt.end(t, s, c, ref))
				n := s.store.count() - before
				s.store.failing(tt.method, nil)
				require.Equal(t, http.StatusUnauthorized, serve(t, s, http.MethodGet, "/private", "", "Cookie", sessionCookie+"="+value).status)
				return s, n
			}
			_, without := calls(func(c *googlesession.Config) { c.Events = nil }, nil)
			_, with := calls(nil, nil)
			require.Equal(t, without+1, with)
			s, _ := calls(nil, errors.New("down"))
			require.NotEmpty(t, s.events)
			require.Zero(t, s.events[0].PublicID)
			require.Empty(t, s.events[0].PublicIDs)
		})
	}
}

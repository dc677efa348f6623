package storetest_test

import (
	"fmt"

	"github.com/googlesession/googlesession"
)

// check refuses an identity that no user can have.
func (s *naiveUsers) check(u googlesession.User, id googlesession.Identity) error {
	badID := u.ID == "" || len(u.ID) > 255 || !isText(u.ID)
	switch err := validNaive(u); {
	case badTime(id.IssuedAt) && !s.has("TokenIssuedAt not checked"):
		return unavailable("bad IssuedAt")
	case err == nil,
		s.has("bad subjects accepted") && badID,
		s.has("profiles not checked") && !badID:
		return nil
	case s.has("errors hold the user ID"):
		return fmt.Errorf("%w: %q", err, u.ID)
	case s.has("errors hold the Email"):
		return fmt.Errorf("%w: %q", err, u.Email)
	default:
		return err
	}
}

// validNaive returns an error if the ID or the profile is invalid.
func validNaive(u googlesession.User) error {
	switch {
	case u.ID == "" || len(u.ID) > 255 || !isText(u.ID):
		return unavailable("bad ID")
	case len(u.ID)+len(u.Email)+len(u.Name)+len(u.Picture) > 2<<10:
		return unavailable("long record")
	case !isText(u.Email) || !isText(u.Name) || !isText(u.Picture):
		return unavailable("bad profile")
	}
	return nil
}

package storetest_test

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/googlesession/googlesession"
)

func (s *naiveUsers) SetData(ctx context.Context, id, data string, old *string) (googlesession.User, error) {
	if s.has("done context ignored by SetData") {
		ctx = context.WithoutCancel(ctx)
	}
	if err := s.lock(ctx); err != nil {
		return googlesession.User{}, err
	}
	defer s.mu.Unlock()
	key := s.key(id)
	if err := s.checkData(data); err != nil {
		if u, ok := s.users[key]; ok && s.has("bad data refused too late") {
			u.Data = data
			s.users[key] = u
		}
		return googlesession.User{}, err
	}
	u, ok := s.users[key]
	if !ok && s.has("SetData makes users") && validNaive(googlesession.User{ID: id}) == nil {
		u, ok = googlesession.User{ID: id, Version: s.version(0)}, true
	}
	if !ok {
		return googlesession.User{}, s.noData(old)
	}
	if u.Disabled && s.has("disabled users have no data") {
		return googlesession.User{}, googlesession.ErrNotFound
	}
	if old != nil && !s.sameData(u.Data, *old) {
		return googlesession.User{}, s.dataChanged(*old)
	}
	s.pause("data is compared first")
	if s.has("data is compared first") {
		u = s.users[key]
	}
	s.pause("SetData reads first")
	before := u
	u.Data = s.kept(data)
	if u.Data != before.Data && !s.has("Version not raised by SetData") || s.has("Version raised by the same data") {
		version, err := s.next(key, u.Version)
		if err != nil {
			return googlesession.User{}, err
		}
		u.Version = version
	}
	if s.has("SetData enables") {
		u.Disabled = false
	}
	if s.has("SetData demotes") {
		u.Admin = false
	}
	s.users[key] = u
	if !s.has("sessions not told of data") {
		s.tellSessions(ctx, u)
	}
	return u, s.lateError(ctx)
}

// checkData refuses invalid data.
func (s *naiveUsers) checkData(data string) error {
	switch {
	case len(data) > 1<<10 && !s.has("data of any length") && !s.has("data of 1024 symbols"),
		len([]rune(data)) > 1<<10 && s.has("data of 1024 symbols"),
		!isText(data) && !s.has("texts of data not checked"):
		if s.has("errors hold the Data") {
			return unavailable("bad data " + data)
		}
		return unavailable("bad data")
	}
	return nil
}

// noData returns the error for a user that does not exist.
func (s *naiveUsers) noData(old *string) error {
	if old != nil && *old != "" && s.has("an unknown user has changed data") {
		return googlesession.ErrDataChanged
	}
	return googlesession.ErrNotFound
}

// sameData reports whether data is old.
func (s *naiveUsers) sameData(data, old string) bool {
	switch {
	case s.has("old ignored"):
		return true
	case s.has("old compared without case"):
		return strings.EqualFold(data, old)
	case s.has("old compared without blanks"):
		return strings.TrimSpace(data) == strings.TrimSpace(old)
	case s.has("old may be the beginning"):
		return old != "" && strings.HasPrefix(data, old) || data == old
	case s.has("empty old means any"):
		return old == "" || data == old
	}
	return data == old
}

func (s *naiveUsers) dataChanged(old string) error {
	switch {
	case s.has("changed data is an outage too"):
		return errors.Join(googlesession.ErrDataChanged, googlesession.ErrUnavailable)
	case s.has("errors hold old"):
		return &oldError{old}
	case s.has("invalid old is an outage") && !isText(old):
		return unavailable("bad old")
	}
	return googlesession.ErrDataChanged
}

// An oldError is an ErrDataChanged that holds the old data, which is a mistake.
type oldError struct{ old string }

func (e *oldError) Error() string { return "data is not " + e.old }
func (e *oldError) Unwrap() error { return googlesession.ErrDataChanged }

// kept returns what the store keeps of data.
func (s *naiveUsers) kept(data string) string {
	switch {
	case s.has("data cut"):
		return data[:min(len(data), 1000)]
	case s.has("data trimmed"):
		return strings.TrimRight(data, " ")
	}
	return data
}

func (s *naiveUsers) Browsers(ctx context.Context, id string, seen *googlesession.BrowserID) ([]googlesession.BrowserID, error) {
	if s.has("done context ignored by Browsers") {
		ctx = context.WithoutCancel(ctx)
	}
	if err := s.lock(ctx); err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	key := s.key(id)
	u, ok := s.users[key]
	if !ok && !s.has("unknown users have browsers") || ok && u.Disabled && s.has("disabled users have no browsers") {
		return nil, googlesession.ErrNotFound
	}
	if s.has("browsers of all users") {
		key = ""
	}
	before := s.browsers[key]
	s.pause("browsers are read first")
	if seen != nil {
		s.browsers[key] = s.withSeen(before, *seen)
		if s.has("browsers raise Version") {
			u.Version++
			s.users[key] = u
		}
	}
	switch {
	case s.has("Browsers returns the new list"):
		return slices.Clone(s.browsers[key]), nil
	case s.has("Browsers shares memory"):
		return before, nil
	}
	return slices.Clone(before), s.lateError(ctx)
}

// withSeen returns the browsers after another one was seen.
func (s *naiveUsers) withSeen(before []googlesession.BrowserID, seen googlesession.BrowserID) []googlesession.BrowserID {
	most := googlesession.MaxBrowsers
	switch {
	case s.has("too many browsers"):
		most++
	case s.has("too few browsers"):
		most--
	}
	known := slices.Contains(before, seen)
	switch {
	case known && s.has("known browsers stay in place"):
		return before
	case s.has("oldest browser first"):
		return append(slices.Clone(before), seen)
	case !known && len(before) == most && s.has("no room for a browser"):
		return before
	case s.has("browsers doubled"):
		now := slices.Insert(slices.Clone(before), 0, seen)
		return now[:min(len(now), most)]
	}
	now := slices.DeleteFunc(slices.Clone(before), func(b googlesession.BrowserID) bool { return b == seen })
	now = slices.Insert(now, 0, seen)
	return now[:min(len(now), most)]
}

// forgetData does to Data and browsers what a change of the user does in a store with such a bug.
func (s *naiveUsers) forgetData(u *googlesession.User, change string) {
	if s.has(change + " loses Data") {
		u.Data = ""
	}
	if s.has(change + " loses browsers") {
		delete(s.browsers, s.key(u.ID))
	}
}

package storetest_test

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/googlesession/googlesession"
)

// AllSessions returns the sessions in order of creation. A place is the number of the last
// session of a page.
func (s *naive) AllSessions(ctx context.Context, after string, limit int) ([]googlesession.Session, string, error) {
	if err := s.done(ctx); err != nil {
		return nil, "", err
	}
	if after == "end" && s.has("AllSessions never ends") {
		return nil, after, nil
	}
	place, err := s.place(after)
	if err != nil || limit <= 0 && !s.has("limit of zero means all sessions") {
		return nil, "", err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pause("place is an offset")
	if list := s.lists[after]; len(list) > 0 {
		return list, "", nil
	}
	rest := s.allAfter(place)
	page := rest[:min(len(rest), max(limit, 0))]
	if s.has("limit of zero means all sessions") && limit <= 0 {
		page = rest
	}
	list := []googlesession.Session{}
	for _, session := range page {
		list = append(list, s.inAll(session))
	}
	if s.has("AllSessions shares memory") && len(page) == len(rest) {
		s.lists[after] = list
	}
	return list, s.next(page, len(page) == len(rest), place), nil
}

// waitForPage lets pages and revocations take turns in a bubble, in a store whose AllSessions
// goes wrong if they do.
func (s *naive) waitForPage() {
	s.pause("place is an offset")
	s.pause("AllSessions counts first")
}

// allAfter returns the live sessions after the place.
func (s *naive) allAfter(place int) []*naiveSession {
	live := func(session *naiveSession) bool {
		return s.alive(session, s.now()) && !s.users[session.owner].Disabled || s.has("AllSessions returns expired sessions")
	}
	sessions := s.all(live)
	if s.has("AllSessions returns ended sessions") {
		sessions = slices.AppendSeq(sessions, maps.Values(s.ended))
		slices.SortFunc(sessions, func(a, b *naiveSession) int { return a.serial - b.serial })
	}
	first := place
	if !s.has("place is an offset") {
		follows := func(session *naiveSession) bool { return session.serial > place }
		if first = slices.IndexFunc(sessions, follows); first < 0 {
			first = len(sessions)
		}
	}
	if s.has("AllSessions counts first") {
		s.pause(s.bug)
		sessions = s.all(live)
	}
	return sessions[min(first, len(sessions)):]
}

// place returns the number that after stands for.
func (s *naive) place(after string) (int, error) {
	if after == "" {
		return 0, nil
	}
	if s.has("next holds the user ID") {
		after, _, _ = strings.Cut(after, " ")
	}
	after = strings.Trim(after, "\x01+")
	place, err := strconv.Atoi(after)
	switch {
	case err == nil && place >= 0:
		return place, nil
	case s.has("unknown page is an outage"):
		return 0, unavailable("place")
	case s.has("errors hold after"):
		return 0, &placeError{after}
	}
	return 0, googlesession.ErrNotFound
}

// A placeError is an ErrNotFound that holds the place, which is a mistake.
type placeError struct{ after string }

func (e *placeError) Error() string { return "no page after " + e.after }
func (e *placeError) Unwrap() error { return googlesession.ErrNotFound }

// next returns the place at the end of a page.
func (s *naive) next(page []*naiveSession, last bool, place int) string {
	switch {
	case last && s.has("AllSessions never ends"):
		return "end"
	case last, len(page) == 0:
		return ""
	}
	end := page[len(page)-1]
	next := strconv.Itoa(end.serial)
	switch {
	case s.has("place is an offset"):
		return strconv.Itoa(place + len(page))
	case s.has("AllSessions skips a session"):
		return strconv.Itoa(end.serial + 1)
	case s.has("AllSessions has one page"):
		return ""
	case s.has("next holds the user ID"):
		return next + " " + end.User.ID
	case s.has("next is not printable"):
		return "\x01" + next
	case s.has("next is long"):
		return strings.Repeat("+", 512) + next
	}
	return next
}

// inAll returns the session as AllSessions returns it.
func (s *naive) inAll(session *naiveSession) googlesession.Session {
	found := s.session(session)
	switch {
	case s.has("AllSessions without Device"):
		found.Device = googlesession.Device{}
	case s.has("AllSessions without Label"):
		found.Label = ""
	case s.has("AllSessions with the first User"):
		found.User = session.User
	case s.has("AllSessions without Binding"):
		found.Binding = ""
	case s.has("AllSessions without Data"):
		found.User.Data = ""
	}
	return found
}

package storetest_test

import (
	"bytes"
	"strings"

	"github.com/googlesession/googlesession"
)

// checkData refuses invalid data.
func (s *naive) checkData(data string) error {
	switch {
	case s.has("no validation"):
	case len(data) > 1<<10 && !s.has("data of any length"),
		!isText(data) && !s.has("texts of data not checked"):
		return unavailable("bad data" + s.leak(data, "errors hold the Data"))
	}
	return nil
}

// checkLabel refuses an invalid label.
func (s *naive) checkLabel(label string) error {
	switch {
	case s.has("no validation"):
	case len(label) > 100 && !s.has("labels of any length") && !s.has("labels of 100 symbols"),
		len([]rune(label)) > 100 && s.has("labels of 100 symbols"),
		!isText(label) && !s.has("texts of labels not checked"):
		return unavailable("bad label" + s.leak(label, "errors hold the Label"))
	}
	return nil
}

// markWrongly changes the marks of a new session, in a store with such a bug.
func (s *naive) markWrongly(session *naiveSession) {
	for _, other := range s.of(session.owner) {
		if s.has("one session for each PublicID") && s.publicID(other) == s.publicID(session) {
			s.remove(other)
		}
	}
	switch {
	case s.has("Label lost"):
		session.Label = ""
	case s.has("Label cut"):
		session.Label = session.Label[:min(64, len(session.Label))]
	case s.has("Label trimmed"):
		session.Label = strings.TrimSpace(session.Label)
	case s.has("PublicID not kept"):
		session.PublicID = googlesession.PublicID{}
	case s.has("PublicID trimmed") && bytes.HasSuffix(session.PublicID[:], []byte("        ")):
		id := strings.TrimRight(string(session.PublicID[:]), " ")
		session.PublicID = googlesession.PublicID{}
		copy(session.PublicID[:], id)
	case s.has("Kind has two bits"):
		session.Kind &= 3
	case s.has("Kind has seven bits"):
		session.Kind &= 127
	}
}

func (s *naive) publicID(session *naiveSession) googlesession.PublicID {
	if session.PublicID == (googlesession.PublicID{}) && !s.has("zero PublicID kept") {
		return session.Ref.PublicID()
	}
	return session.PublicID
}

// userData returns the Data of a User that is stored in place of known.
func (s *naive) userData(data string, known googlesession.User, ok, atSignIn bool) string {
	switch {
	case s.has("Data lost"), s.has("Data from PutUser ignored") && ok && !atSignIn, s.has("Data from sign-ins ignored") && ok && atSignIn:
		return known.Data
	case s.has("Data cut"):
		return data[:min(255, len(data))]
	case s.has("Data trimmed"):
		return strings.TrimRight(data, " ")
	case s.has("empty Data means unchanged") && data == "":
		return known.Data
	}
	return data
}

// unmark does to the marks of a session what a change does in a store with such a bug.
func (s *naive) unmark(session *naiveSession, bug string) {
	if s.has(bug) {
		session.Label, session.Kind, session.PublicID = "", 0, googlesession.PublicID{}
	}
}

package storetest_test

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/googlesession/googlesession"
)

// Users is in order of ID, or with a prefix in order of the text in lower case and ID.
func (s *naiveUsers) Users(ctx context.Context, q googlesession.UserQuery) ([]googlesession.User, error) {
	if err := s.lock(ctx); err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	if err := s.checkQuery(q); err != nil {
		return nil, err
	}
	query := fmt.Sprintf("%q %d", s.place(q).ID, q.Limit)
	plain := q.EmailPrefix+q.NamePrefix == "" && q.Admin == nil && q.Disabled == nil
	if s.has("shared memory") && s.page != nil && s.pageOf == query && plain {
		return s.page, nil
	}
	page := []googlesession.User{}
	for _, u := range s.found(q) {
		if s.matches(u, q) && s.follows(u, q) {
			page = append(page, u)
		}
	}
	slices.SortFunc(page, func(a, b googlesession.User) int { return s.compare(a, b, q) })
	prefixed := q.EmailPrefix+q.NamePrefix != ""
	if q.Limit < 0 && (s.has("negative limit returns ErrUnavailable") || s.has("negative limit of a query returns ErrUnavailable") && prefixed) {
		return nil, unavailable("negative limit")
	}
	switch {
	case s.has("limit ignored"), s.has("limit of a query ignored") && prefixed && q.Limit == 0:
	default:
		page = page[:min(len(page), max(q.Limit, 0))]
	}
	if s.has("empty page returns ErrNotFound") && len(page) == 0 {
		return nil, googlesession.ErrNotFound
	}
	if plain {
		s.page, s.pageOf = page, query
	}
	return page, s.lateError(ctx)
}

// checkQuery refuses an invalid query.
func (s *naiveUsers) checkQuery(q googlesession.UserQuery) error {
	long := len(q.EmailPrefix) > 100 || len(q.NamePrefix) > 100
	switch {
	case q.EmailPrefix != "" && q.NamePrefix != "" && !s.has("two prefixes accepted"),
		long && !s.has("prefixes of any length"),
		(!isText(q.EmailPrefix) || !isText(q.NamePrefix)) && !s.has("texts of prefixes not checked"):
		if s.has("errors hold the prefix") {
			return unavailable("bad query " + q.EmailPrefix)
		}
		return unavailable("bad query")
	}
	return nil
}

// found returns the users among which a query looks.
func (s *naiveUsers) found(q googlesession.UserQuery) []googlesession.User {
	users := s.listed()
	if q.EmailPrefix+q.NamePrefix == "" {
		return users
	}
	for key, u := range s.hidden {
		if _, ok := s.users[key]; !ok && s.has("queries find deleted users") {
			users = append(users, u)
		}
	}
	for key, u := range s.copies {
		if _, ok := s.users[key]; !ok && s.has("queries find users from PutUser") {
			users = append(users, u)
		}
	}
	return users
}

// text returns the text of u that the query's prefix is compared with, as the store compares it.
func (s *naiveUsers) text(u googlesession.User, q googlesession.UserQuery) string {
	text := ""
	switch {
	case q.EmailPrefix != "":
		text = u.Email
	case q.NamePrefix != "" && s.has("NamePrefix looks at Email"):
		text = u.Email
	case q.NamePrefix != "":
		text = u.Name
	}
	return s.fold(text)
}

func (s *naiveUsers) fold(text string) string {
	switch {
	case s.has("prefix folds all letters"):
		return strings.ToLower(strings.ToUpper(text))
	case s.has("prefix respects case"):
		return text
	case s.has("prefix trimmed"):
		text = strings.TrimRight(text, " ")
	}
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, text)
}

// matches reports whether the query selects u.
func (s *naiveUsers) matches(u googlesession.User, q googlesession.UserQuery) bool {
	prefixed := q.EmailPrefix+q.NamePrefix != ""
	if old, ok := s.flags[s.key(u.ID)]; ok && s.has("queries by the first flags") {
		u.Admin, u.Disabled = old[0], old[1]
	}
	switch {
	case s.has("flags ignored with a prefix") && prefixed:
	case s.has("Disabled ignored with Admin") && q.Admin != nil && u.Admin == *q.Admin:
	case s.has("false flag means any") && (q.Admin == nil || !*q.Admin) && (q.Disabled == nil || !*q.Disabled):
	case q.Admin != nil && u.Admin != *q.Admin, q.Disabled != nil && u.Disabled != *q.Disabled:
		return false
	}
	if !prefixed {
		return true
	}
	texts := []string{s.text(u, q)}
	for _, old := range s.olds[s.key(u.ID)] {
		if s.has("queries by old texts") {
			texts = append(texts, s.text(old, q))
		}
	}
	prefix := s.fold(cmp.Or(q.EmailPrefix, q.NamePrefix))
	return slices.ContainsFunc(texts, func(text string) bool { return s.begins(text, prefix) })
}

func (s *naiveUsers) begins(text, prefix string) bool {
	switch {
	case s.has("prefix found anywhere"):
		return strings.Contains(text, prefix)
	case s.has("prefix is the whole text"):
		return text == prefix
	case s.has("prefix may be longer"):
		return strings.HasPrefix(text, prefix) || text != "" && strings.HasPrefix(prefix, text)
	case s.has("prefix ends at U+FFFF"):
		return text >= prefix && text < prefix+"\uffff"
	case s.has("prefix is a pattern"):
		return like(text, prefix)
	}
	return strings.HasPrefix(text, prefix)
}

// like reports whether text begins as the pattern of SQL's LIKE says.
func like(text, pattern string) bool {
	for i, r := range pattern {
		if r == '%' {
			rest := pattern[i+1:]
			for j := range len(text) + 1 {
				if like(text[j:], rest) {
					return true
				}
			}
			return false
		}
		if text == "" {
			return false
		}
		first := []rune(text)[0]
		if r != '_' && r != first {
			return false
		}
		text = text[len(string(first)):]
	}
	return true
}

// place returns the After of the query, or the zero User.
func (s *naiveUsers) place(q googlesession.UserQuery) googlesession.User {
	if q.After == nil {
		return googlesession.User{}
	}
	u, known := s.users[s.key(q.After.ID)]
	switch {
	case s.has("After as it is now") && known:
		return u
	case s.has("deleted After is the beginning") && !known:
		return googlesession.User{}
	}
	return *q.After
}

// follows reports whether u follows the query's After.
func (s *naiveUsers) follows(u googlesession.User, q googlesession.UserQuery) bool {
	place := s.place(q)
	switch {
	case place.ID == "":
		return true
	case s.has("After must match") && !s.matches(place, q):
		return false
	case s.has("equal texts skipped") && q.EmailPrefix+q.NamePrefix != "":
		return s.text(u, q) > s.text(place, q)
	case s.has("equal texts again") && q.EmailPrefix+q.NamePrefix != "":
		return s.text(u, q) >= s.text(place, q) && u.ID != place.ID
	case s.has("After by ID only"):
		return u.ID > place.ID
	case s.has("after included"):
		return s.compare(u, place, q) >= 0
	}
	return s.compare(u, place, q) > 0
}

func (s *naiveUsers) compare(a, b googlesession.User, q googlesession.UserQuery) int {
	if s.has("order folds case") {
		return cmp.Or(strings.Compare(strings.ToLower(a.ID), strings.ToLower(b.ID)), strings.Compare(a.ID, b.ID))
	}
	return cmp.Or(strings.Compare(s.text(a, q), s.text(b, q)), strings.Compare(a.ID, b.ID))
}

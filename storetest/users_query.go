package storetest

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/googlesession/googlesession"
)

// queryRules returns the rules about the UserQuery of Users.
func queryRules() []rule[*userEnv] {
	return []rule[*userEnv]{
		{"e-mail prefix", "Users with EmailPrefix finds the users whose Email begins so, with ASCII letters in any case and all else byte for byte", (*userEnv).emailPrefixes},
		{"name prefix", "Users with NamePrefix finds the users whose Name begins so, with ASCII letters in any case and all else byte for byte", (*userEnv).namePrefixes},
		{"queries by flags", "Users with Admin and Disabled finds the users with these flags, with and without a prefix", (*userEnv).flagQueries},
		{"pages of a query", "the pages of a query hold each user once, also users with equal texts, whatever After is, and After needs no other fields than ID, Email and Name", (*userEnv).queryPages},
		{"changes between pages of a query", "a page follows its After also if that user was renamed, deleted or had a flag changed", (*userEnv).queriesBetweenChanges},
		{"limit of a query", "Users with a prefix or a flag returns at most Limit users, and none for a Limit of zero or less", (*userEnv).queryLimit},
		{"queries after changes", "Users finds users by their newest Email, Name and flags, and no deleted user", (*userEnv).queriesAfterChanges},
		{"invalid queries", "Users refuses two prefixes, and a prefix that is not valid UTF-8, contains NUL or is longer than 100 bytes", (*userEnv).invalidQueries},
	}
}

// matches reports whether Users must find u with q.
func matches(u googlesession.User, q googlesession.UserQuery) bool {
	return (q.Admin == nil || u.Admin == *q.Admin) && (q.Disabled == nil || u.Disabled == *q.Disabled) &&
		beginsWith(u.Email, q.EmailPrefix) && beginsWith(u.Name, q.NamePrefix)
}

func beginsWith(text, prefix string) bool {
	return len(text) >= len(prefix) && asciiLower(text[:len(prefix)]) == asciiLower(prefix)
}

func asciiLower(text string) string {
	bytes := []byte(text)
	for i, b := range bytes {
		if 'A' <= b && b <= 'Z' {
			bytes[i] = b + 'a' - 'A'
		}
	}
	return string(bytes)
}

func asciiUpper(text string) string {
	bytes := []byte(text)
	for i, b := range bytes {
		if 'a' <= b && b <= 'z' {
			bytes[i] = b - ('a' - 'A')
		}
	}
	return string(bytes)
}

// A shownQuery is a query for a text that is only made if the rule fails, because a query has
// pointers, of which fmt would show addresses.
type shownQuery googlesession.UserQuery

func (q shownQuery) String() string {
	return fmt.Sprintf("{EmailPrefix: %q, NamePrefix: %q, %s", q.EmailPrefix, q.NamePrefix, show(googlesession.AccessChange{Admin: q.Admin, Disabled: q.Disabled})[1:])
}

// place returns an After for the page after u. It has only the fields that the store reads, and
// others that the store must not read.
func place(u googlesession.User, q googlesession.UserQuery) *googlesession.User {
	after := googlesession.User{ID: u.ID, Email: "zzz", Name: "zzz", Data: "zzz", Admin: !u.Admin, Disabled: !u.Disabled}
	if q.EmailPrefix != "" {
		after.Email = u.Email
	}
	if q.NamePrefix != "" {
		after.Name = u.Name
	}
	return &after
}

// find reads all pages of a query, size users at a time, and returns the users whose ID is in
// ids. It expects every user to match, and to be on one page only.
func (e *userEnv) find(ctx context.Context, q googlesession.UserQuery, size int, ids []string) (users []googlesession.User) {
	seen := map[string]bool{}
	q.Limit, q.After = size, nil
	for !e.failed() {
		page, err := e.second.Users(ctx, q)
		e.expect(err == nil, "Users %s: got error %v, want none", shownQuery(q), err)
		e.expect(len(page) <= size, "Users %s: got %d, want at most %d", shownQuery(q), len(page), size)
		for _, u := range page {
			e.expect(matches(u, q), "Users %s: got %+v", shownQuery(q), u)
			e.expect(!seen[u.ID], "Users %s in pages of %d: got user %q twice", shownQuery(q), size, u.ID)
			e.expect(q.After == nil || q.EmailPrefix+q.NamePrefix != "" || u.ID > q.After.ID, "Users %s: got ID %q after %v, want byte order", shownQuery(q), u.ID, q.After)
			if seen[u.ID] = true; slices.Contains(ids, u.ID) {
				users = append(users, u)
			}
		}
		if len(page) < size {
			break
		}
		q.After = place(page[size-1], q)
	}
	return users
}

// finds expects a query to find exactly those of the users who match it, each as it is.
func (e *userEnv) finds(ctx context.Context, q googlesession.UserQuery, size int, users []googlesession.User, when string) {
	var ids []string
	for _, u := range users {
		ids = append(ids, u.ID)
	}
	got := map[string]googlesession.User{}
	for _, u := range e.find(ctx, q, size, ids) {
		got[u.ID] = u
	}
	for _, u := range users {
		if found, ok := got[u.ID]; ok != matches(u, q) || ok && found != u {
			e.expect(false, "%s: Users %s in pages of %d: found %v, as %+v, want %v, as %+v", when, shownQuery(q), size, ok, found, matches(u, q), u)
		}
	}
}

// prefixTexts returns texts that begin alike, also by rules of Unicode or of a database that
// do not hold here, or that are patterns, or that end a range of texts.
func prefixTexts() []string {
	return []string{
		"Ada@example.com", "ada@EXAMPLE.COM", "adam@example.com", "AD", "", "100%", "100x", "1_0", "1a0", "a*b", "axb", "a?b", "[ab]c", "a]", `a\b`, `a\%`, "(a|b)", "a.b", "^a", "a$",
		"$1", ":p", "--", "o'brien", `"q"`, "Äda", "äda", "ſatz", "satz", "Satz", "\u212aelvin", "kelvin", "Kelvin", "ßen", "ssen", "SSEN", "İstanbul", "istanbul", "ıstanbul",
		"é", "e\u0301", "😀one", "😀two", "😁", " lead", "lead", "trail ", "trail", "tab\tx", "z", "Z[", "z{", "z\u00ff", "z\uffff", "z\U0010ffff", "\U0010ffff", "\x7f", "@", "[", "`", "{", "_",
		strings.Repeat("L", 100) + "é", strings.Repeat("l", 100), strings.Repeat("l", 99), strings.Repeat("😀", 25), strings.Repeat("😀", 25) + "!",
	}
}

// prefixesOf returns prefixes of the texts, also in another case and longer than a text, each
// once. All are valid.
func prefixesOf(texts []string) []string {
	var prefixes []string
	for _, text := range texts {
		_, first := utf8.DecodeRuneInString(text)
		_, second := utf8.DecodeRuneInString(text[first:])
		for _, p := range []string{text, asciiUpper(text), asciiLower(text), text + "x", text[:first], asciiUpper(text[:first+second])} {
			for len(p) > 100 {
				_, last := utf8.DecodeLastRuneInString(p)
				p = p[:len(p)-last]
			}
			if p != "" {
				prefixes = append(prefixes, p)
			}
		}
	}
	slices.Sort(prefixes)
	return slices.Compact(prefixes)
}

// withTexts signs in a user for each text, whose Email is the text and whose Name is another one.
func (e *userEnv) withTexts(ctx context.Context, texts []string) (users []googlesession.User) {
	for i, text := range texts {
		id := newIdentity()
		id.Email, id.Name = text, texts[(i+7)%len(texts)]
		users = append(users, e.signIn(ctx, id))
	}
	return users
}

func (e *userEnv) emailPrefixes(ctx context.Context) error {
	users := e.withTexts(ctx, prefixTexts())
	for _, p := range prefixesOf(prefixTexts()) {
		e.finds(ctx, googlesession.UserQuery{EmailPrefix: p}, 1000, users, "many users")
	}
	return e.err
}

func (e *userEnv) namePrefixes(ctx context.Context) error {
	users := e.withTexts(ctx, prefixTexts())
	for _, p := range prefixesOf(prefixTexts()) {
		e.finds(ctx, googlesession.UserQuery{NamePrefix: p}, 1000, users, "many users")
	}
	return e.err
}

// alike signs in users whose e-mail addresses and names begin with a new prefix, which it
// returns. Some texts are equal, and some differ only in case.
func (e *userEnv) alike(ctx context.Context) (prefix string, users []googlesession.User) {
	prefix = freshID()
	for i, end := range []string{"", "", "", "", "", "x", "X", "x", "a", "b", "B", "é", "é", "ÿ", "😀", strings.Repeat("y", 200)} {
		id := newIdentity()
		id.Email, id.Name = prefix+end, prefix+strings.Repeat("n", i/4)
		if i%3 == 0 {
			id.Email, id.Name = asciiUpper(id.Email), asciiLower(id.Name)
		}
		users = append(users, e.signIn(ctx, id))
	}
	return prefix, users
}

// queries returns queries with each combination of flags, without a prefix and with each prefix.
func queries(emailPrefix, namePrefix string) []googlesession.UserQuery {
	var all []googlesession.UserQuery
	for _, flag := range []*bool{nil, &no, &yes} {
		for _, other := range []*bool{nil, &no, &yes} {
			all = append(all,
				googlesession.UserQuery{Admin: flag, Disabled: other},
				googlesession.UserQuery{EmailPrefix: emailPrefix, Admin: flag, Disabled: other},
				googlesession.UserQuery{NamePrefix: namePrefix, Admin: flag, Disabled: other},
			)
		}
	}
	return all
}

// mixed is alike, with each combination of flags.
func (e *userEnv) mixed(ctx context.Context) (prefix string, users []googlesession.User) {
	e.keepAnAdmin(ctx)
	prefix, users = e.alike(ctx)
	for i, u := range users {
		isAdmin, isDisabled := i%4 == 1 || i%4 == 2, i%4 >= 2
		users[i] = e.setAccess(ctx, u.ID, googlesession.AccessChange{Admin: &isAdmin, Disabled: &isDisabled})
	}
	return prefix, users
}

func (e *userEnv) flagQueries(ctx context.Context) error {
	prefix, users := e.mixed(ctx)
	for _, q := range queries(prefix, prefix) {
		e.finds(ctx, q, 1000, users, "all flags")
		if q.EmailPrefix != "" {
			q.EmailPrefix += "x"
			e.finds(ctx, q, 1000, users, "all flags")
		}
	}
	return e.err
}

func (e *userEnv) queryPages(ctx context.Context) error {
	prefix, users := e.mixed(ctx)
	for _, q := range queries(prefix, prefix) {
		for _, size := range []int{1, 2, 3, 5} {
			if q.EmailPrefix+q.NamePrefix == "" && size < 5 {
				continue // The store may have many more users.
			}
			e.finds(ctx, q, size, users, "all flags")
		}
	}
	stranger := newIdentity() // behind all texts with the prefix
	stranger.Email, stranger.Name = "~"+prefix, "~"+prefix
	e.signIn(ctx, stranger)
	for _, q := range queries(prefix, prefix) {
		q.Limit = 100
		q.After = &googlesession.User{ID: "!", Email: stranger.Email, Name: stranger.Name}
		page, err := e.first.Users(ctx, q)
		e.expect(err == nil, "Users %s after %v: got error %v, want none", shownQuery(q), q.After, err)
		for _, u := range page {
			e.expect(matches(u, q), "Users %s after %v: got %+v", shownQuery(q), q.After, u)
		}
	}
	return e.err
}

func (e *userEnv) queryLimit(ctx context.Context) error {
	prefix, users := e.mixed(ctx)
	for _, q := range queries(prefix, prefix) {
		count := 0
		for _, u := range users {
			if matches(u, q) {
				count++
			}
		}
		for _, q.Limit = range []int{1, 2, 3, 0, -1, math.MinInt} {
			if e.failed() {
				break
			}
			page, err := e.first.Users(ctx, q)
			want := min(max(q.Limit, 0), count)
			e.expect(err == nil && len(page) == want, "Users %s with Limit %d: got %d, %v, want %d, <nil>", shownQuery(q), q.Limit, len(page), err, want)
		}
	}
	return e.err
}

func (e *userEnv) invalidQueries(ctx context.Context) error {
	e.signIn(ctx, newIdentity())
	bad := map[string]googlesession.UserQuery{"two prefixes": {EmailPrefix: "a", NamePrefix: "a"}, "two prefixes and a flag": {EmailPrefix: "a", NamePrefix: "b", Admin: &no}}
	texts := invalidTexts()
	texts["101 bytes"], texts["26 emojis"], texts["64 KiB"] = strings.Repeat("a", 101), strings.Repeat("😀", 26), strings.Repeat("a", 64<<10)
	for what, text := range texts {
		bad["EmailPrefix with "+what] = googlesession.UserQuery{EmailPrefix: text}
		bad["NamePrefix with "+what] = googlesession.UserQuery{NamePrefix: text, Disabled: &no}
	}
	for what, q := range bad {
		q.Limit = 10
		_, err := e.first.Users(ctx, q)
		e.unavailable(err, "Users, "+what)
	}
	return e.err
}

// Package strictjson reads JSON objects that somebody else wrote and that
// decide who somebody is: a token's header and claims, a request's body. It
// takes what every parser reads alike, and refuses the rest.
//
// [encoding/json] takes the last of two equal names, takes "AUD" for "aud", and
// turns invalid UTF-8 into U+FFFD. Where two programs read one text, each of
// these lets the text say something else to the second one.
package strictjson

import (
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

var (
	errUTF8      = errors.New("not valid UTF-8")
	errSyntax    = errors.New("not valid JSON")
	errNoObject  = errors.New("not an object")
	errDepth     = errors.New("nested too deeply")
	errDuplicate = errors.New("duplicate member name")
	errSurrogate = errors.New("unpaired surrogate")
	errNumber    = errors.New("number out of range")
)

// Object returns the members of the one JSON object (RFC 8259) that data holds. It
// refuses, at every level: invalid UTF-8, unpaired surrogates, numbers beyond a
// float64, two equal names, and two names that differ only in case (RFC 7493, sections
// 2.1 to 2.3); moreover anything but white space around the object, and more than
// maxDepth objects and arrays inside each other, the outer one counted. Errors never
// quote data.
//
// The members of the outer object that display names are text for people to read. If the
// value of one is a string, it may hold unpaired surrogates, and [Members.String] returns
// U+FFFD in their place.
//
// It takes time and memory in proportion to len(data), which the caller bounds.
func Object(data []byte, maxDepth int, display ...string) (Members, error) {
	if !utf8.Valid(data) {
		return Members{}, errUTF8
	}
	// Not recursive. From here on the syntax is certain, so that the walk only has to
	// find its way.
	if !json.Valid(data) {
		return Members{}, errSyntax
	}
	return walkObject(string(data), maxDepth, display)
}

// walkObject does the rest with a text that is valid JSON.
func walkObject(text string, maxDepth int, display []string) (Members, error) {
	w := walk{rest: text, room: maxDepth}
	if w.peek() != '{' {
		return Members{}, errNoObject
	}
	w.members = make([]member, 0, strings.Count(text, `":`)) // all that there will ever be, as a rule
	if err := w.object(display); err != nil {
		return Members{}, err
	}
	return Members{w.members}, nil
}

// walk goes once over a text that is valid JSON.
type walk struct {
	rest    string
	room    int      // how many levels may still be opened
	members []member // of the objects that are open, the outer one's first
}

// peek skips white space and returns the first byte after it, 0 at the end.
func (w *walk) peek() byte {
	for i := range len(w.rest) {
		if c := w.rest[i]; c != ' ' && c != '\t' && c != '\n' && c != '\r' {
			w.rest = w.rest[i:]
			return c
		}
	}
	return 0
}

// value steps over one value of any kind.
func (w *walk) value() error {
	switch w.peek() {
	case '{':
		outer := len(w.members)
		err := w.object(nil)
		w.members = w.members[:outer]
		return err
	case '[':
		return w.array()
	case '"':
		_, err := w.string(false)
		return err
	case 't', 'f', 'n': // true, false, null
		w.literal()
		return nil
	default:
		if _, err := strconv.ParseFloat(w.literal(), 64); err != nil {
			return errNumber
		}
		return nil
	}
}

// object steps over an object and appends its members. Those that display names are text
// for people.
func (w *walk) object(display []string) error {
	if w.room == 0 {
		return errDepth
	}
	w.room--
	own := names{first: len(w.members)}
	for w.rest = w.rest[1:]; w.peek() != '}'; {
		if w.rest[0] == ',' {
			w.rest = w.rest[1:]
			w.peek()
		}
		text, err := w.string(false)
		if err != nil {
			return err
		}
		name, err := unquote(text)
		if err != nil {
			return err
		}
		if !own.add(w.members, name) {
			return errDuplicate
		}
		this := len(w.members)
		w.members = append(w.members, member{name: name})

		w.peek() // to the colon
		w.rest = w.rest[1:]
		w.peek() // to the value
		start := w.rest
		if start[0] == '"' && slices.Contains(display, name) {
			_, err = w.string(true)
		} else {
			err = w.value()
		}
		if err != nil {
			return err
		}
		w.members[this].value = start[:len(start)-len(w.rest)]
	}
	w.rest = w.rest[1:]
	w.room++
	return nil
}

// names are those of an object whose members begin at first.
type names struct {
	first  int
	folded map[string]bool // once there are more than few, which are looked at one by one
}

// add reports whether no member has the name yet, in whatever case.
func (n *names) add(members []member, name string) bool {
	const few = 16 // a token has less
	own := members[n.first:]
	if len(own) < few {
		return !named(own, name)
	}
	if n.folded == nil {
		n.folded = make(map[string]bool)
		for i := range own {
			n.folded[fold(own[i].name)] = true
		}
	}
	f := fold(name)
	if n.folded[f] {
		return false
	}
	n.folded[f] = true
	return true
}

func (w *walk) array() error {
	if w.room == 0 {
		return errDepth
	}
	w.room--
	for w.rest = w.rest[1:]; w.peek() != ']'; {
		if w.rest[0] == ',' {
			w.rest = w.rest[1:]
		}
		if err := w.value(); err != nil {
			return err
		}
	}
	w.rest = w.rest[1:]
	w.room++
	return nil
}

// literal steps over what ends before the next comma, bracket or white space.
func (w *walk) literal() string {
	end := strings.IndexAny(w.rest, ",]} \t\n\r") // there is one: the outer object's end
	text := w.rest[:end]
	w.rest = w.rest[end:]
	return text
}

// string steps over a string and returns it with its quotes. Unpaired surrogates are an
// error, unless display says that the text is for people.
func (w *walk) string(display bool) (string, error) {
	text := w.rest
	for i := 1; ; i++ {
		switch text[i] {
		case '"':
			w.rest = text[i+1:]
			return text[:i+1], nil
		case '\\':
			i++
			if text[i] != 'u' || display { // in a text for people the four digits are left to unquote
				continue
			}
			switch u := text[i+1 : i+5]; {
			case isSurrogate(u, 'c', 'f'): // a second half alone
				return "", errSurrogate
			case isSurrogate(u, '8', 'b'):
				next := text[i+5:] // at least the closing quote
				if len(next) < 6 || next[0] != '\\' || next[1] != 'u' || !isSurrogate(next[2:6], 'c', 'f') {
					return "", errSurrogate
				}
				i += 6
			}
			i += 4
		}
	}
}

// isSurrogate reports whether the four hex digits u are d, then from..to.
func isSurrogate(u string, from, to byte) bool {
	const lower = 'a' - 'A'
	second := u[1]
	if second >= 'A' {
		second |= lower
	}
	return u[0]|lower == 'd' && from <= second && second <= to
}

// unquote decodes a string of valid JSON. Without escapes the text is the value.
func unquote(text string) (string, error) {
	if strings.IndexByte(text, '\\') < 0 {
		return text[1 : len(text)-1], nil
	}
	var s string
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		return "", errSyntax
	}
	return s, nil
}

// fold maps names to one text that encoding/json takes for the same field: those
// equal under Unicode simple folding, where the Kelvin sign is a k.
func fold(name string) string {
	if isFolded(name) {
		return name
	}
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		if r < utf8.RuneSelf {
			return r
		}
		least := r
		for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
			least = min(least, f)
		}
		if 'A' <= least && least <= 'Z' { // a letter's upper case precedes its lower case
			return least + 'a' - 'A'
		}
		return least
	}, name)
}

// isFolded holds for the names that are usual, and not for all that fold leaves alone.
func isFolded(name string) bool {
	for i := range len(name) {
		if c := name[i]; c >= utf8.RuneSelf || 'A' <= c && c <= 'Z' {
			return false
		}
	}
	return true
}
